// Interval lists -> maps of the image (sections kMaps and kResultTables). Equal maps are stored once.
//
//   MapBuilder maps(&values);
//   MZ_ASSIGN_OR_RETURN(uint32_t offset, maps.Add(dataset.map4));   // 0: nothing is listed
//
// Choice of kind: up to kDirect4Keys boundaries a search tree (4.3 bytes a key, a handful of lines to read); more, a
// direct table (2 bytes a key and 384 KiB). IPv6 trees leave the lower halves out when every boundary is a /64.
// Cost: two passes over the intervals, no memory besides the map. The interval lists must outlive the builder (they are
// compared with later ones). Errors: Internal (a list breaks the rules of model.h), ResourceExhausted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "compiler/build/heap.h"
#include "compiler/build/model.h"
#include "compiler/build/value_encoder.h"

namespace mz::compiler {

inline constexpr size_t kDirect4Keys = 65536;

// What the results of a map are, when they are not results of the pool. Maps are stored once within a kind.
enum class MapIds : uint8_t { kNone, kSpfClasses, kSpfPrograms, kSetClasses, kOwn };

class MapBuilder {
 public:
  explicit MapBuilder(ValueEncoder* values, size_t direct4_keys = kDirect4Keys, int threads = 1);

  StatusOr<uint32_t> Add(std::span<const Interval4> intervals);
  StatusOr<uint32_t> Add(std::span<const Interval6> intervals);
  // Maps whose results are not values but ids, stored as they are. `id_count`: all are below; their marks take 8 octets an
  // id.
  StatusOr<uint32_t> AddIds(std::span<const Interval4> intervals, MapIds ids, uint32_t id_count);
  StatusOr<uint32_t> AddIds(std::span<const Interval6> intervals, MapIds ids, uint32_t id_count);
  // A map that was put together elsewhere and stands for `intervals` intervals.
  StatusOr<uint32_t> AddBytes(std::span<const uint8_t> bytes, size_t intervals);

  uint64_t intervals_stored() const { return intervals_stored_; }
  // Room for arrays in the section of the maps.
  Heap& heap() { return maps_; }
  ValueEncoder& values() { return *values_; }
  Bytes TakeMaps() { return maps_.Take(); }
  Bytes TakeResultTables();

 private:
  // What the first pass over a list finds out.
  struct Shape {
    uint32_t value_bytes = 0;
    uint32_t before = 0;
    std::vector<uint32_t> results;  // distinct image result ids of the keys; a key's local index points here
  };
  template <typename Interval>
  StatusOr<Shape> Examine(std::span<const Interval> intervals, bool keep_first);
  template <typename Interval, typename Build>
  StatusOr<uint32_t> AddOnce(std::span<const Interval> intervals, Build build);
  StatusOr<uint32_t> BuildMap4(std::span<const Interval4> intervals);
  StatusOr<uint32_t> BuildMap6(std::span<const Interval6> intervals);
  StatusOr<uint32_t> BuildDirect4(std::span<const Interval4> intervals);
  template <typename Traits>
  StatusOr<uint32_t> BuildTree(std::span<const typename Traits::Interval> intervals);
  // Allocates the value array behind the map at `map`, finds or makes its result table, and sets the header's fields.
  StatusOr<uint8_t*> StartValues(uint32_t map, const Shape& shape, size_t positions);
  template <typename Interval, typename Take>
  Status Check(std::span<const Interval> intervals, size_t from, size_t to, size_t ids, Take take) const;

  uint32_t Use(ResultId id) { return raw_ids_ != 0 ? id : values_->Use(id); }
  template <typename Interval>
  StatusOr<uint32_t> AddRaw(std::span<const Interval> intervals, MapIds ids, uint32_t id_count);

  ValueEncoder* values_;
  int threads_;
  MapIds ids_ = MapIds::kNone;
  uint32_t raw_ids_ = 0;  // not 0: results are ids below this
  size_t direct4_keys_;
  Heap maps_{64};
  std::vector<uint32_t> tables_;
  // Local index of a pool result in the map under construction: valid when its mark is of this map.
  std::vector<uint32_t> mark_;
  std::vector<uint32_t> local_index_;
  uint32_t current_mark_ = 0;
  uint64_t intervals_stored_ = 0;

  struct Stored {
    const void* intervals;
    size_t count;
    uint32_t offset;
    bool is_v6;
    MapIds ids;
  };
  struct StoredBytes {
    uint32_t offset, bytes;
  };
  absl::flat_hash_map<uint64_t, std::vector<StoredBytes>> stored_bytes_;  // by hash
  absl::flat_hash_map<uint64_t, std::vector<Stored>> stored_;     // by hash of the interval list
  absl::flat_hash_map<uint64_t, std::vector<uint32_t>> table_starts_;  // by hash of the table: start, size pairs
};

}  // namespace mz::compiler
