// See point_sort.h.
//
// One pass scatters the points into 2048 buckets by the top 11 bits of the address; a bucket then fits into a cache and
// is sorted there by the remaining 21 bits in two passes. Lists that come sorted (most published ones) cost one look.
#include "compiler/dataset/point_sort.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <thread>

namespace mz::compiler {
namespace {

constexpr int kTopBits = 11;
constexpr size_t kBuckets = 1u << kTopBits;
constexpr int kTopShift = 64 - kTopBits;
constexpr int kLowBits = 21;  // left in a bucket
constexpr size_t kSmall = 1024;

using Counts = std::array<size_t, kBuckets>;

template <typename F>
void OnThreads(int threads, F f) {
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back([&f, t] { f(t); });
  f(0);
  for (std::thread& other : others) other.join();
}

// Sorts one bucket; `scratch` has room for it.
void SortBucket(uint64_t* data, size_t size, std::vector<uint64_t>* scratch) {
  if (size < kSmall) {
    std::sort(data, data + size);
    return;
  }
  if (scratch->size() < size) scratch->resize(size);
  uint64_t* from = data;
  uint64_t* to = scratch->data();
  // 21 bits in passes of 11 and 10, from the lowest.
  constexpr int kPassBits[2] = {11, 10};
  int shift = 32;
  for (int pass_bits : kPassBits) {
    const size_t mask = (size_t{1} << pass_bits) - 1;
    std::array<uint32_t, 2048> at{};
    for (size_t i = 0; i < size; ++i) ++at[(from[i] >> shift) & mask];
    uint32_t sum = 0;
    for (uint32_t& n : at) {
      uint32_t count = n;
      n = sum;
      sum += count;
    }
    for (size_t i = 0; i < size; ++i) to[at[(from[i] >> shift) & mask]++] = from[i];
    std::swap(from, to);
    shift += pass_bits;
  }
  static_assert(kPassBits[0] + kPassBits[1] == kLowBits);
}

}  // namespace

void SortPoints(std::vector<uint64_t>* points, int threads) {
  const size_t n = points->size();
  if (std::is_sorted(points->begin(), points->end(), [](uint64_t x, uint64_t y) { return (x >> 32) < (y >> 32); }))
    return;
  if (n < 4 * kBuckets) {
    std::sort(points->begin(), points->end());
    return;
  }
  threads = std::max(1, std::min(threads, 16));
  const size_t share = (n + static_cast<size_t>(threads) - 1) / static_cast<size_t>(threads);
  auto range = [&](int t) {
    size_t begin = std::min(n, share * static_cast<size_t>(t));
    return std::pair(begin, std::min(n, begin + share));
  };

  std::vector<Counts> at(static_cast<size_t>(threads));
  OnThreads(threads, [&](int t) {
    Counts& counts = at[static_cast<size_t>(t)];
    counts.fill(0);
    auto [begin, end] = range(t);
    const uint64_t* p = points->data();
    for (size_t i = begin; i < end; ++i) ++counts[p[i] >> kTopShift];
  });
  std::array<size_t, kBuckets + 1> starts;
  size_t sum = 0;
  for (size_t b = 0; b < kBuckets; ++b) {
    starts[b] = sum;
    for (Counts& counts : at) {
      size_t count = counts[b];
      counts[b] = sum;
      sum += count;
    }
  }
  starts[kBuckets] = n;

  // Not value-initialized: every element is written once below.
  std::vector<uint64_t> sorted;
  sorted.resize(n);
  OnThreads(threads, [&](int t) {
    Counts& next = at[static_cast<size_t>(t)];
    auto [begin, end] = range(t);
    const uint64_t* p = points->data();
    uint64_t* out = sorted.data();
    for (size_t i = begin; i < end; ++i) out[next[p[i] >> kTopShift]++] = p[i];
  });
  points->clear();
  points->shrink_to_fit();

  std::atomic<size_t> next_bucket{0};
  OnThreads(threads, [&](int) {
    std::vector<uint64_t> scratch;
    for (size_t b; (b = next_bucket.fetch_add(1)) < kBuckets;)
      if (starts[b + 1] - starts[b] > 1) SortBucket(sorted.data() + starts[b], starts[b + 1] - starts[b], &scratch);
  });
  *points = std::move(sorted);
}

}  // namespace mz::compiler
