// What a run does. Built by the caller, constant while it runs.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/proxy.h"
#include "load/schedule.h"

namespace mz::load {

enum class Transport { kUdp, kTcp };
enum class EngineKind { kUring, kMmsg };
enum class Waiting { kSpin, kBlock };

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
};

struct Settings {
  SocketAddress target;
  std::optional<SocketAddress> source;  // port 0: any
  Transport transport = Transport::kUdp;
  EngineKind engine = EngineKind::kMmsg;
  Waiting waiting = Waiting::kBlock;

  unsigned threads = 1;
  std::vector<int> cpus;  // thread i runs on cpus[i % size]; empty: not pinned
  unsigned ports = 8;     // UDP source ports, of all threads
  unsigned train = 32;
  unsigned connections = 8;             // TCP, of all threads
  uint64_t queries_per_connection = 0;  // 0: no end

  uint64_t window = 256;  // closed loop: queries on their way, of all threads
  double rate = 0;        // open loop: queries per second; 0: closed
  Arrivals arrivals = Arrivals::kPoisson;
  uint64_t warm_up_ns = 0;
  uint64_t duration_ns = 0;
  uint64_t max_queries = 0;  // counted ones; 0: the duration decides
  uint64_t timeout_ns = 1'000'000'000;
  bool retry_tcp = false;     // UDP answers with TC are asked again over TCP
  std::vector<Subnet> proxy;  // TCP: clients of the PROXY header of each connection

  uint64_t seed = 1;
  std::vector<int> pids;  // processes whose CPU time and memory are read
};

}  // namespace mz::load
