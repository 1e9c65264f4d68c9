// Address maps of a zone image: headers and arrays first, one after the other; then their contents in
// parallel, in plain linear scans. See verify_internal.h and the description of maps in layout.h.
#include <algorithm>

#include "base/give_way.h"
#include "format/image/verify_internal.h"

namespace mz::image::internal {

namespace {

// Upper halves per task of a Direct4 map, and the map size from which tasks are worth it.
constexpr uint32_t kHighsPerTask = 256;
constexpr uint32_t kHighs = 65536;
constexpr uint32_t kBigMap = 1u << 18;
constexpr uint64_t kMapsPerTask = 256, kMapsAtOnce = 16;

// The results of a map by position. One per `value_bytes`, so that the scans have no switch inside.
template <int kValueBytes>
struct Results {
  Results(const View& view, const MapHeader& map)
      : values(view.maps_base() + size_t{map.values} * 64),
        table(reinterpret_cast<const Le32*>(view.section(kResultTables).data()) + map.result_table),
        table_count(map.result_count) {}
  // False: an index outside the table.
  bool Get(size_t position, uint32_t* result) const {
    if constexpr (kValueBytes == 4) {
      *result = reinterpret_cast<const Le32*>(values)[position];
      return true;
    } else {
      uint32_t index = values[position];
      if constexpr (kValueBytes == 2) index = reinterpret_cast<const Le16*>(values)[position];
      if (index >= table_count) return false;
      *result = table[index];
      return true;
    }
  }
  const uint8_t* values;
  const Le32* table;
  uint32_t table_count;
};

struct Tree4Shape {
  using Node = TreeNode4;
  using Key = net::Ip4;
  static constexpr uint32_t kKeys = kNode4Keys;
  static Key At(const Node& n, uint32_t i) { return n.key[i]; }
  static constexpr Key kOnes = ~0u;
  static constexpr Key kFirst = 0;
  static bool ReservedZero(const Node&) { return true; }
};
struct Tree6HighShape {
  using Node = TreeNode6High;
  using Key = uint64_t;
  static constexpr uint32_t kKeys = kNode6Keys;
  static Key At(const Node& n, uint32_t i) { return n.key[i]; }
  static constexpr Key kOnes = ~0ull;
  static constexpr Key kFirst = 0;
  static bool ReservedZero(const Node&) { return true; }
};
struct Tree6Shape {
  using Node = TreeNode6;
  using Key = net::Ip6;
  static constexpr uint32_t kKeys = kNode6Keys;
  static Key At(const Node& n, uint32_t i) { return {n.high[i], n.low[i]}; }
  static constexpr Key kOnes{~0ull, ~0ull};
  static constexpr Key kFirst{0, 0};
  static bool ReservedZero(const Node& n) { return n.reserved == 0; }
};

// Walks the tree in key order, a whole node at a time where it has no children. Returns what is wrong, or
// null.
template <typename Shape, int kValueBytes>
class TreeScan {
 public:
  using Node = typename Shape::Node;
  using Key = typename Shape::Key;

  // `valid` tells whether a result id of a value array is good (value_bytes 4 only).
  template <typename Valid>
  static const char* Run(const View& view, const MapHeader& map, const Valid& valid) {
    TreeScan scan(view, map);
    return scan.Walk(valid);
  }

 private:
  TreeScan(const View& view, const MapHeader& map)
      : map_(map),
        nodes_(reinterpret_cast<const Node*>(&map + 1)),
        results_(view, map),
        count_(map.count),
        last_result_(map.before) {}

  template <typename Valid>
  const char* Walk(const Valid& valid) {
    constexpr uint64_t kFanout = Shape::kKeys + 1;
    const uint64_t node_count = map_.node_count;
    struct Frame {
      uint64_t node;
      uint32_t slot;
    };
    Frame stack[40];  // a tree of 2^32 nodes is 12 deep
    int depth = 0;
    uint64_t next = 0;
    bool descend = node_count != 0;
    while (descend || depth > 0) {
      if (descend) {
        const Node& node = nodes_[next];
        if (!Shape::ReservedZero(node) || node.bits >> (kValueBytes == 0 ? Shape::kKeys : 0) != 0)
          return "reserved bits of a tree node are not zero";
        if (next * kFanout + 1 >= node_count) {
          for (uint32_t slot = 0; slot < Shape::kKeys; slot++)
            if (const char* what = Visit(next, slot, valid)) return what;
          descend = false;
        } else {
          stack[depth++] = {next, 0};
          next = next * kFanout + 1;
        }
        continue;
      }
      Frame& top = stack[depth - 1];
      if (top.slot == Shape::kKeys) {
        depth--;
        continue;
      }
      if (const char* what = Visit(top.node, top.slot, valid)) return what;
      top.slot++;
      next = top.node * kFanout + 1 + top.slot;
      descend = next < node_count;
    }
    return nullptr;
  }

