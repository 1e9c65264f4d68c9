// What each kind of dataset makes of its lines.
#include <gtest/gtest.h>

#include "tests/compiler/dataset/probe.h"

namespace mz::compiler {
namespace {

using test::Compiled;
using Messages = std::vector<std::string>;

TEST(Ip4TsetTest, OneValueForAllAddresses) {
  Compiled c(image::kIp4Tset, "1.0.0.1 :9:ignored\n:x\n:5:five\n:6:six\n1.0.0.2\n1.0.0.1\n1.0.0.0/24\n!1.0.0.3\n");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "127.0.0.5 \"five\"");
  EXPECT_EQ(c.Ip4("1.0.0.2"), "127.0.0.5 \"five\"");
  EXPECT_EQ(c.Ip4("1.0.0.3"), "-");
  EXPECT_EQ(c.model->counts, "cnt=2");
  EXPECT_EQ(c.sink.messages, (Messages{"2: invalid A RR", "7: invalid address", "8: invalid address"}));
}

TEST(Ip4TrieTest, LongestPrefixAndFirstOfEqualOnes) {
  Compiled c(image::kIp4Trie,
             ":2:d $\n0/0 all\n1.0.0.0/8 eight\n1.2/16 sixteen\n1.2.3 tf\n1.2.3.4 host\n!1.2.3.128/25\n1.2.3.200 re\n"
             "1.2.3.0/24 dup\n5\n6-7\n1.0.0.1/8 bad\n9.0.0.0/9\n11.0.0.0/12:7:glued\n");
  EXPECT_EQ(c.Ip4("200.0.0.1"), "127.0.0.2 \"all\"");
  EXPECT_EQ(c.Ip4("1.2.3.4"), "127.0.0.2 \"host\"");
  EXPECT_EQ(c.Ip4("1.2.3.5"), "127.0.0.2 \"tf\"");
  EXPECT_EQ(c.Ip4("1.2.3.129"), "-");
  EXPECT_EQ(c.Ip4("1.2.3.200"), "127.0.0.2 \"re\"");
  EXPECT_EQ(c.Ip4("1.2.4.1"), "127.0.0.2 \"sixteen\"");
  EXPECT_EQ(c.Ip4("9.0.0.1"), "127.0.0.2 \"d <>\"");
  EXPECT_EQ(c.Ip4("11.1.1.1"), "127.0.0.7 \"glued\"");
  EXPECT_EQ(c.sink.messages, (Messages{"9: duplicated entry for 1.2.3.0/24", "10: invalid address", "11: invalid address",
                                       "12: invalid range (non-zero host part)"}));
  EXPECT_EQ(c.model->counts.substr(0, 7), "ents=9 ");
}

TEST(Ip4TrieTest, FirstStaysAlsoBetweenValueAndExclusion) {
  Compiled c(image::kIp4Trie, "!1.0.0.1\n1.0.0.1 later\n1.0.0.2 first\n!1.0.0.2\n");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "-");
  EXPECT_EQ(c.Ip4("1.0.0.2"), "127.0.0.2 \"first\"");
  EXPECT_EQ(c.sink.messages.size(), 2u);
}

TEST(Ip6TrieTest, LongestPrefixWithGluedValues) {
  Compiled c(image::kIp6Trie, "::/0 all\n2001:db8 net\n!2001:db8:1::/48\n2001:db8:1::1 host\n1::2::3\n:9\n7:8\n7:8/32\n");
  EXPECT_EQ(c.Ip6("9::"), "127.0.0.2 \"all\"");
  EXPECT_EQ(c.Ip6("2001:db8::1"), "127.0.0.2 \"net\"");
  EXPECT_EQ(c.Ip6("2001:db8:1::2"), "-");
  EXPECT_EQ(c.Ip6("2001:db8:1::1"), "127.0.0.2 \"host\"");
  EXPECT_EQ(c.Ip6("1::2"), "127.0.0.3");
  EXPECT_EQ(c.Ip6("7:8::1"), "127.0.0.9");
  EXPECT_EQ(c.Ip6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "127.0.0.2 \"all\"");
  EXPECT_EQ(c.sink.messages, (Messages{"8: duplicated entry for 7:8::/32"}));
}

