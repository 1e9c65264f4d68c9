// Random addresses that a map lists, without walking it: a random boundary is looked up, then a random
// address near it.
//
//   if (std::optional<net::Ip4> a = DrawListed<net::Ip4>(view, ref.map4, random)) ...
//
// Every listed interval can come up, small ones as often as large ones. Requires a fully verified view.
#pragma once

#include <optional>

#include "format/image/view.h"
#include "load/clock.h"

namespace mz::load {

template <typename Address>
Address AnyAddress(Random& random);
template <>
inline net::Ip4 AnyAddress(Random& random) {
  return static_cast<net::Ip4>(random.Next());
}
template <>
inline net::Ip6 AnyAddress(Random& random) {
  return {0x2000000000000000 | random.Next() >> 3, random.Next()};  // 2000::/3, the part that is in use
}

// `address` with some of its lower bits changed.
net::Ip4 Nearby(net::Ip4 address, Random& random);
net::Ip6 Nearby(const net::Ip6& address, Random& random);

// The start of a random interval for which `wanted(result)` says yes. `map` 0: none.
template <typename Address, typename Wanted>
std::optional<Address> DrawBoundary(const image::View& view, uint32_t map, Random& random, Wanted wanted);

// Nothing: the map lists nothing, or so little of it that luck failed.
template <typename Address>
std::optional<Address> DrawListed(const image::View& view, uint32_t map, Random& random);

template <typename Address>
bool Listed(const image::View& view, uint32_t map, const Address& address) {
  return map != 0 && image::FindAddress(view, view.map(map), address).result != 0;
}

// ------------------------------------------------------------------------------------------------
// implementation

namespace internal {

inline constexpr int kTries = 64;

// Of a map of shared sets: the start of some range of its sets or of one of its own.
inline net::Ip4 RandomKey4(const image::View& view, const image::SetMap4& map, Random& random);

inline net::Ip4 RandomKey4(const image::View& view, const image::MapHeader& map, Random& random) {
  if (map.kind == image::kMapSets4) return RandomKey4(view, image::AsSetMap(map), random);
  if (map.kind != image::kMapDirect4) {
    const uint64_t place = random.Below(uint64_t{map.node_count} * image::kNode4Keys);
    return image::internal::Tree4(map)[place / image::kNode4Keys].key[place % image::kNode4Keys];
  }
  const auto* direct = reinterpret_cast<const Le32*>(view.maps_base() + size_t{map.direct} * 64);
  const auto* lows = reinterpret_cast<const Le16*>(view.maps_base() + size_t{map.lows} * 64);
  const auto entry = static_cast<uint32_t>(random.Below(map.count));
  uint32_t high = 0;  // the upper half that the entry belongs to
  for (uint32_t step = 1u << 15; step > 0; step >>= 1)
    if (direct[high + step] <= entry) high += step;
  return high << 16 | lows[entry];
}

inline net::Ip4 RandomKey4(const image::View& view, const image::SetMap4& map, Random& random) {
  const image::SetMapParts parts = image::PartsOf(map);
  const image::SharedSets& shared = view.shared_sets();
  uint64_t total = parts.own_map != 0 ? uint32_t{view.map(parts.own_map).count} : parts.own_count;
  for (uint32_t i = 0; i < parts.places && parts.set[i] != 0; i++)
    total += image::RangesOfSet(view, shared, parts.set[i]).count;
  uint64_t place = random.Below(total);  // there is a set, and it has a range
  for (uint32_t i = 0; i < parts.places && parts.set[i] != 0; i++) {
    const image::SetRanges ranges = image::RangesOfSet(view, shared, parts.set[i]);
    if (place < ranges.count) return ranges.range[place].first;
    place -= ranges.count;
  }
  return parts.own_map != 0 ? RandomKey4(view, view.map(parts.own_map), random) : net::Ip4{parts.own[place]};
}

inline net::Ip6 RandomKey6(const image::MapHeader& map, Random& random) {
  const uint64_t place = random.Below(uint64_t{map.node_count} * image::kNode6Keys);
  const uint64_t node = place / image::kNode6Keys, slot = place % image::kNode6Keys;
  if (map.kind == image::kMapTree6High) return {image::internal::Tree6High(map)[node].key[slot], 0};
  const image::TreeNode6& n = image::internal::Tree6(map)[node];
  return {n.high[slot], n.low[slot]};
}

}  // namespace internal

template <typename Address, typename Wanted>
std::optional<Address> DrawBoundary(const image::View& view, uint32_t offset, Random& random, Wanted wanted) {
  if (offset == 0) return std::nullopt;
  const image::MapHeader& map = view.map(offset);
  for (int i = 0; i < internal::kTries; i++) {
    Address key{};
    if ((map.kind != image::kMapSets4 && map.count == 0) || (i & 15) == 15) {
      key = AnyAddress<Address>(random);  // also what lies before the first boundary
    } else if constexpr (sizeof(Address) == sizeof(net::Ip4)) {
      key = internal::RandomKey4(view, map, random);
    } else {
      key = internal::RandomKey6(map, random);
    }
    if (wanted(image::FindAddress(view, map, key).result)) return key;
  }
  return std::nullopt;
}

template <typename Address>
std::optional<Address> DrawListed(const image::View& view, uint32_t map, Random& random) {
  std::optional<Address> start =
      DrawBoundary<Address>(view, map, random, [](uint32_t result) { return result != 0; });
  if (!start) return start;
  const Address inside = Nearby(*start, random);
  return Listed(view, map, inside) ? inside : *start;
}

}  // namespace mz::load
