// The 32 labels of a reversed IPv6 address, all at once.
#pragma once

#include "format/net/address.h"
#include "server/answer/lower.h"

namespace mz::answer {

inline constexpr size_t kNibbleLabelBytes = 64;

// The labels as one hexadecimal digit each, the last nibble of the address first. False: they are not. Requires:
// kNibbleLabelBytes octets are readable.
inline bool ParseNibbleLabels(const uint8_t* labels, net::Ip6* out) {
  uint64_t half[2];  // low, high
  Octets16 bad{};
  for (int i = 0; i < 2; i++) {
    uint64_t bits = 0;
    for (int k = 0; k < 2; k++) {
      const Octets16 x = LoadOctets(labels + 32 * i + 16 * k);
      const Octets16 digit = x - static_cast<uint8_t>('0'), letter = Lower(x) - static_cast<uint8_t>('a');
      const Octets16 is_digit = reinterpret_cast<Octets16>(digit < 10), is_letter = reinterpret_cast<Octets16>(letter < 6);
      constexpr uint8_t kOne = 1, kAll = 255;
      constexpr Octets16 kLengths = {kAll, 0, kAll, 0, kAll, 0, kAll, 0, kAll, 0, kAll, 0, kAll, 0, kAll, 0};
      bad |= ((x ^ kOne) & kLengths) | ~(is_digit | is_letter | kLengths);
      const Octets16 nibbles = ((digit & is_digit) | ((letter + 10) & is_letter)) & ~kLengths;
      uint64_t words[2];
      std::memcpy(words, &nibbles, sizeof words);
      for (int w = 0; w < 2; w++) {
        if constexpr (std::endian::native == std::endian::big) words[w] = ByteSwap(words[w]);
        // Four nibbles, each on top of sixteen bits: into the lowest sixteen.
        uint64_t n = words[w] >> 8;
        n = (n | n >> 12) & 0x000000ff000000ffull;
        n = (n | n >> 24) & 0xffff;
        bits |= n << (32 * k + 16 * w);
      }
    }
    half[i] = bits;
  }
  *out = {half[1], half[0]};
  return IsZero(bad);
}

}  // namespace mz::answer
