#include "load/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace mz::load {
namespace {

TEST(ScheduleTest, UniformThreadsInterleaveEvenly) {
  std::vector<uint64_t> all;
  for (unsigned t = 0; t < 4; t++) {
    Schedule s(Arrivals::kUniform, 1000, t, 4, 1, 5'000);
    for (int i = 0; i < 250; i++) all.push_back(s.Pop());
  }
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i < all.size(); i++)
    EXPECT_NEAR(static_cast<double>(all[i]), 5e3 + 1e6 * static_cast<double>(i), 2);
}

TEST(ScheduleTest, UniformDoesNotDrift) {
  Schedule s(Arrivals::kUniform, 333'333, 0, 1, 1, 0);
  uint64_t last = 0;
  for (int i = 0; i < 333'333 * 10; i++) last = s.Pop();
  EXPECT_NEAR(static_cast<double>(last), 10e9, 5e3);
}

TEST(ScheduleTest, PoissonHasTheRateAndTheSpreadOfPoisson) {
  Schedule s(Arrivals::kPoisson, 50'000, 0, 2, 7, 0);  // this thread: 25,000 a second
  double sum = 0, squares = 0;
  uint64_t before = 0;
  constexpr int kCount = 200'000;
  for (int i = 0; i < kCount; i++) {
    const uint64_t at = s.Pop();
    ASSERT_GE(at, before);
    const double gap = static_cast<double>(at - before);
    sum += gap;
    squares += gap * gap;
    before = at;
  }
  const double mean = sum / kCount, deviation = std::sqrt(squares / kCount - mean * mean);
  EXPECT_NEAR(mean, 40'000, 400);
  EXPECT_NEAR(deviation / mean, 1, 0.02);
}

TEST(ScheduleTest, TheSeedDecides) {
  Schedule a(Arrivals::kPoisson, 1000, 0, 1, 3, 0), b(Arrivals::kPoisson, 1000, 0, 1, 3, 0),
      c(Arrivals::kPoisson, 1000, 0, 1, 4, 0);
  bool differs = false;
  for (int i = 0; i < 100; i++) {
    const uint64_t x = a.Pop();
    EXPECT_EQ(x, b.Pop());
    differs |= x != c.Pop();
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace mz::load
