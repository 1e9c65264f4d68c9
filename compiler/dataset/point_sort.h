// Distributes 64-bit points (IPv4 address << 32 | mark) to partitions of the address space, with several threads, in one
// copy; the partitions are small enough to be sorted in a cache, each by itself.
//
//   Partitions<uint64_t> parts = DistributePoints(source, kPartitionBits, threads);
//   ParallelFor(threads, parts.count(), [&](size_t i) { SortPoints(parts[i], &scratch); ... });
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/big_vector.h"
#include "format/net/address.h"

namespace mz::compiler {

// `count` addresses from index `first` on that have the same mark.
struct MarkedRun {
  size_t first, count;
  uint32_t mark;
};

struct PointSource {
  std::span<const net::Ip4> addresses;  // of runs
  std::span<const MarkedRun> runs;
  std::span<const uint64_t> points;     // and these

  size_t size() const {
    size_t n = points.size();
    for (const MarkedRun& r : runs) n += r.count;
    return n;
  }
};

// Elements of partition i: those of the i-th of 2^bits equal parts of the address space.
template <typename T>
struct Partitions {
  BigVector<T> elements;
  std::vector<size_t> starts;  // one more than there are partitions

  size_t count() const { return starts.size() - 1; }
  std::span<T> operator[](size_t i) { return {elements.data() + starts[i], starts[i + 1] - starts[i]}; }
};

// 2^bits partitions; equal points keep the order of the source.
Partitions<uint64_t> DistributePoints(const PointSource& source, int bits, int threads);

// Sorts the points of one partition by their addresses. `scratch` is reused.
void SortPoints(std::span<uint64_t> points, std::vector<uint64_t>* scratch);

}  // namespace mz::compiler
