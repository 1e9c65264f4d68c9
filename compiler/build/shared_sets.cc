// See shared_sets.h.
#include "compiler/build/shared_sets.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "compiler/build/address_classes.h"
#include "format/image/view.h"

namespace mz::compiler {

namespace {

constexpr uint32_t kMaxSets = 65535;
// An address in very many sets makes long lists for everybody; sets beyond this are left to the maps.
constexpr uint32_t kClassDepth = 32;
static_assert(kClassDepth <= image::kMaxClassSets);
// Octets: of an interval in a tree (two keys), as an own prefix, in the shared part (range and class map), and of a set's
// id in a list.
constexpr uint64_t kTreeInterval = 8, kOwnInterval = 5, kSharedInterval = 24, kListEntry = 2;
constexpr size_t kAhead = 8;

// The result of most addresses, if some result has more than half of them; else some result.
ResultId MainResult(std::span<const Interval4> map) {
  ResultId main = 0;
  uint64_t lead = 0;
  for (size_t i = 0; i < map.size(); i++) {
    const uint64_t end = i + 1 < map.size() ? uint64_t{map[i + 1].start} : uint64_t{1} << 32;
    const uint64_t width = end - map[i].start;
    if (map[i].result == main) {
      lead += width;
    } else if (lead >= width) {
      lead -= width;
    } else {
      main = map[i].result;
      lead = width - lead;
    }
  }
  return main;
}

bool IsInOrder(std::span<const Interval4> map) {
  for (size_t i = 1; i < map.size(); i++)
    if (map[i].start <= map[i - 1].start || map[i].result == map[i - 1].result) return false;
  return !map.empty() && map[0].start == 0;
}

template <typename Visit>
void ForEachExcept(std::span<const Interval4> map, ResultId rest, Visit visit) {
  for (size_t i = 0; i < map.size(); i++)
    if (map[i].result != rest)
      visit(net::Range4{map[i].start, i + 1 < map.size() ? map[i + 1].start - 1 : ~0u}, map[i].result);
}

uint64_t EndsOf(const net::Range4& r) { return uint64_t{r.first} << 32 | r.last; }

// A number that nobody would guess, but the same in every build.
uint64_t Mark(uint32_t map, ResultId result) {
  const uint64_t input[2] = {map, result};
  return XXH3_64bits_withSeed(input, sizeof input, 0x9e3779b97f4a7c15ull);
}

// Calls visit(prefix address, length) for the fewest prefixes of a range; visit returns false to stop.
template <typename Visit>
bool ForEachPrefix(const net::Range4& range, Visit visit) {
  for (net::Ip4 at = range.first;;) {
    int length = 32;
    while (length > 0) {
      const net::Range4 larger = net::PrefixRange4(at, length - 1);
      if (larger.first != at || larger.last > range.last) break;
      length--;
    }
    if (!visit(at, static_cast<uint8_t>(length))) return false;
    const net::Ip4 last = net::PrefixRange4(at, length).last;
    if (last == range.last) return true;
    at = last + 1;
  }
}

}  // namespace

struct SharedSetEncoder::Plan {
  ResultId rest = 0;
  std::vector<std::pair<uint32_t, ResultId>> sets;  // id, result; ascending
  struct Prefix {
    net::Ip4 address;
    uint8_t length;
    ResultId result;
  };
  std::vector<Prefix> prefixes;
  std::vector<std::pair<net::Range4, ResultId>> own;  // all own ranges
  bool own_map = false;                               // too many for prefixes
};

size_t SharedSetEncoder::PieceTable::PlaceOf(uint64_t ends) const {
  ends *= 0x9e3779b97f4a7c15ull;
  return (ends ^ ends >> 32) & (places_.size() - 1);
}

SharedSetEncoder::Piece& SharedSetEncoder::PieceTable::Use(uint64_t ends) {
  if (used_ >= places_.size() / 2) Grow(places_.size() * 2);
  size_t place = PlaceOf(ends);
  while (places_[place].users != 0 && places_[place].ends != ends) place = (place + 1) & (places_.size() - 1);
  if (places_[place].users == 0) {
    used_++;
    places_[place].ends = ends;
  }
  return places_[place];
}

const SharedSetEncoder::Piece* SharedSetEncoder::PieceTable::Find(uint64_t ends) const {
  for (size_t place = PlaceOf(ends);; place = (place + 1) & (places_.size() - 1)) {
    if (places_[place].users == 0) return nullptr;
    if (places_[place].ends == ends) return &places_[place];
  }
}

void SharedSetEncoder::PieceTable::Insert(const Piece& piece) {
  size_t place = PlaceOf(piece.ends);
  while (places_[place].users != 0) place = (place + 1) & (places_.size() - 1);
  places_[place] = piece;
  used_++;
}

void SharedSetEncoder::PieceTable::Grow(size_t places) {
  std::vector<Piece> old = std::exchange(places_, std::vector<Piece>(places));
  used_ = 0;
  for (const Piece& piece : old)
    if (piece.users != 0) Insert(piece);
}

void SharedSetEncoder::PieceTable::KeepSetsOnly() {
  size_t kept = 0, places = 1024;
  for (Piece& piece : places_) {
    if (piece.set == 0) piece.users = 0;
    kept += piece.set != 0;
  }
  while (places < 2 * kept) places *= 2;
  Grow(places);
}

SharedSetEncoder::SharedSetEncoder(MapBuilder* maps, SharedSetPolicy policy) : maps_(maps), policy_(policy) {}

void SharedSetEncoder::Collect(std::span<const Interval4> map) {
  // What is wrong with a list out of order, the MapBuilder says.
  if (policy_ == SharedSetPolicy::kNever || map.size() > kDirect4Keys || !IsInOrder(map)) return;
  if (!seen_.insert(XXH3_64bits(map.data(), map.size_bytes())).second) return;
  const uint32_t number = map_count_++;
  ends_.clear();
  results_.clear();
  ForEachExcept(map, MainResult(map), [&](const net::Range4& range, ResultId result) {
    if (result == 0) return;
    ends_.push_back(EndsOf(range));
    results_.push_back(result);
  });
  ResultId marked = 0;
  uint64_t mark = 0;
  for (size_t i = 0; i < ends_.size(); i++) {
    if (i + kAhead < ends_.size()) pieces_.Prefetch(ends_[i + kAhead]);
    if (results_[i] != marked) mark = Mark(number, marked = results_[i]);
    Piece& piece = pieces_.Use(ends_[i]);
    piece.users++;
    piece.signature += mark;
  }
}

std::vector<SharedSetEncoder::Candidate> SharedSetEncoder::FindCandidates() {
  std::vector<Piece> shared;
  for (const Piece& piece : pieces_.places())
    if (piece.users >= 2) shared.push_back(piece);
  std::sort(shared.begin(), shared.end(), [](const Piece& x, const Piece& y) {
    return x.signature != y.signature ? x.signature < y.signature : x.ends < y.ends;
  });
  std::vector<Candidate> out;
  for (size_t i = 0; i < shared.size();) {
    Candidate set;
    set.users = shared[i].users;
    bool apart = true;
    const uint64_t signature = shared[i].signature;
    for (; i < shared.size() && shared[i].signature == signature; i++) {
      const net::Range4 range = shared[i].range();
      apart &= set.ranges.empty() || (range.first > 0 && set.ranges.back().last < range.first - 1);
      set.ranges.push_back(range);
    }
    const uint64_t users = set.users, ranges = set.ranges.size();
    const bool pays = users * ranges * kOwnInterval > users * kListEntry + ranges * kSharedInterval;
    // Not apart: their sums are equal by accident.
    if (apart && (pays || policy_ == SharedSetPolicy::kAlways)) out.push_back(std::move(set));
  }
  if (out.size() > kMaxSets) {
    std::stable_sort(out.begin(), out.end(),
                     [](const Candidate& x, const Candidate& y) { return x.saving() > y.saving(); });
    out.resize(kMaxSets);
  }
  std::sort(out.begin(), out.end(), [](const Candidate& x, const Candidate& y) {
    return EndsOf(x.ranges[0]) < EndsOf(y.ranges[0]);
  });
  return out;
}

bool SharedSetEncoder::WorthIt(const std::vector<Candidate>& candidates) const {
  if (candidates.empty() || policy_ == SharedSetPolicy::kAlways) return !candidates.empty();
  uint64_t saving = 0, ranges = 0;
  for (const Candidate& c : candidates) {
    saving += c.users * (c.ranges.size() * kTreeInterval - kListEntry);
    ranges += c.ranges.size();
  }
  // A direct table has at least its 65536 entries.
  const uint64_t cost = ranges * kSharedInterval + (2 * ranges > kDirect4Keys ? 65536 * (4 + 2 + 4) : 0);
  return saving > cost + cost / 4;
}

Status SharedSetEncoder::Build() {
  seen_ = {};
  std::vector<Candidate> candidates;
  if (map_count_ >= 2) candidates = FindCandidates();
  if (WorthIt(candidates)) MZ_RETURN_IF_ERROR(Store(candidates));
  pieces_.KeepSetsOnly();
  return absl::OkStatus();
}

Status SharedSetEncoder::Store(const std::vector<Candidate>& candidates) {
  std::vector<SharedSet<net::Ip4>> sets;
  for (const Candidate& c : candidates) sets.push_back({&c.ranges, c.users});
  ClassLimits limits;
  limits.depth = kClassDepth;
  ClassTable<net::Ip4> table = BuildClasses<net::Ip4>(sets, limits);
  if (table.set_count == 0) return absl::OkStatus();

  std::vector<uint32_t> first_range{0};
  std::vector<net::Range4> ranges;
  set_ranges_.assign(1, 0);
  for (size_t i = 0; i < candidates.size(); i++) {
    const uint32_t id = table.set_ids[i];
    if (id == 0) continue;  // its members stay with their maps
    MZ_CHECK(id == set_ranges_.size());
    set_ranges_.push_back(static_cast<uint32_t>(candidates[i].ranges.size()));
    for (const net::Range4& range : candidates[i].ranges) {
      pieces_.Use(EndsOf(range)).set = id;
      ranges.push_back(range);
    }
    first_range.push_back(static_cast<uint32_t>(ranges.size()));
  }
  tally_.assign(set_ranges_.size(), {});

  Heap& heap = maps_->heap();
  MZ_ASSIGN_OR_RETURN(offset_, heap.Allocate(sizeof(image::SharedSets)));
  const auto words = static_cast<uint32_t>(table.words.size());
  class_intervals_ = std::move(table.intervals);
  MZ_ASSIGN_OR_RETURN(const uint32_t class_map,
                      maps_->AddIds(class_intervals_, MapIds::kSetClasses, words));
  MZ_ASSIGN_OR_RETURN(const uint32_t classes, heap.Allocate(words * sizeof(Le32)));
  for (uint32_t i = 0; i < words; i++) heap.As<Le32>(classes)[i] = table.words[i];
  MZ_ASSIGN_OR_RETURN(const uint32_t firsts, heap.Allocate(first_range.size() * sizeof(Le32)));
  for (size_t i = 0; i < first_range.size(); i++) heap.As<Le32>(firsts)[i] = first_range[i];
  MZ_ASSIGN_OR_RETURN(const uint32_t range_array, heap.Allocate(ranges.size() * sizeof(image::SetRange4)));
  for (size_t i = 0; i < ranges.size(); i++)
    heap.As<image::SetRange4>(range_array)[i] = {ranges[i].first, ranges[i].last};
  image::SharedSets* shared = heap.As<image::SharedSets>(offset_);
  shared->class_map = class_map;
  shared->classes = classes;
  shared->class_words = words;
  shared->set_count = table.set_count;
  shared->first_range = firsts;
  shared->ranges = range_array;
  shared->range_count = static_cast<uint32_t>(ranges.size());
  return absl::OkStatus();
}

StatusOr<uint32_t> SharedSetEncoder::Add(std::span<const Interval4> map) {
  Plan plan;
  if (offset_ == 0 || map.size() > kDirect4Keys || !IsInOrder(map) || !MakePlan(map, &plan)) return maps_->Add(map);
  return Write(plan, map.size());
}

bool SharedSetEncoder::MakePlan(std::span<const Interval4> map, Plan* plan) {
  plan->rest = MainResult(map);
  const uint32_t number = ++written_;
  // The set of every interval; and of every set, how many of its ranges the map has.
  ends_.clear();
  results_.clear();
  ForEachExcept(map, plan->rest, [&](const net::Range4& range, ResultId result) {
    ends_.push_back(EndsOf(range));
    results_.push_back(result);
  });
  std::vector<uint32_t> set_of(ends_.size());
  for (size_t i = 0; i < ends_.size(); i++) {
    if (i + kAhead < ends_.size()) pieces_.Prefetch(ends_[i + kAhead]);
    const Piece* piece = results_[i] == 0 ? nullptr : pieces_.Find(ends_[i]);
    if (piece == nullptr) continue;
    const uint32_t set = set_of[i] = piece->set;
    Tally& tally = tally_[set];
    if (tally.map != number) {
      tally = {number, 0, results_[i], false};
      plan->sets.emplace_back(set, results_[i]);
    }
    tally.count++;
    tally.mixed |= tally.result != results_[i];
  }
  auto whole = [&](uint32_t set) { return tally_[set].count == set_ranges_[set] && !tally_[set].mixed; };
  std::erase_if(plan->sets, [&](const auto& s) { return !whole(s.first); });
  constexpr size_t kMost = image::kSetBlock * image::kMaxSetBlocks;
  if (plan->sets.size() > kMost) {
    std::stable_sort(plan->sets.begin(), plan->sets.end(),
                     [&](const auto& x, const auto& y) { return set_ranges_[x.first] > set_ranges_[y.first]; });
    for (size_t i = kMost; i < plan->sets.size(); i++) tally_[plan->sets[i].first].mixed = true;
    plan->sets.resize(kMost);
  }
  if (plan->sets.empty()) return false;
  std::sort(plan->sets.begin(), plan->sets.end());

  std::vector<ResultId> results;
  auto add_result = [&](ResultId r) {
    if (std::find(results.begin(), results.end(), r) == results.end()) results.push_back(r);
    return results.size() <= 255;
  };
  for (const auto& [set, result] : plan->sets)
    if (!add_result(result)) return false;
  bool excludes = false;
  for (size_t i = 0; i < ends_.size(); i++) {
    if (set_of[i] != 0 && whole(set_of[i])) continue;
    const net::Range4 range = Piece{ends_[i]}.range();
    plan->own.emplace_back(range, results_[i]);
    excludes |= results_[i] == 0;
    if (plan->own_map) continue;
    plan->own_map = !ForEachPrefix(range, [&](net::Ip4 address, uint8_t length) {
      plan->prefixes.push_back({address, length, results_[i]});
      return plan->prefixes.size() <= image::kMaxOwnPrefixes && add_result(results_[i]);
    });
  }
  if (plan->own_map && excludes) return false;
  if (policy_ == SharedSetPolicy::kAlways) return true;
  auto lines = [](size_t octets) { return (octets + 63) / 64; };
  auto tree_lines = [&](size_t keys, size_t distinct) {
    const size_t nodes = (keys + image::kNode4Keys - 1) / image::kNode4Keys;
    return 1 + nodes + (distinct > 2 ? lines(nodes * image::kNode4Keys) : 0);
  };
  const auto blocks = static_cast<uint32_t>((plan->sets.size() + image::kSetBlock - 1) / image::kSetBlock);
  const auto own_count = plan->own_map ? uint32_t{image::kOwnMap} : static_cast<uint32_t>(plan->prefixes.size());
  size_t size = lines(image::SetMapBytes(blocks, own_count, static_cast<uint32_t>(results.size())));
  if (plan->own_map) size += tree_lines(2 * plan->own.size(), results.size() + 1);
  return 2 * size < tree_lines(map.size() - 1, results.size() + 1);
}

StatusOr<uint32_t> SharedSetEncoder::Write(const Plan& plan, size_t intervals) {
  ValueEncoder& values = maps_->values();
  const ResultId limit = static_cast<ResultId>(values.pool_results());
  auto in_pool = [&](const auto& part) { return part.second <= limit; };
  if (plan.rest > limit || !std::all_of(plan.sets.begin(), plan.sets.end(), in_pool) ||
      !std::all_of(plan.own.begin(), plan.own.end(), in_pool))
    return MakeStatus(StatusCode::kInternal, "an interval map holds a result that is not in the pool");

  const uint32_t rest = values.Use(plan.rest);
  uint32_t own_map = 0;
  if (plan.own_map) {
    std::vector<Interval4>& list = own_maps_.emplace_back();
    uint32_t highest = 0;
    uint64_t next = 0;  // behind the last range
    for (const auto& [range, result] : plan.own) {
      if (range.first != next) list.push_back({static_cast<net::Ip4>(next), 0});
      const uint32_t id = values.Use(result) + 1;
      highest = std::max(highest, id);
      list.push_back({range.first, id});
      next = uint64_t{range.last} + 1;
    }
    if (next <= ~0u) list.push_back({static_cast<net::Ip4>(next), 0});
    MZ_RETURN_IF_ERROR(values.status());
    MZ_ASSIGN_OR_RETURN(own_map, maps_->AddIds(list, MapIds::kOwn, highest + 1));
  }

  std::vector<uint32_t> results;
  auto index_of = [&](ResultId result) {
    const uint32_t id = values.Use(result);
    const auto at = std::find(results.begin(), results.end(), id);
    if (at != results.end()) return static_cast<uint8_t>(at - results.begin());
    results.push_back(id);
    return static_cast<uint8_t>(results.size() - 1);
  };
  const auto blocks = static_cast<uint32_t>((plan.sets.size() + image::kSetBlock - 1) / image::kSetBlock);
  std::vector<uint8_t> set_results(blocks * image::kSetBlock), own_results;
  for (size_t i = 0; i < plan.sets.size(); i++) set_results[i] = index_of(plan.sets[i].second);
  const size_t prefixes = plan.own_map ? 0 : plan.prefixes.size();
  for (size_t i = 0; i < prefixes; i++) own_results.push_back(index_of(plan.prefixes[i].result));
  MZ_RETURN_IF_ERROR(values.status());

  image::SetMap4 header;
  header.kind = image::kMapSets4;
  header.set_blocks = static_cast<uint8_t>(blocks);
  header.own_count = plan.own_map ? image::kOwnMap : static_cast<uint8_t>(prefixes);
  header.result_count = static_cast<uint8_t>(results.size());
  header.rest = rest;
  std::vector<uint8_t> bytes;
  auto append = [&](const auto& value) {
    const auto* p = reinterpret_cast<const uint8_t*>(&value);
    bytes.insert(bytes.end(), p, p + sizeof value);
  };
  append(header);
  for (const auto& [set, result] : plan.sets) append(Le16(static_cast<uint16_t>(set)));
  bytes.resize(sizeof header + sizeof(Le16) * blocks * image::kSetBlock);
  for (size_t i = 0; i < prefixes; i++) append(Le32(plan.prefixes[i].address));
  if (plan.own_map) append(Le32(own_map));
  for (const uint32_t id : results) append(Le32(id));
  for (size_t i = 0; i < prefixes; i++) bytes.push_back(plan.prefixes[i].length);
  if (results.size() > 1) {
    bytes.insert(bytes.end(), set_results.begin(), set_results.end());
    bytes.insert(bytes.end(), own_results.begin(), own_results.end());
  }
  MZ_CHECK(bytes.size() == image::SetMapBytes(blocks, header.own_count, header.result_count));
  return maps_->AddBytes(bytes, intervals);
}

}  // namespace mz::compiler
