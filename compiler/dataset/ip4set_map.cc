// See ip4set_map.h.
#include "compiler/dataset/ip4set_map.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "compiler/build/parallel.h"
#include "compiler/dataset/interval_sweep.h"

namespace mz::compiler {
namespace {

// Partitions of 2^21 addresses: ten million scattered addresses are 40 KB in each.
constexpr int kPartitionBits = 11;
constexpr int kPartitionShift = 32 - kPartitionBits;

// Results while several threads work: lists of several values get numbers of their own, which are replaced afterwards, in
// the order of the addresses, so that the numbers in the pool do not depend on the threads. Requires: the results of all
// single values are made, or there is one thread.
class PartitionResults {
 public:
  static constexpr ResultId kOwn = 1u << 31;

  explicit PartitionResults(ResultMap* results) : results_(results) {}
  ResultId Single(uint32_t code) { return results_->Single(code); }
  ResultId Several(std::span<const uint32_t> codes) {
    auto [it, added] = own_.try_emplace(std::vector<uint32_t>(codes.begin(), codes.end()),
                                        kOwn | static_cast<ResultId>(lists_.size()));
    if (added) lists_.push_back(it->first);
    return it->second;
  }
  size_t Stored(std::span<const uint32_t> codes) const { return results_->Stored(codes); }

  std::vector<std::vector<uint32_t>> Take() { return std::move(lists_); }

