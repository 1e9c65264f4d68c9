// io_uring set-up: a ring with the best mode that the kernel grants, a ring of provided buffers, and the trial that
// decides whether this machine can run the io_uring backend at all.
//
// Needs Linux 6.0 (multishot recvmsg); measured best with 6.1 and later (deferred task work).
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/lazy_memory.h"
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
//
// It begins small, because the kernel goes round all of them: under the lightest load each is soon resident. When the kernel
// finds none (ENOBUFS), no datagram is lost: they wait in the socket's own buffer, which holds thousands, until some come
// back or Grow() gives more. So a burst is borne by the socket, and the number here only has to cover what one round receives and answers.
class BufferRing {
 public:
  BufferRing() = default;
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;

  // The first `count` of `most` buffers. Requires: 0 < count <= most; `most` is a power of two, at most 32768.
  Status Register(Ring& ring, uint16_t group, unsigned count, unsigned most, size_t buffer_bytes);
  // As many more as there were at first, up to `most`; effective at once.
  void Grow();
  uint8_t* buffer(unsigned id) const { return buffers_.data() + size_t{id} * buffer_bytes_; }
  unsigned count() const { return count_; }
  // Gives a buffer back to the kernel; effective at the next Publish().
  void Recycle(unsigned id);
  void Publish();

 private:
  void Add(unsigned end);

  LazyMemory ring_memory_, buffers_;
  io_uring_buf_ring* ring_ = nullptr;
  size_t buffer_bytes_ = 0;
  unsigned count_ = 0, step_ = 0, most_ = 0;
  int pending_ = 0;
};

}  // namespace mz::io
