// The hash of the name index: keyed per image, incremental from the root end, so that one pass over a query name yields
// the hash of every suffix. Only 64-bit multiplies, xors and shifts: a BPF program can compute it too.
//
//   NameHasher h(view.hash_seed(), scope);
//   for (label from right to left) h.Add(HashLabel(seed, label, length));
//   uint64_t key = h.Finish();
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "base/endian.h"

namespace mz::image {

inline constexpr uint64_t kHashMultiplier1 = 0xff51afd7ed558ccdull;
inline constexpr uint64_t kHashMultiplier2 = 0xc4ceb9fe1a85ec53ull;
inline constexpr uint64_t kHashScope = 0x9e3779b97f4a7c15ull;

// Hash of one lower-case label. Requires: 8 octets are readable from every multiple of 8 below `length` (that is, up to 7
// octets behind the label may be read and are ignored).
inline uint64_t HashLabel(uint64_t seed, const uint8_t* label, unsigned length) {
  uint64_t h = seed ^ (length * kHashScope);
  auto add = [&](uint64_t mask) {
    uint64_t word;
    std::memcpy(&word, label, 8);
    if constexpr (std::endian::native == std::endian::big) word = ByteSwap(word);
    h = (h ^ (word & mask)) * kHashMultiplier1;
    h ^= h >> 32;
  };
  for (; length >= 8; length -= 8, label += 8) add(~0ull);
  if (length != 0) add((1ull << (8 * length)) - 1);
  return h;
}

class NameHasher {
 public:
  NameHasher(uint64_t seed, uint32_t scope) : state_((seed + scope * kHashScope) * kHashMultiplier2) {}
  void Add(uint64_t label_hash) {
    state_ = (state_ ^ label_hash) * kHashMultiplier2;
    state_ ^= state_ >> 29;
  }
  uint64_t Finish() const { return (state_ ^ (state_ >> 32)) * kHashMultiplier1; }

 private:
  uint64_t state_;
};

// The tag kept in a bucket slot (never 0) and the bucket where the probe sequence starts.
inline uint32_t HashTag(uint64_t hash) { return static_cast<uint32_t>(hash) | 1; }
inline uint32_t HashBucket(uint64_t hash, uint32_t bucket_count) {
  return static_cast<uint32_t>(((hash >> 32) * bucket_count) >> 32);
}

// Hash of a whole relative wire name (labels without the root octet, lower case). Any readable memory; not for the hot
// path.
uint64_t HashName(uint64_t seed, uint32_t scope, std::span<const uint8_t> name);

}  // namespace mz::image
