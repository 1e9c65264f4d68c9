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

// Whether the octets at `any`, lower-cased, are those at `lower`.
inline bool SameLower(const uint8_t* any, const uint8_t* lower, size_t bytes) {
  auto differ = [&](auto word, size_t at) {
    auto other = word;
    std::memcpy(&word, any + at, sizeof word);
    std::memcpy(&other, lower + at, sizeof other);
    return LowerWord(word) != other;
  };
  if (bytes >= 8) {
    for (size_t at = 0; at + 8 < bytes; at += 8)
      if (differ(uint64_t{}, at)) return false;
    return !differ(uint64_t{}, bytes - 8);
  }
  if (bytes >= 4) return !differ(uint32_t{}, 0) && !differ(uint32_t{}, bytes - 4);
  for (size_t at = 0; at < bytes; at++)
    if (LowerWord(any[at]) != lower[at]) return false;
  return true;
}

// image::HashLabel() of the lower-cased label. The second eight octets are mixed in without a branch: half of all labels
// have them. Requires: 16 octets are readable at `label`; of longer labels also what HashLabel() asks for.
inline uint64_t HashLabelLower(uint64_t seed, const uint8_t* label, unsigned length) {
  using namespace image;
  auto word = [&](unsigned at) {
    uint64_t w;
    std::memcpy(&w, label + at, 8);
    if constexpr (std::endian::native == std::endian::big) w = ByteSwap(w);
    return LowerWord(w);
  };
  auto mix = [](uint64_t h, uint64_t w) {
    h = (h ^ w) * kHashMultiplier1;
    return h ^ h >> 32;
  };
  auto mask = [](unsigned octets) { return ~0ull >> (64 - 8 * octets); };  // octets: 1..8
  uint64_t h = seed ^ (length * kHashScope);
  if (length > 16) [[unlikely]] {
    unsigned at = 0;
    for (; length - at > 8; at += 8) h = mix(h, word(at));
    return mix(h, word(at) & mask(length - at));
  }
  const bool two = length > 8;
  const uint64_t first = mix(h, word(0) & mask(two ? 8 : length));
  const uint64_t second = mix(first, word(8) & mask(two ? length - 8 : 8));
  return two ? second : first;
}

}  // namespace mz::answer
