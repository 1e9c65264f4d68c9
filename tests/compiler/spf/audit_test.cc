// A published record as a receiver with limits sees it.
#include "compiler/spf/audit.h"

#include "compiler/spf/reserved_space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/compiler/spf/map_source.h"

namespace mz::compiler::spf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AuditTest : public testing::Test {
 protected:
  Audit Of(const std::string& record, AuditOptions options = {}) {
    source_.AddTxt("a.example", {record});
    evaluator_ = std::make_unique<Evaluator>(&source_, Options{});
    return AuditRecord(evaluator_.get(), &source_, {MapSource::Wire("a.example"), MapSource::Wire("a.example")}, options);
  }
  // "E8 message": severity and column.
  static std::vector<std::string> Said(const Audit& a) {
    std::vector<std::string> out;
    for (const Finding& f : a.findings)
      out.push_back((f.diagnostic.severity == dataset::Severity::kError ? "E" : "W") +
                    std::to_string(f.diagnostic.column) + " " + f.diagnostic.message);
    return out;
  }
  void Chain(const std::string& name, int includes) {
    std::string record = "v=spf1";
    for (int i = 0; i < includes; i++) {
      const std::string leaf = name + std::to_string(i) + ".leaf.example";
      record += " include:" + leaf;
      source_.AddTxt(leaf, {"v=spf1 ip4:" + std::to_string(name[0] - 90) + ".51." + std::to_string(i) + ".1 -all"});
    }
    source_.AddTxt(name + ".example", {record + " -all"});
  }

  MapSource source_;
  std::unique_ptr<Evaluator> evaluator_;
};

TEST_F(AuditTest, GoodRecord) {
  const Audit a = Of("v=spf1 ip4:5.6.7.0/24 -all");
  EXPECT_EQ(a.verdict, Audit::kGood);
  EXPECT_THAT(Said(a), IsEmpty());
  EXPECT_EQ(a.count.lookups, 0u);
  EXPECT_EQ(a.pass4, 256);
  EXPECT_EQ(a.record_octets, 26u);
  EXPECT_EQ(a.txt_strings, 1u);
  // Header 12, question a.example 11 + 4, record 12 and a string of 1 + 26.
  EXPECT_EQ(a.answer_octets, 12u + 15 + 12 + 27);
}

TEST_F(AuditTest, TenLookupsAreAllowedAndElevenAreNot) {
  Chain("p", 4);
  Chain("q", 3);
  source_.AddA("h.example", "5.6.7.8");
  source_.AddAaaa("h.example", "2a00::1");
  Audit a = Of("v=spf1 include:p.example include:q.example a:h.example -all");
  EXPECT_EQ(a.count.lookups, 10u);
  EXPECT_EQ(a.verdict, Audit::kGood);
  EXPECT_THAT(Said(a), ElementsAre(HasSubstr("W0 10 lookups of 10")));
}

TEST_F(AuditTest, PlaceOfTheEleventhLookup) {
  Chain("p", 4);
  Chain("q", 6);
  const Audit a = Of("v=spf1 include:p.example include:q.example -all");
  EXPECT_EQ(a.count.lookups, 12u);
  EXPECT_EQ(a.verdict, Audit::kSometimes);
  ASSERT_TRUE(a.count.over);
  EXPECT_EQ(a.count.over->term, "include:q4.leaf.example");
  EXPECT_EQ(a.count.over->owner, "q.example");
  EXPECT_THAT(Said(a), ElementsAre(HasSubstr("E26 12 lookups, more than 10: permerror for clients that nothing before "
                                             "include:q4.leaf.example (in q.example) matches")));
}

TEST_F(AuditTest, TermsBehindAllCostNothing) {
  const Audit a = Of("v=spf1 ip4:5.6.7.8 -all mx a ptr include:nx.example");
  EXPECT_EQ(a.count.lookups, 0u);
  EXPECT_EQ(a.verdict, Audit::kGood);
  EXPECT_THAT(Said(a), ElementsAre(HasSubstr("W25 never reached"), HasSubstr("W28 "), HasSubstr("W30 "), HasSubstr("W34 ")));
}

