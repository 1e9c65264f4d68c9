// The rates of a run of several steps: a ramp, or the search for the highest rate that still holds.
//
//   Search search(limits);
//   while (std::optional<double> rate = search.Next()) search.Report(Holds(limits, RunAt(*rate)));
//   search.best()
//
// The search doubles from `from` until a step fails (or `to` holds), then bisects until the border is known
// within `precision`; a first step that fails is halved. It always ends: at most kMaxSteps steps.
#pragma once

#include <cstdint>
#include <optional>

#include "load/result.h"

namespace mz::load {

struct Ramp {
  double from = 0, to = 0, step = 0;  // queries per second
};

struct SearchLimits {
  double from = 10'000, to = 100e6;  // queries per second
  double precision = 0.02;           // of the rate
  double max_loss = 0.001;           // share of the queries
  uint64_t max_p99_ns = 10'000'000;
};

// Why a step failed.
enum class StepVerdict { kHolds, kLoss, kLatency, kGenerator };

// kGenerator: the client itself could not keep the rate (it sent less than 99 %, or late), so that the step
// says nothing about the server.
StepVerdict Judge(const SearchLimits& limits, double rate, const Result& result);
const char* VerdictText(StepVerdict verdict);

class Search {
 public:
  static constexpr int kMaxSteps = 40;
  explicit Search(const SearchLimits& limits) : limits_(limits), next_(limits.from) {}
  // Nothing: the search has ended.
  std::optional<double> Next();
  void Report(bool holds);
  double best() const { return good_; }  // 0: no rate held

 private:
  SearchLimits limits_;
  double next_, good_ = 0, bad_ = 0;
  int steps_ = 0;
};

}  // namespace mz::load
