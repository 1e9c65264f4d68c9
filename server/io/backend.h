// The I/O backends: sockets in, sockets out. They carry packets and know nothing of DNS but the two-octet TCP length.
//
//   std::unique_ptr<Backend> b = *MakeBackend(BackendKind::kUring, std::move(sockets), limits, handler, counters);
//   b->Run();                     // on the worker's thread, until Stop()
//
// One backend per worker thread; backends share nothing. MakeBackend() may be called on any thread; Run() is called once,
// on the worker's thread, and calls the handler with batches there. Stop() may be called from any thread or signal context,
// also before Run(). After construction the UDP path neither allocates nor locks; TCP buffers come from a pool.
//
// Both backends share TCP (tcp_server.h): only how UDP datagrams cross the kernel border differs.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/status.h"

namespace mz::io {

enum class BackendKind { kAuto, kUring, kEpoll };

// One message for the handler. The handler writes the reply to `response` and its size; 0 sends nothing.
struct Packet {
  std::span<const uint8_t> request;
  std::span<uint8_t> response;       // UDP: kUdpResponseBytes; TCP: 65535
  size_t response_size = 0;
  const sockaddr_storage* peer = nullptr;
  bool tcp = false;
  uint16_t delay_ms = 0;             // set by the handler: the reply is to be sent so much later
};

inline constexpr size_t kUdpRequestBytes = 4096;   // longer datagrams are cut; no query needs more
inline constexpr size_t kUdpResponseBytes = 4096;  // the largest --max-udp

class Handler {
 public:
  virtual ~Handler() = default;
  // `packets` has 1..kMaxBatch entries. Must not block.
  virtual void Handle(std::span<Packet> packets) = 0;
  // Whether some packet of the last Handle() has a delay: the one look that others cost.
  bool delayed() const { return delayed_; }

 protected:
  bool delayed_ = false;
};
inline constexpr size_t kMaxBatch = 64;

// Sockets of one listen address for one worker.
struct ListenSockets {
  UniqueFd udp;              // may be invalid: TCP only
  UniqueFd tcp;              // listening; may be invalid: UDP only
  int family = AF_INET;
  bool wildcard = false;     // bound to 0.0.0.0 or [::]: replies leave from the address that was asked (IP_PKTINFO)
};

struct TcpLimits {
  int max_connections = 10000;      // per worker; the longest idle is closed when a new one arrives at the limit
  int idle_timeout_ms = 10000;      // between messages (RFC 7766 section 6.2.3: seconds)
  int message_timeout_ms = 5000;    // from the first octet of a message to its last; and for unsent replies
  size_t max_buffered_bytes = 65536;  // unsent replies per connection; reading pauses above it
  size_t max_total_bytes = 256u << 20;  // all buffers of a worker; who needs one beyond it is closed
};

// A statistics counter: written by one thread with plain loads and stores, readable by any.
class Counter {
 public:
  void operator+=(uint64_t n) { Set(*this + n); }
  void operator-=(uint64_t n) { Set(*this - n); }
  void operator++(int) { *this += 1; }
  void operator--(int) { *this -= 1; }
  operator uint64_t() const { return value_.load(std::memory_order_relaxed); }  // NOLINT

 private:
  void Set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::atomic<uint64_t> value_{0};
};

// Written by the worker's thread only, read by others without synchronisation.
struct IoCounters {
  Counter udp_received, udp_sent, udp_send_failed;
  Counter tcp_accepted;
  Counter tcp_messages;   // handed to the handler
  Counter tcp_evicted;    // closed for a newcomer, or for want of file descriptors
  Counter tcp_timeouts;   // closed: idle, message too slow, replies not read
  Counter tcp_errors;     // closed: reset, lying length, cut message, no buffer left
  Counter tcp_open;       // now
  Counter batches;        // calls of the handler with UDP packets
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Until Stop() (OK; pending TCP is dropped), or until the kernel refuses what it granted before (Internal).
  virtual Status Run() = 0;
  virtual void Stop() = 0;  // async-signal-safe: one eventfd write
  virtual std::string_view name() const = 0;  // "io_uring", "epoll"
};

// kAuto tries io_uring and falls back to epoll; `chosen_because` (optional) says which and why in one line. Errors:
// FailedPrecondition (kUring, but the machine does not allow it: what to change), ResourceExhausted.
StatusOr<std::unique_ptr<Backend>> MakeBackend(BackendKind kind, std::vector<ListenSockets> sockets,
                                               const TcpLimits& limits, Handler& handler, IoCounters& counters,
                                               std::string* chosen_because);

}  // namespace mz::io
