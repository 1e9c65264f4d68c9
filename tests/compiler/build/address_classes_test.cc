// Class tables against the sets that they were made of.
#include "compiler/build/address_classes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace mz::compiler {
namespace {

using Ranges4 = std::vector<net::Range4>;

struct Built {
  std::vector<Ranges4> ranges;
  ClassTable<net::Ip4> table;

  Built(std::vector<Ranges4> all, std::vector<uint32_t> users, const ClassLimits& limits) : ranges(std::move(all)) {
    std::vector<SharedSet<net::Ip4>> sets;
    for (size_t i = 0; i < ranges.size(); i++) sets.push_back({&ranges[i], users[i]});
    table = BuildClasses<net::Ip4>(sets, limits);
  }

  // Whether the class of the address lists exactly the sets that hold it, evicted ones aside.
  void Check(net::Ip4 a) const {
    std::vector<uint32_t> expected;
    for (size_t i = 0; i < ranges.size(); i++)
      if (table.set_ids[i] != 0 && std::any_of(ranges[i].begin(), ranges[i].end(),
                                               [&](const net::Range4& r) { return r.first <= a && a <= r.last; }))
        expected.push_back(table.set_ids[i]);
    const auto behind = std::upper_bound(table.intervals.begin(), table.intervals.end(), a,
                                         [](net::Ip4 x, const Interval4& i) { return x < i.start; });
    const uint32_t id = std::prev(behind)->result;
    const auto first = table.words.begin() + id + 1;
    ASSERT_EQ(std::vector<uint32_t>(first, first + table.words[id]), expected) << net::ToString(a);
  }
  void CheckBorders() const {
    for (const Ranges4& set : ranges)
      for (const net::Range4& r : set)
        for (const net::Ip4 a : {r.first - 1, r.first, r.last, r.last + 1}) Check(a);
    for (size_t i = 1; i < table.intervals.size(); i++) {
      ASSERT_LT(table.intervals[i - 1].start, table.intervals[i].start);
      ASSERT_NE(table.intervals[i - 1].result, table.intervals[i].result);
    }
  }
};

TEST(AddressClassesTest, EveryAddressHasTheClassOfItsSets) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; round++) {
    std::vector<Ranges4> sets(1 + random() % 12);
    std::vector<uint32_t> users;
    for (Ranges4& set : sets) {
      uint64_t next = random() % 3 ? random() % 64 : 0;
      while (next < 250) {
        const auto first = static_cast<net::Ip4>(next), last = first + static_cast<net::Ip4>(random() % 40);
        set.push_back({first, last});
        next = uint64_t{last} + 2 + random() % 60;
      }
      if (random() % 4 == 0) set.push_back({~0u - 3, ~0u});
      users.push_back(random() % 5);
    }
    ClassLimits limits;
    limits.depth = 1 + random() % 6;
    if (random() % 3 == 0) limits.words = 20;
    const Built built(std::move(sets), users, limits);
    built.CheckBorders();
    if (HasFatalFailure()) return;
    EXPECT_TRUE(built.table.words.size() <= limits.words || built.table.words.size() <= 1 + 2 * built.table.intervals.size());
    for (size_t at = 1; at < built.table.words.size(); at += 1 + built.table.words[at])
      EXPECT_LE(built.table.words[at], limits.depth);
  }
}

TEST(AddressClassesTest, TheLeastUsedSetGivesWay) {
  ClassLimits limits;
  limits.depth = 2;
  const Built built({{{10, 40}}, {{20, 50}}, {{30, 60}}, {{100, 110}}}, {5, 3, 4, 1}, limits);
  EXPECT_EQ(built.table.set_ids, (std::vector<uint32_t>{1, 0, 2, 3}));
  built.CheckBorders();
  // Of equals the later one; and a set that begins where another ends is not in its way.
  const Built equal({{{10, 19}}, {{10, 29}}, {{20, 29}}, {{20, 29}}}, {1, 1, 1, 1}, limits);
  EXPECT_EQ(equal.table.set_ids, (std::vector<uint32_t>{1, 2, 3, 0}));
  equal.CheckBorders();
}

// Sets one inside the other: lists that grow with the square of their number.
TEST(AddressClassesTest, TooManyWordsMakeListsShorter) {
  std::vector<Ranges4> sets;
  for (net::Ip4 i = 0; i < 64; i++) sets.push_back({{1000 + i, 2000 - i}});
  ClassLimits limits;
  EXPECT_EQ(Built(sets, std::vector<uint32_t>(64, 1), limits).table.set_count, 64u);
  limits.words = 500;
  const Built built(sets, std::vector<uint32_t>(64, 1), limits);
  EXPECT_LE(built.table.words.size(), 500u);
  EXPECT_EQ(built.table.set_count, 16u);
  built.CheckBorders();
  limits.words = 1;  // one set a class is the least there is
  EXPECT_EQ(Built(sets, std::vector<uint32_t>(64, 1), limits).table.set_count, 1u);
}

TEST(AddressClassesTest, NoSetsNoTable) {
  const Built built({}, {}, {});
  EXPECT_TRUE(built.table.words.empty());
  EXPECT_EQ(built.table.set_count, 0u);
}

TEST(AddressClassesTest, Ipv6ToTheLastAddress) {
  const net::Ip6 middle{0x8000000000000000ull, 0};
  const std::vector<net::Range6> upper{{middle, net::kIp6Last}}, all{{{0, 0}, net::kIp6Last}};
  const std::vector<SharedSet<net::Ip6>> sets{{&upper, 1}, {&all, 1}};
  const ClassTable<net::Ip6> table = BuildClasses<net::Ip6>(sets, {});
  ASSERT_EQ(table.intervals.size(), 2u);
  EXPECT_EQ(table.words, (std::vector<uint32_t>{0, 1, 2, 2, 1, 2}));
  EXPECT_EQ(table.intervals[0].result, 1u);
  EXPECT_TRUE(table.intervals[1].start == middle);
  EXPECT_EQ(table.intervals[1].result, 3u);
}

}  // namespace
}  // namespace mz::compiler