TEST(Ip6TsetTest, NetworksAndExcludedAddresses) {
  Compiled c(image::kIp6Tset, "1:2:3:4 rest\n!1:2:3:4::1\n!9::9\n1:2:3\n!1:2:3:4\n1:2:3:4/64\n:5:five\nffff:ffff:ffff:ffff\n");
  EXPECT_EQ(c.Ip6("1:2:3:4::2"), "127.0.0.5 \"five\"");
  EXPECT_EQ(c.Ip6("1:2:3:4::1"), "-");
  EXPECT_EQ(c.Ip6("9::9"), "-");
  EXPECT_EQ(c.Ip6("1:2:3:5::"), "-");
  EXPECT_EQ(c.Ip6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "127.0.0.5 \"five\"");
  EXPECT_EQ(c.model->counts, "cnt=2 exl=2");
  EXPECT_EQ(c.sink.messages, (Messages{"4: invalid address for regular entry (should be 64 bits)",
                                       "5: invalid address for exclusion (should be 128 bits)", "6: invalid address"}));
}

TEST(DnsetTest, ExactThenLongestWildcard) {
  Compiled c(image::kDnset,
             "a.com exact\n.both.com both $\n*.b.both.com deep\n!not.both.com\n!*.x.both.com\nOne.X.both.com back\n*.\n.\n");
  EXPECT_EQ(c.Name("a.com"), "127.0.0.2 \"exact\"");
  EXPECT_EQ(c.Name("z.a.com"), "-");
  EXPECT_EQ(c.Name("both.com"), "127.0.0.2 \"both <>\"");
  EXPECT_EQ(c.Name("q.w.both.com"), "127.0.0.2 \"both <>\"");
  EXPECT_EQ(c.Name("b.both.com"), "127.0.0.2 \"both <>\"");
  EXPECT_EQ(c.Name("c.b.both.com"), "127.0.0.2 \"deep\"");
  EXPECT_EQ(c.Name("not.both.com"), "-");
  EXPECT_EQ(c.Name("z.not.both.com"), "127.0.0.2 \"both <>\"");
  EXPECT_EQ(c.Name("y.x.both.com"), "-");
  EXPECT_EQ(c.Name("one.x.both.com"), "127.0.0.2 \"back\"");
  EXPECT_EQ(c.sink.messages, (Messages{"7: invalid domain name", "8: invalid domain name"}));
}

TEST(DnsetTest, SeveralValuesAndExclusionsPerKeyAndKind) {
  Compiled c(image::kDnset, "a.com x\n.a.com y\na.com x\nb.com x\n!b.com\nb.com y\n!.c.com\n.c.com z\n");
  EXPECT_EQ(c.Name("a.com"), "127.0.0.2 \"x\" 127.0.0.2 \"y\"");
  EXPECT_EQ(c.Name("z.a.com"), "127.0.0.2 \"y\"");
  EXPECT_EQ(c.Name("b.com"), "-");
  EXPECT_EQ(c.Name("c.com"), "-");
  EXPECT_EQ(c.Name("z.c.com"), "-");
  EXPECT_EQ(c.model->counts, "e/w=5/2") << "x, y and x again are three in rbldnsd's count";
}

TEST(DnsetTest, ManyNames) {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += "h" + std::to_string(i) + ".example.com\n";
  Compiled c(image::kDnset, text + text);
  EXPECT_EQ(c.model->dnset.size(), 50000u);
  EXPECT_EQ(c.model->counts, "e/w=50000/0");
}

TEST(GenericTest, KeepsRecordsByTypeWithTheTtlOfTheirLine) {
  Compiled c(image::kGeneric,
             "www A 1.1.1.1\n$TTL 60\nwww TXT x\n@ 7 MX 10 m.x\nwww 5 A 1.1.1.2\nwww A 1.1.1.1\nWWW 0 A 1.1.1.3\n");
  EXPECT_EQ(c.Name("www"), "A/60/01010101 A/5/01010102 A/60/01010103 TXT/60/0178");
  EXPECT_EQ(c.Name("@"), "MX/7/000a016d017800");
  EXPECT_EQ(c.model->counts, "e=6");
  EXPECT_EQ(c.model->generic[0].records[0].line, 1u);
}

