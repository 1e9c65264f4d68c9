// ip4set: pieces of four sizes, reduced to disjoint intervals.
//
// rbldnsd cuts every range into aligned pieces of the sizes /32, /24, /16 and /8. A query looks for its address among the
// /32 pieces, then for its /24, its /16 and its /8; the first size that has any entry decides, and all values of that piece
// answer, unless one of its entries is an exclusion. Here a run of neighbouring pieces of one range and size stays one
// object; each size is swept by itself and laid over the coarser ones. With many entries the address space is cut into
// partitions, which the threads take one by one; the result does not depend on that.
//
//   Ip4SetMap map;
//   map.AddRange(first, last, code);  map.AddExclusion(first, last);
//   BigVector<Interval4> intervals = map.Build(&results, threads);
//
// Memory: 8 octets for a single address, 12 for a run, and the intervals on top while it builds.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "compiler/build/model.h"
#include "compiler/dataset/expansion.h"
#include "compiler/dataset/point_sort.h"
#include "compiler/dataset/size_sweep.h"

namespace mz::compiler {

class Ip4SetMap {
 public:
  static constexpr int kSizes = 4;  // [0] /32, [1] /24, [2] /16, [3] /8
  static constexpr size_t kManyEntries = 1 << 14;

  // many_entries: of one size, from which on it is partitioned.
  explicit Ip4SetMap(size_t many_entries = kManyEntries) : many_entries_(many_entries) {}

  void Reserve(size_t singles) { singles_.reserve(singles_.size() + singles); }
  void AddSingle(net::Ip4 address, uint32_t code) { singles_.push_back(uint64_t{address} << 32 | (code + 1)); }
  // Single addresses that lie at `first` .. of the array given to Build().
  void AddSingles(size_t first, size_t count, uint32_t code);
  void AddRange(net::Ip4 first, net::Ip4 last, uint32_t code) { AddPieces(first, last, code + 1); }
  void AddExclusion(net::Ip4 first, net::Ip4 last) { AddPieces(first, last, 0); }

  // Consumes what was added.
  BigVector<Interval4> Build(ResultMap* results, int threads, std::span<const net::Ip4> addresses = {});
  // After Build: distinct (piece, value) pairs by size; a piece with an exclusion counts once.
  const std::array<uint64_t, kSizes>& piece_counts() const { return piece_counts_; }

 private:
  void AddPieces(net::Ip4 first, net::Ip4 last, uint32_t mark);
  void AddRun(int size, uint32_t first, uint32_t last, uint32_t mark);
  BigVector<Interval4> SweepSize(int size, const BigVector<Interval4>& base, std::span<const net::Ip4> addresses,
                                 ResultMap* results, int threads);

  size_t many_entries_;
  BigVector<uint64_t> singles_;  // /32: address << 32 | mark
  std::vector<MarkedRun> single_runs_;
  std::array<BigVector<PieceRun>, kSizes> runs_;
  std::array<uint64_t, kSizes> piece_counts_{};
};

}  // namespace mz::compiler
