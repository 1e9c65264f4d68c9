// Pool and NameArena: equal things once, ids that stay.
#include "compiler/build/model.h"

#include <gtest/gtest.h>

namespace mz::compiler {
namespace {

TEST(PoolTest, EqualTextsAndResultsHaveOneId) {
  Pool pool;
  TextId a = pool.InternText({"text", {1, 2}, 1});
  EXPECT_EQ(a, 1u) << "0 means none";
  EXPECT_EQ(pool.InternText({"text", {1, 2}, 1}), a);
  EXPECT_NE(pool.InternText({"text", {1, 3}, 1}), a);
  EXPECT_NE(pool.InternText({"text", {1, 2}, 0}), a);
  EXPECT_NE(pool.InternText({"texT", {1, 2}, 1}), a);
  EXPECT_EQ(pool.text_count(), 4u);
  EXPECT_EQ(pool.text(a).holes, (std::vector<uint16_t>{1, 2}));

  ValueModel v, w;
  w.a[3] = 9;
  ResultId one = pool.InternResult({v});
  EXPECT_EQ(one, 1u);
  ResultId both = pool.InternResult({v, w}), swapped = pool.InternResult({w, v});
  EXPECT_NE(both, swapped) << "the order is the order of the answers";
  EXPECT_EQ(pool.InternResult({v, w}), both);
  ValueModel with_text = v, action = v;
  with_text.text = a;
  action.is_action = true;
  EXPECT_NE(pool.InternResult({with_text}), one);
  EXPECT_NE(pool.InternResult({action}), one);
  EXPECT_EQ(pool.result_count(), 5u);
  EXPECT_EQ(pool.result(swapped)[0].a[3], 9);
}

TEST(PoolTest, ManyDistinctTexts) {
  Pool pool;
  for (int round = 0; round < 2; round++)
    for (uint32_t i = 0; i < 100000; i++) ASSERT_EQ(pool.InternText({"text " + std::to_string(i), {}, 1}), i + 1);
}

TEST(NameArenaTest, NamesComeBack) {
  NameArena arena;
  NameRef empty = arena.Add(""), a = arena.Add("\1a"), b = arena.Add("\1b\3com");
  EXPECT_EQ(arena.Get(empty), "");
  EXPECT_EQ(arena.Get(a), "\1a");
  EXPECT_EQ(arena.Get(b), "\1b\3com");
  EXPECT_EQ(arena.bytes(), 8u);
}

}  // namespace
}  // namespace mz::compiler
