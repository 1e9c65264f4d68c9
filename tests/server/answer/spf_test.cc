// SPF zones: which names are read how, and what they are answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answer_fixture.h"
#include "tests/compiler/build/spf_models.h"

namespace mz::answer {
namespace {

using compiler::SpfEntry;
using compiler::SpfOutcome;
using compiler::testing::SpfModelBuilder;
using testing::ElementsAre;
using testing::IsEmpty;

std::string Nibbles(std::string_view address, bool reversed) {
  const net::Ip6 a = net::ParseIp6(address).value();
  std::string out;
  for (int i = 0; i < 32; i++) {
    const int n = reversed ? i : 31 - i;
    const uint64_t half = n < 16 ? a.low : a.high;
    if (i != 0) out += '.';
    out += "0123456789abcdef"[half >> (4 * (n % 16)) & 15];
  }
  return out;
}

// customer.com: 192.0.2.0/24 and 2001:db8::/32 pass, 198.51.100.7 softfails, the rest fails.
// other.org: everything is neutral, with subdomains.
class SpfImage {
 public:
  explicit SpfImage(std::vector<std::string> layouts, uint32_t profile = 0)
      : image_(profile), spf_(&image_.model().pool, layouts) {
    pass4_ = spf_.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all");
    pass6_ = spf_.Program(SpfOutcome::kPass, "v=spf1 ip6:$ -all");
    fail_ = spf_.Program(SpfOutcome::kFail, "v=spf1 -all");
    softfail_ = spf_.Program(SpfOutcome::kSoftfail, "v=spf1 ~all");
    neutral_ = spf_.Program(SpfOutcome::kNeutral, "v=spf1 ?all");
    spf_.Domain("customer.com", {{spf_.Set4({"198.51.100.7"}), softfail_}, {spf_.Set4({"192.0.2.0/24"}), pass4_}},
                {{spf_.Set6({"2001:db8::/32"}), pass6_}}, fail_, fail_);
    spf_.Domain("other.org", {}, {}, neutral_, neutral_).subdomains = true;
  }
  SpfModelBuilder& spf() { return spf_; }
  compiler::SpfModel& model() { return spf_.model(); }
  TestImage& image() { return image_; }
  void Build() {
    const auto d = image_.AddDataset(image::kSpf, 120);
    image_.dataset(d).spf = spf_.Finish();
    compiler::ZoneModel& zone = image_.AddZone("z.net", {d});
    TestImage::AddSoa(zone);
    TestImage::AddNs(zone, {"ns1.z.net"});
    zone.flags |= image::kZoneMinimal;
    image_.Build();
  }
  Reply Ask(const std::string& left, std::string_view type = "TXT", const AskOptions& options = {}) {
    return image_.Ask(left.empty() ? "z.net" : left + ".z.net", type, options);
  }
  // The text of the only answer, or the RCODE, or "NODATA".
  std::string Text(const std::string& left, std::string_view type = "TXT") {
    const Reply r = Ask(left, type);
    if (r.silent || r.rcode() != "NOERROR") return r.rcode();
    if (r.answer().empty()) {
      EXPECT_EQ(r.authority().size(), 1u);
      return "NODATA";
    }
    EXPECT_EQ(r.answer().size(), 1u);
    const std::string a = r.answer()[0];
    return a.substr(a.find(" IN ") + 4);
  }

  uint32_t pass4_, pass6_, fail_, softfail_, neutral_;