TEST_F(AuditTest, VoidLookupsAreCountedByTermAndFamily) {
  source_.AddA("v4.example", "5.6.7.8");
  source_.AddMx("m.example", 10, "v4.example");
  Audit a = Of("v=spf1 a:v4.example mx:m.example a:nx.example -all");
  EXPECT_EQ(a.count.void4.size(), 1u);
  EXPECT_EQ(a.count.void6.size(), 3u);
  EXPECT_EQ(a.verdict, Audit::kSometimes);
  EXPECT_THAT(Said(a)[0], HasSubstr("W21 everything it matches"));  // the exchange is the host before it
  EXPECT_THAT(Said(a), testing::Contains(HasSubstr("E34 3 void lookups for IPv6 clients, more than 2")));
}

TEST_F(AuditTest, MissesOfDynamicExistsAreVoid) {
  const Audit a = Of("v=spf1 exists:%{i}.a.example exists:%{l}.b.example exists:%{i}.c.example -all");
  EXPECT_EQ(a.count.by_receiver, 3u);
  EXPECT_EQ(a.verdict, Audit::kGood);
  EXPECT_THAT(Said(a), ElementsAre(HasSubstr("W0 3 exists with names")));
}

TEST_F(AuditTest, MoreThanTenExchanges) {
  for (int i = 0; i < 11; i++) {
    const std::string host = "m" + std::to_string(i) + ".example";
    source_.AddMx("a.example", 10, host);
    source_.AddA(host, "5.6.7." + std::to_string(i));
    source_.AddAaaa(host, "2a00::" + std::to_string(i));
  }
  const Audit a = Of("v=spf1 mx -all");
  EXPECT_EQ(a.verdict, Audit::kSometimes);
  EXPECT_THAT(Said(a), ElementsAre(HasSubstr("E8 mx has 11 exchanges, more than 10")));
}

TEST_F(AuditTest, SyntaxErrorsAllOfThem) {
  const Audit a = Of("v=spf1 ip4:300.1.1.1 inclde:x.example -all");
  EXPECT_EQ(a.verdict, Audit::kAlways);
  EXPECT_EQ(a.reason, "2 syntax errors");
  EXPECT_EQ(a.findings.size(), 2u);
  EXPECT_EQ(a.findings[1].diagnostic.column, 22u);
  EXPECT_EQ(a.findings[1].diagnostic.source_line, a.text);
}

TEST_F(AuditTest, NoRecordOrNoAnswer) {
  Audit a = Of("not spf");
  EXPECT_EQ(a.verdict, Audit::kNoRecord);
  source_.AddTxt("a.example", {"v=spf1 -all"});
  a = Of("v=spf1 ?all");
  EXPECT_EQ(a.verdict, Audit::kAlways);
  EXPECT_EQ(a.reason, "2 SPF records");
  source_.Fail("a.example");
  EXPECT_EQ(Of("v=spf1 ~all").verdict, Audit::kTemporary);
}

TEST_F(AuditTest, BrokenIncludes) {
  Audit a = Of("v=spf1 ip4:5.6.7.8 include:nx.example -all");
  EXPECT_EQ(a.verdict, Audit::kSometimes);
  EXPECT_EQ(a.reason, "a record that it leads to is missing or broken");
  EXPECT_FALSE(a.transient);
  EXPECT_THAT(Said(a), testing::Contains(HasSubstr("E20 include:nx.example: the name does not exist")));
}

TEST_F(AuditTest, FailingIncludesAreTemporary) {
  source_.Fail("f.example");
  const Audit a = Of("v=spf1 include:f.example -all");
  EXPECT_EQ(a.verdict, Audit::kSometimes);
  EXPECT_TRUE(a.transient);
}

