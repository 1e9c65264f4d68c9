// See point_sort.h. Two passes over the source, one to count and one to copy; each thread has a share of it and places of
// its own in every partition.
#include "compiler/dataset/point_sort.h"

#include <algorithm>
#include <array>

#include "compiler/build/parallel.h"

namespace mz::compiler {
namespace {

constexpr size_t kSmall = 512;
constexpr int kMaxShares = 16;

// Calls visit(point) for the points with numbers begin .. end - 1 of the source: runs first.
template <typename Visit>
void ForEachPoint(const PointSource& source, size_t begin, size_t end, Visit visit) {
  for (const MarkedRun& run : source.runs) {
    if (begin < run.count) {
      const size_t stop = std::min(end, run.count);
      const net::Ip4* address = source.addresses.data() + run.first;
      for (size_t i = begin; i < stop; ++i) visit(uint64_t{address[i]} << 32 | run.mark);
    }
    if (end <= run.count) return;
    begin -= std::min(begin, run.count);
    end -= run.count;
  }
  for (size_t i = begin; i < end; ++i) visit(source.points[i]);
}

}  // namespace

Partitions<uint64_t> DistributePoints(const PointSource& source, int bits, int threads) {
  const size_t n = source.size(), partitions = size_t{1} << bits;
  Partitions<uint64_t> out;
  out.elements.resize(n);
  out.starts.assign(partitions + 1, 0);
  if (bits == 0) {
    out.starts[1] = n;
    uint64_t* to = out.elements.data();
    ForEachPoint(source, 0, n, [&](uint64_t point) { *to++ = point; });
    return out;
  }
  const size_t shares = static_cast<size_t>(std::clamp(threads, 1, kMaxShares));
  const int shift = 64 - bits;
  std::vector<std::vector<size_t>> at(shares);
  ParallelFor(threads, shares, [&](size_t share) {
    std::vector<size_t> counts(partitions);
    ForEachPoint(source, n * share / shares, n * (share + 1) / shares, [&](uint64_t point) { ++counts[point >> shift]; });
    at[share] = std::move(counts);
  });
  size_t sum = 0;
  for (size_t p = 0; p < partitions; ++p) {
    out.starts[p] = sum;
    for (std::vector<size_t>& counts : at) {
      const size_t count = counts[p];
      counts[p] = sum;
      sum += count;
    }
  }
  out.starts[partitions] = n;
  ParallelFor(threads, shares, [&](size_t share) {
    size_t* next = at[share].data();
    uint64_t* elements = out.elements.data();
    ForEachPoint(source, n * share / shares, n * (share + 1) / shares,
                 [&](uint64_t point) { elements[next[point >> shift]++] = point; });
  });
  return out;
}

void SortPoints(std::span<uint64_t> points, std::vector<uint64_t>* scratch) {
  auto before = [](uint64_t x, uint64_t y) { return (x >> 32) < (y >> 32); };
  if (std::is_sorted(points.begin(), points.end(), before)) return;
  if (points.size() < kSmall) {
    std::sort(points.begin(), points.end());
    return;
  }
  if (scratch->size() < points.size()) scratch->resize(points.size() + points.size() / 8);
  uint64_t* from = points.data();
  uint64_t* to = scratch->data();
  // In passes of 11, 10 and 11 bits, from the lowest; a pass over bits that are all equal is left out.
  int shift = 32;
  for (int pass_bits : {11, 10, 11}) {
    const size_t mask = (size_t{1} << pass_bits) - 1;
    std::array<uint32_t, 2048> at{};
    for (size_t i = 0; i < points.size(); ++i) ++at[(from[i] >> shift) & mask];
    if (at[(from[0] >> shift) & mask] != points.size()) {
      uint32_t sum = 0;
      for (uint32_t& n : at) {
        const uint32_t count = n;
        n = sum;
        sum += count;
      }
      for (size_t i = 0; i < points.size(); ++i) to[at[(from[i] >> shift) & mask]++] = from[i];
      std::swap(from, to);
    }
    shift += pass_bits;
  }
  if (from != points.data()) std::copy_n(from, points.size(), points.data());
}

}  // namespace mz::compiler
