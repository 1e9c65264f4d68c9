#include "load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "load/clock.h"

namespace mz::load {
namespace {

TEST(HistogramTest, SmallValuesAreExact) {
  Histogram h;
  for (uint64_t v = 0; v < 128; v++) h.Add(v);
  EXPECT_EQ(h.count(), 128u);
  EXPECT_EQ(h.min(), 0u);
  EXPECT_EQ(h.max(), 127u);
  EXPECT_EQ(h.Percentile(50), 63u);
  EXPECT_EQ(h.Percentile(100), 127u);
  EXPECT_DOUBLE_EQ(h.mean(), 63.5);
}

TEST(HistogramTest, EmptySaysZero) {
  const Histogram h;
  EXPECT_EQ(h.Percentile(99), 0u);
  EXPECT_EQ(h.min(), 0u);
  EXPECT_EQ(h.mean(), 0);
  EXPECT_TRUE(h.Buckets().empty());
}

// Every power of two has its borders: the values around them are where an index goes wrong.
TEST(HistogramTest, BucketsCoverAllValuesWithoutGap) {
  Histogram h;
  uint64_t added = 0;
  for (int bit = 0; bit < 40; bit++)
    for (const int64_t off : {-1, 0, 1}) {
      h.Add((1ull << bit) + static_cast<uint64_t>(off));
      added++;
    }
  uint64_t seen = 0, last = 0;
  for (const Histogram::Bucket& b : h.Buckets()) {
    EXPECT_LE(b.first, b.last);
    EXPECT_TRUE(seen == 0 || b.first > last);
    EXPECT_LE(static_cast<double>(b.last - b.first),
              2 * h.relative_error() * static_cast<double>(b.first) + 1);
    last = b.last;
    seen += b.count;
  }
  EXPECT_EQ(seen, added);
}

// The promise of the header, on values of all magnitudes and several shapes.
TEST(HistogramTest, PercentilesAreWithinTheRelativeError) {
  for (const int bits : {5, 7}) {
    for (uint64_t seed = 1; seed <= 30; seed++) {
      Random random(seed);
      Histogram h(bits);
      std::vector<uint64_t> values(1 + random.Below(5000));
      for (uint64_t& v : values) {
        switch (seed % 3) {
          case 0:
            v = random.Next() >> (24 + random.Below(40));
            break;
          case 1:
            v = static_cast<uint64_t>(random.Exponential() * 50'000);
            break;
          default:
            v = 1'000'000 + random.Below(3);
            break;
        }
        h.Add(v);
      }
      std::sort(values.begin(), values.end());
      for (const double p : {0.1, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
        const double n = static_cast<double>(values.size());
        const size_t rank = static_cast<size_t>(std::clamp(std::ceil(p / 100 * n - 1e-9), 1.0, n));
        const double exact = static_cast<double>(values[rank - 1]);
        EXPECT_NEAR(static_cast<double>(h.Percentile(p)), exact, exact * h.relative_error() + 1)
            << "p" << p << " seed " << seed << " bits " << bits;
      }
    }
  }
}

TEST(HistogramTest, MergeIsTheSameAsAddingAll) {
  Random random(5);
  Histogram a, b, both;
  for (int i = 0; i < 2000; i++) {
    const uint64_t v = random.Next() >> (random.Below(63) + 1);
    (i % 3 ? a : b).Add(v);
    both.Add(v);
  }
  a.Merge(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.max(), both.max());
  EXPECT_EQ(a.min(), both.min());
  for (const double p : {1.0, 50.0, 99.9}) EXPECT_EQ(a.Percentile(p), both.Percentile(p));
}

}  // namespace
}  // namespace mz::load
