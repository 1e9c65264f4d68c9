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
#include <cstring>
#include <string>

#include "base/big_vector.h"
#include "base/status.h"

namespace mz::compiler {

using Bytes = BigVector<uint8_t>;

class Heap {
 public:
  explicit Heap(uint32_t unit_bytes) : unit_(unit_bytes), bytes_(unit_bytes, 0) {}

  StatusOr<uint32_t> Allocate(size_t size) {
    const size_t start = bytes_.size();
    StatusOr<uint32_t> offset = AllocateUnset(size);
    if (offset.ok()) std::memset(bytes_.data() + start, 0, bytes_.size() - start);
    return offset;
  }
  // The same, but the caller writes all of it; only the padding behind `size` is zero.
  StatusOr<uint32_t> AllocateUnset(size_t size) {
    const size_t start = bytes_.size(), offset = start / unit_;
    if (offset > UINT32_MAX)
      return MakeStatus(StatusCode::kResourceExhausted,
                        "a section of the image would grow past " + std::to_string(uint64_t{unit_} << 32) + " bytes");
    const size_t padded = (size + unit_ - 1) / unit_ * unit_;
    mz::Reserve(&bytes_, padded);
    bytes_.resize(start + padded);
    std::memset(bytes_.data() + start + size, 0, padded - size);
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
  void Reserve(size_t size) { mz::Reserve(&bytes_, size); }
  size_t size() const { return bytes_.size(); }
  const Bytes& bytes() const { return bytes_; }
  Bytes Take() { return std::move(bytes_); }

 private:
  uint32_t unit_;
  Bytes bytes_;
};

}  // namespace mz::compiler
