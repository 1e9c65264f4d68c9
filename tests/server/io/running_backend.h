// A backend on its own thread for the tests, with a handler that echoes, and blocking client sockets with deadlines.
#pragma once

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/endian.h"
#include "server/io/backend.h"
#include "server/io/sockets.h"

namespace mz::io::test {

// The first octet of a request chooses the reply.
enum Command : uint8_t {
  kSilence = 0xee,   // none
  kLarge = 0xb1,     // as large as the response buffer is
};

class EchoHandler : public Handler {
 public:
  void Handle(std::span<Packet> packets) override {
    size_t largest = largest_batch.load();
    while (packets.size() > largest && !largest_batch.compare_exchange_weak(largest, packets.size())) {
    }
    for (Packet& p : packets) {
      if (!p.request.empty() && p.request[0] == kSilence) {
        p.response_size = 0;
      } else if (!p.request.empty() && p.request[0] == kLarge) {
        std::memset(p.response.data(), 'L', p.response.size());
        p.response_size = p.response.size();
      } else {
        p.response_size = std::min(p.request.size(), p.response.size());
        std::memcpy(p.response.data(), p.request.data(), p.response_size);
      }
      (p.tcp ? tcp_messages : udp_messages)++;
      if (p.peer->ss_family == AF_INET6) v6_messages++;
    }
    if (hook) hook(packets);
    delayed_ = std::any_of(packets.begin(), packets.end(), [](const Packet& p) { return p.delay_ms != 0; });
  }
  std::atomic<size_t> largest_batch{0};
  std::atomic<uint64_t> udp_messages{0}, tcp_messages{0}, v6_messages{0};
  std::function<void(std::span<Packet>)> hook;  // set before the backend runs
};

inline uint16_t PortOf(const sockaddr_storage& a) {
  return ntohs(a.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(a).sin_port
                                      : reinterpret_cast<const sockaddr_in6&>(a).sin6_port);
}

class RunningBackend {
 public:
  explicit RunningBackend(BackendKind kind, std::vector<std::string> hosts = {"127.0.0.1"}, TcpLimits limits = {},
                          SocketOptions options = {}, bool start = true) {
    std::vector<ListenSpec> specs;
    for (auto& h : hosts) specs.push_back({.host = h, .service = "0"});
    auto opened = OpenListenSockets(specs, options);
    if (!opened.ok()) {
      ADD_FAILURE() << opened.status();
      return;
    }
    for (auto& b : opened->bound) addresses_.push_back(b.address);
    auto made = MakeBackend(kind, std::move(opened->workers[0]), limits, handler, counters, nullptr);
    if (!made.ok()) {  // a machine that refuses a backend is a failure, not a skip
      ADD_FAILURE() << made.status();
      return;
    }
    backend_ = std::move(*made);
    if (start) Start();
  }
  ~RunningBackend() { Stop(); }
  void Start() {
    if (backend_) thread_ = std::thread([this] { result_ = backend_->Run(); });
  }
  // Returns after Run() has; the backend object lives on.
  void Stop() {
    if (!thread_.joinable()) return;
    backend_->Stop();
    thread_.join();
    EXPECT_TRUE(result_.ok()) << result_;
  }
  void Destroy() {
    Stop();
    backend_.reset();
  }
  bool ok() const { return backend_ != nullptr; }
  Backend& backend() { return *backend_; }
  const sockaddr_storage& address(size_t i = 0) const { return addresses_[i]; }
  uint16_t port(size_t i = 0) const { return PortOf(addresses_[i]); }

  EchoHandler handler;
  IoCounters counters;

