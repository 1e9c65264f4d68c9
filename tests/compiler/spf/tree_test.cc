// The tree of includes, and its counts.
#include "compiler/spf/tree.h"

#include "gtest/gtest.h"
#include "tests/compiler/spf/map_source.h"

namespace mz::compiler::spf {
namespace {

std::vector<TreeLine> TreeOf(MapSource* source, const std::string& domain, size_t limit = 10'000, Limits limits = {}) {
  const std::string wire = MapSource::Wire(domain);
  return Tree(source, {wire, wire}, limits, limit);
}

TEST(TreeTest, CountsWithEverythingBelow) {
  MapSource s;
  s.AddTxt("a.example", {"v=spf1 mx include:p.example ip4:192.0.2.0/24 include:q.example exists:%{i}.e.example -all ptr"});
  s.AddMx("a.example", 10, "m.example");
  s.AddA("m.example", "192.0.2.1");
  s.AddAaaa("m.example", "2001:db8::1");
  s.AddTxt("p.example", {"v=spf1 ip4:198.51.100.1 ip6:2001:db8::/32 include:q.example ~all"});
  s.AddTxt("q.example", {"v=spf1 a:none.example ip4:203.0.113.0/24 -all"});
  const std::vector<TreeLine> t = TreeOf(&s, "a.example");
  ASSERT_EQ(t.size(), 7u);
  EXPECT_EQ(t[0].lookups, 4u);  // mx, two includes, exists; ptr stands behind all
  EXPECT_EQ(t[0].total_lookups, 4u + 1 + 1 + 1);  // p: q; q twice: a
  EXPECT_EQ(t[0].total_prefixes4, 1u + 1 + 1 + 1);
  EXPECT_EQ(t[0].total_prefixes6, 1u + 1);
  EXPECT_EQ(t[1].via, "mx");
  EXPECT_EQ(t[1].kind, TreeLine::kLookup);
  EXPECT_EQ(t[1].prefixes4, 1u);
  EXPECT_EQ(t[2].via, "include:p.example");
  EXPECT_EQ(t[3].via, "include:q.example");
  EXPECT_EQ(t[3].depth, 2);
  EXPECT_EQ(t[4].problem, "no address: never matches");
  EXPECT_EQ(t[5].via, "include:q.example");
  EXPECT_TRUE(t[5].repeated);
  EXPECT_EQ(t[5].total_lookups, 1u);
  EXPECT_EQ(t[6].kind, TreeLine::kReceiver);
}

TEST(TreeTest, ProblemsAndLoops) {
  MapSource s;
  s.AddTxt("a.example", {"v=spf1 include:nx.example include:two.example include:b.example redirect=f.example"});
  s.AddTxt("two.example", {"v=spf1 -all"});
  s.AddTxt("two.example", {"v=spf1 ?all"});
  s.AddTxt("b.example", {"v=spf1 include:a.example -all"});
  s.Fail("f.example");
  const std::vector<TreeLine> t = TreeOf(&s, "a.example");
  ASSERT_EQ(t.size(), 6u);
  EXPECT_EQ(t[1].problem, "the name does not exist");
  EXPECT_EQ(t[2].problem, "permerror: 2 SPF records");
  EXPECT_EQ(t[4].problem, "permerror: leads back to itself");
  EXPECT_EQ(t[5].via, "redirect=f.example");
  EXPECT_EQ(t[5].problem, "temperror: TXT lookup failed: timeout");
}

TEST(TreeTest, FamilyMacroLeadsToTwoRecordsOfWhichAClientMeetsOne) {
  MapSource s;
  s.AddTxt("a.example", {"v=spf1 include:%{v}.example -all"});
  s.AddTxt("in-addr.example", {"v=spf1 a:h.example -all"});
  s.AddTxt("ip6.example", {"v=spf1 ip6:2001:db8::/32 -all"});
  const std::vector<TreeLine> t = TreeOf(&s, "a.example");
  ASSERT_EQ(t.size(), 4u);
  EXPECT_EQ(t[0].total_lookups, 2u);
  EXPECT_EQ(t[0].total_prefixes6, 1u);
}

TEST(TreeTest, BoundedWhateverTheRecordsSay) {
  MapSource s;
  for (int i = 0; i < 40; i++) {  // each level doubles the lookups
    const std::string next = "include:n" + std::to_string(i + 1) + ".example";
    s.AddTxt("n" + std::to_string(i) + ".example", {"v=spf1 " + next + " " + next + " -all"});
  }
  const std::vector<TreeLine> t = TreeOf(&s, "n0.example");
  EXPECT_EQ(t[0].total_lookups, 1'000'000'000u);
  EXPECT_EQ(TreeOf(&s, "n0.example", 5).size(), 5u);
  EXPECT_EQ(TreeOf(&s, "n0.example", 10'000, {.depth = 3}).size(), 7u);
}

}  // namespace
}  // namespace mz::compiler::spf
