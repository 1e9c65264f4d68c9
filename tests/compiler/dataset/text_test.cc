// Defaults, substitution, specials, and what is said about bad lines.
#include <gtest/gtest.h>

#include "tests/compiler/dataset/probe.h"

namespace mz::compiler {
namespace {

using test::Compiled;
using Messages = std::vector<std::string>;

TEST(DefaultTest, HoldsFromItsLineOn) {
  Compiled c(image::kIp4Set, "1.0.0.1\n:5:five $\n1.0.0.2\n:6\n1.0.0.3\n1.0.0.4 t\n:8:eight\n1.0.0.6 :9\n:bad\n1.0.0.7\n");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.2");
  EXPECT_EQ(c.Ip4("1.0.0.2"), "127.0.0.5 \"five <>\"");
  EXPECT_EQ(c.Ip4("1.0.0.3"), "127.0.0.6");
  EXPECT_EQ(c.Ip4("1.0.0.4"), "127.0.0.6 \"t\"");
  EXPECT_EQ(c.Ip4("1.0.0.6"), "127.0.0.9 \"eight\"");
  EXPECT_EQ(c.Ip4("1.0.0.7"), "127.0.0.8 \"eight\"");
  EXPECT_EQ(c.sink.messages, (Messages{"9: invalid A RR"}));
}

TEST(ExpansionTest, WithoutBaseTemplate) {
  Compiled c(image::kIp4Set,
             "1.0.0.1 own $=\n1.0.0.2 =own $= $ x\n1.0.0.3 :5:\n1.0.0.4 =\n1.0.0.5 =$=\n1.0.0.6 a$ $$ $$$ $a $12\n"
             "1.0.0.7 ==x\n1.0.0.8 $3 $2 $\n$2 <$1$>\n$2 later\n");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.2 \"own own $=\"");
  EXPECT_EQ(c.Ip4("1.0.0.2"), "127.0.0.2 \"own own $= $ x <> x\"");
  EXPECT_EQ(c.Ip4("1.0.0.3"), "127.0.0.5");
  EXPECT_EQ(c.Ip4("1.0.0.4"), "127.0.0.2");
  EXPECT_EQ(c.Ip4("1.0.0.5"), "127.0.0.2 \"$=\"");
  EXPECT_EQ(c.Ip4("1.0.0.6"), "127.0.0.2 \"a<> $ $<> <>a $12\"");
  EXPECT_EQ(c.Ip4("1.0.0.7"), "127.0.0.2 \"=x\"");
  EXPECT_EQ(c.Ip4("1.0.0.8"), "127.0.0.2 \"$3 <$1$> <>\"") << "first assignment, even behind the use; not expanded again";
}

TEST(ExpansionTest, WithBaseTemplate) {
  Compiled c(image::kIp4Set, "1.0.0.1 own $=\n1.0.0.2 =own $=\n1.0.0.3 :5:\n1.0.0.4 =\n$= B[$=]($)$1\n");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.2 \"B[own $=](<>)$1\"");
  EXPECT_EQ(c.Ip4("1.0.0.2"), "127.0.0.2 \"own own $=\"");
  EXPECT_EQ(c.Ip4("1.0.0.3"), "127.0.0.5 \"B[<>](<>)$1\"");
  EXPECT_EQ(c.Ip4("1.0.0.4"), "127.0.0.2");
}

TEST(ExpansionTest, CutsAt254Octets) {
  Compiled c(image::kIp4Set, "1.0.0.1 " + std::string(255, 'x') + "\n1.0.0.2 $1$1$\n$1 " + std::string(200, 'y') + "\n");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.2 \"" + std::string(254, 'x') + "\"");
  EXPECT_EQ(c.Ip4("1.0.0.2"), "127.0.0.2 \"" + std::string(254, 'y') + "\"");
  EXPECT_TRUE(c.sink.messages.empty());
}

