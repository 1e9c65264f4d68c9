// Name datasets: dnset, generic, combined, and zones inside zones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.h"
#include "format/dns/name.h"

namespace mz::answer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class NamesTest : public ::testing::Test {
 protected:
  // First TXT of the answer, or the RCODE.
  std::string Text(const std::string& name) {
    Reply r = image_.Ask(name, "TXT");
    if (r.message.answer.empty()) return r.rcode();
    return r.message.answer[0].rdata.substr(1);
  }
  TestImage image_;
};

TEST_F(NamesTest, DnsetExactEntryComesBeforeTheLongestWildcard) {
  const auto d = image_.AddDataset(image::kDnset);
  image_.ListName(d, "both.com", image_.Result({{"127.0.0.2", "exact $"}}));
  image_.ListName(d, "*.both.com", image_.Result({{"127.0.0.3", "wild $"}}));
  image_.ListName(d, "*.a.both.com", image_.Result({{"127.0.0.4", "longer $"}}));
  image_.ListName(d, "x.a.both.com", 0);
  image_.ListName(d, "*.b.both.com", 0);
  image_.ListName(d, "org", image_.Result({{"127.0.0.5", "tld $"}}));
  image_.AddZone("dn.test", {d}, image::kZoneEntNxdomain);
  image_.Build();
  EXPECT_EQ(Text("both.com.dn.test"), "exact both.com");
  EXPECT_EQ(Text("q.both.com.dn.test"), "wild both.com");  // the listed name, not the asked one
  EXPECT_EQ(Text("Q.w.BOTH.com.dn.test"), "wild both.com");
  EXPECT_EQ(Text("a.both.com.dn.test"), "wild both.com");
  EXPECT_EQ(Text("q.a.both.com.dn.test"), "longer a.both.com");
  EXPECT_EQ(Text("x.a.both.com.dn.test"), "NXDOMAIN");             // an exact exclusion ...
  EXPECT_EQ(Text("y.x.a.both.com.dn.test"), "longer a.both.com");  // ... does not cover names below
  EXPECT_EQ(Text("b.both.com.dn.test"), "wild both.com");
  EXPECT_EQ(Text("q.b.both.com.dn.test"), "NXDOMAIN");  // a wildcard exclusion stops the search
  EXPECT_EQ(Text("com.dn.test"), "NXDOMAIN");
  EXPECT_EQ(Text("org.dn.test"), "tld org");
  EXPECT_EQ(Text("a.org.dn.test"), "NXDOMAIN");
  EXPECT_EQ(Text("dn.test"), "NOERROR");  // never the apex
}

TEST_F(NamesTest, DnsetSubjectIsInPresentationForm) {
  const auto d = image_.AddDataset(image::kDnset);
  image_.ListName(d, "*.a\\.b\\@c\\032d", image_.Result({{"127.0.0.2", "<$>"}}));
  image_.AddZone("dn.test", {d});
  image_.Build();
  EXPECT_EQ(Text("x.a\\.b\\@c\\032d.dn.test"), "<a\\.b\\@c\\032d>");
}

TEST_F(NamesTest, DnsetNamesWithManyLabels) {
  const auto d = image_.AddDataset(image::kDnset);
  std::string deep = "a";
  for (int i = 0; i < 40; i++) deep = "b." + deep;
  image_.ListName(d, deep, image_.Result({{"127.0.0.2", "deep"}}));
  image_.ListName(d, "*." + deep, image_.Result({{"127.0.0.2", "below deep"}}));
  image_.AddZone("dn.test", {d}, image::kZoneEntNxdomain);
  image_.Build();
  EXPECT_EQ(Text(deep + ".dn.test"), "deep");
  EXPECT_EQ(Text("c.c." + deep + ".dn.test"), "below deep");
  EXPECT_EQ(Text(deep.substr(2) + ".dn.test"), "NXDOMAIN");
}

std::string Mx(uint16_t preference, const char* name) {
  return std::string{static_cast<char>(preference >> 8), static_cast<char>(preference)} + Wire(name) + '\0';
}

