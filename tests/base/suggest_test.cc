// "Did you mean".
#include "base/suggest.h"

#include <gtest/gtest.h>

#include <array>

namespace mz {
namespace {

constexpr std::array<std::string_view, 4> kWords = {"listen", "workers", "image", "io"};

TEST(SuggestTest, FindsTheNearestWordIgnoringCase) {
  EXPECT_EQ(Nearest("lisen", kWords), "listen");
  EXPECT_EQ(Nearest("Worker", kWords), "workers");
  EXPECT_EQ(Nearest("IMAGE", kWords), "image");
}

TEST(SuggestTest, SwappedLettersAreOneMistake) {
  EXPECT_EQ(Nearest("oi", kWords), "io");
  EXPECT_EQ(Nearest("iamge", kWords), "image");
}

TEST(SuggestTest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(Nearest("bananas", kWords), "");
  EXPECT_EQ(Nearest("xy", kWords), "");
}

}  // namespace
}  // namespace mz
