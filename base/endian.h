// Fixed-endian integers with alignment 1, for structs that lie on disk or on the wire.
//
//   struct Header { Le32 version; Le64 file_size; };   // sizeof 12, any alignment, same bytes on every machine
//
// Values copy; reading is one load (and a byte swap for the Be types on little-endian machines).
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

namespace mz {

template <typename T>
constexpr T ByteSwap(T v) {
  if constexpr (sizeof(T) == 1) return v;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(v)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(v)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(v)));
}

template <std::unsigned_integral T, std::endian Order>
class Packed {
 public:
  Packed() = default;
  Packed(T v) { *this = v; }  // NOLINT: implicit on purpose, it is an integer
  Packed& operator=(T v) {
    if constexpr (Order != std::endian::native) v = ByteSwap(v);
    std::memcpy(bytes_, &v, sizeof v);
    return *this;
  }
  operator T() const {  // NOLINT
    T v;
    std::memcpy(&v, bytes_, sizeof v);
    if constexpr (Order != std::endian::native) v = ByteSwap(v);
    return v;
  }

 private:
  uint8_t bytes_[sizeof(T)];
};

using Le16 = Packed<uint16_t, std::endian::little>;
using Le32 = Packed<uint32_t, std::endian::little>;
using Le64 = Packed<uint64_t, std::endian::little>;
using Be16 = Packed<uint16_t, std::endian::big>;
using Be32 = Packed<uint32_t, std::endian::big>;
using Be64 = Packed<uint64_t, std::endian::big>;

static_assert(sizeof(Le16) == 2 && alignof(Le16) == 1);
static_assert(sizeof(Le64) == 8 && alignof(Be64) == 1);

inline uint16_t LoadBe16(const void* p) {
  uint16_t v;
  std::memcpy(&v, p, 2);
  return std::endian::native == std::endian::big ? v : ByteSwap(v);
}
inline uint32_t LoadBe32(const void* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return std::endian::native == std::endian::big ? v : ByteSwap(v);
}
inline uint64_t LoadBe64(const void* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return std::endian::native == std::endian::big ? v : ByteSwap(v);
}
inline void StoreBe16(void* p, uint16_t v) {
  if (std::endian::native != std::endian::big) v = ByteSwap(v);
  std::memcpy(p, &v, 2);
}
inline void StoreBe32(void* p, uint32_t v) {
  if (std::endian::native != std::endian::big) v = ByteSwap(v);
  std::memcpy(p, &v, 4);
}

}  // namespace mz
