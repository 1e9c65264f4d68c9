// How datagrams get to and from the kernel: trains out, datagrams in. Two implementations: sendmmsg/recvmmsg,
// and io_uring.
//
//   uint8_t* p = engine.Reserve(port, bytes);      // write bytes/segment datagrams of `segment` octets each
//   there engine.Queue(port, bytes, segment, tag); engine.Flush(failures);                        // one
//   system call for all that is queued engine.Receive(wait_ns, want, datagrams);      // views are valid
//   until the next Receive()
//
// Sockets are connected, so that the kernel filters strangers and reports ICMP errors. One thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/fd.h"
#include "base/status.h"
#include "load/settings.h"

namespace mz::load {

struct Datagram {
  uint32_t port;  // index of the socket
  const uint8_t* data;
  size_t size;
};

struct SendFailure {
  uint64_t tag;
  int error;
};

inline constexpr unsigned kMaxQueued = 64;      // trains between two Flush()
inline constexpr size_t kDatagramBytes = 4096;  // longest answer taken whole; longer ones are cut

class UdpEngine {
 public:
  virtual ~UdpEngine() = default;
  // Room for `bytes` octets of one train. Requires: bytes <= kMaxTrainBytes, fewer than kMaxQueued are
  // queued.
  virtual uint8_t* Reserve(size_t bytes) = 0;
  virtual void Queue(uint32_t port, size_t bytes, size_t segment, uint64_t tag) = 0;
  virtual bool full() const = 0;
  // Appends those that did not leave. An ICMP error shows as ECONNREFUSED, once, on some later call.
  virtual void Flush(std::vector<SendFailure>* failures) = 0;
  // Waits up to wait_ns for about `want` datagrams (0: looks and returns). Appends to *out. Returns the
  // number of ICMP refusals met.
  virtual unsigned Receive(uint64_t wait_ns, unsigned want, std::vector<Datagram>* out) = 0;
};

// How long to sleep so that about as many datagrams gather as are wanted: many small wake-ups cost more than
// they bring.
class Nap {
 public:
  uint64_t ns() const { return ns_; }
  void Learn(size_t got, size_t wanted) {
    if (got < wanted)
      ns_ += ns_ / 4;
    else if (got > wanted + wanted / 2)
      ns_ -= ns_ / 4;
    ns_ = ns_ < kShortest ? kShortest : ns_ > kLongest ? kLongest : ns_;
  }

 private:
  static constexpr uint64_t kShortest = 10'000, kLongest = 200'000;
  uint64_t ns_ = 30'000;
};

// `ports` connected sockets.
StatusOr<std::vector<UniqueFd>> OpenUdpSockets(const Settings& settings, unsigned ports);

StatusOr<std::unique_ptr<UdpEngine>> MakeMmsgEngine(std::vector<UniqueFd> sockets);
// Whether the kernel lets us. Errors: FailedPrecondition, with the call that was refused.
Status UringWorks();
// Errors: those of UringWorks().
StatusOr<std::unique_ptr<UdpEngine>> MakeUringEngine(std::vector<UniqueFd> sockets);

}  // namespace mz::load
