// Templates and hot lookups of view.h.
#pragma once

#include <bit>

namespace mz::image {

namespace internal {

inline uint32_t ResultAt(const View& view, const MapHeader& map, size_t position) {
  const uint8_t* values = view.maps_base() + size_t{map.values} * 64;
  switch (map.value_bytes) {
    case 1:
      return view.result_table_entry(map.result_table + values[position]);
    case 2:
      return view.result_table_entry(map.result_table + reinterpret_cast<const Le16*>(values)[position]);
    default:
      return reinterpret_cast<const Le32*>(values)[position];
  }
}

// How many of the 15 keys are <= x. They ascend, so that it is where the first greater one stands. With SSE2: four
// compares and three packs, and no branch.
inline uint32_t CountLessOrEqual(const TreeNode4& node, uint32_t x) {
#if defined(__SSE2__)
  // SSE2 compares signed numbers only.
  const __m128i turn = _mm_set1_epi32(INT32_MIN);
  const __m128i wanted = _mm_xor_si128(_mm_set1_epi32(static_cast<int>(x)), turn);
  const __m128i* keys = reinterpret_cast<const __m128i*>(&node);
  auto greater = [&](int i) { return _mm_cmpgt_epi32(_mm_xor_si128(_mm_loadu_si128(keys + i), turn), wanted); };
  const __m128i all = _mm_packs_epi16(_mm_packs_epi32(greater(0), greater(1)), _mm_packs_epi32(greater(2), greater(3)));
  // The sixteenth lane is `bits`, which does not count: bit 15 ends the search.
  return static_cast<uint32_t>(std::countr_zero(static_cast<unsigned>(_mm_movemask_epi8(all)) | 1u << kNode4Keys));
#else
  uint32_t n = 0;
  for (uint32_t i = 0; i < kNode4Keys; i++) n += node.key[i] <= x;
  return n;
#endif
}

inline const TreeNode4* Tree4(const MapHeader& map) { return reinterpret_cast<const TreeNode4*>(&map + 1); }
inline const TreeNode6High* Tree6High(const MapHeader& map) {
  return reinterpret_cast<const TreeNode6High*>(&map + 1);
}
inline const TreeNode6* Tree6(const MapHeader& map) { return reinterpret_cast<const TreeNode6*>(&map + 1); }

// `best`: node * 16 + slot of the deepest key at or below an address; all ones: there is none.
inline Interval<net::Ip4> TreeResult(const View& view, const MapHeader& map, uint32_t best) {
  if (best == ~0u) return {map.before, false, 0};
  const TreeNode4* nodes = Tree4(map);
  const uint32_t node = best / (kNode4Keys + 1), slot = best % (kNode4Keys + 1);
  const uint32_t start = nodes[node].key[slot];
  if (map.value_bytes == 0) return {map.result[(nodes[node].bits >> slot) & 1], true, start};
  return {ResultAt(view, map, size_t{node} * kNode4Keys + slot), true, start};
}

inline Interval<net::Ip4> FindTree4(const View& view, const MapHeader& map, net::Ip4 x) {
  const TreeNode4* nodes = Tree4(map);
  const uint32_t node_count = map.node_count;
  // The deepest node with a key at or below x holds the answer. Selected without a branch: where the descent meets its
  // first such key is as good as random.
  uint32_t best = ~0u;  // node * 16 + slot
  for (uint64_t k = 0; k < node_count;) {
    const uint32_t n = CountLessOrEqual(nodes[k], x);
    const uint32_t here = static_cast<uint32_t>(k) * (kNode4Keys + 1) + n - 1;
    best = n != 0 ? here : best;
    k = k * (kNode4Keys + 1) + 1 + n;
  }
  return TreeResult(view, map, best);
}

inline Interval<net::Ip4> FindDirect4(const View& view, const MapHeader& map, net::Ip4 x) {
  const Le32* direct = reinterpret_cast<const Le32*>(view.maps_base() + size_t{map.direct} * 64);
  const Le16* lows = reinterpret_cast<const Le16*>(view.maps_base() + size_t{map.lows} * 64);
  const uint32_t high = x >> 16;
  const uint16_t low = static_cast<uint16_t>(x);
  uint32_t base = direct[high];
  uint32_t count = direct[high + 1] - base;  // >= 1, and lows[base] == 0
  while (count > 1) {
    uint32_t half = count / 2;
    base = lows[base + half] <= low ? base + half : base;
    count -= half;
  }
  net::Ip4 start = high << 16 | lows[base];
  if (map.value_bytes == 0) {
    const uint8_t* bits = view.maps_base() + size_t{map.values} * 64;
    return {map.result[(bits[base >> 3] >> (base & 7)) & 1], true, start};
  }
  return {ResultAt(view, map, base), true, start};
}

// In maps that are no kMapSets4: class maps, maps of programs, own maps.
inline Interval<net::Ip4> FindPlain4(const View& view, const MapHeader& map, net::Ip4 address) {
  return map.kind == kMapDirect4 ? FindDirect4(view, map, address) : FindTree4(view, map, address);
}

// The 7 keys of an IPv6 node; they ascend, too.
inline uint32_t CountLessOrEqual(const TreeNode6High& node, const net::Ip6& x) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < kNode6Keys; i++) n += node.key[i] <= x.high;
  return n;
}
inline uint32_t CountLessOrEqual(const TreeNode6& node, const net::Ip6& x) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < kNode6Keys; i++) {
    const uint64_t high = node.high[i];
    n += (high < x.high) | ((high == x.high) & (node.low[i] <= x.low));
  }
  return n;
}
inline net::Ip6 KeyOf(const TreeNode6High& node, uint32_t slot) { return {node.key[slot], 0}; }
inline net::Ip6 KeyOf(const TreeNode6& node, uint32_t slot) { return {node.high[slot], node.low[slot]}; }