TEST_F(NamesTest, GenericAnswersItsTypesAndNodataOtherwise) {
  const auto d = image_.AddDataset(image::kGeneric);
  image_.AddRecord(d, "www", dns::kTypeA, 60, {1, 2, 3, 4});
  image_.AddRecord(d, "www", dns::kTypeTxt, 70,
                   std::string("\3"
                               "a\"b",
                               4));
  image_.AddRecord(d, "www", dns::kTypeTxt, 70, std::string(1, '\0'));
  image_.AddRecord(d, "www", dns::kTypeMx, 80, Mx(10, "Mail.bl.test"));
  image_.AddRecord(d, "@", dns::kTypeA, 90, {9, 9, 9, 9});
  TestImage::AddSoa(image_.AddZone("bl.test", {d}));
  image_.Build();
  EXPECT_THAT(image_.Ask("www.bl.test", "A").answer(), ElementsAre("www.bl.test. 60 IN A 1.2.3.4"));
  EXPECT_THAT(image_.Ask("WWW.bl.test", "MX").answer(),
              ElementsAre("WWW.bl.test. 80 IN MX 10 Mail.bl.test."));
  EXPECT_THAT(image_.Ask("www.bl.test", "TXT").answer(),
              UnorderedElementsAre("www.bl.test. 70 IN TXT \"a\\\"b\"", "www.bl.test. 70 IN TXT \"\""));
  EXPECT_EQ(image_.Ask("www.bl.test", "ANY").answer().size(), 4u);
  EXPECT_EQ(image_.Ask("www.bl.test", "AAAA").rcode(), "NOERROR");
  EXPECT_THAT(image_.Ask("www.bl.test", "AAAA").authority(), ::testing::SizeIs(1));
  EXPECT_EQ(image_.Ask("x.www.bl.test", "A").rcode(), "NXDOMAIN");
  EXPECT_EQ(image_.Ask("ww.bl.test", "A").rcode(), "NXDOMAIN");
  EXPECT_THAT(image_.Ask("bl.test", "A").answer(), ElementsAre("bl.test. 90 IN A 9.9.9.9"));
}

TEST_F(NamesTest, GenericRecordsOfOneTypeRotate) {
  const auto d = image_.AddDataset(image::kGeneric);
  for (char c : {1, 2, 3}) image_.AddRecord(d, "a", dns::kTypeA, 60, {c, c, c, c});
  image_.AddRecord(d, "b", dns::kTypeA, 60, {7, 7, 7, 7});
  image_.AddZone("bl.test", {d});
  image_.Build();
  const std::string one = "a.bl.test. 60 IN A 1.1.1.1", two = "a.bl.test. 60 IN A 2.2.2.2",
                    three = "a.bl.test. 60 IN A 3.3.3.3";
  EXPECT_THAT(image_.Ask("a.bl.test", "A").answer(), ElementsAre(one, two, three));
  EXPECT_THAT(image_.Ask("b.bl.test", "A").answer(),
              ::testing::SizeIs(1));  // a single record does not advance
  EXPECT_THAT(image_.Ask("a.bl.test", "A").answer(), ElementsAre(two, three, one));
  EXPECT_THAT(image_.Ask("a.bl.test", "TXT").answer(), IsEmpty());  // nor does NODATA
  EXPECT_THAT(image_.Ask("a.bl.test", "A").answer(), ElementsAre(three, one, two));
  EXPECT_THAT(image_.Ask("a.bl.test", "A").answer(), ElementsAre(one, two, three));
}

TEST_F(NamesTest, GenericTtlsOfOneTypeAreLevelled) {
  const auto d = image_.AddDataset(image::kGeneric);
  image_.AddRecord(d, "a", dns::kTypeA, 100, {1, 1, 1, 1});
  image_.AddRecord(d, "a", dns::kTypeA, 50, {1, 1, 1, 2});
  image_.AddRecord(d, "a", dns::kTypeA, 200, {1, 1, 1, 3});
  image_.AddRecord(d, "a", dns::kTypeTxt, 10, {1, 'x'});
  image_.AddZone("bl.test", {d});
  image_.Build();
  for (const dns::Record& r : image_.Ask("a.bl.test", "ANY").message.answer)
    EXPECT_EQ(r.ttl, r.type == dns::kTypeA ? 50u : 10u);
}

