// Empty non-terminals: NODATA exactly where something listed lies below (RFC 8020, RFC 4592 section 2.2.2),
// so that a resolver that walks down label by label (RFC 9156) arrives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "answer_fixture.h"

namespace mz::answer {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class EmptyNonTerminalTest : public ::testing::Test {
 protected:
  // "ENT": NOERROR, nothing in ANSWER, the SOA in AUTHORITY.
  std::string Kind(TestImage& image, const std::string& name) {
    Reply r = image.Ask(name, "A");
    if (r.rcode() == "NOERROR" && r.answer().empty()) {
      EXPECT_THAT(r.authority(), SizeIs(1)) << name;
      EXPECT_EQ(r.flags(), "qr aa");
      return "ENT";
    }
    return r.rcode();
  }
};

TEST_F(EmptyNonTerminalTest, PartialReversedIp4) {
  TestImage image;
  const auto d = image.AddDataset(image::kIp4Set);
  image.List(d, "127.0.0.2", image.Result({{"127.0.0.2", ""}}));
  image.List(d, "10.0.0.0/8", 0);
  image.List(d, "255.255.255.255", image.Result({{"127.0.0.2", ""}}));
  TestImage::AddSoa(image.AddZone("bl.test", {d}));
  TestImage::AddSoa(image.AddZone("rbldnsd.test", {d}, image::kZoneEntNxdomain));
  image.Build();
  for (const char* name : {"127", "0.127", "0.0.127", "000.0.127", "255", "255.255", "255.255.255"}) {
    EXPECT_EQ(Kind(image, std::string(name) + ".bl.test"), "ENT") << name;
    EXPECT_EQ(Kind(image, std::string(name) + ".rbldnsd.test"), "NXDOMAIN") << name;
  }
  for (const char* name :
       {"126", "1.127", "1.0.127", "10", "0.10", "256", "a", "254.255", "0.0.0.127.0", "1.0.0.127", "0127"})
    EXPECT_EQ(Kind(image, std::string(name) + ".bl.test"), "NXDOMAIN") << name;
}

TEST_F(EmptyNonTerminalTest, AgainstBruteForceOnRandomLists) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; round++) {
    TestImage image;
    const auto d = image.AddDataset(image::kIp4Trie);
    std::vector<net::Ip4> listed;
    const int entries = round % 2 ? 3 : 300;
    for (int i = 0; i < entries; i++) {
      // Octets of two digits, so that no name is a row of nibbles, too.
      net::Ip4 ip = 0;
      for (int j = 0; j < 4; j++) ip = ip << 8 | (10 + random() % 3);
      listed.push_back(ip);
      image.List(d, net::ToString(ip), image.Result({{"127.0.0.2", ""}}));
    }
    TestImage::AddSoa(image.AddZone("bl.test", {d}));
    image.Build();
    for (int octets = 1; octets <= 3; octets++)
      for (uint32_t v = 0; v < (1u << (2 * octets)); v++) {
        std::string name;
        net::Ip4 prefix = 0;
        for (int i = 0; i < octets; i++) {
          const uint32_t octet = 10 + (v >> (2 * i) & 3);
          name += std::to_string(octet) + ".";
          prefix |= octet << (8 * (4 - octets + i));
        }
        const net::Range4 range = net::PrefixRange4(prefix, 8 * octets);
        bool below = false;
        for (net::Ip4 ip : listed) below |= range.first <= ip && ip <= range.last;
        ASSERT_EQ(Kind(image, name + "bl.test"), below ? "ENT" : "NXDOMAIN") << name;
      }
  }
}

std::string Nibbles(const std::string& address, int count) {
  const net::Ip6 a = net::ParseIp6(address).value();
  std::string out;
  for (int i = 32 - count; i < 32; i++) {
    out += "0123456789abcdef"[(i < 16 ? a.low >> (4 * i) : a.high >> (4 * (i - 16))) & 15];
    out += '.';
  }
  return out;
}