  template <typename Valid>
  const char* Visit(uint64_t node, uint32_t slot, const Valid& valid) {
    const Key key = Shape::At(nodes_[node], slot);
    uint32_t result;
    if constexpr (kValueBytes == 0) {
      result = map_.result[(nodes_[node].bits >> slot) & 1];
    } else {
      if (!results_.Get(node * Shape::kKeys + slot, &result)) return "value index outside the result table";
      if (kValueBytes == 4 && !valid(result)) return "impossible result";
    }
    if (seen_ < count_) {
      if (seen_ == 0 ? key == Shape::kFirst : !(last_key_ < key)) return "keys out of order";
      if (result == last_result_) return "neighbours have the same result";
    } else {
      if (key != Shape::kOnes) return "padding key is not all ones";
      if (result != last_result_) return "padding key with another result";
    }
    seen_++;
    last_key_ = key;
    last_result_ = result;
    return nullptr;
  }

  const MapHeader& map_;
  const Node* nodes_;
  const Results<kValueBytes> results_;
  const uint64_t count_;
  uint64_t seen_ = 0;
  Key last_key_{};
  uint32_t last_result_;
};

template <typename Shape, typename Valid>
const char* ScanTree(const View& view, const MapHeader& map, const Valid& valid) {
  switch (map.value_bytes) {
    case 0:
      return TreeScan<Shape, 0>::Run(view, map, valid);
    case 1:
      return TreeScan<Shape, 1>::Run(view, map, valid);
    case 2:
      return TreeScan<Shape, 2>::Run(view, map, valid);
    default:
      return TreeScan<Shape, 4>::Run(view, map, valid);
  }
}

// Upper halves [first, last) of a Direct4 map: lower halves ascend from 0, neighbours differ.
template <int kValueBytes, typename Valid>
const char* ScanDirect(const View& view, const MapHeader& map, uint32_t first, uint32_t last,
                       const Valid& valid) {
  const auto* direct = reinterpret_cast<const Le32*>(view.maps_base() + size_t{map.direct} * 64);
  const auto* lows = reinterpret_cast<const Le16*>(view.maps_base() + size_t{map.lows} * 64);
  const Results<kValueBytes> results(view, map);
  for (uint32_t high = first; high < last; high++) {
    uint32_t last_result = 0;
    int32_t last_low = -1;
    const uint32_t begin = direct[high], end = direct[high + 1];
    if (lows[begin] != 0) return "the first entry of an upper half is not its start";
    for (uint32_t i = begin; i < end; i++) {
      const int32_t low = lows[i];
      uint32_t result;
      if constexpr (kValueBytes == 0) {
        result = map.result[(results.values[i >> 3] >> (i & 7)) & 1];
      } else {
        if (!results.Get(i, &result)) return "value index outside the result table";
        if (kValueBytes == 4 && !valid(result)) return "impossible result";
      }
      if (low <= last_low) return "lower halves out of order";
      if (i != begin && result == last_result) return "neighbours have the same result";
      last_low = low;
      last_result = result;
    }
  }
  return nullptr;
}

uint32_t TreeNodeBytes(uint8_t kind) { return kind == kMapTree6 ? sizeof(TreeNode6) : 64; }
uint32_t TreeNodeKeys(uint8_t kind) { return kind == kMapTree4 ? kNode4Keys : kNode6Keys; }

uint64_t ValueArrayBytes(const MapHeader& map, uint64_t positions) {
  return map.value_bytes == 0 ? (positions + 7) / 8 : positions * map.value_bytes;
}

}  // namespace

Verifier::MapUse Verifier::UseOf(uint32_t offset) const {
  return map_class_.Test(offset)     ? MapUse::kClasses
         : map_program_.Test(offset) ? MapUse::kPrograms
         : map_set_class_.Test(offset) ? MapUse::kSetClasses
         : map_own_.Test(offset)     ? MapUse::kOwn
         : map_plain_.Test(offset)   ? MapUse::kValues
                                     : MapUse::kAcl;
}

bool Verifier::MapResultOk(MapUse use, bool six, uint32_t id) const {
  switch (use) {
    case MapUse::kClasses: {
      const SpfHeader& h = *view_.spf();
      return id == 0 || (id < (six ? h.class_words6 : h.class_words4) && (six ? class_start6_ : class_start4_).Test(id));
    }
    case MapUse::kPrograms:
      return id < view_.spf()->program_count;
    case MapUse::kSetClasses:
      return id == 0 || (id < view_.shared_sets().class_words && set_class_start_.Test(id));
    case MapUse::kOwn:  // 0: not in it; a listed result + 1
      return id == 0 || (id > 1 && ResultOk(id - 1) && !IsAction(id - 1));
    default:
      return ResultOk(id);
  }
}

// Header and extent of a map, and which units it takes. Its contents wait for CheckMaps().
Status Verifier::AddMap(uint32_t offset, bool six, MapUse use) {
  if (offset == 0) return {};
  if (!maps_.Holds(offset, sizeof(MapHeader))) return maps_.Error("a map lies outside the section", offset);
  const bool values = use == MapUse::kValues || use == MapUse::kAcl;
  if (use == MapUse::kValues) map_plain_.Set(offset);
  if (map_seen_.Set(offset)) {
    if (map_six_.Test(offset) != six) return maps_.Error("IPv4 and IPv6 maps are confused", offset);
    const bool confused = map_class_.Test(offset) != (use == MapUse::kClasses) ||
                          map_program_.Test(offset) != (use == MapUse::kPrograms) ||
                          map_set_class_.Test(offset) != (use == MapUse::kSetClasses) ||
                          map_own_.Test(offset) != (use == MapUse::kOwn) ||
                          (view_.map(offset).kind == kMapSets4 && use != MapUse::kValues);
    return confused ? maps_.Error("maps of values, classes and programs are confused", offset) : Status();
  }
  if (six) map_six_.Set(offset);
  if (use == MapUse::kClasses) map_class_.Set(offset);
  if (use == MapUse::kPrograms) map_program_.Set(offset);
  if (use == MapUse::kSetClasses) map_set_class_.Set(offset);
  if (use == MapUse::kOwn) map_own_.Set(offset);
  if (view_.map(offset).kind == kMapSets4 && use == MapUse::kValues && !six) return CheckSetMap(offset);
  const MapHeader& map = view_.map(offset);
  auto error = [&](std::string_view what) { return maps_.Error(what, offset); };
  const bool kind_ok = six ? map.kind == kMapTree6 || map.kind == kMapTree6High
                           : map.kind == kMapTree4 || map.kind == kMapDirect4;
  if (!kind_ok) return error("unknown kind of map");
  if (map.reserved0 != 0) return error("reserved octets of a map are not zero");
  for (const Le32& r : map.reserved)
    if (r != 0) return error("reserved octets of a map are not zero");
  const uint8_t value_bytes = map.value_bytes;
  if (value_bytes != 0 && value_bytes != 4 && !(values && (value_bytes == 1 || value_bytes == 2)))
    return error("unknown value width");
  const bool table = value_bytes == 1 || value_bytes == 2;
  const uint64_t tables = view_.section(kResultTables).size() / sizeof(Le32);
  if (table ? map.result_count == 0 || map.result_count > map.count ||
                  uint64_t{map.result_table} + map.result_count > tables
            : map.result_table != 0 || map.result_count != 0)
    return error("impossible result table");
  for (const Le32& result : map.result)
    if (!MapResultOk(use, six, result) || (value_bytes != 0 && result != 0)) return error("impossible result");
  if (!MapResultOk(use, six, map.before)) return error("impossible result");
  map_offsets_.push_back(offset);
  if (map.kind == kMapDirect4) return AddDirect(offset, map);

  if (map.direct != 0 || map.lows != 0) return error("a tree with a direct table");
  const uint64_t keys = TreeNodeKeys(map.kind);
  if (map.node_count != (uint64_t{map.count} + keys - 1) / keys) return error("wrong number of tree nodes");
  MZ_RETURN_IF_ERROR(
      maps_.Claim(offset, sizeof(MapHeader) + uint64_t{map.node_count} * TreeNodeBytes(map.kind), "map"));
  if ((value_bytes == 0 || map.count == 0) != (map.values == 0)) return error("wrong value array");
  if (map.values == 0) return {};
  return maps_.Claim(map.values, ValueArrayBytes(map, uint64_t{map.node_count} * keys), "value array");
}

Status Verifier::AddDirect(uint32_t offset, const MapHeader& map) {
  auto error = [&](std::string_view what) { return maps_.Error(what, offset); };
  if (map.node_count != 0 || map.before != 0) return error("a direct table with tree nodes");
  if (map.count < kHighs) return error("a direct table with too few entries");
  MZ_RETURN_IF_ERROR(maps_.Claim(offset, sizeof(MapHeader), "map"));
  MZ_RETURN_IF_ERROR(maps_.Claim(map.direct, (kHighs + 1) * sizeof(Le32), "direct table"));
  MZ_RETURN_IF_ERROR(maps_.Claim(map.lows, uint64_t{map.count} * sizeof(Le16), "array of lower halves"));
  MZ_RETURN_IF_ERROR(maps_.Claim(map.values, ValueArrayBytes(map, map.count), "value array"));
  const auto* direct = reinterpret_cast<const Le32*>(maps_.at(map.direct));
  if (direct[0] != 0 || direct[kHighs] != map.count) return error("direct table does not span the entries");
  for (uint32_t high = 0; high < kHighs; high++)
    if (direct[high] >= direct[high + 1]) return error("direct table is not ascending");
  if (map.value_bytes == 0 && map.count % 8 != 0 &&
      maps_.at(map.values)[map.count / 8] >> (map.count % 8) != 0)
    return error("bits behind the last entry are not zero");
  if (map.count >= kBigMap) {
    big_maps_.push_back(offset);
    map_offsets_.pop_back();
  }
  return {};
}

Status Verifier::CheckMaps() {
  constexpr uint64_t kParts = kHighs / kHighsPerTask;
  const uint64_t big_tasks = big_maps_.size() * kParts;
  const uint64_t small_tasks = (map_offsets_.size() + kMapsPerTask - 1) / kMapsPerTask;
  return ParallelFor(big_tasks + small_tasks, threads_, [&](uint64_t task) -> Status {
    if (task < big_tasks) {
      const uint32_t offset = big_maps_[task / kParts];
      const auto first = static_cast<uint32_t>(task % kParts * kHighsPerTask);
      if (first == 0) MZ_RETURN_IF_ERROR(CheckMapResults(offset));
      return CheckDirectPart(offset, first, first + kHighsPerTask);
    }
    const uint64_t begin = (task - big_tasks) * kMapsPerTask;
    const uint64_t end = std::min<uint64_t>(begin + kMapsPerTask, map_offsets_.size());
    for (uint64_t i = begin; i < end; i++) {
      const uint32_t offset = map_offsets_[i];
      if (i % kMapsAtOnce == 0) GiveWay();
      MZ_RETURN_IF_ERROR(CheckMapResults(offset));
      MZ_RETURN_IF_ERROR(view_.map(offset).kind == kMapDirect4 ? CheckDirectPart(offset, 0, kHighs)
                                                               : CheckTree(offset));
    }
    return {};
  });
}

// Actions belong into acl maps only. The table is no longer than the map has keys, so this stays linear.
Status Verifier::CheckMapResults(uint32_t offset) const {
  if (!has_actions_ || !map_plain_.Test(offset)) return {};
  const MapHeader& map = view_.map(offset);
  bool action = IsAction(map.before) || IsAction(map.result[0]) || IsAction(map.result[1]);
  for (uint32_t i = 0; i < map.result_count; i++)
    action |= IsAction(view_.result_table_entry(map.result_table + i));
  return action ? maps_.Error("acl action outside an acl", offset) : Status();
}

Status Verifier::CheckTree(uint32_t offset) const {
  const MapHeader& map = view_.map(offset);
  const MapUse use = UseOf(offset);
  const bool six = map_six_.Test(offset);
  auto valid = [&](uint32_t id) {
    return MapResultOk(use, six, id) && !(use == MapUse::kValues && IsAction(id));
  };
  const char* what = map.kind == kMapTree4       ? ScanTree<Tree4Shape>(view_, map, valid)
                     : map.kind == kMapTree6High ? ScanTree<Tree6HighShape>(view_, map, valid)
                                                 : ScanTree<Tree6Shape>(view_, map, valid);
  return what == nullptr ? Status() : maps_.Error(what, offset);
}

Status Verifier::CheckDirectPart(uint32_t offset, uint32_t first_high, uint32_t last_high) const {
  const MapHeader& map = view_.map(offset);
  const MapUse use = UseOf(offset);
  const bool six = map_six_.Test(offset);
  auto valid = [&](uint32_t id) {
    return MapResultOk(use, six, id) && !(use == MapUse::kValues && IsAction(id));
  };
  const char* what = nullptr;
  switch (map.value_bytes) {
    case 0:
      what = ScanDirect<0>(view_, map, first_high, last_high, valid);
      break;
    case 1:
      what = ScanDirect<1>(view_, map, first_high, last_high, valid);
      break;
    case 2:
      what = ScanDirect<2>(view_, map, first_high, last_high, valid);
      break;
    default:
      what = ScanDirect<4>(view_, map, first_high, last_high, valid);
      break;
  }
  return what == nullptr ? Status() : maps_.Error(what, offset);
}

}  // namespace mz::image::internal
