#include "tests/compiler/resolve/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/status.h"
#include "format/dns/name.h"

namespace mz::resolve {
namespace {

void Put16(std::string* out, unsigned v) {
  *out += static_cast<char>(v >> 8);
  *out += static_cast<char>(v);
}
void Put32(std::string* out, uint32_t v) {
  Put16(out, v >> 16);
  Put16(out, v & 0xffff);
}
unsigned Get16(const std::string& s, size_t i) {
  return static_cast<unsigned>(static_cast<uint8_t>(s[i])) << 8 | static_cast<uint8_t>(s[i + 1]);
}
void PutRecord(std::string* out, const DnsServer::Record& r) {
  *out += r.owner;
  *out += '\0';
  Put16(out, r.type);
  Put16(out, 1);
  Put32(out, r.ttl);
  Put16(out, static_cast<unsigned>(r.rdata.size()));
  *out += r.rdata;
}

}  // namespace

DnsServer::DnsServer(Handler handler) : handler_(std::move(handler)) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int attempt = 0; attempt < 20 && tcp_ < 0; attempt++) {
    udp_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    tcp_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin_port = 0;
    MZ_CHECK(bind(udp_, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0);
    socklen_t size = sizeof a;
    MZ_CHECK(getsockname(udp_, reinterpret_cast<sockaddr*>(&a), &size) == 0);
    if (bind(tcp_, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) {
      close(udp_);
      close(tcp_);
      tcp_ = -1;
    }
  }
  MZ_CHECK(tcp_ >= 0 && listen(tcp_, 128) == 0 && pipe(stop_) == 0);
  const int bytes = 4 << 20;
  setsockopt(udp_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  port_ = ntohs(a.sin_port);
  thread_ = std::thread([this] { Run(); });
}

DnsServer::~DnsServer() {
  close(stop_[1]);
  thread_.join();
  for (const auto& [fd, bytes] : connections_) close(fd);
  for (const int fd : {udp_, tcp_, stop_[0]}) close(fd);
}

std::vector<DnsServer::Query> DnsServer::queries() const {
  std::lock_guard lock(mutex_);
  return queries_;
}

void DnsServer::Run() {
  std::string buffer(65536, '\0');
  for (;;) {
    std::vector<pollfd> fds{{stop_[0], POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
    for (const auto& [fd, bytes] : connections_) fds.push_back({fd, POLLIN, 0});
    int wait = 1000;
    if (!delayed_.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(delayed_.begin()->first - Clock::now());
      wait = static_cast<int>(std::max<int64_t>(0, left.count()));
    }
    poll(fds.data(), fds.size(), wait);
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) {
      for (;;) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const ssize_t n = recvfrom(udp_, buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
        if (n < 0) break;
        Take(buffer.substr(0, static_cast<size_t>(n)), -1, std::string(reinterpret_cast<char*>(&from), size));
      }
    }
    if (fds[2].revents != 0)
      if (const int fd = accept(tcp_, nullptr, nullptr); fd >= 0) connections_[fd];
    for (size_t i = 3; i < fds.size(); i++) {
      if (fds[i].revents == 0) continue;
      const ssize_t n = recv(fds[i].fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n <= 0) {
        std::erase_if(delayed_, [&](const auto& d) { return d.second.tcp_fd == fds[i].fd; });
        connections_.erase(fds[i].fd);
        close(fds[i].fd);
        continue;
      }
      std::string& bytes = connections_[fds[i].fd];
      bytes.append(buffer, 0, static_cast<size_t>(n));
      while (bytes.size() >= 2 && bytes.size() >= 2 + Get16(bytes, 0)) {
        const std::string packet = bytes.substr(2, Get16(bytes, 0));
        bytes.erase(0, 2 + packet.size());
        Take(packet, fds[i].fd, {});
      }
    }
    SendDue();
  }
}

void DnsServer::Take(const std::string& packet, int tcp_fd, const std::string& peer) {
  if (packet.size() < 17) return;
  size_t end = 12;
  while (end < packet.size() && packet[end] != 0) end += 1u + static_cast<uint8_t>(packet[end]);
  if (end + 5 > packet.size()) return;
  Query q;
  q.name = packet.substr(12, end - 12);
  q.text = dns::NameText(q.name);
  q.type = static_cast<uint16_t>(Get16(packet, end + 1));
  q.tcp = tcp_fd >= 0;
  q.recursion_desired = (packet[2] & 1) != 0;
  const std::string question = packet.substr(12, end + 5 - 12);
  if (Get16(packet, 10) == 1 && packet.size() >= end + 16 && Get16(packet, end + 6) == 41)
    q.edns_bytes = static_cast<uint16_t>(Get16(packet, end + 8));
  {
    std::lock_guard lock(mutex_);
    queries_.push_back(q);
  }
  const Reply reply = handler_(q);
  if (reply.silent) return;
  std::string out = packet.substr(0, 2);
  // QR (AA when asked as an authority) (TC) (RD) RA
  Put16(&out, 0x8080u | (q.recursion_desired ? 0 : 0x400u) | (reply.truncated ? 0x200u : 0u) | (q.recursion_desired ? 0x100u : 0u) | reply.rcode);
  Put16(&out, 1);
  Put16(&out, static_cast<unsigned>(reply.answers.size()));
  Put16(&out, reply.soa_ttl != 0);
  Put16(&out, q.edns_bytes != 0);
  out += question;
  for (const Record& r : reply.answers) PutRecord(&out, r);
  if (reply.soa_ttl != 0) {
    std::string soa(2, '\0');
    for (int i = 0; i < 5; i++) Put32(&soa, reply.soa_ttl);
    PutRecord(&out, {"", 6, reply.soa_ttl, soa});
  }
  if (q.edns_bytes != 0) {
    out += '\0';
    Put16(&out, 41);
    Put16(&out, 1232);
    Put32(&out, 0);
    Put16(&out, 0);
  }
  if (tcp_fd >= 0) {
    std::string framed;
    Put16(&framed, static_cast<unsigned>(out.size()));
    out = framed + out;
  }
  delayed_.insert({Clock::now() + std::chrono::milliseconds(reply.delay_ms), {tcp_fd, peer, out}});
  max_concurrent_ = std::max(max_concurrent_.load(), static_cast<int>(delayed_.size()));
  if (reply.delay_ms == 0) SendDue();
}

void DnsServer::SendDue() {
  const Clock::time_point now = Clock::now();
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const Delayed d = std::move(delayed_.begin()->second);
    delayed_.erase(delayed_.begin());
    if (d.tcp_fd >= 0)
      [[maybe_unused]] auto n = send(d.tcp_fd, d.packet.data(), d.packet.size(), MSG_NOSIGNAL);
    else
      sendto(udp_, d.packet.data(), d.packet.size(), 0, reinterpret_cast<const sockaddr*>(d.peer.data()),
             static_cast<socklen_t>(d.peer.size()));
  }
}

}  // namespace mz::resolve
