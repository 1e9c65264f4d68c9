#include "cli/load/quantity.h"

#include <gtest/gtest.h>

namespace mz::cli {
namespace {

TEST(QuantityTest, ReadsTimes) {
  EXPECT_EQ(*ParseDuration("10"), 10'000'000'000u);
  EXPECT_EQ(*ParseDuration("0.5"), 500'000'000u);
  EXPECT_EQ(*ParseDuration("500ms"), 500'000'000u);
  EXPECT_EQ(*ParseDuration("20us"), 20'000u);
  EXPECT_EQ(*ParseDuration("2m"), 120'000'000'000u);
  EXPECT_EQ(*ParseDuration("1h"), 3'600'000'000'000u);
  for (const char* bad : {"", "x", "-1", "1 s", "1sec", "nan", "inf", "1e30", "ms", "1ms2"})
    EXPECT_FALSE(ParseDuration(bad).ok()) << bad;
}

TEST(QuantityTest, ReadsNumbers) {
  EXPECT_EQ(*ParseQuantity("50k"), 50'000);
  EXPECT_EQ(*ParseQuantity("1.5M"), 1'500'000);
  EXPECT_EQ(*ParseQuantity("7"), 7);
  for (const char* bad : {"", "k", "1kk", "1e20", "0x10k", "-5"})
    EXPECT_FALSE(ParseQuantity(bad).ok()) << bad;
}

TEST(QuantityTest, WritesWhatPeopleRead) {
  EXPECT_EQ(DurationText(12'540), "12.5 us");
  EXPECT_EQ(DurationText(3'410'000), "3.41 ms");
  EXPECT_EQ(DurationText(1.2e9), "1.20 s");
  EXPECT_EQ(DurationText(999'960), "1.00 ms");
  EXPECT_EQ(QuantityText(987), "987");
  EXPECT_EQ(QuantityText(45'230), "45.2 k");
  EXPECT_EQ(QuantityText(1'310'000), "1.31 M");
}

}  // namespace
}  // namespace mz::cli