 private:
  TestImage image_;
  SpfModelBuilder spf_;
};

TEST(SpfTest, ReversedAddressAndDomain) {
  SpfImage z({"%{ir}.%{d}"});
  z.Build();
  EXPECT_EQ(z.Text("1.2.0.192.customer.com"), "TXT \"v=spf1 ip4:192.0.2.1 -all\"");
  EXPECT_EQ(z.Text("7.100.51.198.customer.com"), "TXT \"v=spf1 ~all\"");
  EXPECT_EQ(z.Text("8.100.51.198.customer.com"), "TXT \"v=spf1 -all\"");
  EXPECT_EQ(z.Text("8.100.51.198.CuSTomer.COM"), "TXT \"v=spf1 -all\"");
  EXPECT_EQ(z.Text("1.2.3.4.other.org"), "TXT \"v=spf1 ?all\"");
  EXPECT_EQ(z.Text("1.2.3.4.a.b.other.org"), "TXT \"v=spf1 ?all\"");
  EXPECT_EQ(z.Text(Nibbles("2001:db8::1", true) + ".customer.com"), "TXT \"v=spf1 ip6:2001:db8::1 -all\"");
  EXPECT_EQ(z.Text(Nibbles("2001:db9::1", true) + ".customer.com"), "TXT \"v=spf1 -all\"");
  EXPECT_EQ(z.Text("1.2.0.192.nobody.com"), "NXDOMAIN");
  EXPECT_EQ(z.Ask("1.2.0.192.customer.com").answer()[0],
            "1.2.0.192.customer.com.z.net. 300 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"");
}

TEST(SpfTest, LayoutsInTheWild) {
  struct Case {
    const char* layout;
    const char* v4;  // 192.0.2.1
    const char* v6_left;
    bool v6_reversed;
    const char* v6_right;
  };
  const Case kCases[] = {
      {"%{ir}.%{d}", "1.2.0.192.customer.com", "", true, ".customer.com"},
      {"i.%{ir}._d.%{d}", "i.1.2.0.192._d.customer.com", "i.", true, "._d.customer.com"},
      {"%{ir}.%{v}.%{d}.spf", "1.2.0.192.in-addr.customer.com.spf", "", true, ".ip6.customer.com.spf"},
      {"%{i}._ip.%{h}._ehlo.%{d}", "192.0.2.1._ip.mail.host.example._ehlo.customer.com", "", false,
       "._ip.x._ehlo.customer.com"},
      {"%{i}._i.%{d}._d.espf", "192.0.2.1._i.customer.com._d.espf", "", false, "._i.customer.com._d.espf"},
      {"_i.%{i}._h.%{h}._o.%{d}", "_i.192.0.2.1._h.helo.test._o.customer.com", "_i.", false,
       "._h.a._o.customer.com"},
      {"%{ir}.%{v}.%{l}.at.%{d}", "1.2.0.192.in-addr.john.doe.at.customer.com", "", true,
       ".ip6.bob.at.customer.com"},
      {"%{d}._i.%{i}", "customer.com._i.192.0.2.1", "customer.com._i.", false, ""},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.layout);
    SpfImage z({c.layout});
    z.Build();
    EXPECT_EQ(z.Text(c.v4), "TXT \"v=spf1 ip4:192.0.2.1 -all\"");
    std::string upper = c.v4;
    for (char& ch : upper) ch = static_cast<char>(std::toupper(ch));
    EXPECT_EQ(z.Text(upper), "TXT \"v=spf1 ip4:192.0.2.1 -all\"");
    EXPECT_EQ(z.Text(c.v6_left + Nibbles("2001:db8::1", c.v6_reversed) + c.v6_right),
              "TXT \"v=spf1 ip6:2001:db8::1 -all\"");
    EXPECT_EQ(z.Text(c.v6_left + Nibbles("2001:db9::1", c.v6_reversed) + c.v6_right), "TXT \"v=spf1 -all\"");
  }
}

// Every name above a name that could be asked exists: resolvers that walk down label by label never stop early.
TEST(SpfTest, NoSuffixOfAWholeNameIsNxdomain) {
  const char* kLayouts[] = {"%{ir}.%{d}",
                            "i.%{ir}._d.%{d}",
                            "%{ir}.%{v}.%{d}.spf",
                            "%{i}._ip.%{h}._ehlo.%{d}",
                            "%{i}._i.%{d}._d.espf",
                            "_i.%{i}._h.%{h}._o.%{d}",
                            "%{ir}.%{v}.%{l}.at.%{d}",
                            "%{d}._i.%{i}",
                            "%{c}.%{ir}.%{d}",
                            "%{l}._at.%{d}._i.%{ir}._h.%{h}"};
  for (const char* layout : kLayouts) {
    SpfImage z({layout});
    z.Build();
    for (const char* address : {"192.0.2.77", "203.0.113.250", "2001:db8::1", "2001:db9::ffff"}) {
      for (const char* domain : {"customer.com", "other.org", "a.b.other.org"}) {
        std::string name;
        for (const compiler::SpfLayoutPart& p : compiler::testing::ParseTestLayout(layout)) {
          const auto v4 = net::ParseIp4(address);
          std::string part = p.label;
          using Part = compiler::SpfLayoutPart;
          if (p.kind == Part::kAddress) part = v4 ? address : Nibbles(address, false);
          if (p.kind == Part::kAddressReversed) part = v4 ? net::ToString(ByteSwap(*v4)) : Nibbles(address, true);
          if (p.kind == Part::kFamily) part = v4 ? "in-addr" : "ip6";
          if (p.kind == Part::kDomain) part = domain;
          if (p.kind == Part::kIgnored) part = "mail.host.example";
          if (p.kind == Part::kClass) part = "p";
          name += (name.empty() ? "" : ".") + part;
        }
        SCOPED_TRACE(name);
        if (z.Text(name) == "SERVFAIL") {  // class labels have no texts here
          EXPECT_NE(std::string(layout).find("%{c}"), std::string::npos);
        } else {
          EXPECT_EQ(z.Ask(name).answer().size(), 1u);
        }
        for (std::string suffix = name; !suffix.empty();) {
          EXPECT_EQ(z.Ask(suffix, "A").rcode(), "NOERROR") << suffix;
          EXPECT_EQ(z.Ask(suffix, "NS").rcode(), "NOERROR") << suffix;
          if (suffix != name) {
            EXPECT_NE(z.Ask(suffix).rcode(), "NXDOMAIN") << suffix;
          }
          const size_t dot = suffix.find('.');
          suffix = dot == suffix.npos ? "" : suffix.substr(dot + 1);
        }
      }
    }
  }
}

TEST(SpfTest, MalformedNamesBelowKnownDomainsDoNotExist) {
  for (const compiler::SpfUnknown unknown :
       {compiler::SpfUnknown::kNxdomain, compiler::SpfUnknown::kText, compiler::SpfUnknown::kRefuse}) {
    SpfImage z({"%{ir}.%{d}"});
    z.model().unknown_domain = unknown;
    z.model().unknown_text = z.spf().Text("v=spf1 ?all");
    z.Build();
    EXPECT_EQ(z.Text("5.1.2.0.192.customer.com"), "NXDOMAIN");  // five labels
    EXPECT_EQ(z.Text("256.2.0.192.customer.com"), "NXDOMAIN");
    EXPECT_EQ(z.Text("01.2.0.192.customer.com"), "NXDOMAIN");
    EXPECT_EQ(z.Text("1.00.0.192.customer.com"), "NXDOMAIN");
    EXPECT_EQ(z.Text("a.2.0.192.customer.com"), "NXDOMAIN");
    EXPECT_EQ(z.Text("x.customer.com"), "NXDOMAIN");
    EXPECT_EQ(z.Text("0.2.0.192.customer.com"), "TXT \"v=spf1 ip4:192.0.2.0 -all\"");
    std::string nibbles = Nibbles("2001:db8::1", true);
    EXPECT_EQ(z.Text("0." + nibbles + ".customer.com"), "NXDOMAIN");   // 33 nibbles
    EXPECT_EQ(z.Text(nibbles.substr(2) + ".customer.com"), "NODATA");  // 31: an empty non-terminal
    EXPECT_EQ(z.Text("g" + nibbles.substr(1) + ".customer.com"), "NXDOMAIN");
  }
}

TEST(SpfTest, UnknownDomains) {
  struct Case {
    compiler::SpfUnknown policy;
    const char* whole;
    const char* part;
  };
  for (const Case& c : {Case{compiler::SpfUnknown::kNxdomain, "NXDOMAIN", "NXDOMAIN"},
                        Case{compiler::SpfUnknown::kText, "TXT \"v=spf1 ?all\"", "NODATA"},
                        Case{compiler::SpfUnknown::kRefuse, "REFUSED", "REFUSED"}}) {
    SpfImage z({"%{ir}.%{d}"});
    z.model().unknown_domain = c.policy;
    z.model().unknown_text = z.spf().Text("v=spf1 ?all");
    z.Build();
    EXPECT_EQ(z.Text("1.2.3.4.stranger.de"), c.whole);
    EXPECT_EQ(z.Text(Nibbles("2001:db8::1", true) + ".stranger.de"), c.whole);
    EXPECT_EQ(z.Text("3.4.stranger.de"), c.part);
    EXPECT_EQ(z.Text("stranger.de"), c.part);
    EXPECT_EQ(z.Text("com"), "NODATA");
    EXPECT_EQ(z.Text("customer.com"), "NODATA");
  }
}

TEST(SpfTest, OtherTypesAreNodata) {
  SpfImage z({"%{ir}.%{d}"});
  z.Build();
  for (const char* type : {"A", "AAAA", "SPF", "MX", "NS", "SOA", "CNAME"}) {
    EXPECT_EQ(z.Text("1.2.0.192.customer.com", type), "NODATA") << type;
    EXPECT_EQ(z.Text("9.9.9.9.customer.com", type), "NODATA") << type;
  }
  EXPECT_EQ(z.Text("1.2.0.192.customer.com", "ANY"), "TXT \"v=spf1 ip4:192.0.2.1 -all\"");
  EXPECT_EQ(z.Text("", "SOA").substr(0, 4), "SOA ");
  EXPECT_EQ(z.Text("", "NS"), "NS ns1.z.net.");
  EXPECT_EQ(z.Text("", "TXT"), "NODATA");
}

TEST(SpfTest, ExistsForm) {
  SpfImage z({"%{i}._spf.%{d}"});
  z.model().answers_a = true;
  const uint32_t temp = z.spf().Program(SpfOutcome::kTemperror, "");
  z.spf().Domain("temp.test", {}, {}, temp, temp);
  z.Build();
  EXPECT_EQ(z.Text("192.0.2.1._spf.customer.com", "A"), "A 127.0.0.2");
  EXPECT_EQ(z.Text("192.0.3.1._spf.customer.com", "A"), "NODATA");
  EXPECT_EQ(z.Text(Nibbles("2001:db8::1", false) + "._spf.customer.com", "A"), "A 127.0.0.2");
  EXPECT_EQ(z.Text("192.0.2.1._spf.temp.test", "A"), "SERVFAIL");
  EXPECT_EQ(z.Text("192.0.2.1._spf.temp.test", "AAAA"), "NODATA");
  EXPECT_EQ(z.Text("192.0.2.1._spf.temp.test", "TXT"), "SERVFAIL");
}

TEST(SpfTest, LayoutsWithoutDomainAskTheOnlyDomain) {
  TestImage image(0);
  SpfModelBuilder spf(&image.model().pool, {"%{i}._spf.mta"});
  const uint32_t pass = spf.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all"),
                 fail = spf.Program(SpfOutcome::kFail, "v=spf1 -all");
  spf.Domain("anything.test", {{spf.Set4({"192.0.2.0/24"}), pass}}, {}, fail, fail);
  spf.model().answers_a = true;
  const auto d = image.AddDataset(image::kSpf);
  image.dataset(d).spf = spf.Finish();
  TestImage::AddSoa(image.AddZone("z.net", {d}));
  image.Build();
  EXPECT_THAT(image.Ask("192.0.2.1._spf.mta.z.net", "A").answer(),
              ElementsAre("192.0.2.1._spf.mta.z.net. 300 IN A 127.0.0.2"));
  EXPECT_THAT(image.Ask("192.0.3.1._spf.mta.z.net", "A").answer(), IsEmpty());
  EXPECT_EQ(image.Ask("3.1._spf.mta.z.net", "A").rcode(), "NOERROR");
  EXPECT_EQ(image.Ask("mta.z.net", "A").rcode(), "NOERROR");
  EXPECT_EQ(image.Ask("_other.mta.z.net", "A").rcode(), "NXDOMAIN");
}

// A layout that asks no address has an answer where the policy needs none.
TEST(SpfTest, LayoutsWithoutAddress) {
  SpfImage z({"%{l}._at.%{d}"});
  z.Build();
  EXPECT_EQ(z.Text("bob._at.other.org"), "TXT \"v=spf1 ?all\"");
  EXPECT_EQ(z.Text("bob._at.customer.com"), "NODATA");
  EXPECT_EQ(z.Text("bob._at.nobody.com"), "NXDOMAIN");
}

TEST(SpfTest, ClassLabels) {
  SpfImage z({"%{c}.%{ir}.%{d}"});
  for (uint32_t p : {z.pass4_, z.fail_})
    for (int c = 0; c < compiler::kSpfClasses; c++)
      z.spf().program(p).class_text[c] = z.spf().Text("p" + std::to_string(p) + "c" + std::to_string(c));
  z.model().answers_a = true;
  z.Build();
  const std::string classes = "psnfz";
  for (size_t c = 0; c < classes.size(); c++) {
    const std::string label = classes.substr(c, 1) + ".";
    EXPECT_EQ(z.Text(label + "1.2.0.192.customer.com"), "TXT \"p0c" + std::to_string(c) + "\"");
    EXPECT_EQ(z.Text(label + "1.2.3.4.customer.com"), "TXT \"p2c" + std::to_string(c) + "\"");
    EXPECT_EQ(z.Text(label + "1.2.0.192.customer.com", "A"), c == 0 ? "A 127.0.0.2" : "NODATA");
    EXPECT_EQ(z.Text(label + "1.2.3.4.customer.com", "A"), c == 3 || c == 4 ? "A 127.0.0.2" : "NODATA");
    EXPECT_EQ(z.Text(label + "7.100.51.198.customer.com", "A"), c == 1 || c == 4 ? "A 127.0.0.2" : "NODATA");
    EXPECT_EQ(z.Text(label + "1.2.3.4.other.org", "A"), c == 2 || c == 4 ? "A 127.0.0.2" : "NODATA");
    EXPECT_EQ(z.Text(label + "1.2.3.4.other.org"), "SERVFAIL");  // no text
  }
  EXPECT_EQ(z.Text("x.1.2.3.4.customer.com"), "NXDOMAIN");
  EXPECT_EQ(z.Text("1.2.3.4.customer.com"), "NODATA");
}

TEST(SpfTest, Helpers) {
  SpfImage z({"%{ir}.%{d}", "i.%{ir}._d.%{d}"});
  const uint32_t d =
      z.spf().Program(SpfOutcome::kDynamic, "v=spf1 -include:_h1.@ include:_habcd.@ include:_p.@ ~all");
  z.spf().program(d).helpers = {{"1", z.spf().Text("v=spf1 exists:%{l}.x -all include:_t.@")}, {"abcd", 0}};
  z.spf().program(d).explanation = z.spf().Text("no $");
  z.spf().Domain("dyn.test", {}, {}, d, d);
  z.Build();
  const std::string name = "1.2.3.4.dyn.test.z.net";
  EXPECT_EQ(z.Text("1.2.3.4.DYN.test"),
            "TXT \"v=spf1 -include:_h1." + name + " include:_habcd." + name + " include:_p." + name + " ~all\"");
  EXPECT_EQ(z.Text("_h1.1.2.3.4.dyn.test"), "TXT \"v=spf1 exists:%{l}.x -all include:_t." + name + "\"");
  EXPECT_EQ(z.Text("_H1.1.2.3.4.dyn.test", "A"), "NODATA");
  EXPECT_EQ(z.Text("_habcd.1.2.3.4.dyn.test"), "SERVFAIL");
  EXPECT_EQ(z.Text("_h2.1.2.3.4.dyn.test"), "NXDOMAIN");
  EXPECT_EQ(z.Text("_habcde.1.2.3.4.dyn.test"), "NXDOMAIN");
  EXPECT_EQ(z.Text("_h.1.2.3.4.dyn.test"), "NXDOMAIN");
  EXPECT_EQ(z.Text("_p.1.2.3.4.dyn.test"), "NODATA");
  EXPECT_EQ(z.Text("_t.1.2.3.4.dyn.test"), "SERVFAIL");
  EXPECT_EQ(z.Text("_x.1.2.3.4.dyn.test"), "TXT \"no 4.3.2.1\"");
  EXPECT_EQ(z.Text("_x.1.2.3.4.dyn.test", "MX"), "NODATA");
  EXPECT_EQ(z.Text("_x.1.2.3.4.customer.com"), "NXDOMAIN");
  EXPECT_EQ(z.Text("_q.1.2.3.4.dyn.test"), "NXDOMAIN");
  EXPECT_EQ(z.Text("_p._p.1.2.3.4.dyn.test"), "NXDOMAIN");
  EXPECT_EQ(z.Text("_t.2.3.4.dyn.test"), "NXDOMAIN");
  EXPECT_EQ(z.Text("_p.i.1.2.3.4._d.dyn.test"), "NODATA");
  EXPECT_EQ(z.Text("_p.1.2.3.4.nobody.com"), "NXDOMAIN");
}

TEST(SpfTest, FencesCannotBeImitated) {
  SpfImage z({"%{i}._ip.%{h}._ehlo.%{d}"});
  z.Build();
  // A HELO that holds the fence: the rightmost one counts, so that the domain stays what the sender is checked
  // for.
  EXPECT_EQ(z.Text("192.0.2.1._ip.x._ehlo.other.org._ehlo.customer.com"), "TXT \"v=spf1 ip4:192.0.2.1 -all\"");
  EXPECT_EQ(z.Text("203.0.113.1._ip.x._ehlo.other.org._ehlo.customer.com"), "TXT \"v=spf1 -all\"");
  EXPECT_EQ(z.Text("192.0.2.1._ip._ehlo.customer.com"), "NODATA");  // what stands there may be the end of a HELO
  SpfImage right({"%{d}._h.%{h}._i.%{ir}"});
  right.Build();
  EXPECT_EQ(right.Text("customer.com._h.a._h.other.org._i.1.2.0.192"), "TXT \"v=spf1 ip4:192.0.2.1 -all\"");
  EXPECT_EQ(right.Text("customer.com._h.x._i.9.9.9.9._i.1.2.0.192"), "TXT \"v=spf1 ip4:192.0.2.1 -all\"");
}

TEST(SpfTest, ClientsThatWriteAddressesTheirOwnWay) {
  SpfImage z({"%{ir}.%{d}"});
  z.Build();
  EXPECT_EQ(z.Text("2001:db8::1.customer.com"), "TXT \"v=spf1 ip6:2001:db8::1 -all\"");
  EXPECT_EQ(z.Text("2001:DB8:0:0:0:0:0:1.customer.com"), "TXT \"v=spf1 ip6:2001:db8::1 -all\"");
  EXPECT_EQ(z.Text("::.customer.com"), "TXT \"v=spf1 -all\"");
  EXPECT_EQ(z.Text("::ffff:c000:201.customer.com"), "TXT \"v=spf1 ip4:192.0.2.1 -all\"");
  EXPECT_EQ(z.Text("2001:db8:::1.customer.com"), "NXDOMAIN");
  EXPECT_EQ(z.Text("2001:db8.customer.com"), "NXDOMAIN");
  EXPECT_EQ(z.Text("2001:db8::1:.customer.com"), "NXDOMAIN");
  EXPECT_EQ(z.Text("1:2:3:4:5:6:7:8:9.customer.com"), "NXDOMAIN");
  EXPECT_EQ(z.Text(Nibbles("::ffff:192.0.2.1", true) + ".customer.com"), "TXT \"v=spf1 ip4:192.0.2.1 -all\"");
}

TEST(SpfTest, NamesThatLookLikeBothFamilies) {
  SpfImage z({"%{ir}.%{d}"});
  z.spf().Domain("a.b.com", {}, {}, z.softfail_, z.softfail_);
  z.Build();
  EXPECT_EQ(z.Text("4.3.2.1.a.b.com"), "TXT \"v=spf1 ~all\"");  // six nibbles are not 32
}

TEST(SpfTest, DomainsWithoutData) {
  for (const bool text : {false, true}) {
    SpfImage z({"%{ir}.%{d}"});
    if (text) z.model().no_data_text = z.spf().Text("v=spf1 ?all");
    z.spf().Domain("new.test", {}, {}, 0, 0).no_data = true;
    z.Build();
    EXPECT_EQ(z.Text("1.2.3.4.new.test"), text ? "TXT \"v=spf1 ?all\"" : "SERVFAIL");
    EXPECT_EQ(z.Text("1.2.3.4.new.test", "A"), "NODATA");
    EXPECT_EQ(z.Text("new.test"), "NODATA");
  }
}

// A name of 253 octets for the domain, which has them filled up by labels.
std::string LongDomain(size_t length) {
  std::string out = "long.test";
  while (out.size() + 2 <= length) {
    const size_t n = std::min<size_t>(length - out.size() - 1, 60);
    out = std::string(n == length - out.size() - 2 ? n - 1 : n, 'x') + "." + out;
  }
  return out;
}

TEST(SpfTest, CutNamesNeverPass) {
  // "1.0.8.b" is what is left of an IPv6 address whose name was too long; as IPv4 it would be another client.
  const std::string domain = LongDomain(253 - 6 - 8);
  ASSERT_EQ(domain.size() + 8 + 6, 253u);
  for (const bool agree : {false, true}) {
    TestImage image(0);
    SpfModelBuilder spf(&image.model().pool, {"%{ir}.%{d}"});
    const uint32_t pass = spf.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all"),
                   fail = spf.Program(SpfOutcome::kFail, "v=spf1 -all");
    std::vector<compiler::SpfEntry> four{{spf.Set4({"5.1.1.1", "2.0.0.0/8"}), pass}}, six;
    if (!agree) six.push_back({spf.Set6({"7111:db8::/32", "3000::/4"}), pass});
    spf.Domain(domain, four, six, fail, fail);
    const auto d = image.AddDataset(image::kSpf);
    image.dataset(d).spf = spf.Finish();
    TestImage::AddSoa(image.AddZone("z.net", {d}));
    image.Build();
    auto text = [&](const std::string& left, const char* type = "TXT") {
      const Reply r = image.Ask(left + "." + domain + ".z.net", type);
      if (r.rcode() != "NOERROR") return r.rcode();
      return r.answer().empty() ? std::string("NODATA") : r.answer()[0].substr(r.answer()[0].find("TXT"));
    };
    const std::string kFail = "TXT \"v=spf1 -all\"";
    EXPECT_EQ(text("1.1.1.5"), "NXDOMAIN") << "may be nibbles: never a pass";
    EXPECT_EQ(text("1.1.1.4"), kFail);
    EXPECT_EQ(text("1.1.1.7"), agree ? kFail : "NXDOMAIN") << "IPv6 clients of 7111::/16 differ";
    EXPECT_EQ(text("1.1.1.7", "A"), "NODATA");
    // Not long enough to have been cut, and below the bound: ordinary rules.
    EXPECT_EQ(image.Ask("1." + domain + ".z.net", "TXT").rcode(), "NOERROR");
  }
  // Three octets or nibbles that fill the name to its limit.
  const std::string shorter = LongDomain(253 - 6 - 6);
  TestImage image(0);
  SpfModelBuilder spf(&image.model().pool, {"%{ir}.%{d}"});
  const uint32_t pass = spf.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all"),
                 fail = spf.Program(SpfOutcome::kFail, "v=spf1 -all");
  spf.Domain(shorter, {{spf.Set4({"2.2.1.7"}), pass}}, {{spf.Set6({"3000::/4"}), pass}}, fail, fail);
  const auto d = image.AddDataset(image::kSpf);
  image.dataset(d).spf = spf.Finish();
  TestImage::AddSoa(image.AddZone("z.net", {d}));
  image.Build();
  auto ask = [&](const std::string& left, const char* type) {
    return image.Ask(left + "." + shorter + ".z.net", type);
  };
  EXPECT_EQ(ask("1.2.2", "TXT").rcode(), "NXDOMAIN");  // 2.2.1.7 passes, the rest fails
  EXPECT_EQ(ask("1.2.2", "A").rcode(), "NOERROR");
  EXPECT_EQ(ask("1.2.3", "TXT").rcode(), "NXDOMAIN");  // IPv6 3000::/4 passes
  EXPECT_THAT(ask("1.2.4", "TXT").answer(), ElementsAre(testing::HasSubstr("TXT \"v=spf1 -all\"")));
  EXPECT_EQ(ask("1.2.x", "TXT").rcode(), "NXDOMAIN");
}

TEST(SpfTest, CutFreeTextNeverPassesByAccident) {
  // The HELO is free text: a client cuts it and then the address away.
  SpfImage z({"%{i}._ip.%{h}._ehlo.%{d}"});
  z.Build();
  const std::string tail = "._ip." + LongDomain(253 - 7 - 5 - 19 - 6) + "._ehlo.customer.com";
  EXPECT_EQ(z.Ask("2.0.2.1" + tail).rcode(), "NXDOMAIN");  // four nibbles of some IPv6 client, or an IPv4 one
  EXPECT_EQ(z.Ask("2.2.1" + tail).rcode(), "NXDOMAIN");
  EXPECT_EQ(z.Ask("2.1" + tail, "A").rcode(), "NOERROR");
}

TEST(SpfTest, LongTextsAreSplitAndTruncated) {
  SpfImage z({"%{ir}.%{d}"});
  const std::string text(600, 'x');
  const uint32_t p = z.spf().Program(SpfOutcome::kFail, text);
  z.spf().Domain("long.test", {}, {}, p, p);
  z.Build();
  const Reply cut = z.Ask("1.2.3.4.long.test");
  EXPECT_EQ(cut.flags(), "qr aa tc");
  EXPECT_TRUE(cut.answer().empty());
  AskOptions tcp;
  tcp.tcp = true;
  EXPECT_EQ(z.Ask("1.2.3.4.long.test", "TXT", tcp).answer()[0],
            "1.2.3.4.long.test.z.net. 300 IN TXT \"" + std::string(255, 'x') + "\" \"" + std::string(255, 'x') +
                "\" \"" + std::string(90, 'x') + "\"");
}

TEST(SpfTest, AclsCount) {
  SpfImage z({"%{ir}.%{d}"});
  auto& image = z.image();
  const auto acl = image.AddDataset(image::kAcl);
  image.List(acl, "10.0.0.1", image.Action(image::kAclRefuse));
  image.List(acl, "10.0.0.2", image.Action(image::kAclIgnore));
  image.List(acl, "10.0.0.3", image.Action(image::kAclEmpty));
  image.List(acl, "10.0.0.4", image.Result({{"127.0.0.9", "stop"}}));
  image.model().global_acl = acl;
  z.Build();
  auto rcode = [&](const char* client, const std::string& name = "1.2.0.192.customer.com") {
    AskOptions options;
    options.client = client;
    return z.Ask(name, "TXT", options).rcode();
  };
  EXPECT_EQ(rcode("10.0.0.1"), "REFUSED");
  EXPECT_EQ(rcode("10.0.0.2"), "silence");
  EXPECT_EQ(rcode("10.0.0.3"), "NXDOMAIN");
  AskOptions always;
  always.client = "10.0.0.4";
  EXPECT_THAT(z.Ask("1.2.0.192.customer.com", "TXT", always).answer(),
              ElementsAre(testing::HasSubstr("\"stop\"")));
  EXPECT_EQ(rcode("10.0.0.4", "x.y.z.customer.com"), "NXDOMAIN");
  EXPECT_EQ(rcode("10.0.0.5"), "NOERROR");
}

// Batches take another way through the index: same bytes.
TEST(SpfTest, BatchesAnswerAlike) {
  SpfImage z({"i.%{ir}._d.%{d}", "%{ir}.%{d}", "%{i}._ip.%{h}._ehlo.%{d}"});
  z.Build();
  std::vector<std::string> packets;
  for (const char* name :
       {"1.2.0.192.customer.com", "i.1.2.0.192._d.customer.com", "192.0.2.1._ip.x._ehlo.customer.com",
        "1.2.3.4.nobody.de", "2.0.192.customer.com", "com", "_p.1.2.3.4.customer.com", "1.2.3.4.deep.other.org",
        "2001:db8::1.customer.com", "x", "_d.customer.com"})
    for (uint16_t type : {dns::kTypeTxt, dns::kTypeA})
      packets.push_back(dns::BuildQuery(Wire(std::string(name) + ".z.net"), type, 1, {.id = 7}));
  std::vector<Request> alone(packets.size()), batch(packets.size());
  std::vector<std::vector<uint8_t>> buffers(2 * packets.size(), std::vector<uint8_t>(1500));
  for (size_t i = 0; i < packets.size(); i++) {
    alone[i].wire = batch[i].wire = {reinterpret_cast<const uint8_t*>(packets[i].data()), packets[i].size()};
    alone[i].response = buffers[2 * i];
    batch[i].response = buffers[2 * i + 1];
  }
  for (Request& r : alone) Answer(z.image().view(), z.image().settings, r, z.image().state());
  AnswerBatch(z.image().view(), z.image().settings, batch, z.image().state());
  for (size_t i = 0; i < packets.size(); i++) {
    ASSERT_EQ(alone[i].response_size, batch[i].response_size) << i;
    EXPECT_TRUE(std::equal(buffers[2 * i].begin(),
                           buffers[2 * i].begin() + static_cast<long>(alone[i].response_size),
                           buffers[2 * i + 1].begin()));
  }
}

}  // namespace
}  // namespace mz::answer
