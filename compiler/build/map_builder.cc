// See map_builder.h. The layout rules are in format/image/layout.h at MapKind.
#include "compiler/build/map_builder.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "compiler/build/direct4_table.h"
#include "compiler/build/parallel.h"
#include "format/image/view.h"

namespace mz::compiler {

using image::MapHeader;

namespace {

constexpr size_t kHashedIntervals = 1 << 16;
// What a thread takes of a large map at once.
constexpr size_t kPieceIntervals = 1 << 18;

bool IsFirstAddress(net::Ip4 a) { return a == 0; }
bool IsFirstAddress(const net::Ip6& a) { return a == net::Ip6{}; }

// Value arrays of all widths are filled through one interface; `bits` arrays are written by the tree and direct code.
void PutValue(uint8_t* values, uint32_t value_bytes, size_t position, uint32_t local, uint32_t result) {
  switch (value_bytes) {
    case 1: values[position] = static_cast<uint8_t>(local); break;
    case 2: reinterpret_cast<Le16*>(values)[position] = static_cast<uint16_t>(local); break;
    default: reinterpret_cast<Le32*>(values)[position] = result; break;
  }
}

}  // namespace

MapBuilder::MapBuilder(ValueEncoder* values, size_t direct4_keys, int threads)
    : values_(values),
      threads_(threads),
      direct4_keys_(direct4_keys),
      mark_(values->pool_results() + 1),
      local_index_(values->pool_results() + 1) {}

StatusOr<uint32_t> MapBuilder::Add(std::span<const Interval4> intervals) {
  return AddOnce(intervals, [&] { return BuildMap4(intervals); });
}

StatusOr<uint32_t> MapBuilder::Add(std::span<const Interval6> intervals) {
  return AddOnce(intervals, [&] { return BuildMap6(intervals); });
}

template <typename Interval>
StatusOr<uint32_t> MapBuilder::AddRaw(std::span<const Interval> intervals, MapIds ids, uint32_t id_count) {
  if (mark_.size() < id_count) {
    mark_.resize(id_count);
    local_index_.resize(id_count);
  }
  raw_ids_ = id_count;
  ids_ = ids;
  StatusOr<uint32_t> map = Add(intervals);
  raw_ids_ = 0;
  ids_ = MapIds::kNone;
  return map;
}

StatusOr<uint32_t> MapBuilder::AddIds(std::span<const Interval4> intervals, MapIds ids, uint32_t id_count) {
  return AddRaw(intervals, ids, id_count);
}

StatusOr<uint32_t> MapBuilder::AddIds(std::span<const Interval6> intervals, MapIds ids, uint32_t id_count) {
  return AddRaw(intervals, ids, id_count);
}

StatusOr<uint32_t> MapBuilder::AddBytes(std::span<const uint8_t> bytes, size_t intervals) {
  std::vector<StoredBytes>& candidates = stored_bytes_[XXH3_64bits(bytes.data(), bytes.size())];
  for (const StoredBytes& s : candidates)
    if (s.bytes == bytes.size() && std::equal(bytes.begin(), bytes.end(), maps_.At(s.offset))) return s.offset;
  MZ_ASSIGN_OR_RETURN(uint32_t offset, maps_.Allocate(bytes.size()));
  std::memcpy(maps_.At(offset), bytes.data(), bytes.size());
  intervals_stored_ += intervals;
  candidates.push_back({offset, static_cast<uint32_t>(bytes.size())});
  return offset;
}

template <typename Interval, typename Build>
StatusOr<uint32_t> MapBuilder::AddOnce(std::span<const Interval> intervals, Build build) {
  static_assert(std::has_unique_object_representations_v<Interval4>);
  constexpr bool kIsV6 = sizeof(Interval) == sizeof(Interval6);
  if (std::all_of(intervals.begin(), intervals.end(), [](const Interval& i) { return i.result == 0; })) return 0;
  const uint64_t kind = (kIsV6 ? 1u : 0u) | static_cast<uint64_t>(ids_) << 1;
  uint64_t hash = kind;
  if constexpr (kIsV6) {
    // Interval6 has padding bytes of unknown content: hash its fields.
    for (const Interval& i : intervals) {
      uint64_t fields[3] = {i.start.high, i.start.low, i.result};
      hash = XXH3_64bits_withSeed(fields, sizeof fields, hash);
    }
  } else {
    // Long lists that begin alike and have the same length are hardly ever different.
    const std::span<const Interval> hashed = intervals.first(std::min(intervals.size(), kHashedIntervals));
    hash = XXH3_64bits_withSeed(hashed.data(), hashed.size_bytes(), kind | uint64_t{intervals.size()} << 2);
  }
  std::vector<Stored>& candidates = stored_[hash];
  for (const Stored& s : candidates) {
    if (s.is_v6 != kIsV6 || s.ids != ids_ || s.count != intervals.size()) continue;
    const Interval* other = static_cast<const Interval*>(s.intervals);
    if (std::equal(intervals.begin(), intervals.end(), other,
                   [](const Interval& a, const Interval& b) { return a.start == b.start && a.result == b.result; }))
      return s.offset;
  }
  MZ_ASSIGN_OR_RETURN(uint32_t offset, build());
  intervals_stored_ += intervals.size();
  candidates.push_back({intervals.data(), intervals.size(), offset, kIsV6, ids_});
  return offset;
}

// Checks intervals[from..to) and calls take(result) for each.
template <typename Interval, typename Take>
Status MapBuilder::Check(std::span<const Interval> intervals, size_t from, size_t to, size_t ids, Take take) const {
  for (size_t i = from; i < to; i++) {
    if (i > 0 && (!(intervals[i - 1].start < intervals[i].start) || intervals[i - 1].result == intervals[i].result))
      return MakeStatus(StatusCode::kInternal, "an interval map is not sorted or has equal neighbours");
    if (intervals[i].result >= ids)
      return MakeStatus(StatusCode::kInternal, "an interval map holds a result that is not in the pool");
    take(intervals[i].result);
  }
  return absl::OkStatus();
}

template <typename Interval>
StatusOr<MapBuilder::Shape> MapBuilder::Examine(std::span<const Interval> intervals, bool keep_first) {
  if (!IsFirstAddress(intervals[0].start))
    return MakeStatus(StatusCode::kInternal, "an interval map does not begin at the first address");
  const size_t ids = raw_ids_ != 0 ? raw_ids_ : values_->pool_results() + 1;
  if (intervals[0].result >= ids)
    return MakeStatus(StatusCode::kInternal, "an interval map holds a result that is not in the pool");
  if (intervals.size() > UINT32_MAX - 65536 - 15)
    return MakeStatus(StatusCode::kResourceExhausted, "a map of " + std::to_string(intervals.size()) + " intervals");

  if (++current_mark_ == 0) {  // after 2^32 maps old marks could look new
    std::fill(mark_.begin(), mark_.end(), 0);
    current_mark_ = 1;
  }
  Shape shape;
  shape.before = keep_first ? 0 : Use(intervals[0].result);
  std::vector<ResultId> pool_ids;
  auto take = [&](ResultId result) {
    if (mark_[result] == current_mark_) return;
    mark_[result] = current_mark_;
    local_index_[result] = static_cast<uint32_t>(shape.results.size());
    shape.results.push_back(Use(result));
    pool_ids.push_back(result);
  };
  const size_t first = keep_first ? 0 : 1, count = intervals.size() - first;
  if (threads_ < 2 || count < kPieceIntervals) {
    MZ_RETURN_IF_ERROR(Check(intervals, first, intervals.size(), ids, take));
  } else {
    // Pieces find out which results they have, in order; results that come again soon are left out.
    struct Piece {
      Status status;
      std::vector<ResultId> results;
    };
    std::vector<Piece> pieces(count / kPieceIntervals + 1);
    ParallelFor(threads_, pieces.size(), [&](size_t p) {
      ResultId last = ~0u, before_last = ~0u;
      pieces[p].status = Check(intervals, first + count * p / pieces.size(), first + count * (p + 1) / pieces.size(), ids,
                               [&](ResultId result) {
                                 if (result == last || result == before_last) return;
                                 before_last = std::exchange(last, result);
                                 pieces[p].results.push_back(result);
                               });
    });
    for (const Piece& piece : pieces) {
      MZ_RETURN_IF_ERROR(piece.status);
      for (ResultId result : piece.results) take(result);
    }
  }
  MZ_RETURN_IF_ERROR(values_->status());
  size_t n = shape.results.size();
  if (n <= 2) {
    // Bit 1 is the higher result id, so that with "not listed" among the two, listed is 1.
    if (n == 1 && shape.results[0] != 0) {
      local_index_[pool_ids[0]] = 1;
      shape.results.insert(shape.results.begin(), 0);
    } else if (n == 2 && shape.results[0] > shape.results[1]) {
      std::swap(shape.results[0], shape.results[1]);
      std::swap(local_index_[pool_ids[0]], local_index_[pool_ids[1]]);
    }
    shape.results.resize(2);
  } else {
    shape.value_bytes = raw_ids_ != 0 ? 4 : n <= 256 ? 1 : n <= 65536 ? 2 : 4;
  }
  return shape;
}

StatusOr<uint8_t*> MapBuilder::StartValues(uint32_t map, const Shape& shape, size_t positions) {
  size_t bytes = shape.value_bytes == 0 ? (positions + 7) / 8 : positions * shape.value_bytes;
  MZ_ASSIGN_OR_RETURN(uint32_t values, maps_.Allocate(bytes));
  MapHeader* header = maps_.As<MapHeader>(map);
  header->values = values;
  if (shape.value_bytes == 1 || shape.value_bytes == 2) {
    uint64_t hash = XXH3_64bits(shape.results.data(), shape.results.size() * 4);
    std::vector<uint32_t>& known = table_starts_[hash];
    uint32_t start = UINT32_MAX;
    for (size_t i = 0; i < known.size(); i += 2)
      if (known[i + 1] == shape.results.size() &&
          std::equal(shape.results.begin(), shape.results.end(), tables_.begin() + known[i]))
        start = known[i];
    if (start == UINT32_MAX) {
      if (tables_.size() + shape.results.size() >= UINT32_MAX)
        return MakeStatus(StatusCode::kResourceExhausted, "result tables of more than 4294967294 entries");
      start = static_cast<uint32_t>(tables_.size());
      tables_.insert(tables_.end(), shape.results.begin(), shape.results.end());
      known.push_back(start);
      known.push_back(static_cast<uint32_t>(shape.results.size()));
    }
    header->result_table = start;
    header->result_count = static_cast<uint32_t>(shape.results.size());
  }
  return maps_.At(values);
}

namespace {

struct Tree4Traits {
  using Interval = Interval4;
  using Node = image::TreeNode4;
  using Bits = uint32_t;
  static constexpr uint8_t kKind = image::kMapTree4;
  static constexpr uint32_t kKeys = image::kNode4Keys;
  static void SetKey(Node& node, uint32_t slot, net::Ip4 key) { node.key[slot] = key; }
  static constexpr net::Ip4 kPadding = ~0u;
};

struct Tree6HighTraits {
  using Interval = Interval6;
  using Node = image::TreeNode6High;
  using Bits = uint64_t;
  static constexpr uint8_t kKind = image::kMapTree6High;
  static constexpr uint32_t kKeys = image::kNode6Keys;
  static void SetKey(Node& node, uint32_t slot, const net::Ip6& key) { node.key[slot] = key.high; }
  static constexpr net::Ip6 kPadding = net::kIp6Last;
};

struct Tree6Traits {
  using Interval = Interval6;
  using Node = image::TreeNode6;
  using Bits = uint64_t;
  static constexpr uint8_t kKind = image::kMapTree6;
  static constexpr uint32_t kKeys = image::kNode6Keys;
  static void SetKey(Node& node, uint32_t slot, const net::Ip6& key) {
    node.high[slot] = key.high;
    node.low[slot] = key.low;
  }
  static constexpr net::Ip6 kPadding = net::kIp6Last;
};

}  // namespace

template <typename Traits>
StatusOr<uint32_t> MapBuilder::BuildTree(std::span<const typename Traits::Interval> intervals) {
  using Node = typename Traits::Node;
  MZ_ASSIGN_OR_RETURN(Shape shape, Examine(intervals, false));
  const size_t count = intervals.size() - 1;  // the first interval is MapHeader::before
  const size_t node_count = (count + Traits::kKeys - 1) / Traits::kKeys;
  MZ_ASSIGN_OR_RETURN(uint32_t offset, maps_.Allocate(sizeof(MapHeader) + node_count * sizeof(Node)));
  MapHeader* header = maps_.As<MapHeader>(offset);
  header->kind = Traits::kKind;
  header->value_bytes = static_cast<uint8_t>(shape.value_bytes);
  header->count = static_cast<uint32_t>(count);
  header->node_count = static_cast<uint32_t>(node_count);
  header->before = shape.before;
  uint8_t* values = nullptr;
  if (shape.value_bytes == 0) {
    header->result[0] = shape.results[0];
    header->result[1] = shape.results[1];
  } else {
    MZ_ASSIGN_OR_RETURN(values, StartValues(offset, shape, node_count * Traits::kKeys));
  }
  Node* nodes = reinterpret_cast<Node*>(maps_.As<MapHeader>(offset) + 1);
  size_t next = 1;
  // An in-order walk over all places, padding included: places behind the last real key repeat its value.
  image::internal::WalkTree(
      Traits::kKeys + 1, static_cast<uint32_t>(node_count), static_cast<uint32_t>(node_count * Traits::kKeys),
      [&](uint32_t node, uint32_t slot) {
        const bool real = next <= count;
        const ResultId result = intervals[real ? next : count].result;
        Traits::SetKey(nodes[node], slot, real ? intervals[next].start : Traits::kPadding);
        next++;
        const uint32_t local = local_index_[result];
        if (shape.value_bytes == 0) {
          nodes[node].bits = static_cast<typename Traits::Bits>(nodes[node].bits | uint64_t{local} << slot);
        } else {
          PutValue(values, shape.value_bytes, size_t{node} * Traits::kKeys + slot, local, shape.results[local]);
        }
      });
  return offset;
}

StatusOr<uint32_t> MapBuilder::BuildMap4(std::span<const Interval4> intervals) {
  return intervals.size() > direct4_keys_ ? BuildDirect4(intervals) : BuildTree<Tree4Traits>(intervals);
}

StatusOr<uint32_t> MapBuilder::BuildMap6(std::span<const Interval6> intervals) {
  bool high_only =
      std::all_of(intervals.begin(), intervals.end(), [](const Interval6& i) { return i.start.low == 0; });
  return high_only ? BuildTree<Tree6HighTraits>(intervals) : BuildTree<Tree6Traits>(intervals);
}

StatusOr<uint32_t> MapBuilder::BuildDirect4(std::span<const Interval4> intervals) {
  MZ_ASSIGN_OR_RETURN(Shape shape, Examine(intervals, true));
  const Direct4Table table(intervals, threads_);
  const size_t entries = table.entries();
  maps_.Reserve(65536 * (sizeof(Le32) + 1) + entries * (sizeof(Le16) + shape.value_bytes) + (shape.value_bytes == 0 ? entries / 8 : 0));
  MZ_ASSIGN_OR_RETURN(uint32_t offset, maps_.Allocate(sizeof(MapHeader)));
  MZ_ASSIGN_OR_RETURN(uint32_t direct_offset, maps_.AllocateUnset(65537 * sizeof(Le32)));
  MZ_ASSIGN_OR_RETURN(uint32_t lows_offset, maps_.AllocateUnset(entries * sizeof(Le16)));
  MZ_ASSIGN_OR_RETURN(uint8_t* values, StartValues(offset, shape, entries));
  MapHeader* header = maps_.As<MapHeader>(offset);
  header->kind = image::kMapDirect4;
  header->value_bytes = static_cast<uint8_t>(shape.value_bytes);
  header->count = static_cast<uint32_t>(entries);
  header->direct = direct_offset;
  header->lows = lows_offset;
  if (shape.value_bytes == 0) {
    header->result[0] = shape.results[0];
    header->result[1] = shape.results[1];
  }
  Le32* direct = maps_.As<Le32>(direct_offset);
  Le16* lows = maps_.As<Le16>(lows_offset);
  table.Fill(direct, lows, values, shape.value_bytes, [&](ResultId result) {
    const uint32_t local = local_index_[result];
    return shape.value_bytes == 4 ? shape.results[local] : local;
  });
  return offset;
}

Bytes MapBuilder::TakeResultTables() {
  Bytes bytes(tables_.size() * 4);
  Le32* out = reinterpret_cast<Le32*>(bytes.data());
  for (size_t i = 0; i < tables_.size(); i++) out[i] = tables_[i];
  return bytes;
}

}  // namespace mz::compiler