// `best` as for IPv4: node * 8 + slot.
template <typename TreeNode>
inline Interval<net::Ip6> TreeResult6(const View& view, const MapHeader& map, const TreeNode* nodes, uint32_t best) {
  if (best == ~0u) return {map.before, false, {}};
  const uint32_t node = best / (kNode6Keys + 1), slot = best % (kNode6Keys + 1);
  const net::Ip6 start = KeyOf(nodes[node], slot);
  if (map.value_bytes == 0) return {map.result[(nodes[node].bits >> slot) & 1], true, start};
  return {ResultAt(view, map, size_t{node} * kNode6Keys + slot), true, start};
}

template <typename TreeNode>
inline Interval<net::Ip6> FindTree6(const View& view, const MapHeader& map, const TreeNode* nodes, const net::Ip6& x) {
  const uint32_t node_count = map.node_count;
  uint32_t best = ~0u;
  for (uint64_t k = 0; k < node_count;) {
    const uint32_t n = CountLessOrEqual(nodes[k], x);
    const uint32_t here = static_cast<uint32_t>(k) * (kNode6Keys + 1) + n - 1;
    best = n != 0 ? here : best;
    k = k * (kNode6Keys + 1) + 1 + n;
  }
  return TreeResult6(view, map, nodes, best);
}

// Visits tree positions (node, slot) in key order; stops after `count` real keys.
template <typename Visit>
void WalkTree(uint32_t fanout, uint32_t node_count, uint32_t count, Visit visit) {
  // Depth of a tree of 2^32 keys is at most 11; an explicit stack keeps this free of recursion.
  struct Frame {
    uint64_t node;
    uint32_t slot;
  };
  Frame stack[40];
  int depth = 0;
  uint32_t seen = 0;
  const uint32_t keys = fanout - 1;
  auto descend = [&](uint64_t node) {
    while (node < node_count) {
      stack[depth++] = {node, 0};
      node = node * fanout + 1;
    }
  };
  descend(0);
  while (depth > 0 && seen < count) {
    Frame& top = stack[depth - 1];
    if (top.slot == keys) {
      depth--;
      continue;
    }
    visit(static_cast<uint32_t>(top.node), top.slot);
    seen++;
    uint64_t child = top.node * fanout + 2 + top.slot;
    top.slot++;
    descend(child);
  }
}

}  // namespace internal
}  // namespace mz::image

#include "format/image/set_map_inl.h"