TEST_F(AuditTest, RedundantAndRepeatedTerms) {
  source_.AddTxt("p.example", {"v=spf1 ip4:5.6.0.0/16 include:q.example -all"});
  source_.AddTxt("q.example", {"v=spf1 ip4:7.0.0.0/24 -all"});
  const Audit a = Of("v=spf1 include:p.example ip4:5.6.7.8 ip4:9.9.9.9 include:q.example -all");
  EXPECT_THAT(Said(a), ElementsAre(HasSubstr("W0 q.example is read 2 times, 1 lookup each time"),
                                   HasSubstr("W26 everything it matches"), HasSubstr("W50 everything it matches")));
}

TEST_F(AuditTest, WhatDependsOnTheMessageIsNeverCalledRedundant) {
  source_.AddTxt("p.example", {"v=spf1 exists:%{l}.x.example ip4:5.6.7.8 -all"});
  const Audit a = Of("v=spf1 ip4:5.6.7.8 include:p.example -all");
  EXPECT_THAT(Said(a), IsEmpty());
}

TEST_F(AuditTest, EverybodyPasses) {
  source_.AddTxt("p.example", {"v=spf1 +all"});
  const Audit a = Of("v=spf1 include:p.example -all");
  EXPECT_THAT(Said(a), testing::Contains(HasSubstr("E8 matches every address")));
  EXPECT_EQ(a.pass4, 4294967296.0);
}

TEST_F(AuditTest, OddAddressSpace) {
  const Audit a = Of("v=spf1 ip4:10.1.2.0/24 ip4:8.0.0.0/7 ip6:fd00::1 ip6:2a00::/12 -all");
  EXPECT_THAT(Said(a), ElementsAre(HasSubstr("W8 address for private use (RFC 1918)"), HasSubstr("W24 a very large block"),
                                   HasSubstr("address for unique local"), HasSubstr("a very large block")));
}

TEST_F(AuditTest, SizesAndEnd) {
  std::string record = "v=spf1";
  for (int i = 0; i < 40; i++) record += " ip4:5.6.7." + std::to_string(100 + i);
  const Audit a = Of(record);
  EXPECT_EQ(a.txt_strings, 3u);
  EXPECT_THAT(Said(a), ElementsAre(HasSubstr("more than 512: it needs EDNS or TCP"), HasSubstr("no \"all\" and no redirect=")));
}

TEST_F(AuditTest, WithoutADomainTermsThatNeedItAreNotJudged) {
  const Audit a = Of("v=spf1 a mx include:%{d}.x.example -all", {.domain_known = false});
  EXPECT_EQ(a.count.lookups, 3u);
  EXPECT_TRUE(a.count.void4.empty());
  EXPECT_EQ(a.findings.size(), 3u) << testing::PrintToString(Said(a));
}

TEST_F(AuditTest, ExponentialIncludesAreGivenUp) {
  for (int i = 0; i < 40; i++) {
    const std::string next = "include:n" + std::to_string(i + 1) + ".example";
    source_.AddTxt("n" + std::to_string(i) + ".example", {"v=spf1 " + next + " " + next + " -all"});
  }
  const Audit a = Of("v=spf1 include:n0.example -all");
  EXPECT_TRUE(a.count.cut);
  EXPECT_EQ(a.verdict, Audit::kSometimes);
}

TEST(ReservedSpaceTest, WholeBlocksOnly) {
  EXPECT_EQ(ReservedSpace(*net::ParseIp4("192.168.7.1"), 32), "private use (RFC 1918)");
  EXPECT_EQ(ReservedSpace(*net::ParseIp4("192.168.0.0"), 15), "");
  EXPECT_EQ(ReservedSpace(*net::ParseIp4("192.169.0.0"), 16), "");
  EXPECT_EQ(ReservedSpace(*net::ParseIp6("2001:db8::"), 32), "documentation (RFC 3849)");
  EXPECT_EQ(ReservedSpace(*net::ParseIp6("2001:db9::"), 32), "");
  EXPECT_EQ(ReservedSpace(*net::ParseIp6("::"), 0), "");
}

}  // namespace
}  // namespace mz::compiler::spf
