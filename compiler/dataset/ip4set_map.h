// ip4set: pieces of four sizes, reduced to disjoint intervals.
//
// rbldnsd cuts every range into aligned pieces of the sizes /32, /24, /16 and /8. A query looks for its address among the
// /32 pieces, then for its /24, its /16 and its /8; the first size that has any entry decides, and all values of that piece
// answer, unless one of its entries is an exclusion. Here a run of neighbouring pieces of one range and size stays one
// object; each size is swept by itself and laid over the coarser ones.
//
//   Ip4SetMap map;
//   map.AddRange(first, last, code);  map.AddExclusion(first, last);
//   std::vector<Interval4> intervals = map.Build(&results, threads);
//
// Memory: 8 octets for a single address, 12 for a run, two intervals of 8 octets for each on top while it builds.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "compiler/build/model.h"
#include "compiler/dataset/expansion.h"

namespace mz::compiler {

class Ip4SetMap {
 public:
  static constexpr int kSizes = 4;  // [0] /32, [1] /24, [2] /16, [3] /8

  void Reserve(size_t singles) { singles_.reserve(singles); }
  void AddSingle(net::Ip4 address, uint32_t code) { singles_.push_back(uint64_t{address} << 32 | (code + 1)); }
  void AddRange(net::Ip4 first, net::Ip4 last, uint32_t code) { AddPieces(first, last, code + 1); }
  void AddExclusion(net::Ip4 first, net::Ip4 last) { AddPieces(first, last, 0); }

  // Consumes what was added.
  std::vector<Interval4> Build(ResultMap* results, int threads);
  // After Build: distinct (piece, value) pairs by size; a piece with an exclusion counts once.
  const std::array<uint64_t, kSizes>& piece_counts() const { return piece_counts_; }

  // Pieces first..last of one size, in units of it. mark 0 is an exclusion, else code + 1.
  struct Run {
    uint32_t first, last;
    uint32_t mark;
  };

 private:
  void AddPieces(net::Ip4 first, net::Ip4 last, uint32_t mark);
  void AddRun(int size, uint32_t first, uint32_t last, uint32_t mark);

  std::vector<uint64_t> singles_;  // /32: address << 32 | mark
  std::array<std::vector<Run>, kSizes> runs_;
  std::array<uint64_t, kSizes> piece_counts_{};
};

}  // namespace mz::compiler
