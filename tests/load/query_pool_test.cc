#include "load/query_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "load/clock.h"

namespace mz::load {
namespace {

TEST(QueryPoolTest, KeepsPrefixAndMessageApart) {
  QueryPool pool;
  const uint32_t a = pool.Add("", "abc"), b = pool.Add("PP", "defg");
  EXPECT_EQ(pool.prefix_bytes(a), 0u);
  EXPECT_EQ(pool.prefix_bytes(b), 2u);
  EXPECT_EQ(pool.wire(b).size(), 6u);
  EXPECT_EQ(pool.message(b)[0], 'd');
  EXPECT_EQ(pool.expected(a), QueryPool::kNoExpectation);
  pool.Expect(a, 77);
  EXPECT_EQ(pool.expected(a), 77u);
  EXPECT_EQ(pool.expected(b), QueryPool::kNoExpectation);
}

// Whatever the lengths: each query of the sequence is in the plan as often as in the sequence, trains have
// one length, and nothing crosses the border of a block.
TEST(PlanTest, TrainsAreEqualInLengthAndReorderWithinBlocks) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Random random(seed);
    QueryPool pool;
    const uint32_t distinct = 1 + static_cast<uint32_t>(random.Below(300));
    for (uint32_t i = 0; i < distinct; i++) pool.Add("", std::string(20 + random.Below(1 + seed % 12), 'q'));
    std::vector<uint32_t> sequence(1 + random.Below(4000));
    for (uint32_t& q : sequence) q = static_cast<uint32_t>(random.Below(distinct));
    const unsigned most = 1 + static_cast<unsigned>(random.Below(kMaxTrain));
    const size_t reorder = 1 + random.Below(700);
    const Plan plan = MakePlan(pool, sequence, most, reorder);
    ASSERT_GE(plan.order.size(), sequence.size());
    ASSERT_EQ(plan.order.size() % sequence.size(), 0u);
    size_t at = 0;
    for (const Train& t : plan.trains) {
      ASSERT_EQ(t.first, at);
      ASSERT_GE(t.count, 1u);
      ASSERT_LE(t.count, most);
      for (size_t i = 0; i < t.count; i++) ASSERT_EQ(pool.wire(plan.order[at + i]).size(), t.bytes);
      at += t.count;
    }
    ASSERT_EQ(at, plan.order.size());
    for (size_t begin = 0; begin < at; begin += reorder) {
      const size_t end = std::min(at, begin + reorder);
      std::vector<uint32_t> want,
          got(plan.order.begin() + static_cast<long>(begin), plan.order.begin() + static_cast<long>(end));
      for (size_t i = begin; i < end; i++) want.push_back(sequence[i % sequence.size()]);
      std::sort(want.begin(), want.end());
      std::sort(got.begin(), got.end());
      ASSERT_EQ(want, got);
    }
  }
}

TEST(PlanTest, LongQueriesMakeShortTrains) {
  QueryPool pool;
  pool.Add("", std::string(4000, 'q'));
  const uint32_t zero = 0;
  const Plan plan = MakePlan(pool, {&zero, 1}, 64, 256);
  for (const Train& t : plan.trains) EXPECT_LE(size_t{t.count} * t.bytes, kMaxTrainBytes);
}

TEST(PlanCursorTest, GoesRoundAndThreadsStartApart) {
  QueryPool pool;
  std::vector<uint32_t> sequence;
  for (int i = 0; i < 100; i++) sequence.push_back(pool.Add("", std::string(30, 'q')));
  const Plan plan = MakePlan(pool, sequence, 10, 100);
  PlanCursor a(plan, 0, 2), b(plan, 1, 2);
  EXPECT_EQ(a.Take(3)[0], 0u);
  EXPECT_EQ(a.available(), 7u);
  EXPECT_EQ(a.Take(64).size(), 7u);
  EXPECT_EQ(b.Take(1)[0], 50u);
  for (int i = 0; i < 5; i++) b.Take(64);
  EXPECT_EQ(b.Take(64)[0], 0u);
}

}  // namespace
}  // namespace mz::load
