// See buffer_pool.h.
#include "server/io/buffer_pool.h"

#include <bit>
#include <cstdlib>

namespace mz::io {

BufferPool::~BufferPool() {
  for (auto& list : free_)
    for (uint8_t* p : list) std::free(p);
}

Buffer BufferPool::Get(size_t min_capacity) {
  int size_class = 0;
  while (BufferCapacity(size_class) < min_capacity) size_class++;
  const size_t capacity = BufferCapacity(size_class);
  if (bytes_out_ + capacity > max_total_bytes_) return {};
  auto& list = free_[size_class];
  uint8_t* p;
  if (!list.empty()) {
    p = list.back();
    list.pop_back();
    bytes_kept_ -= capacity;
  } else {
    p = static_cast<uint8_t*>(std::malloc(capacity));
    if (p == nullptr) return {};
  }
  bytes_out_ += capacity;
  return {p, capacity};
}

void BufferPool::Put(Buffer& buffer) {
  if (buffer.data == nullptr) return;
  bytes_out_ -= buffer.capacity;
  if (bytes_kept_ + buffer.capacity <= max_kept_bytes_) {
    const int size_class = std::bit_width(buffer.capacity / 1024) - 1;
    free_[size_class].push_back(buffer.data);
    bytes_kept_ += buffer.capacity;
  } else {
    std::free(buffer.data);
  }
  buffer = {};
}

}  // namespace mz::io
