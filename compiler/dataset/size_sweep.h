// The steps that make intervals of the pieces of one size of an ip4set: entries in order, segments with what covers them,
// and those laid over the map of the coarser sizes. See ip4set_map.h.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include "compiler/build/model.h"

namespace mz::compiler {

// Pieces first..last of one size, in units of it. mark 0 is an exclusion, else code + 1.
struct PieceRun {
  uint32_t first, last;
  uint32_t mark;
};

// Lays segments (ascending, disjoint) over the part first..last of a base map.
class Overlay {
 public:
  Overlay(const BigVector<Interval4>& base, uint64_t first, uint64_t last) : base_(base), next_(first), last_(last) {
    at_ = BaseIndex(base, static_cast<net::Ip4>(first));
  }
  // The interval of the map that holds the address; 0 in an empty map.
  static size_t BaseIndex(const BigVector<Interval4>& base, net::Ip4 address) {
    if (base.empty()) return 0;
    auto behind = std::upper_bound(base.begin(), base.end(), address,
                                   [](net::Ip4 a, const Interval4& i) { return a < i.start; });
    return static_cast<size_t>(behind - base.begin()) - 1;
  }

  void Cover(uint64_t first, uint64_t last, ResultId result) {
    if (next_ < first) CopyBase(first - 1);
    Append(static_cast<net::Ip4>(first), result);
    next_ = last + 1;
  }
  std::vector<Interval4> Take() {
    if (next_ <= last_) CopyBase(last_);
    return std::move(out_);
  }

 private:
  void Append(net::Ip4 start, ResultId result) {
    if (out_.empty() || out_.back().result != result) out_.push_back({start, result});
  }
  // The base from next_ to `to`.
  void CopyBase(uint64_t to) {
    if (base_.empty()) {
      Append(static_cast<net::Ip4>(next_), 0);
      return;
    }
    while (at_ + 1 < base_.size() && base_[at_ + 1].start <= next_) ++at_;
    Append(static_cast<net::Ip4>(next_), base_[at_].result);
    for (; at_ + 1 < base_.size() && base_[at_ + 1].start <= to; ++at_)
      Append(base_[at_ + 1].start, base_[at_ + 1].result);
  }

  const BigVector<Interval4>& base_;
  std::vector<Interval4> out_;
  size_t at_ = 0;
  uint64_t next_;  // first address that is not decided yet
  uint64_t last_;
};

// All entries of one size by ascending first piece: single addresses (address << 32 | mark) and runs, merged.
class EntryStream {
 public:
  EntryStream(std::span<const uint64_t> singles, std::span<const PieceRun> runs) : singles_(singles), runs_(runs) {}
  bool AtEnd() const { return single_ == singles_.size() && run_ == runs_.size(); }
  // Requires: !AtEnd().
  PieceRun Peek() const {
    if (TakeSingle()) {
      uint32_t address = static_cast<uint32_t>(singles_[single_] >> 32);
      return {address, address, static_cast<uint32_t>(singles_[single_])};
    }
    return runs_[run_];
  }
  void Pop() { TakeSingle() ? ++single_ : ++run_; }

 private:
  bool TakeSingle() const {
    return run_ == runs_.size() ||
           (single_ < singles_.size() && static_cast<uint32_t>(singles_[single_] >> 32) <= runs_[run_].first);
  }
  std::span<const uint64_t> singles_;
  std::span<const PieceRun> runs_;
  size_t single_ = 0, run_ = 0;
};

// Sweeps the entries of one size and hands out segments with the result of all entries that cover them. `Results` has
// Single(), Several() and Stored() as ResultMap.
template <typename Results, typename Emit>  // (first piece, last piece, result)
class SizeSweep {
 public:
  SizeSweep(Results* results, Emit emit) : results_(results), emit_(emit) {}

  void Run(EntryStream* stream) {
    while (!stream->AtEnd()) {
      PieceRun entry = stream->Peek();
      stream->Pop();
      CloseBefore(entry.first);
      if (!open_.empty()) {
        if (position_ < entry.first) EmitOpen(entry.first - 1);
        Open(entry);
        continue;
      }
      // Nothing overlaps so far: equal entries together, then a look at the next one.
      marks_.assign(1, entry.mark);
      while (!stream->AtEnd()) {
        PieceRun next = stream->Peek();
        if (next.first != entry.first || next.last != entry.last) break;
        marks_.push_back(next.mark);
        stream->Pop();
      }
      if (stream->AtEnd() || stream->Peek().first > entry.last) {
        if (marks_.size() > 1) {
          std::sort(marks_.begin(), marks_.end());
          marks_.erase(std::unique(marks_.begin(), marks_.end()), marks_.end());
        }
        EmitMarks(entry.first, entry.last);
        continue;
      }
      position_ = entry.first;
      for (uint32_t mark : marks_) Open({entry.first, entry.last, mark});
    }
    CloseBefore(uint64_t{1} << 32);
  }
  // Distinct (piece, value) pairs; a piece with an exclusion counts once.
  uint64_t pieces() const { return pieces_; }

 private:
  static constexpr size_t kMaxValues = 255;

  void Open(const PieceRun& entry) {
    open_.push({entry.last, entry.mark});
    ++open_marks_[entry.mark];
  }
  // Ends everything that ends before `piece`.
  void CloseBefore(uint64_t piece) {
    while (!open_.empty() && open_.top().first < piece) {
      uint32_t last = open_.top().first;
      EmitOpen(last);
      for (; !open_.empty() && open_.top().first == last; open_.pop()) {
        auto it = open_marks_.find(open_.top().second);
        if (--it->second == 0) open_marks_.erase(it);
      }
    }
  }
  // position_..last with all open entries.
  void EmitOpen(uint32_t last) {
    marks_.clear();
    for (const auto& [mark, count] : open_marks_) {
      marks_.push_back(mark);
      if (mark == 0 || marks_.size() == kMaxValues) break;  // more would never be answered
    }
    EmitMarks(static_cast<uint32_t>(position_), last, open_marks_.size());
  }
  void EmitMarks(uint32_t first, uint32_t last) { EmitMarks(first, last, marks_.size()); }
  void EmitMarks(uint32_t first, uint32_t last, size_t distinct) {
    ResultId result = 0;
    if (marks_[0] != 0) {
      if (marks_.size() == 1) {
        result = results_->Single(marks_[0] - 1);
      } else {
        for (uint32_t& mark : marks_) --mark;  // codes
        result = results_->Several(marks_);
        distinct -= marks_.size() - results_->Stored(marks_);
      }
    } else {
      distinct = 1;
    }
    pieces_ += (uint64_t{last} - first + 1) * distinct;
    emit_(first, last, result);
    position_ = uint64_t{last} + 1;
  }

  using Ending = std::pair<uint32_t, uint32_t>;  // last piece, mark
  Results* results_;
  Emit emit_;
  std::priority_queue<Ending, std::vector<Ending>, std::greater<Ending>> open_;
  std::map<uint32_t, uint32_t> open_marks_;  // mark -> open entries
  std::vector<uint32_t> marks_;
  uint64_t position_ = 0;  // first piece of the open segment
  uint64_t pieces_ = 0;
};

}  // namespace mz::compiler
