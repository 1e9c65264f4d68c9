// See search.h.
#include "load/search.h"

#include <algorithm>
#include <cmath>

namespace mz::load {

StepVerdict Judge(const SearchLimits& limits, double rate, const Result& r) {
  const Counters& c = r.counters;
  const bool late = r.send_lag.Percentile(99) > limits.max_p99_ns / 2;
  const double wanted = rate * r.seconds_counted;
  // Poisson arrivals vary by their square root.
  const bool short_of = static_cast<double>(c.sent) < 0.99 * wanted - 4 * std::sqrt(wanted);
  if (late || short_of || c.send_failed > 0) return StepVerdict::kGenerator;
  if (static_cast<double>(c.lost) > limits.max_loss * static_cast<double>(c.sent) || c.answered == 0)
    return StepVerdict::kLoss;
  if (r.latency.Percentile(99) > limits.max_p99_ns) return StepVerdict::kLatency;
  return StepVerdict::kHolds;
}

const char* VerdictText(StepVerdict verdict) {
  switch (verdict) {
    case StepVerdict::kHolds:
      return "holds";
    case StepVerdict::kLoss:
      return "loss";
    case StepVerdict::kLatency:
      return "latency";
    case StepVerdict::kGenerator:
      break;
  }
  return "generator";
}

std::optional<double> Search::Next() {
  if (steps_ >= kMaxSteps || next_ < 1 || (bad_ == 0 && good_ >= limits_.to)) return std::nullopt;
  if (bad_ > 0 && good_ > 0 && bad_ - good_ <= limits_.precision * bad_) return std::nullopt;
  return next_;
}

void Search::Report(bool holds) {
  steps_++;
  if (holds)
    good_ = std::max(good_, next_);
  else
    bad_ = bad_ == 0 ? next_ : std::min(bad_, next_);
  if (bad_ == 0)
    next_ = std::min(good_ * 2, limits_.to);
  else if (good_ == 0)
    next_ = bad_ / 2;
  else
    next_ = (good_ + bad_) / 2;
}

}  // namespace mz::load
