// io_uring set-up: a ring with the best mode that the kernel grants, a ring of provided buffers, and the trial that
// decides whether this machine can run the io_uring backend at all.
//
// Needs Linux 6.0 (multishot recvmsg); measured best with 6.1 and later (deferred task work).
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/status.h"

namespace mz::io {

// Creates a small ring, receives one datagram through it as the backend will, and closes it. OK: the backend will work.
// Errors: FailedPrecondition, with the call that was refused and what to change.
Status TryUring();

class Ring {
 public:
  Ring() = default;
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Disabled rings may be set up by one thread and enabled by another, which then owns them (single issuer).
  Status Init(unsigned sq_entries, unsigned cq_entries, bool disabled);
  // The calling thread becomes the one that may submit.
  Status Enable();
  io_uring* get() { return &ring_; }
  // Task work runs only inside our own io_uring_enter. Also tells Linux 6.1: OP_SEND takes an address since then.
  bool deferred() const { return (flags_ & IORING_SETUP_DEFER_TASKRUN) != 0; }
  bool valid() const { return valid_; }

 private:
  io_uring ring_{};
  unsigned flags_ = 0;
  bool valid_ = false;
};

// A group of equal buffers from which the kernel takes one per datagram. liburing 2.3 has no helper for it.
class BufferRing {
 public:
  BufferRing() = default;
  ~BufferRing();
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;

  // Requires: count is a power of two, at most 32768.
  Status Register(Ring& ring, uint16_t group, unsigned count, size_t buffer_bytes);
  uint8_t* buffer(unsigned id) const { return buffers_ + size_t{id} * buffer_bytes_; }
  size_t buffer_bytes() const { return buffer_bytes_; }
  // Gives a buffer back to the kernel; effective at the next Publish().
  void Recycle(unsigned id);
  void Publish();

 private:
  io_uring_buf_ring* ring_ = nullptr;
  uint8_t* buffers_ = nullptr;
  size_t ring_bytes_ = 0, buffer_bytes_ = 0, buffers_bytes_ = 0;
  unsigned count_ = 0;
  int pending_ = 0;
};

}  // namespace mz::io