TEST(SpecialsTest, FirstSoaAndNsLastTtl) {
  CompileOptions options;
  options.ttl = {2100, 30, 5000};
  Compiled c(image::kIp4Set,
             "$SOA 1 a.t b.t 1 1 1 1\n$TTL 10\n$SOA 0 A.t b.t 2 2 2 2 2\n$SOA 9 c.t d.t 3 3 3 3 3\n$NS 1d -n0.t\n"
             "$NS 1d n1.t\n$NS 20 n2.t\n$TTL 40\n1.0.0.1\n",
             options);
  EXPECT_EQ(c.model->soa->ttl, 30u) << "0 is the default at that line, which was clamped";
  EXPECT_EQ(c.model->soa->mname, std::string("\1A\1t\0", 5));
  EXPECT_EQ(c.model->soa->serial, 2u);
  EXPECT_EQ(c.model->ns->ttl, 5000u);
  EXPECT_EQ(c.model->ns->names, (std::vector<std::string>{std::string("\2n1\1t\0", 6)}));
  EXPECT_EQ(c.model->ttl, 40u);
  EXPECT_EQ(c.sink.messages, (Messages{"1: invalid or unrecognized special entry"}));
}

TEST(SpecialsTest, NamesBeforeABadOneStayWithTtlZero) {
  Compiled c(image::kIp4Set, "$NS 1h n1.t " + std::string(64, 'x') + "\n$NS 1h n2.t\n");
  EXPECT_EQ(c.model->ns->ttl, 0u);
  EXPECT_EQ(c.model->ns->names.size(), 1u);
}

TEST(SpecialsTest, TtlZeroIsTheDefaultAndNotClamped) {
  CompileOptions options;
  options.ttl = {100, 0, 0};
  EXPECT_EQ(Compiled(image::kIp4Set, "$TTL 5\n$TTL 0\n", options).model->ttl, 100u);
}

TEST(SpecialsTest, MaxRangeOnlyShrinks) {
  Compiled c(image::kIp4Set, "$MAXRANGE4 /24\n$MAXRANGE4 /16\n1.0.1.0/23\n1.0.2.0/23\n$MAXRANGE4 16\n1.0.5.0/28 d\n1.0.6.16-32 f\n!1.0.0.0/26\n");
  EXPECT_EQ(c.sink.messages,
            (Messages{"2: ignoring attempt to increase $MAXRANGE4 from 256 to 65536", "3: invalid range (non-zero host part)",
                      "4: too large range (512) ignored (256 max)", "7: too large range (17) ignored (16 max)",
                      "8: too large range (64) ignored (16 max)"}));
  EXPECT_EQ(c.Ip4("1.0.5.3"), "127.0.0.2 \"d\"");
}

TEST(SpecialsTest, TimestampsExpireAndFutureOnesFail) {
  Compiled c(image::kIp4Set, "$TIMESTAMP 0 2037:01:01\n$TIMESTAMP 2020:02:29 20200301\n$TIMESTAMP 20200101 +2w\n");
  EXPECT_EQ(c.model->expires_unix, 1577836800 + 14 * 86400);
  CompileOptions options;
  options.now_unix = 1577836800 - 10;
  Compiled future(image::kIp4Set, "1.0.0.1\n$TIMESTAMP 20200101\n", options);
  EXPECT_FALSE(future.ok());
  EXPECT_EQ(future.sink.messages, (Messages{"2: data timestamp is 10 sec in the future, aborting loading"}));
}

TEST(SpecialsTest, EntIsAcceptedAndDatasetIsNot) {
  Compiled c(image::kIp4Set, "$ENT true\n$DATASET ip4set @\n1.0.0.1\n");
  EXPECT_EQ(c.sink.messages, (Messages{"2: invalid or unrecognized special entry"}));
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.2");
}

TEST(LinesTest, CommentsBlanksNulAndCr) {
  constexpr char kText[] =
      "\n   \n# c\n  ; c\n  1.0.0.1 \t\n//1.0.0.2\n1.0.0.3 abc  \0 x  \n\0 1.0.0.4\n1.0.0.5\r\n";
  Compiled c(image::kIp4Set, std::string_view(kText, sizeof kText - 1));
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.2");
  EXPECT_EQ(c.Ip4("1.0.0.3"), "127.0.0.2 \"abc  \"") << "the NUL ends the line after blanks have been stripped";
  EXPECT_EQ(c.Ip4("1.0.0.4"), "-");
  EXPECT_EQ(c.sink.messages, (Messages{"6: invalid address", "9: invalid address"}));
  EXPECT_NE(c.sink.diagnostics[1].hint.find("CR"), std::string::npos);
}

