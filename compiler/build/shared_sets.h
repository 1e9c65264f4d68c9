// Finds the sets of addresses that many IPv4 maps have in common, stores them once (SharedSets in format/image/layout.h),
// and writes the maps as lists of sets where that is clearly smaller.
//
//   SharedSetEncoder sets(&maps, policy);
//   for (...) sets.Collect(dataset.map4);                 // every map first
//   MZ_RETURN_IF_ERROR(sets.Build());
//   for (...) MZ_ASSIGN_OR_RETURN(offset, sets.Add(dataset.map4));   // like MapBuilder::Add, which gets what is left
//
// How sets are found: subzones that take the same provider's addresses have the same intervals, whatever else they have.
// Every map gets a random number for each of its results, and every interval the sum of the numbers of the maps that have
// it: intervals with equal sums belong to the same maps. That is only a guess at what a set could be. A map uses a set
// when it has each of its intervals with one result, which is counted when the map is written; what is then left over
// stays the map's own. So maps are exact whatever the sums are, and sets of one map never overlap.
//
// Cost: two hash look-ups an interval, some 40 octets for each distinct interval until Build(). Maps of more than
// kDirect4Keys intervals are left alone. The lists must outlive the encoder and the MapBuilder. Same input, same bytes.
// Errors: ResourceExhausted, Internal.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "compiler/build/map_builder.h"
#include "compiler/build/model.h"
#include "format/image/layout.h"

namespace mz::compiler {

enum class SharedSetPolicy : uint8_t {
  kWhenSmaller,  // where the image gets smaller by it
  kAlways,       // wherever two maps have an interval in common: for tests with small models
  kNever,
};

class SharedSetEncoder {
 public:
  explicit SharedSetEncoder(MapBuilder* maps, SharedSetPolicy policy = SharedSetPolicy::kWhenSmaller);

  void Collect(std::span<const Interval4> map);
  Status Build();
  StatusOr<uint32_t> Add(std::span<const Interval4> map);
  // kMaps offset of the SharedSets, or 0. Requires: Build().
  uint32_t offset() const { return offset_; }

 private:
  // The intervals that some map has, by their ends. Open addressing: the one structure that is asked for every interval
  // of every map.
  struct Piece {
    uint64_t ends = 0;  // first << 32 | last
    uint64_t signature = 0;
    uint32_t users = 0;  // maps; 0: a free place
    uint32_t set = 0;    // id; 0: in none
    net::Range4 range() const { return {static_cast<net::Ip4>(ends >> 32), static_cast<net::Ip4>(ends)}; }
  };
  class PieceTable {
   public:
    Piece& Use(uint64_t ends);         // inserts
    const Piece* Find(uint64_t ends) const;
    void Prefetch(uint64_t ends) const { __builtin_prefetch(&places_[PlaceOf(ends)]); }
    std::vector<Piece>& places() { return places_; }
    void KeepSetsOnly();

   private:
    size_t PlaceOf(uint64_t ends) const;
    void Insert(const Piece& piece);
    void Grow(size_t places);
    std::vector<Piece> places_ = std::vector<Piece>(1024);
    size_t used_ = 0;
  };
  struct Candidate {
    std::vector<net::Range4> ranges;
    uint32_t users = 0;
    uint64_t saving() const { return uint64_t{users} * ranges.size(); }
  };
  // A map as it would be written.
  struct Plan;

  std::vector<Candidate> FindCandidates();
  bool WorthIt(const std::vector<Candidate>& candidates) const;
  Status Store(const std::vector<Candidate>& candidates);
  // False: not in this form.
  bool MakePlan(std::span<const Interval4> map, Plan* plan);
  StatusOr<uint32_t> Write(const Plan& plan, size_t intervals);

  MapBuilder* maps_;
  const SharedSetPolicy policy_;
  uint32_t map_count_ = 0;
  absl::flat_hash_set<uint64_t> seen_;  // hashes of the lists collected
  PieceTable pieces_;
  std::vector<uint32_t> set_ranges_;  // by set id: how many
  uint32_t offset_ = 0;
  std::vector<Interval4> class_intervals_;
  std::deque<std::vector<Interval4>> own_maps_;  // the MapBuilder compares with them

  // Of the map being written; kept for their capacity.
  struct Tally {
    uint32_t map = 0;  // number of the map that the rest is about
    uint32_t count = 0;
    ResultId result = 0;
    bool mixed = false;
  };
  std::vector<Tally> tally_;  // by set id
  uint32_t written_ = 0;
  std::vector<uint64_t> ends_;
  std::vector<ResultId> results_;
};

}  // namespace mz::compiler
