// Letters without case (RFC 4343: ASCII only), many octets at a time. Length octets are below 64 and pass unchanged, so whole
// names in wire form can be treated.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/endian.h"
#include "format/image/name_hash.h"

namespace mz::answer {

inline uint64_t LowerWord(uint64_t x) {
  constexpr uint64_t kOnes = 0x0101010101010101ull;
  const uint64_t heptets = x & (0x7f * kOnes);
  const uint64_t above_z = heptets + (0x7f - 'Z') * kOnes;
  const uint64_t from_a = heptets + (0x80 - 'A') * kOnes;
  const uint64_t is_upper = (from_a ^ above_z) & ~x & (0x80 * kOnes);
  return x | is_upper >> 2;
}

// Copies `bytes` octets and lower-cases them, sixteen at a time; the last sixteen overlap the ones before, so that
// nothing behind the end is read and the number of steps hardly varies. Writes at least 16 octets.
inline void CopyLower(const uint8_t* from, size_t bytes, uint8_t* to) {
  typedef uint8_t Lanes __attribute__((vector_size(16)));
  auto step = [&](size_t at) {
    Lanes x;
    std::memcpy(&x, from + at, sizeof x);
    const Lanes letter = x - static_cast<uint8_t>('A');
    x |= reinterpret_cast<Lanes>(letter < 26) & 0x20;
    std::memcpy(to + at, &x, sizeof x);
  };
  if (bytes >= sizeof(Lanes)) {
    for (size_t at = 0; at + sizeof(Lanes) < bytes; at += sizeof(Lanes)) step(at);
    return step(bytes - sizeof(Lanes));
  }
  uint64_t words[2] = {};
  std::memcpy(words, from, bytes);
  words[0] = LowerWord(words[0]);
  words[1] = LowerWord(words[1]);
  std::memcpy(to, words, sizeof words);
}

// Sixteen octets, in vectors that GCC and Clang know on every machine.
typedef uint8_t Octets16 __attribute__((vector_size(16)));

inline Octets16 LoadOctets(const uint8_t* p) {
  Octets16 x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
inline Octets16 Lower(Octets16 x) {
  const Octets16 letter = x - static_cast<uint8_t>('A');
  return x | (reinterpret_cast<Octets16>(letter < 26) & 0x20);
}
// The first `octets` of a vector are ones, the rest zeros. 0..16.
inline Octets16 FirstOctets(size_t octets) {
  static constexpr uint64_t kOnesAndZeros[4] = {~0ull, ~0ull, 0, 0};
  return LoadOctets(reinterpret_cast<const uint8_t*>(kOnesAndZeros) + 16 - octets);
}
inline bool IsZero(Octets16 x) {
  uint64_t words[2];
  std::memcpy(words, &x, sizeof words);
  return (words[0] | words[1]) == 0;
}

// Whether the octets at `any`, lower-cased, are those at `lower`. Requires: 16 octets are readable at both from every
// multiple of 16 below `bytes`.
inline bool SameLower(const uint8_t* any, const uint8_t* lower, size_t bytes) {
  for (; bytes > 16; bytes -= 16, any += 16, lower += 16)
    if (!IsZero(Lower(LoadOctets(any)) ^ LoadOctets(lower))) return false;
  return IsZero((Lower(LoadOctets(any)) ^ LoadOctets(lower)) & FirstOctets(bytes));
}

// image::HashLabel() of the lower-cased label. The second eight octets are mixed in without a branch: half of all labels
// have them. Requires: 16 octets are readable from every multiple of 16 below `length`.
inline uint64_t HashLabelLower(uint64_t seed, const uint8_t* label, unsigned length) {
  auto mix = [](uint64_t h, uint64_t word) {
    if constexpr (std::endian::native == std::endian::big) word = ByteSwap(word);
    h = (h ^ word) * image::kHashMultiplier1;
    return h ^ h >> 32;
  };
  uint64_t h = seed ^ (length * image::kHashScope), words[2];
  for (; length > 16; length -= 16, label += 16) {
    const Octets16 x = Lower(LoadOctets(label));
    std::memcpy(words, &x, sizeof words);
    h = mix(mix(h, words[0]), words[1]);
  }
  const Octets16 x = Lower(LoadOctets(label)) & FirstOctets(length);
  std::memcpy(words, &x, sizeof words);
  h = mix(h, words[0]);
  const uint64_t second = mix(h, words[1]);
  return length > 8 ? second : h;
}

}  // namespace mz::answer
