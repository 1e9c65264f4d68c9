#include "load/query_file.h"

#include <gtest/gtest.h>

#include "format/dns/name.h"

namespace mz::load {
namespace {

struct Collected : dataset::DiagnosticSink {
  void Report(dataset::Diagnostic d) override { all.push_back(std::move(d)); }
  std::vector<dataset::Diagnostic> all;
};

TEST(QueryFileTest, ReadsNamesAndTypes) {
  Collected sink;
  const auto q = ParseQueryFile(
      "example.org A\n  Www.Example.org.\tTXT  \r\n\n; comment\n#too\n. NS\nx TYPE257", "q", sink);
  EXPECT_TRUE(sink.all.empty());
  ASSERT_EQ(q.size(), 4u);
  EXPECT_EQ(dns::NameText(q[0].name), "example.org");
  EXPECT_EQ(dns::NameText(q[1].name), "Www.Example.org");
  EXPECT_EQ(q[1].type, 16);
  EXPECT_EQ(q[2].name, "");
  EXPECT_EQ(q[2].type, 2);
  EXPECT_EQ(q[3].type, 257);
}

TEST(QueryFileTest, NamesThePlaceOfEachMistake) {
  Collected sink;
  const auto q =
      ParseQueryFile("ok.test A\nfoo\n\nfoo FOO\na b c\n" + std::string(70, 'l') + " A\n", "q.txt", sink);
  EXPECT_EQ(q.size(), 1u);
  ASSERT_EQ(sink.all.size(), 4u);
  EXPECT_EQ(sink.all[0].file, "q.txt");
  EXPECT_EQ(sink.all[0].line, 2u);
  EXPECT_EQ(sink.all[0].column, 4u);
  EXPECT_EQ(sink.all[1].line, 4u);
  EXPECT_EQ(sink.all[1].column, 5u);
  EXPECT_EQ(sink.all[1].length, 3u);
  EXPECT_EQ(sink.all[2].line, 5u);
  EXPECT_EQ(sink.all[2].column, 5u);
  EXPECT_EQ(sink.all[3].line, 6u);
}

TEST(QueryFileTest, LongLinesAreCutAroundTheMistake) {
  Collected sink;
  ParseQueryFile(std::string(500, ' ') + "name BADTYPE" + std::string(500, ' '), "q", sink);
  ASSERT_EQ(sink.all.size(), 1u);
  EXPECT_EQ(sink.all[0].column, 506u);
  EXPECT_LE(sink.all[0].source_line.size(), 200u);
  EXPECT_EQ(sink.all[0].source_line.substr(sink.all[0].source_column - 1, 7), "BADTYPE");
}

TEST(QueryFileTest, ReportsAreBounded) {
  Collected sink;
  std::string text;
  for (int i = 0; i < 5000; i++) text += "x\n";
  ParseQueryFile(text, "q", sink);
  EXPECT_EQ(sink.all.size(), dataset::kMaxDiagnostics);
}

}  // namespace
}  // namespace mz::load