TEST(GenericTest, SomeBadLinesAreFatalAndSaySo) {
  for (const char* line : {"www 12x A 1.2.3.4", "m MX 10 a.b extra", "m MX 10"}) {
    Compiled c(image::kGeneric, std::string("ok A 1.1.1.1\n") + line + "\nok2 A 1.1.1.1\n");
    EXPECT_FALSE(c.ok()) << line;
    ASSERT_EQ(c.sink.diagnostics.size(), 1u) << line;
    EXPECT_EQ(c.sink.diagnostics[0].severity, dataset::Severity::kError);
    EXPECT_EQ(c.sink.diagnostics[0].line, 2u);
  }
  Compiled c(image::kGeneric, "a AAAA ::1\nb A 1.1.1.1\n");
  EXPECT_TRUE(c.ok());
  EXPECT_EQ(c.sink.messages, (Messages{"1: invalid/unrecognized entry"}));
}

TEST(AclTest, ActionsValuesAndDefaults) {
  Compiled c(image::kAcl,
             "127.0.1.1 :refuse\n127.0.1.2 =empty\n127.0.1.3 :blackhole\n127.0.1.5 :5:you are $\n127.0.1.6\n127.0.1.7 refuse\n"
             "127.0.1.8 :EMPTY # c\n127.0.1.9:7\n127.0.1.10 =bogus\n127.0.1.11 :bogus\n127.0.1.12 :pass:x\n"
             "127.0.2.0/24 :refuse\n127.0.2.5 :pass\n2001:db8::/32 :ref\n");
  EXPECT_EQ(c.Ip4("127.0.1.1"), "refuse");
  EXPECT_EQ(c.Ip4("127.0.1.2"), "empty");
  EXPECT_EQ(c.Ip4("127.0.1.3"), "ignore");
  EXPECT_EQ(c.Ip4("127.0.1.5"), "127.0.0.5 \"you are <>\"");
  EXPECT_EQ(c.Ip4("127.0.1.6"), "ignore");
  EXPECT_EQ(c.Ip4("127.0.1.7"), "127.0.0.2 \"refuse\"");
  EXPECT_EQ(c.Ip4("127.0.1.8"), "empty");
  EXPECT_EQ(c.Ip4("127.0.1.9"), "127.0.0.7");
  EXPECT_EQ(c.Ip4("127.0.1.10"), "-");
  EXPECT_EQ(c.Ip4("127.0.1.12"), "pass");
  EXPECT_EQ(c.Ip4("127.0.2.4"), "refuse");
  EXPECT_EQ(c.Ip4("127.0.2.5"), "pass");
  EXPECT_EQ(c.Ip6("2001:db8::1"), "refuse");
  EXPECT_EQ(c.sink.messages, (Messages{"9: invalid keyword", "10: invalid A RR"}));
  EXPECT_EQ(c.model->counts, "loaded");
  ASSERT_EQ(c.model->extra_load_lines.size(), 2u);
  EXPECT_EQ(c.model->extra_load_lines[1].substr(0, 27), "acl:data: ip6 trie: ents=1 ");
}

TEST(AclTest, KeywordDefaultLeavesTheBuiltInValue) {
  Compiled c(image::kAcl, ":refuse\n1.0.0.1\n1.0.0.2 some text\n1.0.0.3 :5\n:6:six\n1.0.0.4\n1.0.0.5 text\n=pass\n1.0.0.6\n");
  EXPECT_EQ(c.Ip4("1.0.0.1"), "refuse");
  EXPECT_EQ(c.Ip4("1.0.0.2"), "127.0.0.2 \"some text\"");
  EXPECT_EQ(c.Ip4("1.0.0.3"), "127.0.0.5");
  EXPECT_EQ(c.Ip4("1.0.0.4"), "127.0.0.6 \"six\"");
  EXPECT_EQ(c.Ip4("1.0.0.5"), "127.0.0.6 \"text\"");
  EXPECT_EQ(c.Ip4("1.0.0.6"), "pass");
}

