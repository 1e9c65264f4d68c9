// memcpy() and memcmp() for lengths that vary and are mostly below a hundred octets: names, texts, addresses. Inline, with
// overlapping moves instead of a branch per length, and never an octet read or written outside the ranges.
//
//   CopyShort(to, from, bytes);          // the ranges do not overlap
//   if (SameShort(a, b, bytes)) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mz {

inline void CopyShort(uint8_t* to, const uint8_t* from, size_t bytes) {
  auto move = [&](auto word, size_t at) {
    std::memcpy(&word, from + at, sizeof word);
    std::memcpy(to + at, &word, sizeof word);
  };
  typedef uint64_t Wide __attribute__((vector_size(16)));
  if (bytes >= 16) {
    for (size_t at = 0; at + 16 < bytes; at += 16) move(Wide{}, at);
    move(Wide{}, bytes - 16);
  } else if (bytes >= 8) {
    move(uint64_t{}, 0);
    move(uint64_t{}, bytes - 8);
  } else if (bytes >= 4) {
    move(uint32_t{}, 0);
    move(uint32_t{}, bytes - 4);
  } else {
    for (size_t at = 0; at < bytes; at++) to[at] = from[at];
  }
}

inline bool SameShort(const uint8_t* a, const uint8_t* b, size_t bytes) {
  auto differ = [&](auto word, size_t at) {
    auto other = word;
    std::memcpy(&word, a + at, sizeof word);
    std::memcpy(&other, b + at, sizeof other);
    return word != other;
  };
  if (bytes >= 8) {
    for (size_t at = 0; at + 8 < bytes; at += 8)
      if (differ(uint64_t{}, at)) return false;
    return !differ(uint64_t{}, bytes - 8);
  }
  if (bytes >= 4) return !differ(uint32_t{}, 0) && !differ(uint32_t{}, bytes - 4);
  for (size_t at = 0; at < bytes; at++)
    if (a[at] != b[at]) return false;
  return true;
}

}  // namespace mz