 private:
  std::vector<sockaddr_storage> addresses_;
  std::unique_ptr<Backend> backend_;
  std::thread thread_;
  Status result_;
};

inline sockaddr_storage Address4(const char* text, uint16_t port) {
  sockaddr_storage out{};
  auto& a = reinterpret_cast<sockaddr_in&>(out);
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  inet_pton(AF_INET, text, &a.sin_addr);
  return out;
}
inline sockaddr_storage Address6(const char* text, uint16_t port) {
  sockaddr_storage out{};
  auto& a = reinterpret_cast<sockaddr_in6&>(out);
  a.sin6_family = AF_INET6;
  a.sin6_port = htons(port);
  inet_pton(AF_INET6, text, &a.sin6_addr);
  return out;
}
inline socklen_t SizeOf(const sockaddr_storage& a) {
  return a.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

// A client socket; every receive gives up after its patience.
class Client {
 public:
  explicit Client(int family, int type) : fd_(::socket(family, type | SOCK_CLOEXEC, 0)) { EXPECT_TRUE(fd_.valid()); }
  static Client Udp(const sockaddr_storage& to) {
    Client c(to.ss_family, SOCK_DGRAM);
    c.Connect(to);
    return c;
  }
  static Client Tcp(const sockaddr_storage& to, int receive_buffer_bytes = 0) {
    Client c(to.ss_family, SOCK_STREAM);
    if (receive_buffer_bytes > 0)
      ::setsockopt(c.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    c.Connect(to);
    return c;
  }
  bool Connect(const sockaddr_storage& to) {
    return ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), SizeOf(to)) == 0;
  }
  int fd() const { return fd_.get(); }
  void Close() { fd_.reset(); }
  // Sends all or as much as the socket takes before it errs.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  bool Readable(int patience_ms) {
    pollfd p{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&p, 1, patience_ms) == 1;
  }
  // One datagram or one piece of stream; "" on timeout, end or error (see `ended`).
  std::string Receive(int patience_ms = 3000) {
    ended = false;
    if (!Readable(patience_ms)) return "";
    std::string out(70000, '\0');
    const ssize_t n = ::recv(fd_.get(), out.data(), out.size(), 0);
    ended = n <= 0;
    out.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return out;
  }
  std::string ReceiveExactly(size_t bytes, int patience_ms = 5000) {
    std::string out;
    while (out.size() < bytes && Readable(patience_ms)) {
      std::string piece(bytes - out.size(), '\0');
      const ssize_t n = ::recv(fd_.get(), piece.data(), piece.size(), 0);
      if (n <= 0) break;
      out.append(piece, 0, static_cast<size_t>(n));
    }
    return out;
  }
  // One framed message of TCP; "" when the connection ended or nothing came.
  std::string ReceiveMessage(int patience_ms = 5000) {
    const std::string length = ReceiveExactly(2, patience_ms);
    if (length.size() != 2) return "";
    return ReceiveExactly(LoadBe16(length.data()), patience_ms);
  }
  // True when the server closes or resets within the patience; what still arrives is thrown away.
  bool ClosedByServer(int patience_ms = 3000) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
    while (std::chrono::steady_clock::now() < end) {
      Receive(50);
      if (ended) return true;
    }
    return false;
  }
  bool ended = false;

 private:
  UniqueFd fd_;
};

// "name" padded to the least size of a message, so that it may also go over TCP.
inline std::string Message(std::string text) {
  if (text.size() < 12) text.resize(12, '.');
  return text;
}
inline std::string Framed(const std::string& message) {
  std::string out(2, '\0');
  StoreBe16(out.data(), static_cast<uint16_t>(message.size()));
  return out + message;
}

template <typename Condition>
bool Eventually(Condition condition, int patience_ms = 5000) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline std::string KindName(const testing::TestParamInfo<BackendKind>& info) {
  return info.param == BackendKind::kUring ? "Uring" : "Epoll";
}
#define MZ_FOR_BOTH_BACKENDS(Suite) \
  INSTANTIATE_TEST_SUITE_P(Io, Suite, testing::Values(BackendKind::kUring, BackendKind::kEpoll), KindName)

}  // namespace mz::io::test