TEST_F(NamesTest, CombinedAsksTheMostSpecificSubzoneOnly) {
  const auto c = image_.AddDataset(image::kCombined);
  image_.List(image_.AddPart(c, image::kIp4Set, {"@"}), "0.0.0.0/0", image_.Result({{"127.0.0.1", "base"}}));
  image_.List(image_.AddPart(c, image::kIp4Set, {"sub"}, 60), "1.0.0.0/8",
              image_.Result({{"127.0.0.2", "sub $"}}));
  image_.List(image_.AddPart(c, image::kIp4Set, {"d.sub", "other"}), "2.0.0.0/8",
              image_.Result({{"127.0.0.3", "d"}}));
  TestImage::AddSoa(image_.AddZone("c.test", {c}));
  image_.Build();
  EXPECT_EQ(Text("4.3.2.1.c.test"), "base");
  EXPECT_EQ(Text("4.3.2.1.sub.c.test"), "sub 1.2.3.4");
  EXPECT_EQ(image_.Ask("4.3.2.1.sub.c.test", "TXT").message.answer[0].ttl, 60u);
  EXPECT_EQ(Text("4.3.2.2.sub.c.test"), "NXDOMAIN");  // no fall-back to "@"
  EXPECT_EQ(Text("4.3.2.2.d.sub.c.test"), "d");
  EXPECT_EQ(Text("4.3.2.2.OTHER.c.test"), "d");
  EXPECT_EQ(Text("4.3.2.1.d.sub.c.test"), "NXDOMAIN");
  EXPECT_EQ(Text("4.3.2.1.none.c.test"), "NXDOMAIN");
  // The apex of a subzone exists but has no SOA or NS of its own.
  for (const char* type : {"A", "SOA", "NS", "ANY"}) {
    Reply r = image_.Ask("sub.c.test", type);
    EXPECT_EQ(r.rcode(), "NOERROR");
    EXPECT_THAT(r.answer(), IsEmpty());
    EXPECT_THAT(r.authority(), ::testing::SizeIs(1));
  }
}

TEST_F(NamesTest, CombinedWithoutBase) {
  const auto c = image_.AddDataset(image::kCombined);
  image_.List(image_.AddPart(c, image::kIp4Set, {"a.b.sub"}), "0.0.0.0/0",
              image_.Result({{"127.0.0.2", "x"}}));
  image_.AddZone("c.test", {c}, image::kZoneEntNxdomain);
  image_.Build();
  EXPECT_EQ(Text("1.1.1.1.a.b.sub.c.test"), "x");
  for (const char* name : {"1.1.1.1.c.test", "1.1.1.1.b.sub.c.test", "b.sub.c.test", "sub.c.test"})
    EXPECT_EQ(Text(name), "NXDOMAIN") << name;
  EXPECT_EQ(Text("a.b.sub.c.test"), "NOERROR");
}

TEST_F(NamesTest, CombinedSubzoneThatLooksLikeAnAddressWins) {
  const auto c = image_.AddDataset(image::kCombined);
  image_.List(image_.AddPart(c, image::kIp4Set, {"@"}), "0.0.0.0/0", image_.Result({{"127.0.0.1", "base"}}));
  image_.List(image_.AddPart(c, image::kIp4Set, {"sub"}), "0.0.0.0/0", image_.Result({{"127.0.0.1", "sub"}}));
  image_.AddRecord(image_.AddPart(c, image::kGeneric, {"1.sub"}), "4.3.2", dns::kTypeTxt, 60,
                   {4, 'g', 'e', 'n', 'e'});
  image_.AddRecord(image_.AddPart(c, image::kGeneric, {"4.3.2.9"}), "@", dns::kTypeTxt, 60,
                   {4, 'a', 'p', 'e', 'x'});
  image_.AddZone("c.test", {c});
  image_.Build();
  EXPECT_EQ(Text("4.3.2.1.sub.c.test"), "gene");
  EXPECT_EQ(Text("4.3.2.2.sub.c.test"), "sub");
  EXPECT_EQ(Text("4.3.2.9.c.test"), "apex");
  EXPECT_EQ(Text("4.3.2.8.c.test"), "base");
}

TEST_F(NamesTest, CombinedSubzonesOfEveryKindAndOtherDatasetsOfTheZone) {
  const auto c = image_.AddDataset(image::kCombined), g = image_.AddDataset(image::kGeneric);
  image_.ListName(image_.AddPart(c, image::kDnset, {"dn"}), "*.bad.com",
                  image_.Result({{"127.0.0.2", "dn $"}}));
  image_.List(image_.AddPart(c, image::kIp6Trie, {"six"}), "2001:db8::/32",
              image_.Result({{"127.0.0.2", "six $"}}));
  image_.AddRecord(image_.AddPart(c, image::kGeneric, {"dn", "six"}), "@", dns::kTypeTxt, 60, {1, 'g'});
  image_.AddRecord(g, "x.dn", dns::kTypeTxt, 60, {1, 'z'});
  image_.AddZone("c.test", {c, g});
  image_.Build();
  EXPECT_EQ(Text("www.bad.com.dn.c.test"), "dn bad.com");
  EXPECT_EQ(Text("dn.c.test"), "g");
  EXPECT_EQ(Text("six.c.test"), "g");
  EXPECT_EQ(Text("x.dn.c.test"), "z");
  EXPECT_EQ(Text("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.six.c.test"),
            "six 2001:db8::1");
}

