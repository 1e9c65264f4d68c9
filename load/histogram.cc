// See histogram.h.
#include "load/histogram.h"

#include <algorithm>
#include <cmath>

namespace mz::load {

uint64_t Histogram::First(size_t index) const {
  if (index >> bits_ <= 1) return index;
  const int shift = static_cast<int>(index >> bits_) - 1;
  return (index - (static_cast<size_t>(shift) << bits_)) << shift;
}

uint64_t Histogram::Last(size_t index) const { return First(index + 1) - 1; }

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < counts_.size(); i++) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
  min_ = std::min(min_, other.min_);
}

uint64_t Histogram::Percentile(double percent) const {
  if (count_ == 0) return 0;
  const double exact = percent / 100 * static_cast<double>(count_);
  const uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(std::ceil(exact - 1e-9)), 1, count_);
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); i++) {
    seen += counts_[i];
    if (seen < rank) continue;
    // The ends are known exactly, and no percentile lies beyond them.
    return std::clamp((First(i) + Last(i)) / 2, min_, max_);
  }
  return max_;
}

std::vector<Histogram::Bucket> Histogram::Buckets() const {
  std::vector<Bucket> out;
  for (size_t i = 0; i < counts_.size(); i++)
    if (counts_[i] != 0) out.push_back({First(i), Last(i), counts_[i]});
  return out;
}

}  // namespace mz::load