namespace mz::image {

inline Interval<net::Ip4> FindAddress(const View& view, const MapHeader& map, net::Ip4 address) {
  if (map.kind == kMapSets4) return {internal::FindSets4(view, AsSetMap(map), address), false, 0};
  return internal::FindPlain4(view, map, address);
}

inline Interval<net::Ip6> FindAddress(const View& view, const MapHeader& map, const net::Ip6& x) {
  return map.kind == kMapTree6High ? internal::FindTree6(view, map, internal::Tree6High(map), x)
                                   : internal::FindTree6(view, map, internal::Tree6(map), x);
}

// Neighbouring intervals have different results, so a boundary inside (first, last] proves a listed address. The last
// address is looked up by itself because padding keys of all ones are not boundaries.
inline bool AnyListed(const View& view, const MapHeader& map, net::Ip4 first, net::Ip4 last) {
  if (map.kind == kMapSets4) return internal::AnyListedInSets(view, AsSetMap(map), first, last);
  if (FindAddress(view, map, first).result != 0 || FindAddress(view, map, last).result != 0) return true;
  if (last == ~0u && last != first) last--;
  Interval<net::Ip4> at_last = FindAddress(view, map, last);
  if (at_last.result != 0) return true;
  // A Direct4 map repeats the running result at the start of every upper half; such an entry is not a boundary, so walk
  // back over entries that continue a zero interval: at most one per upper half inside the range.
  while (at_last.has_start && at_last.start > first) {
    if (map.kind != kMapDirect4) return true;
    Interval<net::Ip4> before = FindAddress(view, map, at_last.start - 1);
    if (before.result != 0) return true;
    at_last = before;
  }
  return false;
}

inline bool AnyListed(const View& view, const MapHeader& map, const net::Ip6& first, const net::Ip6& last) {
  if (FindAddress(view, map, first).result != 0 || FindAddress(view, map, last).result != 0) return true;
  net::Ip6 end = last == net::kIp6Last && last != first ? last.Previous() : last;
  if (map.kind == kMapTree6High && last.high == ~0ull) {
    // Padding keys have all ones in the upper half: look below that half.
    if (first.high == ~0ull) return false;
    end = {~0ull - 1, ~0ull};
  }
  Interval<net::Ip6> at_last = FindAddress(view, map, end);
  return at_last.result != 0 || (at_last.has_start && at_last.start > first);
}

template <typename Visit>
void ForEachInterval4(const View& view, const MapHeader& map, Visit visit) {
  if (map.kind == kMapSets4) {
    const std::vector<SetInterval> all = SetMapIntervals(view, AsSetMap(map));
    for (size_t i = 0; i < all.size(); i++)
      visit(all[i].first, i + 1 < all.size() ? all[i + 1].first - 1 : ~0u, all[i].result);
    return;
  }
  net::Ip4 start = 0;
  uint32_t result = map.before;
  bool open = true;  // [start, ...) with `result` is pending
  auto boundary = [&](net::Ip4 key, uint32_t next) {
    if (next == result) return;
    if (key != 0 && open) visit(start, key - 1, result);
    start = key;
    result = next;
  };
  if (map.kind == kMapDirect4) {
    const Le32* direct = reinterpret_cast<const Le32*>(view.maps_base() + size_t{map.direct} * 64);
    const Le16* lows = reinterpret_cast<const Le16*>(view.maps_base() + size_t{map.lows} * 64);
    const uint8_t* bits = view.maps_base() + size_t{map.values} * 64;
    for (uint32_t high = 0; high < 65536; high++)
      for (uint32_t i = direct[high]; i < direct[high + 1]; i++)
        boundary(high << 16 | lows[i], map.value_bytes == 0
                                           ? uint32_t{map.result[(bits[i >> 3] >> (i & 7)) & 1]}
                                           : internal::ResultAt(view, map, i));
  } else {
    const TreeNode4* nodes = internal::Tree4(map);
    internal::WalkTree(kNode4Keys + 1, map.node_count, map.count, [&](uint32_t node, uint32_t slot) {
      uint32_t next = map.value_bytes == 0 ? uint32_t{map.result[(nodes[node].bits >> slot) & 1]}
                                           : internal::ResultAt(view, map, size_t{node} * kNode4Keys + slot);
      boundary(nodes[node].key[slot], next);
    });
  }
  visit(start, ~0u, result);
}

template <typename Visit>
void ForEachInterval6(const View& view, const MapHeader& map, Visit visit) {
  net::Ip6 start{};
  uint32_t result = map.before;
  internal::WalkTree(kNode6Keys + 1, map.node_count, map.count, [&](uint32_t node, uint32_t slot) {
    net::Ip6 key;
    uint32_t next;
    bool bit;
    if (map.kind == kMapTree6High) {
      const TreeNode6High& n = internal::Tree6High(map)[node];
      key = {n.key[slot], 0};
      bit = (n.bits >> slot) & 1;
    } else {
      const TreeNode6& n = internal::Tree6(map)[node];
      key = {n.high[slot], n.low[slot]};
      bit = (n.bits >> slot) & 1;
    }
    next = map.value_bytes == 0 ? static_cast<uint32_t>(map.result[bit])
                                : internal::ResultAt(view, map, size_t{node} * kNode6Keys + slot);
    if (next == result) return;
    if (key != net::Ip6{}) visit(start, key.Previous(), result);
    start = key;
    result = next;
  });
  visit(start, net::kIp6Last, result);
}

}  // namespace mz::image