TEST_F(EmptyNonTerminalTest, PartialReversedIp6) {
  TestImage image;
  const auto d = image.AddDataset(image::kIp6Trie);
  image.List(d, "2001:db8:1:2:3:4:5:6", image.Result({{"127.0.0.2", ""}}));
  TestImage::AddSoa(image.AddZone("bl.test", {d}));
  image.Build();
  for (int n = 1; n < 32; n++) {
    EXPECT_EQ(Kind(image, Nibbles("2001:db8:1:2:3:4:5:6", n) + "bl.test"), "ENT") << n;
    EXPECT_EQ(Kind(image, "x." + Nibbles("2001:db8:1:2:3:4:5:6", n) + "bl.test"), "NXDOMAIN") << n;
    std::string other = Nibbles("2001:db8:1:2:3:4:5:6", n);
    other[0] = other[0] == '7' ? '8' : '7';
    EXPECT_EQ(Kind(image, other + "bl.test"), "NXDOMAIN") << n;
  }
  EXPECT_EQ(Kind(image, "20.0.2.bl.test"), "NXDOMAIN");
}

TEST_F(EmptyNonTerminalTest, ImagesOfIp4InIp6Names) {
  TestImage image;
  const auto d = image.AddDataset(image::kIp4Set), e = image.AddDataset(image::kIp6Trie),
             f = image.AddDataset(image::kIp6Trie);
  image.List(d, "1.2.3.4", image.Result({{"127.0.0.2", ""}}));
  image.List(e, "::ffff:9.9.9.9", image.Result({{"127.0.0.2", ""}}));
  TestImage::AddSoa(image.AddZone("four.test", {d}));
  TestImage::AddSoa(image.AddZone("both.test", {e, d}));
  TestImage::AddSoa(image.AddZone("six.test", {e}));
  TestImage::AddSoa(image.AddZone("none.test", {f}));
  image.Build();
  for (int n = 1; n < 32; n++) {
    EXPECT_EQ(Kind(image, Nibbles("2002:102:304::", n) + "four.test"), "ENT") << n;
    EXPECT_EQ(Kind(image, Nibbles("::ffff:1.2.3.4", n) + "four.test"), "ENT") << n;
    EXPECT_EQ(Kind(image, Nibbles("::ffff:1.2.3.4", n) + "none.test"), "NXDOMAIN") << n;
    // 25 nibbles still cover ::ffff:1.2.3.4. Mapped addresses belong to the IPv4 dataset where there is one,
    // to the IPv6 dataset otherwise.
    EXPECT_EQ(Kind(image, Nibbles("::ffff:9.9.9.9", n) + "six.test"), "ENT") << n;
    EXPECT_EQ(Kind(image, Nibbles("::ffff:9.9.9.9", n) + "both.test"), n <= 25 ? "ENT" : "NXDOMAIN") << n;
  }
  EXPECT_EQ(Kind(image, Nibbles("2002:102:305::", 12) + "four.test"), "NXDOMAIN");
  EXPECT_EQ(Kind(image, Nibbles("2002:102:304:ffff::", 20) + "four.test"), "ENT");
  EXPECT_EQ(Kind(image, Nibbles("2003::", 4) + "four.test"), "NXDOMAIN");
  EXPECT_EQ(Kind(image, "1.four.test"), "ENT");  // an octet, though no leading nibble of an image
  EXPECT_EQ(Kind(image, "3.four.test"), "NXDOMAIN");
}

TEST_F(EmptyNonTerminalTest, DnsetAndGenericAncestors) {
  TestImage image;
  const auto d = image.AddDataset(image::kDnset), g = image.AddDataset(image::kGeneric);
  const auto listed = image.Result({{"127.0.0.2", ""}});
  image.ListName(d, "a.b.c", listed);
  image.ListName(d, "*.w.x", listed);
  image.ListName(d, "not.excluded.org", 0);
  image.ListName(d, "*.no.net", 0);
  image.ListName(d, "*.some.net", listed);
  image.AddRecord(g, "h.i.j", dns::kTypeA, 60, {1, 1, 1, 1});
  TestImage::AddSoa(image.AddZone("n.test", {d, g}));
  image.Build();
  for (const char* name : {"b.c", "c", "w.x", "x", "net", "some.net", "i.j", "j"})
    EXPECT_EQ(Kind(image, std::string(name) + ".n.test"), "ENT") << name;
  // Exclusions list nothing, so nothing exists above them.
  for (const char* name : {"z.a.b.c", "d", "excluded.org", "org", "no.net", "y.h.i.j", "x.i.j", "a.b"})
    EXPECT_EQ(Kind(image, std::string(name) + ".n.test"), "NXDOMAIN") << name;
}

