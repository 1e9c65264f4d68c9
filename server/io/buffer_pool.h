// Buffers for TCP connections: a few sizes, kept for re-use, and one bound for all that are out.
//
//   Buffer b = pool.Get(300);                  // capacity >= 300; null data when the total would pass the bound
//   pool.Put(b);                               // b is empty again
//
// An idle connection has no buffer. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mz::io {

struct Buffer {
  uint8_t* data = nullptr;
  size_t capacity = 0;
};

// Capacities are 1024 * 2^n plus a little: a message of 65,535 octets with its length takes the 64 KiB size.
inline constexpr int kBufferClasses = 15;
constexpr size_t BufferCapacity(int size_class) { return (size_t{1024} << size_class) + 16; }
inline constexpr size_t kMaxBufferBytes = BufferCapacity(kBufferClasses - 1);

class BufferPool {
 public:
  // `max_total_bytes` bounds what is out at the same time. `max_kept_bytes` bounds what is kept for re-use.
  BufferPool(size_t max_total_bytes, size_t max_kept_bytes)
      : max_total_bytes_(max_total_bytes), max_kept_bytes_(max_kept_bytes) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // Requires: min_capacity <= kMaxBufferBytes.
  Buffer Get(size_t min_capacity);
  void Put(Buffer& buffer);
  size_t bytes_out() const { return bytes_out_; }
  size_t bytes_kept() const { return bytes_kept_; }

 private:
  size_t max_total_bytes_, max_kept_bytes_;
  size_t bytes_out_ = 0, bytes_kept_ = 0;
  std::vector<uint8_t*> free_[kBufferClasses];
};

}  // namespace mz::io
