// The arrays of a Direct4 map (format/image/layout.h, MapKind), filled by several threads: each takes some of the upper
// halves.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/endian.h"
#include "compiler/build/model.h"
#include "compiler/build/parallel.h"

namespace mz::compiler {

class Direct4Table {
 public:
  // Requires: the intervals are sorted and begin at address 0.
  Direct4Table(std::span<const Interval4> intervals, int threads)
      : intervals_(intervals), threads_(intervals.size() < kManyIntervals ? 1 : threads), pieces_(kPieces + 1) {
    ParallelFor(threads_, kPieces, [&](size_t p) {
      const net::Ip4 first = static_cast<net::Ip4>(p * kUpperHalves << 16);
      auto it = std::lower_bound(intervals_.begin(), intervals_.end(), first,
                                 [](const Interval4& i, net::Ip4 a) { return i.start < a; });
      pieces_[p].interval = static_cast<size_t>(it - intervals_.begin());
    });
    pieces_[kPieces].interval = intervals_.size();
    ParallelFor(threads_, kPieces, [&](size_t p) {
      // Every upper half has an entry at low half 0: where no interval starts there, the running one is repeated.
      size_t entries = kUpperHalves;
      for (size_t i = pieces_[p].interval; i < pieces_[p + 1].interval; i++) entries += (intervals_[i].start & 0xffff) != 0;
      pieces_[p].entry = entries;
    });
    size_t sum = 0;
    for (Piece& piece : pieces_) {
      const size_t entries = piece.entry;
      piece.entry = sum;
      sum += entries;
    }
  }

  size_t entries() const { return pieces_[kPieces].entry; }

  // value_of(result): what is stored for a result; with value_bytes 0 one bit. Requires: `values` is zero.
  template <typename ValueOf>
  void Fill(Le32* direct, Le16* lows, uint8_t* values, uint32_t value_bytes, ValueOf value_of) const {
    ParallelFor(threads_, kPieces, [&](size_t p) {
      switch (value_bytes) {
        case 0: {
          BitWriter bits(values, pieces_[p].entry);
          FillPiece(p, direct, lows, [&](size_t, ResultId result) { bits.Put(value_of(result)); });
          break;
        }
        case 1:
          FillPiece(p, direct, lows, [&](size_t i, ResultId r) { values[i] = static_cast<uint8_t>(value_of(r)); });
          break;
        case 2:
          FillPiece(p, direct, lows, [&](size_t i, ResultId r) {
            reinterpret_cast<Le16*>(values)[i] = static_cast<uint16_t>(value_of(r));
          });
          break;
        default:
          FillPiece(p, direct, lows, [&](size_t i, ResultId r) { reinterpret_cast<Le32*>(values)[i] = value_of(r); });
      }
    });
    direct[65536] = static_cast<uint32_t>(entries());
  }

 private:
  static constexpr size_t kManyIntervals = 1 << 18;
  static constexpr size_t kPieces = 256, kUpperHalves = 65536 / kPieces;

  struct Piece {
    size_t interval = 0;  // the first one that starts here
    size_t entry = 0;     // the first one
  };

  // Bits from a place on, the lowest of an octet first. The first and the last octet may be shared with another thread.
  class BitWriter {
   public:
    BitWriter(uint8_t* to, size_t at) : to_(to + at / 8), used_(at % 8) {}
    BitWriter(const BitWriter&) = delete;
    BitWriter& operator=(const BitWriter&) = delete;
    ~BitWriter() {
      if (used_ != 0) Flush();
    }
    void Put(uint32_t bit) {
      octet_ |= bit << used_;
      if (++used_ == 8) {
        Flush();
        to_++;
        octet_ = 0;
        used_ = 0;
      }
    }

   private:
    void Flush() { std::atomic_ref<uint8_t>(*to_).fetch_or(static_cast<uint8_t>(octet_), std::memory_order_relaxed); }
    uint8_t* to_;
    size_t used_;
    uint32_t octet_ = 0;
  };

  template <typename Put>  // (number of the entry, its result)
  void FillPiece(size_t p, Le32* direct, Le16* lows, Put put) const {
    size_t entry = pieces_[p].entry, next = pieces_[p].interval;
    auto add = [&](uint16_t low, ResultId result) {
      lows[entry] = low;
      put(entry++, result);
    };
    for (size_t high = p * kUpperHalves; high < (p + 1) * kUpperHalves; high++) {
      direct[high] = static_cast<uint32_t>(entry);
      const auto start = static_cast<net::Ip4>(high << 16);
      if (next == intervals_.size() || intervals_[next].start != start) add(0, intervals_[next - 1].result);
      for (; next < intervals_.size() && intervals_[next].start >> 16 == high; next++)
        add(static_cast<uint16_t>(intervals_[next].start), intervals_[next].result);
    }
  }

  std::span<const Interval4> intervals_;
  int threads_;
  std::vector<Piece> pieces_;
};

}  // namespace mz::compiler
