// The catalogue: complete, unambiguous, within the bits of an ID.
#include "format/healthcheck/outcome.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

namespace mz::healthcheck {
namespace {

class OutcomeTest : public testing::TestWithParam<int> {
 protected:
  Dimension d() const { return static_cast<Dimension>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Dimensions, OutcomeTest, testing::Range(0, int{kDimensionCount}));

TEST_P(OutcomeTest, WordsAreUniqueAndKebab) {
  std::set<std::string_view> words;
  for (const Outcome& o : Outcomes(d())) {
    EXPECT_TRUE(words.insert(o.word).second) << o.word;
    EXPECT_FALSE(o.word.empty());
    for (const char c : o.word) EXPECT_TRUE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') << o.word;
    EXPECT_EQ(FindOutcome(d(), o.word), &o);
    EXPECT_EQ(OutcomeOf(d(), o.code), &o);
    EXPECT_FALSE(o.sentence.empty());
  }
}

TEST_P(OutcomeTest, CodesFitAndStartAtZero) {
  ASSERT_FALSE(Outcomes(d()).empty());
  EXPECT_EQ(Outcomes(d())[0].code, 0);
  EXPECT_LE(Outcomes(d()).size(), CodeLimit(d()));
  EXPECT_EQ(OutcomeOf(d(), static_cast<uint8_t>(Outcomes(d()).size())), nullptr);
}

TEST_P(OutcomeTest, DimensionWordsAreFound) {
  EXPECT_EQ(FindDimension(DimensionWord(d())), d());
  EXPECT_FALSE(DimensionTitle(d()).empty());
}

TEST_P(OutcomeTest, WordsApply) {
  for (const Outcome& o : Outcomes(d())) {
    Settings s;
    std::string problem;
    ASSERT_TRUE(ApplySetting(std::string(DimensionWord(d())) + "=" + std::string(o.word), &s, &problem)) << problem;
    EXPECT_EQ(s[d()], o.code);
    EXPECT_TRUE(KnownSettings(s));
    EXPECT_EQ(SettingsText(s), o.code == 0 ? std::string("nothing")
                                           : std::string(DimensionWord(d())) + "=" + std::string(o.word));
  }
}

TEST(OutcomeWordsTest, ResultsAreThoseOfTheRfcs) {
  const std::set<std::string_view> spf = {"none", "pass", "neutral", "softfail", "fail", "permerror", "temperror"};
  for (const Outcome& o : Outcomes(kSpf)) {
    EXPECT_TRUE(spf.contains(o.expected)) << o.word;
    EXPECT_TRUE(o.word == o.expected || o.word.starts_with(std::string(o.expected) + "-")) << o.word;
  }
  const std::set<std::string_view> dkim = {"none", "pass", "fail", "neutral", "permerror", "temperror", "undefined"};
  for (const Outcome& o : Outcomes(kDkim)) EXPECT_TRUE(dkim.contains(o.expected)) << o.word;
}

TEST(OutcomeWordsTest, WrongWordsAreExplained) {
  Settings s;
  std::string problem;
  EXPECT_FALSE(ApplySetting("spf", &s, &problem));
  EXPECT_FALSE(ApplySetting("sfp=pass", &s, &problem));
  EXPECT_NE(problem.find("'spf'"), std::string::npos) << problem;
  EXPECT_FALSE(ApplySetting("spf=softfial", &s, &problem));
  EXPECT_NE(problem.find("'softfail'"), std::string::npos) << problem;
  EXPECT_FALSE(ApplySetting("=", &s, &problem));
  EXPECT_EQ(s, Settings{});
}

TEST(OutcomeWordsTest, WordsOfTheOlderProgram) {
  Settings s;
  std::string problem;
  for (const char* word : {"spf=hardfail", "mx=hardfail", "dmarc=neutral"})
    EXPECT_TRUE(ApplySetting(word, &s, &problem)) << problem;
  EXPECT_EQ(s[kSpf], kSpfFail);
  EXPECT_EQ(s[kMx], kMxInvalidHost);
  EXPECT_EQ(s[kDmarc], kDmarcPolicyNone);
}

// The tables of docs/HEALTHCHECK.md are the catalogue.
TEST(OutcomeWordsTest, PageHasTheCatalogue) {
  std::ifstream in(std::string(MZ_TEST_SOURCE_DIR) + "/../../../docs/HEALTHCHECK.md");
  const std::string page{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::string expected;
  for (int i = 0; i < kDimensionCount; i++) {
    const auto d = static_cast<Dimension>(i);
    if (i > 0) expected += "\n";
    expected += "### " + std::string(DimensionWord(d)) + ": " + std::string(DimensionTitle(d)) +
                "\n\n| outcome | what is served or sent | expected | source | differs |\n|---|---|---|---|---|\n";
    for (const Outcome& o : Outcomes(d)) {
      expected.append("| `").append(o.word).append("` | ").append(o.sentence).append(" | ").append(o.expected);
      expected.append(" | ").append(o.section).append(" | ").append(o.seen).append(" |\n");
    }
  }
  const std::string begin = "<!-- outcomes -->\n", end = "<!-- /outcomes -->";
  const size_t from = page.find(begin), to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(page.substr(from + begin.size(), to - from - begin.size()), expected)
      << "`mailzone healthcheck list --markdown` writes it";
}

TEST(OutcomeWordsTest, SigningKeys) {
  EXPECT_FALSE(SigningOf(kDkimNone));
  EXPECT_EQ(SigningOf(kDkimWrongKey)->published, DkimKey::kOther);
  for (const Outcome& o : Outcomes(kDkim)) {
    if (o.code == kDkimNone) continue;
    const auto keys = SigningOf(o.code);
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->signs == keys->published, o.code != kDkimWrongKey) << o.word;
  }
  std::set<std::string_view> words;
  for (int k = 0; k < kDkimKeyCount; k++) words.insert(DkimKeyWord(static_cast<DkimKey>(k)));
  EXPECT_EQ(words.size(), size_t{kDkimKeyCount});
}

}  // namespace
}  // namespace mz::healthcheck
