// Maps of shared sets (kMapSets4, layout.h): their parts, lookups, and their intervals one by one. A part of view.h, which
// includes it.
//
// Requires everywhere: a fully verified view. Pure functions; any thread. Only SetMapIntervals() allocates.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace mz::image {

struct SetMapParts {
  const Le16* set;
  uint32_t places;            // 8 for each block
  const Le32* own;
  uint32_t own_count;         // prefixes
  const Le32* result;
  const uint8_t* length;
  const uint8_t* set_result;  // null: only one result
  const uint8_t* own_result;
  uint32_t own_map;           // kMaps offset or 0

  uint32_t SetResult(uint32_t place) const { return result[set_result == nullptr ? 0 : set_result[place]]; }
  net::Range4 OwnRange(uint32_t i) const {
    const net::Ip4 first = own[i];
    return {first, static_cast<net::Ip4>(first | 0xffffffffull >> length[i])};
  }
  uint32_t OwnResult(uint32_t i) const { return result[own_result == nullptr ? 0 : own_result[i]]; }
};

inline SetMapParts PartsOf(const SetMap4& map) {
  SetMapParts parts;
  const bool has_map = map.own_count == kOwnMap;
  parts.places = kSetBlock * map.set_blocks;
  parts.own_count = has_map ? 0 : map.own_count;
  parts.set = reinterpret_cast<const Le16*>(&map + 1);
  parts.own = reinterpret_cast<const Le32*>(parts.set + parts.places);
  parts.result = parts.own + (has_map ? 1 : parts.own_count);
  parts.length = reinterpret_cast<const uint8_t*>(parts.result + map.result_count);
  parts.set_result = map.result_count == 1 ? nullptr : parts.length + parts.own_count;
  parts.own_result = map.result_count == 1 ? nullptr : parts.set_result + parts.places;
  parts.own_map = has_map ? uint32_t{parts.own[0]} : 0;
  return parts;
}

inline uint64_t SetMapBytes(uint32_t set_blocks, uint32_t own_count, uint32_t result_count) {
  const bool has_map = own_count == kOwnMap;
  const uint64_t own = has_map ? 0 : own_count;
  const uint64_t places = uint64_t{kSetBlock} * set_blocks;
  return sizeof(SetMap4) + sizeof(Le16) * places + sizeof(Le32) * ((has_map ? 1 : own) + result_count) + own +
         (result_count == 1 ? 0 : places + own);
}

inline const SetMap4& AsSetMap(const MapHeader& map) { return reinterpret_cast<const SetMap4&>(map); }

struct SetRanges {
  const SetRange4* range;
  uint32_t count;
};
// id: 1..set_count.
inline SetRanges RangesOfSet(const View& view, const SharedSets& shared, uint32_t id) {
  const auto* first = reinterpret_cast<const Le32*>(view.maps_base() + size_t{shared.first_range} * 64);
  const auto* ranges = reinterpret_cast<const SetRange4*>(view.maps_base() + size_t{shared.ranges} * 64);
  return {ranges + first[id - 1], first[id] - first[id - 1]};
}

// A member of a class map's list: the count, then the ids.
inline const Le32* ClassMembers(const View& view, const SharedSets& shared, uint32_t id) {
  return reinterpret_cast<const Le32*>(view.maps_base() + size_t{shared.classes} * 64) + id;
}

struct SetInterval {
  net::Ip4 first;
  uint32_t result;
};
// All intervals in ascending order, the first at 0; neighbours differ. Cost: n log n in the ranges of the map's sets.
std::vector<SetInterval> SetMapIntervals(const View& view, const SetMap4& map);

namespace internal {

// Which of eight places hold the id: bit i for place i.
inline unsigned PlacesWith(const Le16* block, uint32_t id) {
#if defined(__SSE2__)
  const __m128i ids = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
  const __m128i same = _mm_cmpeq_epi16(ids, _mm_set1_epi16(static_cast<int16_t>(id)));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(same, _mm_setzero_si128())));
