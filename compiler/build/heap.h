// Byte areas under construction: one section of the image, grown at the end, addressed in units.
//
//   Heap maps(64);                                   // offset 0 is reserved, so the first Allocate returns 1
//   MZ_ASSIGN_OR_RETURN(uint32_t at, maps.Allocate(sizeof(MapHeader) + n));
//   new (maps.At(at)) ...
//
// Pointers from At() are valid until the next Allocate(). New bytes are zero. Errors: ResourceExhausted when offsets no
// longer fit in 32 bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace mz::compiler {

class Heap {
 public:
  explicit Heap(uint32_t unit_bytes) : unit_(unit_bytes), bytes_(unit_bytes) {}

  StatusOr<uint32_t> Allocate(size_t size) {
    size_t start = bytes_.size();
    size_t offset = start / unit_;
    if (offset > UINT32_MAX)
      return MakeStatus(StatusCode::kResourceExhausted,
                        "a section of the image would grow past " + std::to_string(uint64_t{unit_} << 32) + " bytes");
    bytes_.resize(start + (size + unit_ - 1) / unit_ * unit_);
    return static_cast<uint32_t>(offset);
  }
  uint8_t* At(uint32_t offset) { return bytes_.data() + size_t{offset} * unit_; }
  const uint8_t* At(uint32_t offset) const { return bytes_.data() + size_t{offset} * unit_; }
  template <typename T>
  T* As(uint32_t offset) {
    static_assert(alignof(T) == 1);
    return reinterpret_cast<T*>(At(offset));
  }

  // Room for `size` bytes more. Grows by half at least, so that many small calls stay linear.
  void Reserve(size_t size) {
    if (bytes_.size() + size > bytes_.capacity())
      bytes_.reserve(std::max(bytes_.size() + size, bytes_.capacity() + bytes_.capacity() / 2));
  }
  size_t size() const { return bytes_.size(); }
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  uint32_t unit_;
  std::vector<uint8_t> bytes_;
};

}  // namespace mz::compiler