TEST(LinesTest, LastLineWithoutLineEndIsUsed) {
  Compiled c(image::kIp4Set, "bad\n1.0.0.1 a");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.2 \"a\"");
  EXPECT_EQ(c.sink.messages,
            (Messages{"1: invalid address", "2: long line (truncated)", "2: incomplete last line (ignored)"}));
  EXPECT_FALSE(c.sink.diagnostics[2].counted);
}

TEST(DiagnosticsTest, PointAtTheText) {
  Compiled c(image::kIp4Set, "1.0.0.1\n  1.0.0.300 text\n1.0.0.1 :5 tail\n");
  ASSERT_EQ(c.sink.diagnostics.size(), 2u);
  const dataset::Diagnostic& d = c.sink.diagnostics[0];
  EXPECT_EQ(d.line, 2u);
  EXPECT_EQ(d.column, 3u);
  EXPECT_EQ(d.length, 9u);
  EXPECT_EQ(d.source_line, "  1.0.0.300 text");
  EXPECT_EQ(c.sink.diagnostics[1].column, 12u);
  EXPECT_EQ(c.sink.diagnostics[1].message, "unrecognized value for an entry");
}

TEST(DiagnosticsTest, LongLinesAreShownAroundTheColumn) {
  Compiled c(image::kDnset, std::string(1000, ' ') + std::string(64, 'x') + std::string(1000, ' ') + "y\n");
  ASSERT_EQ(c.sink.diagnostics.size(), 1u);
  const dataset::Diagnostic& d = c.sink.diagnostics[0];
  EXPECT_EQ(d.column, 1001u);
  EXPECT_EQ(d.source_line.size(), 200u);
  EXPECT_EQ(d.source_line.substr(d.source_column - 1, 64), std::string(64, 'x'));
}

TEST(DiagnosticsTest, AreBounded) {
  std::string text;
  for (int i = 0; i < 300000; ++i) text += "bad\n";
  Compiled c(image::kIp4Set, text + "1.0.0.1\n");
  EXPECT_EQ(c.sink.diagnostics.size(), dataset::kMaxDiagnostics);
  EXPECT_EQ(c.sink.suppressed, 300000u - dataset::kMaxDiagnostics);
  EXPECT_EQ(c.sink.diagnostics.back().line, 1000u);
}

// Everything that crosses block borders: defaults, line numbers, $MAXRANGE4, values in order, whatever the threads.
TEST(BlocksTest, ResultDoesNotDependOnThreads) {
  std::string text = "$TTL 5\n";
  for (int i = 0; i < 400000; ++i) {
    std::string ip = std::to_string(i >> 16 & 255) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255) + ".7";
    text += ip + (i % 7 == 0 ? " text " + std::to_string(i % 50) : i % 5 == 0 ? " :9" : "") + "\n";
    if (i == 99999) text += "1.0.0.0/9\n$MAXRANGE4 1000\n";
    if (i == 200000) text += ":6:six $1\nbad\n";
    if (i % 50000 == 0) text += "1.0.0.0/9 wide\n";
  }
  text += "$1 late\n";
  CompileOptions one, four;
  one.threads = 1;
  four.threads = 4;
  Compiled a(image::kIp4Set, text, one), b(image::kIp4Set, text, four);
  EXPECT_EQ(a.sink.messages, b.sink.messages);
  EXPECT_EQ(a.sink.messages.size(), 7u);
  EXPECT_EQ(a.model->counts, b.model->counts);
  ASSERT_EQ(a.model->map4.size(), b.model->map4.size());
  for (size_t i = 0; i < a.model->map4.size(); ++i) {
    ASSERT_EQ(a.model->map4[i].start, b.model->map4[i].start);
    ASSERT_EQ(a.model->map4[i].result, b.model->map4[i].result);
  }
  ASSERT_EQ(a.model->provenance4.size(), b.model->provenance4.size());
  for (size_t i = 0; i < a.model->provenance4.size(); i += 97) {
    ASSERT_EQ(a.model->provenance4[i].line, b.model->provenance4[i].line);
    ASSERT_EQ(a.model->provenance4[i].first, b.model->provenance4[i].first);
  }
  EXPECT_EQ(a.Ip4("5.0.6.7"), "127.0.0.6 \"six late\"");
}

}  // namespace
}  // namespace mz::compiler
