#include "load/search.h"

#include <gtest/gtest.h>

namespace mz::load {
namespace {

TEST(SearchTest, FindsTheBorderAndEnds) {
  for (const double border : {3.0, 900.0, 9'999.0, 10'001.0, 123'456.0, 7.7e6, 9.9e7}) {
    Search search(SearchLimits{});
    int steps = 0;
    while (const auto rate = search.Next()) {
      ASSERT_LT(steps++, Search::kMaxSteps);
      search.Report(*rate <= border);
    }
    EXPECT_LE(search.best(), border);
    EXPECT_GE(search.best(), border * 0.97) << border;
  }
}

TEST(SearchTest, EndsWhenNothingHolds) {
  Search search(SearchLimits{});
  int steps = 0;
  while (search.Next()) {
    ASSERT_LT(steps++, 50);
    search.Report(false);
  }
  EXPECT_EQ(search.best(), 0);
}

TEST(SearchTest, EndsWhenEverythingHolds) {
  Search search(SearchLimits{.from = 100, .to = 5000});
  while (const auto rate = search.Next()) {
    ASSERT_LE(*rate, 5000);
    search.Report(true);
  }
  EXPECT_EQ(search.best(), 5000);
}

TEST(SearchTest, EndsWithANoisyServer) {
  for (int seed = 0; seed < 50; seed++) {
    Search search(SearchLimits{.precision = 0.0001});
    int steps = 0;
    uint32_t state = static_cast<uint32_t>(seed);
    while (search.Next()) {
      ASSERT_LE(++steps, Search::kMaxSteps);
      state = state * 1103515245 + 12345;
      search.Report((state >> 16 & 1) != 0);
    }
  }
}

TEST(JudgeTest, TellsServerFromGenerator) {
  SearchLimits limits{.max_loss = 0.01, .max_p99_ns = 1'000'000};
  Result r;
  r.seconds_counted = 1;
  r.counters.sent = r.counters.answered = 10'000;
  for (int i = 0; i < 10'000; i++) r.latency.Add(100'000), r.send_lag.Add(1000);
  EXPECT_EQ(Judge(limits, 10'000, r), StepVerdict::kHolds);
  EXPECT_EQ(Judge(limits, 20'000, r), StepVerdict::kGenerator);
  r.counters.lost = 200;
  EXPECT_EQ(Judge(limits, 10'000, r), StepVerdict::kLoss);
  r.counters.lost = 0;
  for (int i = 0; i < 500; i++) r.latency.Add(5'000'000);
  EXPECT_EQ(Judge(limits, 10'000, r), StepVerdict::kLatency);
}

}  // namespace
}  // namespace mz::load
