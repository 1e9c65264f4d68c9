#include "load/pending.h"

#include <gtest/gtest.h>

#include <map>

#include "load/clock.h"

namespace mz::load {
namespace {

auto Ignore = [](const PendingQuery&) {};

TEST(PendingTest, AnswersDuplicatesLateOnesAndStrangers) {
  PendingTable table(1024, 65530);
  PendingQuery q;
  const uint16_t a = table.Add(100, 7, Ignore), b = table.Add(200, 8, Ignore);
  EXPECT_EQ(a, 65530);
  EXPECT_EQ(table.Take(a, &q), PendingTable::kAnswer);
  EXPECT_EQ(q.query, 7u);
  EXPECT_EQ(q.due_ns, 100u);
  EXPECT_EQ(table.Take(a, &q), PendingTable::kDuplicate);
  EXPECT_EQ(table.Take(static_cast<uint16_t>(b + 1), &q), PendingTable::kUnexpected);
  EXPECT_EQ(table.waiting(), 1u);
  std::vector<uint32_t> lost;
  table.Expire(200, [&](const PendingQuery& e) { lost.push_back(e.query); });
  EXPECT_TRUE(lost.empty());
  table.Expire(201, [&](const PendingQuery& e) { lost.push_back(e.query); });
  EXPECT_EQ(lost, std::vector<uint32_t>{8});
  EXPECT_EQ(table.Take(b, &q), PendingTable::kLate);
  EXPECT_EQ(table.waiting(), 0u);
}

TEST(PendingTest, UnsentQueriesAreNeitherLostNorAnswered) {
  PendingTable table(64, 3);
  const uint16_t id = table.Add(5, 1, Ignore);
  ASSERT_NE(table.Unsend(id), nullptr);
  EXPECT_EQ(table.Unsend(id), nullptr);
  EXPECT_EQ(table.waiting(), 0u);
  PendingQuery q;
  EXPECT_EQ(table.Take(id, &q), PendingTable::kUnexpected);
  table.Expire(~0ull, [](const PendingQuery&) { FAIL(); });
}

TEST(PendingTest, WhenIdsRunOutTheOldestIsGivenUp) {
  PendingTable table(64, 0);
  std::vector<uint32_t> lost;
  for (uint32_t i = 0; i < 70; i++) table.Add(i, i, [&](const PendingQuery& e) { lost.push_back(e.query); });
  EXPECT_EQ(lost, (std::vector<uint32_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(table.waiting(), 64u);
}

// Against a plain map, with losses, reordering, duplicates and IDs that wrap.
TEST(PendingTest, KeepsTheBooksOfAMap) {
  Random random(9);
  PendingTable table(4096, 60000);
  std::map<uint16_t, uint32_t> waiting;
  uint64_t sent = 0, answered = 0, lost = 0;
  auto on_lost = [&](const PendingQuery& e) {
    lost++;
    ASSERT_EQ(waiting.erase(e.id), 1u);
  };
  for (uint64_t now = 0; now < 300'000; now++) {
    if (random.Chance(0.7)) {
      const auto query = static_cast<uint32_t>(now);
      waiting[table.Add(now, query, on_lost)] = query;
      sent++;
    }
    if (random.Chance(0.65) && !waiting.empty()) {
      const auto it = random.Chance(0.9) ? waiting.begin() : std::prev(waiting.end());
      PendingQuery q;
      ASSERT_EQ(table.Take(it->first, &q), PendingTable::kAnswer);
      ASSERT_EQ(q.query, it->second);
      ASSERT_EQ(table.Take(it->first, &q), PendingTable::kDuplicate);
      waiting.erase(it);
      answered++;
    }
    if (now > 3000 && now % 100 == 0) table.Expire(now - 3000, on_lost);
    ASSERT_EQ(table.waiting(), waiting.size());
  }
  table.Expire(~0ull, on_lost);
  EXPECT_EQ(sent, answered + lost);
  EXPECT_GT(lost, 0u);
}

}  // namespace
}  // namespace mz::load
