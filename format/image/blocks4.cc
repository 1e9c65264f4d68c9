// See blocks4.h.
#include "format/image/blocks4.h"

#include <algorithm>

namespace mz::image {

void Blocks4::Tally::Add(const Block& child, uint32_t count) {
  const bool zero = !child.mixed && child.result == 0;
  if (!any_) zero_first_ = zero;
  any_ = true;
  zero_last_ = zero;
  if (child.mixed) {
    mixed_ += count;
  } else if (zero) {
    zeros_ += count;
  } else {
    listed_ += count;
    for (auto& [result, n] : counts_)
      if (result == child.result) {
        n += count;
        return;
      }
    counts_.emplace_back(child.result, count);
  }
}

Blocks4::Block Blocks4::Tally::Finish() {
  Block block;
  block.mixed = mixed_ != 0 || counts_.size() > 1 || (zeros_ != 0 && listed_ != 0);
  if (!block.mixed) {
    block.result = counts_.empty() ? 0 : counts_[0].first;
  } else {
    uint32_t most = 0;
    for (auto [result, n] : counts_)
      if (n > most) {
        most = n;
        block.majority = result;
      }
    // With the wildcard: its line, the other results, the exclusions. Without: every listed child.
    block.worth_it = !zero_first_ && !zero_last_ && 1 + (listed_ - most) + 2 * zeros_ < listed_;
  }
  counts_.clear();
  zeros_ = mixed_ = listed_ = 0;
  any_ = zero_first_ = zero_last_ = false;
  return block;
}

void Blocks4::Load(Cursor* cursor, uint32_t top) {
  top_ = top;
  const uint64_t begin = uint64_t{top} << 24, end = begin + (1u << 24);
  if (cursor->last() >= end - 1) {
    whole_ = {false, cursor->result(), 0, false};
  } else {
    for (uint32_t b = 0; b < 256; b++) {
      middle_[b] = Load16(cursor, begin + (uint64_t{b} << 16));
      tally_.Add(middle_[b], 1);
    }
    whole_ = tally_.Finish();
  }
  while (end <= 0xffffffffu && cursor->last() < end && cursor->Next()) {
  }
}

// Leaves the cursor on the interval that holds the last address of the /16.
Blocks4::Block Blocks4::Load16(Cursor* cursor, uint64_t begin) {
  const uint64_t end = begin + 65536;
  auto stand_on = [&](uint64_t address) {
    while (cursor->last() < address) cursor->Next();
  };
  stand_on(begin);
  if (cursor->last() >= end - 1) return {false, cursor->result(), 0, false};
  Tally tally;
  for (uint64_t at = begin; at < end;) {
    stand_on(at);
    const uint64_t whole = std::min(end - at, uint64_t{cursor->last()} + 1 - at) >> 8;
    if (whole != 0) {  // several /24s of one interval at once
      const Block uniform{false, cursor->result(), 0, false};
      std::fill_n(low_.begin() + static_cast<ptrdiff_t>(at >> 8 & 0xffff), whole, uniform);
      tally.Add(uniform, static_cast<uint32_t>(whole));
      at += whole << 8;
      continue;
    }
    const uint64_t stop = at + 256;
    for (uint64_t run = at; run < stop;) {
      stand_on(run);
      const uint64_t run_end = std::min<uint64_t>(stop, uint64_t{cursor->last()} + 1);
      low_tally_.Add({false, cursor->result(), 0, false}, static_cast<uint32_t>(run_end - run));
      run = run_end;
    }
    Block& low = low_[at >> 8 & 0xffff];
    low = low_tally_.Finish();
    tally.Add(low, 1);
    at = stop;
  }
  return tally.Finish();
}

}  // namespace mz::image
