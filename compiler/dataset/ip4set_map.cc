// See ip4set_map.h.
#include "compiler/dataset/ip4set_map.h"

#include <algorithm>
#include <map>
#include <queue>

#include "compiler/dataset/interval_sweep.h"
#include "compiler/dataset/point_sort.h"

namespace mz::compiler {
namespace {

using Run = Ip4SetMap::Run;

constexpr size_t kMaxValues = 255;

// Lays segments (ascending, disjoint) over a base map.
class Overlay {
 public:
  Overlay(const std::vector<Interval4>& base, size_t expected_segments) : base_(base) {
    out_.reserve(base.size() + 2 * expected_segments + 1);
  }
  void Cover(uint64_t first, uint64_t last, ResultId result) {
    if (next_ < first) CopyBase(first - 1);
    Append(static_cast<net::Ip4>(first), result);
    next_ = last + 1;
  }
  std::vector<Interval4> Take() {
    if (next_ <= ~0u) CopyBase(~0u);
    DropIfEmpty(&out_);
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

  const std::vector<Interval4>& base_;
  std::vector<Interval4> out_;
  size_t at_ = 0;
  uint64_t next_ = 0;  // first address that is not decided yet
};

// All entries of one size by ascending first piece: single addresses and runs, merged.
class EntryStream {
 public:
  EntryStream(const std::vector<uint64_t>& singles, const std::vector<Run>& runs) : singles_(singles), runs_(runs) {}
  bool AtEnd() const { return single_ == singles_.size() && run_ == runs_.size(); }
  // Requires: !AtEnd().
  Run Peek() const {
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
  const std::vector<uint64_t>& singles_;
  const std::vector<Run>& runs_;
  size_t single_ = 0, run_ = 0;
};

// Sweeps the entries of one size and hands out segments with the result of all entries that cover them.
template <typename Emit>  // (first piece, last piece, result)
class SizeSweep {
 public:
  SizeSweep(ResultMap* results, Emit emit) : results_(results), emit_(emit) {}

  void Run(EntryStream* stream) {
    while (!stream->AtEnd()) {
      Ip4SetMap::Run entry = stream->Peek();
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
        Ip4SetMap::Run next = stream->Peek();
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
  uint64_t pieces() const { return pieces_; }

 private:
  void Open(const Ip4SetMap::Run& entry) {
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
  ResultMap* results_;
  Emit emit_;
  std::priority_queue<Ending, std::vector<Ending>, std::greater<Ending>> open_;
  std::map<uint32_t, uint32_t> open_marks_;  // mark -> open entries
  std::vector<uint32_t> marks_;
  uint64_t position_ = 0;  // first piece of the open segment
  uint64_t pieces_ = 0;
};

}  // namespace

void Ip4SetMap::AddRun(int size, uint32_t first, uint32_t last, uint32_t mark) {
  if (size == 0 && first == last)
    singles_.push_back(uint64_t{first} << 32 | mark);
  else
    runs_[static_cast<size_t>(size)].push_back({first, last, mark});
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

std::vector<Interval4> Ip4SetMap::Build(ResultMap* results, int threads) {
  std::vector<Interval4> map;
  const std::vector<uint64_t> no_singles;
  SortPoints(&singles_, threads);
  for (int size = kSizes - 1; size >= 0; --size) {
    std::vector<Run>& runs = runs_[static_cast<size_t>(size)];
    const std::vector<uint64_t>& singles = size == 0 ? singles_ : no_singles;
    if (runs.empty() && singles.empty()) continue;
    std::sort(runs.begin(), runs.end(), [](const Run& x, const Run& y) {
      return x.first != y.first ? x.first < y.first : x.last != y.last ? x.last < y.last : x.mark < y.mark;
    });
    // n entries have at most 2n borders.
    Overlay overlay(map, singles.size() + 2 * runs.size());
    const int shift = 8 * size;
    auto emit = [&](uint64_t first, uint64_t last, ResultId result) {
      overlay.Cover(first << shift, ((last + 1) << shift) - 1, result);
    };
    SizeSweep<decltype(emit)> sweep(results, emit);
    EntryStream stream(singles, runs);
    sweep.Run(&stream);
    piece_counts_[static_cast<size_t>(size)] = sweep.pieces();
    map = overlay.Take();
    runs = {};
  }
  singles_ = {};
  return map;
}

}  // namespace mz::compiler
