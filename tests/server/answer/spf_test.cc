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
  EXPECT_EQ(z.Ask("1.2.0.192.customer.com").answer()[0], "1.2.0.192.customer.com.z.net. 300 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"");
}

}  // namespace
}  // namespace mz::answer
