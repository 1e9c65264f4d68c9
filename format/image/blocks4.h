// Blocks4: guesses the entries of an ip4set from its intervals, one /8 at a time, for master files with
// wildcards.
//
//   Blocks4 blocks;
//   blocks.Load(&cursor, 10);                 // reads 10.0.0.0/8
//   blocks.Emit(cursor_at_10, visit);         // visit(address, octets, result): octets 1..4, result 0 =
//   excluded
//
// A block of 256 children gets a wildcard of its own when that makes the text shorter: the most frequent
// result of its children, against which the others are exceptions. A block that begins or ends with nothing
// listed gets none, since "1.2.3.1-254" is a more likely entry than a /24 with two exclusions; unless the
// block around it has the same result. The order is rbldnsd's: a wildcard behind the names below it, but
// before them where it only repeats the wildcard of the larger block.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "format/image/cursor.h"

namespace mz::image {

class Blocks4 {
 public:
  using Cursor = MapCursor<net::Ip4>;

  // Reads the /8 `top`. Requires: `cursor` stands on the interval that holds its first address; afterwards it
  // stands on the one that holds the first address behind it, if there is one.
  void Load(Cursor* cursor, uint32_t top);

  // Requires: `cursor` is a copy of the one given to Load(), from before.
  template <typename Visit>
  void Emit(Cursor cursor, const Visit& visit) const;

 private:
  // What is known of a block of 256 children.
  struct Block {
    bool mixed = false;  // else all addresses have `result`
    uint32_t result = 0;
    uint32_t majority = 0;  // mixed: the most frequent listed result of uniform children
    bool worth_it = false;  // mixed: `majority` as wildcard makes the text shorter
    uint32_t Wildcard(uint32_t around) const {
      if (!mixed) return result;
      return worth_it || majority == around ? majority : 0;
    }
  };
  // Gathers the children of one block from left to right.
  class Tally {
   public:
    void Add(const Block& child, uint32_t count);
    Block Finish();

   private:
    std::vector<std::pair<uint32_t, uint32_t>> counts_;  // of listed results
    uint32_t zeros_ = 0, mixed_ = 0, listed_ = 0;
    bool zero_first_ = false, zero_last_ = false, any_ = false;
  };

  Block Load16(Cursor* cursor, uint64_t begin);
  template <typename Visit>
  void Emit24(Cursor* cursor, uint32_t base, const Block& block, uint32_t around, const Visit& visit) const;

  uint32_t top_ = 0;
  Block whole_;
  std::vector<Block> middle_ = std::vector<Block>(256);
  std::vector<Block> low_ = std::vector<Block>(65536);
  Tally tally_, low_tally_;
};

template <typename Visit>
void Blocks4::Emit24(Cursor* cursor, uint32_t base, const Block& block, uint32_t around,
                     const Visit& visit) const {
  const uint32_t wildcard = block.Wildcard(around);
  if (!block.mixed) {
    if (block.result != around) visit(base, 3, block.result);
    return;
  }
  if (wildcard == around && around != 0) visit(base, 3, wildcard);
  while (cursor->last() < base) cursor->Next();
  for (uint32_t address = base;; address++) {
    if (cursor->last() < address) cursor->Next();
    if (cursor->result() != wildcard) visit(address, 4, cursor->result());
    if (address == (base | 0xff)) break;
  }
  if (wildcard != around) visit(base, 3, wildcard);
}

template <typename Visit>
void Blocks4::Emit(Cursor cursor, const Visit& visit) const {
  const uint32_t base8 = top_ << 24;
  const uint32_t wildcard8 = whole_.Wildcard(0);
  for (uint32_t b = 0; whole_.mixed && b < 256; b++) {
    const Block& middle = middle_[b];
    const uint32_t base16 = base8 | b << 16;
    const uint32_t wildcard16 = middle.Wildcard(wildcard8);
    if (!middle.mixed) {
      if (middle.result != wildcard8) visit(base16, 2, middle.result);
      continue;
    }
    if (wildcard16 == wildcard8 && wildcard8 != 0) visit(base16, 2, wildcard16);
    for (uint32_t c = 0; c < 256; c++) Emit24(&cursor, base16 | c << 8, low_[b << 8 | c], wildcard16, visit);
    if (wildcard16 != wildcard8) visit(base16, 2, wildcard16);
  }
  if (wildcard8 != 0) visit(base8, 1, wildcard8);
}

}  // namespace mz::image
