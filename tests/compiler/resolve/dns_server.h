// A DNS server for tests: UDP and TCP on one random loopback port, one thread, answers from a function.
//
//   DnsServer server([](const DnsServer::Query& q) { DnsServer::Reply r; r.delay_ms = 60; return r; });
//   options.forwarders = {server.address()};
//
// The function runs in the server's thread. Stops in the destructor.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mz::resolve {

class DnsServer {
 public:
  struct Query {
    std::string name;   // relative wire form as asked
    std::string text;   // its presentation form
    uint16_t type = 0;
    bool tcp = false;
    bool recursion_desired = false;
    uint16_t edns_bytes = 0;  // 0: no OPT record
  };
  struct Record {
    std::string owner;   // relative wire form
    uint16_t type = 0;
    uint32_t ttl = 0;
    std::string rdata;   // as it goes on the wire; a pointer to the question's name is "\xc0\x0c"
  };
  struct Reply {
    uint16_t rcode = 0;
    std::vector<Record> answers;
    uint32_t soa_ttl = 0;   // not 0: a SOA record of the root in the authority section
    bool truncated = false;
    bool silent = false;
    int delay_ms = 0;
  };
  using Handler = std::function<Reply(const Query&)>;

  explicit DnsServer(Handler handler);
  ~DnsServer();
  std::string address() const { return "127.0.0.1@" + std::to_string(port_); }
  std::vector<Query> queries() const;      // all so far
  int max_concurrent() const { return max_concurrent_; }   // received and not yet answered, silent ones left out

 private:
  struct Delayed {
    int tcp_fd = -1;             // -1: by UDP
    std::string peer;            // sockaddr
    std::string packet;
  };
  using Clock = std::chrono::steady_clock;
  void Run();
  void Take(const std::string& packet, int tcp_fd, const std::string& peer);
  void SendDue();

  Handler handler_;
  int udp_ = -1, tcp_ = -1, stop_[2] = {-1, -1};
  uint16_t port_ = 0;
  std::map<int, std::string> connections_;   // fd -> bytes so far
  std::multimap<Clock::time_point, Delayed> delayed_;
  std::atomic<int> max_concurrent_{0};
  mutable std::mutex mutex_;
  std::vector<Query> queries_;
  std::thread thread_;
};

}  // namespace mz::resolve