TEST_F(NamesTest, CombinedMappedNamesDependOnTheSubzone) {
  const auto c = image_.AddDataset(image::kCombined);
  image_.List(image_.AddPart(c, image::kIp6Trie, {"six"}), "::/0", image_.Result({{"127.0.0.2", "six $"}}));
  image_.List(image_.AddPart(c, image::kIp4Set, {"four"}), "1.2.3.4",
              image_.Result({{"127.0.0.2", "four $"}}));
  image_.AddZone("c.test", {c});
  image_.Build();
  const std::string mapped = "4.0.3.0.2.0.1.0.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.";
  EXPECT_EQ(Text(mapped + "four.c.test"), "four 1.2.3.4");
  EXPECT_EQ(Text(mapped + "six.c.test"), "six ::ffff:102:304");
}

TEST_F(NamesTest, TheMostSpecificZoneAnswersAlone) {
  const auto d = image_.AddDataset(image::kIp4Set), e = image_.AddDataset(image::kIp4Set),
             c = image_.AddDataset(image::kCombined);
  image_.List(d, "0.0.0.0/0", image_.Result({{"127.0.0.2", "inner"}}));
  image_.List(e, "1.0.0.0/8", image_.Result({{"127.0.0.3", "outer"}}));
  image_.List(image_.AddPart(c, image::kIp4Set, {"in"}), "0.0.0.0/0",
              image_.Result({{"127.0.0.4", "hidden"}}));
  image_.AddZone("in.test", {d});
  image_.AddZone("test", {e, c});
  image_.Build();
  EXPECT_EQ(Text("1.1.1.1.in.test"), "inner");
  EXPECT_EQ(Text("1.1.1.1.test"), "outer");
  EXPECT_EQ(Text("1.1.1.2.test"), "NXDOMAIN");
  EXPECT_EQ(image_.Ask("1.1.1.1.in.test", "A").outcome.zone, 0);
  EXPECT_EQ(image_.Ask("1.1.1.1.test", "A").outcome.zone, 1);
  EXPECT_EQ(image_.Ask("1.1.1.1.in.tes", "A").rcode(), "REFUSED");
}

TEST_F(NamesTest, ThousandsOfZonesAreAllFound) {
  const auto d = image_.AddDataset(image::kIp4Set);
  image_.List(d, "1.2.3.4", image_.Result({{"127.0.0.2", "$"}}));
  for (int i = 0; i < 3000; i++)
    image_.AddZone("z" + std::to_string(i) + (i % 2 ? ".example" : ".b.example"), {d});
  image_.Build();
  for (int i = 0; i < 3000; i += 7) {
    const std::string apex = "z" + std::to_string(i) + (i % 2 ? ".example" : ".b.example");
    EXPECT_EQ(Text("4.3.2.1." + apex), "1.2.3.4") << apex;
    EXPECT_EQ(image_.Ask("4.3.2.1." + apex, "A").outcome.zone, i);
  }
  EXPECT_EQ(Text("4.3.2.1.z1.b.example"), "REFUSED");
}

TEST_F(NamesTest, LongestNameIsAnswered) {
  const auto d = image_.AddDataset(image::kDnset);
  image_.ListName(d, "*.example.com", image_.Result({{"127.0.0.2", "$"}}));
  image_.AddZone("bl.test", {d});
  image_.Build();
  const std::string a(63, 'a');
  const std::string name = a + "." + a + "." + a + "." + std::string(41, 'b') + ".example.com.bl.test";
  ASSERT_EQ(Wire(name).size() + 1, dns::kMaxNameBytes);  // RFC 1035 section 2.3.4
  EXPECT_EQ(Text(name), "example.com");
  std::string labels = "example.com.bl.test";
  while (Wire(labels).size() + 3 <= dns::kMaxNameBytes) labels = "a." + labels;
  EXPECT_EQ(Text(labels), "example.com");
  EXPECT_EQ(dns::CountLabels(Wire(labels)), 121);
}

}  // namespace
}  // namespace mz::answer