 private:
  ResultMap* results_;
  absl::flat_hash_map<std::vector<uint32_t>, ResultId> own_;
  std::vector<std::vector<uint32_t>> lists_;
};

struct Partition {
  std::vector<Interval4> intervals;            // unless `plain`
  std::vector<std::vector<uint32_t>> several;  // codes behind PartitionResults::kOwn
  uint64_t pieces = 0;
  size_t count = 0;                            // intervals
  ResultId first = 0, last = 0;                // results of the first and the last one
  bool plain = false;
};

// Single addresses over one result of the coarser sizes: what most partitions of most lists are. Calls
// put(start, result) for every address and gap, equal neighbours included. Returns the number of distinct addresses.
template <typename Put>
uint64_t SweepSingles(std::span<const uint64_t> points, uint64_t first, uint64_t last, ResultId base, ResultMap* results,
                      Put put) {
  uint64_t next = first, distinct = 0;
  uint32_t mark = 0;
  ResultId result = 0;  // of mark; 0 is an exclusion
  for (uint64_t point : points) {
    const uint64_t address = point >> 32;
    if (address < next) continue;  // the address before again
    if (static_cast<uint32_t>(point) != mark) {
      mark = static_cast<uint32_t>(point);
      result = mark == 0 ? 0 : results->Single(mark - 1);
    }
    if (address != next) put(static_cast<net::Ip4>(next), base);
    put(static_cast<net::Ip4>(address), result);
    next = address + 1;
    ++distinct;
  }
  if (next <= last) put(static_cast<net::Ip4>(next), base);
  return distinct;
}

bool EqualAddressesHaveEqualMarks(std::span<const uint64_t> points) {
  for (size_t i = 1; i < points.size(); ++i)
    if (points[i] >> 32 == points[i - 1] >> 32 && points[i] != points[i - 1]) return false;
  return true;
}

// One base result for first..last, or not.
bool SingleBase(const BigVector<Interval4>& base, uint64_t first, uint64_t last, ResultId* result) {
  *result = 0;
  if (base.empty()) return true;
  const size_t at = Overlay::BaseIndex(base, static_cast<net::Ip4>(first));
  *result = base[at].result;
  return at + 1 == base.size() || base[at + 1].start > last;
}

// Replaces the numbers of PartitionResults by results; neighbours can become equal by that.
void ResolveSeveral(ResultMap* results, Partition* partition) {
  if (partition->several.empty()) return;
  std::vector<ResultId> ids;
  for (const std::vector<uint32_t>& codes : partition->several) ids.push_back(results->Several(codes));
  std::vector<Interval4>& intervals = partition->intervals;
  size_t kept = 0;
  for (Interval4 i : intervals) {
    if (i.result & PartitionResults::kOwn) i.result = ids[i.result & ~PartitionResults::kOwn];
    if (kept == 0 || intervals[kept - 1].result != i.result) intervals[kept++] = i;
  }
  intervals.resize(kept);
}

// Runs in partitions of the address space. Requires: none lies in two of them.
Partitions<PieceRun> DistributeRuns(const BigVector<PieceRun>& runs, int unit_shift, int bits) {
  Partitions<PieceRun> out;
  out.starts.assign((size_t{1} << bits) + 1, 0);
  out.starts.back() = runs.size();
  if (bits == 0) {
    out.elements = runs;
    return out;
  }
  auto partition = [&](const PieceRun& r) { return static_cast<size_t>(r.first) << unit_shift >> kPartitionShift; };
  std::vector<size_t> next(size_t{1} << bits);
  for (const PieceRun& r : runs) ++next[partition(r)];
  size_t sum = 0;
  for (size_t p = 0; p < next.size(); ++p) {
    out.starts[p] = sum;
    sum += std::exchange(next[p], sum);
  }
  out.elements.resize(runs.size());
  for (const PieceRun& r : runs) out.elements[next[partition(r)]++] = r;
  return out;
}

}  // namespace

void Ip4SetMap::AddSingles(size_t first, size_t count, uint32_t code) {
  if (count == 0) return;
  if (!single_runs_.empty()) {
    MarkedRun& last = single_runs_.back();
    if (last.mark == code + 1 && last.first + last.count == first) {
      last.count += count;
      return;
    }
  }
  single_runs_.push_back({first, count, code + 1});
}

void Ip4SetMap::AddRun(int size, uint32_t first, uint32_t last, uint32_t mark) {
  if (size == 0 && first == last) {
    singles_.push_back(uint64_t{first} << 32 | mark);
    return;
  }
  BigVector<PieceRun>& runs = runs_[static_cast<size_t>(size)];
  // Runs lie in one partition each; the largest pieces are not partitioned. Runs of the others are shorter than two pieces
  // of the next size, so this cuts seldom.
  const int shift = kPartitionShift - 8 * size;
  if (shift > 0 && first >> shift != last >> shift) {
    const uint32_t border = last >> shift << shift;
    AddRun(size, first, border - 1, mark);
    AddRun(size, border, last, mark);
    return;
  }
  runs.push_back({first, last, mark});
}

void Ip4SetMap::AddPieces(net::Ip4 first, net::Ip4 last, uint32_t mark) {
  // From fine to coarse: what does not fill a piece of the next size at either end stays at this size.
  uint64_t low = first, high = uint64_t{last} + 1;  // [low, high) in units of the size
  for (int size = 0; size < kSizes && low < high; ++size) {
    if (size + 1 == kSizes) {
      AddRun(size, static_cast<uint32_t>(low), static_cast<uint32_t>(high - 1), mark);
      return;
    }
    uint64_t up = (low + 255) & ~uint64_t{255}, down = high & ~uint64_t{255};
    if (up >= down) {  // no whole piece of the next size inside
      AddRun(size, static_cast<uint32_t>(low), static_cast<uint32_t>(high - 1), mark);
      return;
    }
    if (low < up) AddRun(size, static_cast<uint32_t>(low), static_cast<uint32_t>(up - 1), mark);
    if (down < high) AddRun(size, static_cast<uint32_t>(down), static_cast<uint32_t>(high - 1), mark);
    low = up >> 8;
    high = down >> 8;
  }
}

BigVector<Interval4> Ip4SetMap::Build(ResultMap* results, int threads, std::span<const net::Ip4> addresses) {
  BigVector<Interval4> map;
  for (int size = kSizes - 1; size >= 0; --size) {
    if (runs_[static_cast<size_t>(size)].empty() && (size > 0 || (singles_.empty() && single_runs_.empty()))) continue;
    map = SweepSize(size, map, addresses, results, threads);
    runs_[static_cast<size_t>(size)] = {};
  }
  single_runs_ = {};
  singles_ = {};
  DropIfEmpty(&map);
  return map;
}

BigVector<Interval4> Ip4SetMap::SweepSize(int size, const BigVector<Interval4>& base, std::span<const net::Ip4> addresses,
                                          ResultMap* results, int threads) {
  PointSource source;
  if (size == 0) source = {addresses, single_runs_, singles_};
  const BigVector<PieceRun>& unsorted = runs_[static_cast<size_t>(size)];
  const int bits = size < kSizes - 1 && source.size() + unsorted.size() >= many_entries_ ? kPartitionBits : 0;
  if (bits != 0) results->ResolveAll(0);
  const int unit_shift = 8 * size;
  Partitions<uint64_t> points = DistributePoints(source, bits, threads);
  if (size == 0) singles_ = {};
  Partitions<PieceRun> runs = DistributeRuns(unsorted, unit_shift, bits);
  auto first_of = [&](size_t p) { return static_cast<uint64_t>(p) << (32 - bits); };

  std::vector<Partition> partitions(points.count());
  ParallelFor(threads, partitions.size(), [&](size_t p) {
    Partition& out = partitions[p];
    const uint64_t first = first_of(p), last = first_of(p + 1) - 1;
    thread_local std::vector<uint64_t> scratch;
    std::span<uint64_t> mine = points[p];
    SortPoints(mine, &scratch);
    ResultId under;
    if (runs[p].empty() && SingleBase(base, first, last, &under) && EqualAddressesHaveEqualMarks(mine)) {
      out.plain = true;
      ResultId before = 0;
      out.pieces = SweepSingles(mine, first, last, under, results, [&](net::Ip4, ResultId result) {
        if (out.count == 0) out.first = result;
        out.count += out.count == 0 || result != before;
        before = result;
      });
      out.last = before;
      return;
    }
    std::sort(runs[p].begin(), runs[p].end(), [](const PieceRun& x, const PieceRun& y) {
      return x.first != y.first ? x.first < y.first : x.last != y.last ? x.last < y.last : x.mark < y.mark;
    });
    Overlay overlay(base, first, last);
    auto emit = [&](uint64_t from, uint64_t to, ResultId result) {
      overlay.Cover(from << unit_shift, ((to + 1) << unit_shift) - 1, result);
    };
    PartitionResults own(results);
    SizeSweep<PartitionResults, decltype(emit)> sweep(&own, emit);
    EntryStream stream(mine, runs[p]);
    sweep.Run(&stream);
    out.pieces = sweep.pieces();
    out.intervals = overlay.Take();
    out.several = own.Take();
  });

  // Where each partition's intervals go; a first one that goes on with the result of the partition before is left out.
  std::vector<size_t> starts(partitions.size() + 1);
  std::vector<bool> drop_first(partitions.size());
  for (size_t p = 0; p < partitions.size(); ++p) {
    Partition& part = partitions[p];
    if (!part.plain) {
      ResolveSeveral(results, &part);
      part.count = part.intervals.size();
      part.first = part.intervals.front().result;
      part.last = part.intervals.back().result;
    }
    drop_first[p] = p > 0 && part.first == partitions[p - 1].last;
    starts[p + 1] = starts[p] + part.count - static_cast<size_t>(drop_first[p]);
    piece_counts_[static_cast<size_t>(size)] += part.pieces;
  }

  BigVector<Interval4> map(starts.back());
  ParallelFor(threads, partitions.size(), [&](size_t p) {
    Interval4* out = map.data() + starts[p];
    const Partition& part = partitions[p];
    if (!part.plain) {
      std::copy(part.intervals.begin() + (drop_first[p] ? 1 : 0), part.intervals.end(), out);
      return;
    }
    ResultId before = drop_first[p] ? part.first : ~part.first;
    const uint64_t first = first_of(p), last = first_of(p + 1) - 1;
    ResultId under;
    SingleBase(base, first, last, &under);
    SweepSingles(points[p], first, last, under, results, [&](net::Ip4 start, ResultId result) {
      if (result != before) *out++ = {start, result};
      before = result;
    });
  });
  return map;
}

}  // namespace mz::compiler
