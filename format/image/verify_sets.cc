// Shared sets of a zone image and the maps made of them. See verify_internal.h and the description in layout.h.
#include "format/image/cursor.h"
#include "format/image/verify_internal.h"

namespace mz::image::internal {

// Comes before the maps that refer to sets and classes. That ranges and classes agree is seen later.
Status Verifier::CheckSharedSets() {
  const uint32_t offset = view_.header().shared_sets;
  if (offset == 0) return {};
  auto error = [&](std::string_view what) { return maps_.Error(what, offset); };
  MZ_RETURN_IF_ERROR(maps_.Claim(offset, sizeof(SharedSets), "shared sets"));
  const SharedSets& s = view_.shared_sets();
  for (const Le32& r : s.reserved)
    if (r != 0) return error("reserved octets of the shared sets are not zero");
  if (s.set_count == 0 || s.set_count > 0xffff) return error("impossible number of shared sets");
  const ClassTableShape shape{maps_, s.classes, s.class_words, s.set_count, kMaxClassSets};
  MZ_RETURN_IF_ERROR(CheckClasses(shape, &set_class_start_));
  if (s.class_map == 0 || s.classes == 0) return error("shared sets without classes");
  MZ_RETURN_IF_ERROR(AddMap(s.class_map, /*six=*/false, MapUse::kSetClasses));

  MZ_RETURN_IF_ERROR(maps_.Claim(s.first_range, (uint64_t{s.set_count} + 1) * sizeof(Le32), "ranges of sets"));
  MZ_RETURN_IF_ERROR(maps_.Claim(s.ranges, uint64_t{s.range_count} * sizeof(SetRange4), "ranges"));
  const auto* first = reinterpret_cast<const Le32*>(maps_.at(s.first_range));
  const auto* ranges = reinterpret_cast<const SetRange4*>(maps_.at(s.ranges));
  if (first[0] != 0 || first[s.set_count] != s.range_count) return error("the ranges of the sets are not all ranges");
  for (uint32_t set = 0; set < s.set_count; set++)
    if (first[set] >= first[set + 1]) return error("a shared set without ranges");
  for (uint32_t set = 0; set < s.set_count; set++) {
    for (uint32_t i = first[set]; i < first[set + 1]; i++)
      if (ranges[i].last < ranges[i].first ||
          (i > first[set] && (ranges[i].first == 0 || ranges[i].first - 1 <= ranges[i - 1].last)))
        return error("ranges of a shared set out of order");
  }
  return {};
}

// Every interval of the class map lies in the next range of each of its sets, without a gap, and no range is left over.
// A class has at most kMaxClassSets members, so this is linear in the class map. Requires: CheckMaps().
Status Verifier::CheckSetRanges() const {
  const uint32_t offset = view_.header().shared_sets;
  if (offset == 0) return {};
  const SharedSets& s = view_.shared_sets();
  struct Progress {
    uint32_t range;  // the one being covered
    uint64_t next;   // its first address that is not covered yet
  };
  const auto* first = reinterpret_cast<const Le32*>(maps_.at(s.first_range));
  const auto* ranges = reinterpret_cast<const SetRange4*>(maps_.at(s.ranges));
  std::vector<Progress> progress;
  for (uint32_t set = 0; set < s.set_count; set++) progress.push_back({first[set], ranges[first[set]].first});
  MapCursor<net::Ip4> cursor(view_, s.class_map);
  while (cursor.Next()) {
    const Le32* members = ClassMembers(view_, s, cursor.result());
    for (uint32_t k = 1; k <= members[0]; k++) {
      const uint32_t set = members[k] - 1;
      Progress& p = progress[set];
      if (p.range == first[set + 1] || p.next != cursor.first() || cursor.last() > ranges[p.range].last)
        return maps_.Error("classes and ranges of a shared set differ", offset);
      p.next = uint64_t{cursor.last()} + 1;
      if (cursor.last() == ranges[p.range].last && ++p.range != first[set + 1]) p.next = ranges[p.range].first;
    }
  }
  for (uint32_t set = 0; set < s.set_count; set++)
    if (progress[set].range != first[set + 1]) return maps_.Error("classes and ranges of a shared set differ", offset);
  return {};
}

Status Verifier::CheckSetMap(uint32_t offset) {
  auto error = [&](std::string_view what) { return maps_.Error(what, offset); };
  if (!view_.has_shared_sets()) return error("a map of shared sets in an image without them");
  const SetMap4& map = AsSetMap(view_.map(offset));
  if (map.set_blocks == 0 || map.set_blocks > kMaxSetBlocks) return error("impossible number of sets of a map");
  if (map.own_count > kMaxOwnPrefixes && map.own_count != kOwnMap) return error("impossible number of prefixes of a map");
  if (map.result_count == 0) return error("a map of shared sets without results");
  MZ_RETURN_IF_ERROR(maps_.Claim(offset, SetMapBytes(map.set_blocks, map.own_count, map.result_count), "map"));
  auto bad_result = [&](uint32_t id) { return !ResultOk(id) || IsAction(id); };
  const SetMapParts parts = PartsOf(map);
  if (bad_result(map.rest)) return error("impossible result");
  for (uint32_t i = 0; i < map.result_count; i++)
    if (bad_result(parts.result[i])) return error("impossible result");

  const uint32_t set_count = view_.shared_sets().set_count;
  uint32_t last = 0;
  bool ended = false;
  for (uint32_t place = 0; place < parts.places; place++) {
    const uint32_t set = parts.set[place];
    if (set == 0 ? place % kSetBlock == 0 : ended || set <= last || set > set_count)
      return error("sets of a map out of order");
    if (parts.set_result != nullptr && parts.set_result[place] >= (set == 0 ? 1 : map.result_count))
      return error("impossible result");
    if (set != 0 && parts.SetResult(place) == 0) return error("a shared set that is not listed");
    ended = set == 0;
    last = set;
  }
  uint64_t free = 0;  // the first address behind the prefix before
  for (uint32_t i = 0; i < parts.own_count; i++) {
    if (parts.length[i] > 32) return error("impossible prefix of a map");
    const net::Range4 range = net::PrefixRange4(parts.own[i], parts.length[i]);
    if (range.first != parts.own[i] || range.first < free) return error("impossible prefix of a map");
    if (parts.own_result != nullptr && parts.own_result[i] >= map.result_count) return error("impossible result");
    if (map.rest == 0 && parts.OwnResult(i) == 0) return error("a prefix that is not listed where nothing is");
    free = uint64_t{range.last} + 1;
  }
  if (map.own_count != kOwnMap) return {};
  if (parts.own_map == 0) return error("a map without its own map");
  return AddMap(parts.own_map, /*six=*/false, MapUse::kOwn);
}

}  // namespace mz::image::internal