TEST(AclTest, ReportsLikeATrieAndHasNoSoa) {
  Compiled c(image::kAcl,
             "127.0.1 :refuse\n127.0.3.1/24 :refuse\n!127.0.4.1 :refuse\n127.0.5.1-9 :refuse\n127.0.6.1 :refuse\n"
             "127.0.6.1 :empty\n10 :refuse\n$SOA 1 a b 1 1 1 1 1\n$NS 1 a\n");
  EXPECT_EQ(c.sink.messages,
            (Messages{"2: invalid range (non-zero host part)", "3: invalid address", "4: invalid address",
                      "6: duplicated entry for 127.0.6.1/32", "7: invalid address",
                      "8: invalid or unrecognized special entry", "9: invalid or unrecognized special entry"}));
}

TEST(CombinedTest, SectionsInheritButDoNotLeakBack) {
  Compiled c(image::kCombined,
             "$TTL 100\n$1 common\n$DATASET ip4set:nm @ a\n$TTL 50\n$SOA 0 n.t p.t 1 2 3 4 5\n$1 own\n$2 two\n:5:$1 $2\n1.0.0.1\n"
             "$DATASET ip4set b A\n1.0.0.1 $1 $2\n$NS 0 q.w\n");
  ASSERT_TRUE(c.ok());
  ASSERT_EQ(c.model->parts.size(), 2u);
  EXPECT_EQ(test::AskIp4(c.part(0), c.pool, "1.0.0.1"), "127.0.0.5 \"common two\"");
  EXPECT_EQ(test::AskIp4(c.part(1), c.pool, "1.0.0.1"), "127.0.0.2 \"common $2\"");
  EXPECT_EQ(c.part(0).ttl, 50u);
  EXPECT_EQ(c.part(1).ttl, 100u);
  EXPECT_EQ(c.model->soa->ttl, 100u) << "TTL 0 of $SOA is the default outside of sections";
  EXPECT_EQ(c.model->ns->ttl, 100u);
  ASSERT_EQ(c.model->subzones.size(), 3u);
  EXPECT_EQ(c.model->names.Get(c.model->subzones[0].name), "");
  EXPECT_EQ(c.model->subzones[1].parts, (std::vector<uint32_t>{0, 1})) << "subzone a";
  EXPECT_EQ(c.model->counts, "subzones=3 datasets=2");
  EXPECT_EQ(c.model->extra_load_lines[0], "combined:data:ip4set:nm: e32/24/16/8=1/0/0/0");
  EXPECT_EQ(c.sink.sections, (Messages{"combined:data:ip4set:nm", "combined:data:ip4set"}));
}

TEST(CombinedTest, MaxRangeReachesLaterSections) {
  Compiled c(image::kCombined, "$DATASET ip4set a\n$MAXRANGE4 256\n1.0.0.0/16\n$DATASET ip4trie b\n2.0.0.0/16\n2.0.0.0/24\n");
  EXPECT_EQ(c.sink.messages,
            (Messages{"3: too large range (65536) ignored (256 max)", "5: too large range (65536) ignored (256 max)"}));
}

TEST(CombinedTest, StructureErrorsAreFatal) {
  const std::pair<const char*, const char*> kCases[] = {
      {"1.0.0.1\n", "1: invalid/unrecognized entry - specify $DATASET line"},
      {"$DATASET foo @\n", "1: unknown dataset type `foo'"},
      {"$DATASET combined @\n", "1: dataset type `combined' cannot be used inside `combined'"},
      {"$DATASET acl @\n", "1: dataset type `acl' cannot be used inside `combined'"}};
  for (const auto& [text, message] : kCases) {
    Compiled c(image::kCombined, text);
    EXPECT_FALSE(c.ok());
    EXPECT_EQ(c.sink.messages, (Messages{message}));
    EXPECT_EQ(Message(c.status), "file data(1)" + std::string(message).substr(1));
  }
}

TEST(CombinedTest, SectionsWithoutUsableSubzonesAreLoadedAndUnused) {
  Compiled c(image::kCombined, "$DATASET ip4set\n1.0.0.1\n$DATASET ip4set " + std::string(64, 'x') + "\n1.0.0.1\n$DATASET\n");
  EXPECT_EQ(c.sink.messages, (Messages{"1: no subzone(s) specified for dataset, data will be ignored",
                                       "3: invalid domain name `" + std::string(60, 'x') + "'",
                                       "5: invalid or unrecognized special entry"}));
  EXPECT_EQ(c.model->counts, "subzones=0 datasets=2");
}

}  // namespace
}  // namespace mz::compiler