TEST_F(EmptyNonTerminalTest, SubzonesAndWhatTheyHold) {
  TestImage image;
  const auto c = image.AddDataset(image::kCombined);
  image.List(image.AddPart(c, image::kIp4Set, {"d.e.sub"}), "1.2.3.4", image.Result({{"127.0.0.2", ""}}));
  image.ListName(image.AddPart(c, image::kDnset, {"names"}), "a.b", image.Result({{"127.0.0.2", ""}}));
  image.List(image.AddPart(c, image::kIp4Set, {"@"}), "9.9.9.9", image.Result({{"127.0.0.2", ""}}));
  TestImage::AddSoa(image.AddZone("c.test", {c}));
  TestImage::AddSoa(image.AddZone("nx.test", {c}, image::kZoneEntNxdomain));
  image.Build();
  for (const char* name :
       {"e.sub", "sub", "1.d.e.sub", "2.1.d.e.sub", "3.2.1.d.e.sub", "b.names", "9", "9.9", "9.9.9"}) {
    EXPECT_EQ(Kind(image, std::string(name) + ".c.test"), "ENT") << name;
    EXPECT_EQ(Kind(image, std::string(name) + ".nx.test"), "NXDOMAIN") << name;
  }
  for (const char* name : {"d.e.sub", "names"}) {  // apexes of subzones exist in either way
    EXPECT_EQ(Kind(image, std::string(name) + ".c.test"), "ENT") << name;
    EXPECT_EQ(Kind(image, std::string(name) + ".nx.test"), "ENT") << name;
  }
  for (const char* name : {"x.sub", "3.d.e.sub", "1", "1.names", "a.names", "9.e.sub"})
    EXPECT_EQ(Kind(image, std::string(name) + ".c.test"), "NXDOMAIN") << name;
}

TEST_F(EmptyNonTerminalTest, NamesAboveAZoneInsideAnother) {
  TestImage image;
  const auto d = image.AddDataset(image::kIp4Set);
  TestImage::AddSoa(image.AddZone("a.b.c.example", {d}));
  TestImage::AddSoa(image.AddZone("x.other", {d}));
  TestImage::AddSoa(image.AddZone("nx.nxexample", {d}));
  TestImage::AddSoa(image.AddZone("q.nx.nxexample", {d}));
  TestImage::AddSoa(image.AddZone("example", {d}));
  TestImage::AddSoa(image.AddZone("nxexample", {d}, image::kZoneEntNxdomain));
  image.Build();
  for (const char* name : {"b.c.example", "c.example", "B.C.example"})
    EXPECT_EQ(Kind(image, name), "ENT") << name;
  for (const char* name : {"d.c.example", "a.c.example", "bb.c.example", "x.example", "a.b.c.a.b.c.example"})
    EXPECT_EQ(Kind(image, name), "NXDOMAIN") << name;
}

// What a resolver with strict QNAME minimisation (RFC 9156) does: NS at every label, stop at NXDOMAIN.
TEST_F(EmptyNonTerminalTest, LabelByLabelWalkArrives) {
  TestImage image;
  const auto d = image.AddDataset(image::kIp4Set), c = image.AddDataset(image::kCombined);
  image.List(d, "127.0.0.2", image.Result({{"127.0.0.2", ""}}));
  image.List(image.AddPart(c, image::kIp6Trie, {"deep.er"}), "2001:db8::/32",
             image.Result({{"127.0.0.2", ""}}));
  TestImage::AddSoa(image.AddZone("bl.test", {d, c}));
  image.Build();
  for (const std::string& name :
       {std::string("2.0.0.127.bl.test"), Nibbles("2001:db8::1", 32) + "deep.er.bl.test"}) {
    const std::string wire = Wire(name);
    std::vector<std::string> suffixes;
    for (size_t i = 0; i < wire.size(); i += 1u + static_cast<uint8_t>(wire[i]))
      suffixes.push_back(wire.substr(i));
    for (size_t n = 3; n <= suffixes.size(); n++) {
      Reply r =
          image.AskBytes(dns::BuildQuery(suffixes[suffixes.size() - n], dns::kTypeNs, dns::kClassIn, {}));
      EXPECT_EQ(r.rcode(), "NOERROR") << n;
    }
    EXPECT_THAT(image.Ask(name, "A").answer(), SizeIs(1));
  }
}

}  // namespace
}  // namespace mz::answer
