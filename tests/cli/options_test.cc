// Option parsing as every verb uses it.
#include "cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/verb.h"

namespace mz::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Trial {
  std::ostringstream out, err;
  Terminal terminal{out, err};
  std::optional<int> exit;

  std::string output;
  std::vector<std::string> listen, rest;
  std::optional<bool> minimal;
  std::optional<uint64_t> number;
  std::optional<std::string> format;

  explicit Trial(const std::vector<std::string>& arguments) {
    Options options("test", "Tests.", "mailzone test x\n");
    options.Text("-o,--output", &output, "FILE", "where to");
    options.Texts("-l,--listen", &listen, "ADDRESS", "may be repeated");
    options.Switch("--minimal", "--no-minimal", &minimal, "on or off");
    options.Number("--number", &number, 1, 10, "N", "a number");
    options.Choice("--format", &format, {"text", "bind"}, "the form");
    options.Rest("FILE", &rest, "files", Options::kRequired);
    exit = options.Parse(arguments, terminal);
  }
};

TEST(OptionsTest, ReadsAllKinds) {
  Trial r({"-o", "out", "--listen=a", "-l", "b", "x", "--no-minimal", "--minimal", "--number", "3", "y", "--format=bind"});
  EXPECT_EQ(r.exit, std::nullopt) << r.err.str();
  EXPECT_EQ(r.output, "out");
  EXPECT_THAT(r.listen, ElementsAre("a", "b"));
  EXPECT_THAT(r.rest, ElementsAre("x", "y"));
  EXPECT_EQ(r.minimal, true);
  EXPECT_EQ(r.number, 3u);
  EXPECT_EQ(r.format, "bind");
}

TEST(OptionsTest, UnknownOptionSuggestsTheNearest) {
  Trial r({"--ouptut", "x", "y"});
  EXPECT_EQ(r.exit, 2);
  EXPECT_EQ(r.out.str(), "");
  EXPECT_THAT(r.err.str(), HasSubstr("unknown option '--ouptut'; did you mean '--output'?"));
  EXPECT_THAT(Trial({"--out=x", "y"}).err.str(), HasSubstr("did you mean '--output'?"));
  // Also when it makes an argument look missing.
  EXPECT_THAT(Trial({"--nubmer", "3"}).err.str(), HasSubstr("did you mean '--number'?"));
}

TEST(OptionsTest, BadValuesAreUsageErrors) {
  EXPECT_THAT(Trial({"--number=11", "x"}).err.str(), HasSubstr("'11' is not a number from 1 to 10"));
  EXPECT_EQ(Trial({"--number=-1", "x"}).exit, 2);
  EXPECT_THAT(Trial({"--format=bin", "x"}).err.str(), HasSubstr("did you mean 'bind'?"));
  EXPECT_EQ(Trial({}).exit, 2);
}

TEST(OptionsTest, WordsBehindTwoDashesAreArguments) {
  Trial r({"--", "--output"});
  EXPECT_EQ(r.exit, std::nullopt) << r.err.str();
  EXPECT_THAT(r.rest, ElementsAre("--output"));
}

TEST(OptionsTest, HelpBeginsWithExamples) {
  Trial r({"--help"});
  EXPECT_EQ(r.exit, 0);
  EXPECT_THAT(r.out.str(), StartsWith("Examples:\n  mailzone test x\n"));
  EXPECT_THAT(r.out.str(), HasSubstr("-l, --listen ADDRESS"));
  EXPECT_EQ(r.err.str(), "");
}

TEST(VerbsTest, EveryVerbHasHelpWithExamplesFirst) {
  for (const Verb& verb : Verbs()) {
    std::ostringstream out, err;
    Terminal terminal{out, err};
    EXPECT_EQ(RunMailzone({std::string(verb.name), "--help"}, terminal), 0);
    EXPECT_THAT(out.str(), StartsWith("Examples:\n  mailzone " + std::string(verb.name)));
    EXPECT_EQ(err.str(), "");
  }
}

TEST(VerbsTest, UnknownVerbSuggestsTheNearest) {
  std::ostringstream out, err;
  Terminal terminal{out, err};
  EXPECT_EQ(RunMailzone({"bulid"}, terminal), 2);
  EXPECT_THAT(err.str(), HasSubstr("unknown verb 'bulid'; did you mean 'build'?"));
}

}  // namespace
}  // namespace mz::cli