#else
  unsigned places = 0;
  for (uint32_t i = 0; i < kSetBlock; i++) places |= unsigned{block[i] == id} << i;
  return places;
#endif
}

// The place in the map's list of the first set of a class, or -1.
inline int32_t FindSetPlace(const View& view, const SetMapParts& parts, uint32_t class_id) {
  const Le32* members = ClassMembers(view, view.shared_sets(), class_id);
  const uint32_t count = members[0];
  for (uint32_t k = 1; k <= count; k++) {
    const uint32_t id = members[k];
    for (uint32_t block = 0; block < parts.places; block += kSetBlock) {
      const unsigned places = PlacesWith(parts.set + block, id);
      if (places != 0) return static_cast<int32_t>(block + static_cast<uint32_t>(std::countr_zero(places)));
    }
  }
  return -1;
}

// The own prefix that holds the address, or -1.
inline int32_t FindOwnPrefix(const SetMapParts& parts, net::Ip4 x) {
  int32_t found = -1;
  for (uint32_t i = 0; i < parts.own_count; i++) {
    const bool hit = uint64_t{x ^ parts.own[i]} >> (32 - parts.length[i]) == 0;
    found = hit ? static_cast<int32_t>(i) : found;
  }
  return found;
}

// `class_id`: of the address, by the class map.
inline uint32_t FindSets4(const View& view, const SetMap4& map, net::Ip4 x, uint32_t class_id) {
  const SetMapParts parts = PartsOf(map);
  // Own prefixes do not overlap each other; they wait for nothing, while the class has to be read.
  const int32_t own = FindOwnPrefix(parts, x);
  const int32_t place = FindSetPlace(view, parts, class_id);
  if (place >= 0) return parts.SetResult(static_cast<uint32_t>(place));
  if (own >= 0) return parts.OwnResult(static_cast<uint32_t>(own));
  if (parts.own_map != 0) {
    const uint32_t result = FindPlain4(view, view.map(parts.own_map), x).result;
    if (result != 0) return result - 1;
  }
  return map.rest;
}

inline uint32_t FindSets4(const View& view, const SetMap4& map, net::Ip4 x) {
  return FindSets4(view, map, x, FindPlain4(view, view.map(view.shared_sets().class_map), x).result);
}

inline bool AnyInSet(const View& view, const SharedSets& shared, uint32_t id, net::Ip4 first, net::Ip4 last) {
  // The last range that begins at or before `last` is the one that can reach back to `first`.
  const SetRanges ranges = RangesOfSet(view, shared, id);
  uint32_t base = 0;
  for (uint32_t n = ranges.count; n > 1;) {
    const uint32_t half = n / 2;
    base = ranges.range[base + half].first <= last ? base + half : base;
    n -= half;
  }
  return ranges.range[base].first <= last && ranges.range[base].last >= first;
}

inline bool AnyListedInSets(const View& view, const SetMap4& map, net::Ip4 first, net::Ip4 last) {
  const SetMapParts parts = PartsOf(map);
  const SharedSets& shared = view.shared_sets();
  for (uint32_t place = 0; place < parts.places && parts.set[place] != 0; place++)
    if (AnyInSet(view, shared, parts.set[place], first, last)) return true;
  if (map.rest == 0) {
    for (uint32_t i = 0; i < parts.own_count; i++) {
      const net::Range4 range = parts.OwnRange(i);
      if (range.first <= last && range.last >= first) return true;
    }
    return parts.own_map != 0 && AnyListed(view, view.map(parts.own_map), first, last);
  }
  // What is not listed lies in prefixes with result 0. They ascend and do not overlap: step from one to the next.
  for (uint32_t i = 0; i < parts.own_count; i++) {
    const net::Range4 range = parts.OwnRange(i);
    if (range.last < first) continue;
    if (range.first > first || parts.OwnResult(i) != 0) return true;
    if (range.last >= last) return false;
    first = range.last + 1;
  }
  return true;
}

}  // namespace internal
}  // namespace mz::image
