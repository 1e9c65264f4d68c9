// The emitters on small zones: whole files as they must look.
#include "compiler/spf/emit.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "compiler/spf/wire_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/compiler/spf/map_source.h"

namespace mz::compiler::spf {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class EmitTest : public ::testing::Test {
 protected:
  EmitTest() {
    settings_.apex = MapSource::Wire("_spf.test");
    settings_.layouts = {"%{ir}.%{d}"};
    zone_.settings = &settings_;
    zone_.ns = "ns.test";
    zone_.hostmaster = "host.master@test";
  }

  void Domain(const std::string& name, const std::string& record) {
    source_.AddTxt("_x." + name, {record});
    const std::string wire = MapSource::Wire(name);
    settings_.domains.push_back({wire, wire, MapSource::Wire("_x." + name), false});
  }

  std::string Emit(EmitFormat format) {
    zone_.format = format;
    notes_.clear();
    Status able = CheckEmittable(zone_);
    EXPECT_TRUE(able.ok()) << able;
    Evaluator evaluator(&source_, {});
    Emitter emitter(zone_, &evaluator, [this](const EmitNote& n) { notes_.push_back(n); });
    const auto domains = emitter.Domains();
    std::string text = emitter.Head(domains);
    for (const DomainSetting* d : domains) text += emitter.Domain(*d);
    text += emitter.Tail();
    totals_ = emitter.totals();
    return text;
  }
  // Without the lines in front of the first domain.
  std::string Body(EmitFormat format) {
    const std::string text = Emit(format);
    const size_t at = std::min(text.find("# Automatically"), text.find("$DATASET"));
    return at == std::string::npos ? text : text.substr(at);
  }
  bool Lost() const {
    return std::any_of(notes_.begin(), notes_.end(), [](const EmitNote& n) { return n.lost; });
  }

  MapSource source_;
  ZoneSettings settings_;
  EmitZone zone_;
  std::vector<EmitNote> notes_;
  Emitter::Totals totals_;
};

TEST_F(EmitTest, ExactIsOneTrieWithADefaultPerFamily) {
  Domain("b.test", "v=spf1 ip4:192.0.2.0/24 -ip4:198.51.100.7 ip4:198.51.100.0/28 ip6:2001:db8::/32 ip6:::1 ~all");
  EXPECT_EQ(Emit(EmitFormat::kRbldnsdExact),
            "#\n"
            "# mailzone: SPF policies for rbldnsd, zone type combined. Written by a program: changes here are lost.\n"
            "# Zone: _spf.test; domains: 1\n"
            "#\n"
            "$NS 0 ns.test.\n"
            "$SOA 0 ns.test. host.master.test. 0 10800 3600 604800 3600\n"
            "$DATASET ip4trie:b.test b.test\n"
            "$TTL 300\n"
            ":4:v=spf1 ~all\n"
            "0.0.0.0/0\n"
            ":2:v=spf1 ip4:$ -all\n"
            "192.0.2.0/24\n"
            "198.51.100.0/30\n"
            "198.51.100.4/31\n"
            "198.51.100.6\n"
            "198.51.100.8/29\n"
            ":3:v=spf1 -all\n"
            "198.51.100.7\n"
            "$DATASET ip6trie:b.test b.test\n"
            "$TTL 300\n"
            ":4:v=spf1 ~all\n"
            "0::/0\n"
            ":2:v=spf1 ip6:$ -all\n"
            "0::1\n"
            "2001:db8::/32\n");
  EXPECT_FALSE(Lost());
}

TEST_F(EmitTest, DomainsAreSorted) {
  Domain("zz.test", "v=spf1 -all");
  Domain("aa.test", "v=spf1 -all");
  const std::string text = Emit(EmitFormat::kRbldnsdExact);
  EXPECT_LT(text.find("ip4trie:aa.test"), text.find("ip4trie:zz.test"));
}

TEST_F(EmitTest, DollarsOfARecordAreDoubled) {
  Domain("d.test", "v=spf1 -exists:$IP.%{l}.a.test ip4:192.0.2.1 -all");
  const std::string text = Body(EmitFormat::kRbldnsdExact);
  EXPECT_THAT(text, HasSubstr(":v=spf1 -exists:$$IP.%{l}.a.test ip4:$ -all\n192.0.2.1\n"));
}

// 254 octets with the longest address are answered whole; one more would be cut by rbldnsd.
TEST_F(EmitTest, ATextThatWouldBeCutIsPermerror) {
  const auto record = [](size_t octets) {  // of the text for pass: "v=spf1 -exists:NAME ip4:ADDRESS -all"
    const std::string head = "v=spf1 -exists:", tail = " ip4:255.255.255.255 -all", middle = ".test";
    std::string name = "%{l}";
    size_t left = octets - head.size() - tail.size() - middle.size() - name.size();
    while (left > 1) {
      const size_t label = std::min<size_t>(left == 62 ? 59 : 60, left - 1);
      name += "." + std::string(label, 'x');
      left -= label + 1;
    }
    return head + name + middle + " ip4:192.0.2.1 -all";
  };
  Domain("fits.test", record(254));
  std::string text = Body(EmitFormat::kRbldnsdExact);
  EXPECT_FALSE(Lost());
  EXPECT_THAT(text, HasSubstr("ip4:$ -all\n192.0.2.1\n"));
  settings_.domains.clear();
  Domain("over.test", record(255));
  text = Body(EmitFormat::kRbldnsdExact);
  EXPECT_TRUE(Lost());
  EXPECT_THAT(text, HasSubstr(":6:v=spf1 exists:%{x}\n192.0.2.1\n"));
  EXPECT_THAT(text, Not(HasSubstr("ip4:$")));
}

TEST_F(EmitTest, WhatCannotBeReadIsPermerrorAndSaid) {
  source_.Fail("broken.test");
  Domain("f.test", "v=spf1 ip4:192.0.2.1 include:broken.test -all");
  const std::string text = Body(EmitFormat::kRbldnsdExact);
  EXPECT_TRUE(Lost());
  EXPECT_THAT(text, HasSubstr(":6:v=spf1 exists:%{x}\n0.0.0.0/0\n"));
  EXPECT_THAT(text, HasSubstr(":2:v=spf1 ip4:$ -all\n192.0.2.1\n"));
}

TEST_F(EmitTest, HelpersAreNotSaid) {
  source_.AddTxt("in.test", {"v=spf1 -exists:%{l}.a.test exists:%{s}.b.test ~all"});
  Domain("h.test", "v=spf1 ip4:192.0.2.1 include:in.test ?exists:%{l}.c.test -all");
  const std::string text = Body(EmitFormat::kRbldnsdExact);
  EXPECT_TRUE(Lost());
  EXPECT_THAT(text, Not(HasSubstr("_h0")));
  EXPECT_THAT(text, HasSubstr(":6:v=spf1 exists:%{x}\n"));
}

TEST_F(EmitTest, ExplanationsAreLeftOut) {
  source_.AddTxt("why.test", {"because"});
  Domain("e.test", "v=spf1 ip4:192.0.2.1 -all exp=why.test");
  const std::string text = Body(EmitFormat::kRbldnsdExact);
  EXPECT_THAT(text, HasSubstr(":3:v=spf1 -all\n"));
  EXPECT_THAT(text, Not(HasSubstr("exp=")));
  ASSERT_FALSE(notes_.empty());
  EXPECT_FALSE(Lost());
}

TEST_F(EmitTest, IncludeFormSaysFailForAllThatIsNotPass) {
  settings_.form = Form::kInclude;
  Domain("i.test", "v=spf1 ip4:192.0.2.1 ?ip4:192.0.2.2 -ip4:192.0.2.3 ~all");
  const std::string text = Body(EmitFormat::kRbldnsdExact);
  EXPECT_THAT(text, HasSubstr(":3:v=spf1 -all\n0.0.0.0/0\n:2:v=spf1 ip4:$ -all\n192.0.2.1\n$DATASET ip6trie"));
}

// Any A is a match for exists:, so what does not pass must not be listed.
TEST_F(EmitTest, ExistsFormListsWhatPassesOnly) {
  settings_.form = Form::kExists;
  Domain("x.test", "v=spf1 ip4:192.0.2.0/24 ~all");
  EXPECT_EQ(Body(EmitFormat::kRbldnsdExact),
            "$DATASET ip4trie:x.test x.test\n$TTL 300\n:2:\n192.0.2.0/24\n$DATASET ip6trie:x.test x.test\n$TTL 300\n");
  // As compat it would pass everybody.
  EXPECT_THAT(Body(EmitFormat::kRbldnsdCompat), HasSubstr("ip4trie:x.test"));
  zone_.exact_fallback = false;
  EXPECT_FALSE(CheckEmittable(zone_).ok());
}

TEST_F(EmitTest, CompatHasTheOldStructure) {
  source_.AddTxt("p.test", {"v=spf1 ip4:10.0.0.0/9 -all"});
  zone_.ns.clear();
  Domain("c.test", "v=spf1 ip4:192.0.2.0/24 include:p.test exists:%{i}.l.test ~all");
  EXPECT_EQ(Body(EmitFormat::kRbldnsdCompat),
            "# Automatically generated rbldnsd config by mailzone for:c.test\n"
            "# Source of truth:  _x.c.test\n"
            "# ^ _x.c.test\n"
            "# ^ p.test\n"
            "# Depth:2\n"
            "# IP & Subnet: 2\n"
            "$DATASET ip4set:c.test c.test\n"
            ":3:v=spf1 ip4:$ ~all\n"
            "10.0.0.0/9\n"
            "192.0.2.0/24\n"
            ":99:v=spf1 exists:%{i}.l.test ~all\n"
            "0.0.0.0/1 # all other IPv4 addresses\n"
            "128.0.0.0/1 # all other IP IPv4 addresses\n"
            "$DATASET ip6trie:c.test c.test\n"
            ":99:v=spf1 exists:%{i}.l.test ~all\n"
            "0:0:0:0:0:0:0:0/0 # all other IPv6 addresses\n");
}

TEST_F(EmitTest, CompatHeadNamesTheDomains) {
  Domain("a.test", "v=spf1 -all");
  Domain("b.test", "v=spf1 -all");
  EXPECT_THAT(Emit(EmitFormat::kRbldnsdCompat),
              HasSubstr("$SOA 0 ns.test. host.master.test. 0 10800 3600 604800 3600\n# Running config for: 2 domains\n"
                        "# Source domains: a.test, b.test\n#\n#\n# Automatically"));
}

// ip4set answers all entries of one class: /8 and shorter share it with the defaults at /1.
TEST_F(EmitTest, CompatSplitsShortPrefixes) {
  Domain("w.test", "v=spf1 ip4:10.0.0.0/8 -all");
  EXPECT_THAT(Body(EmitFormat::kRbldnsdCompat), HasSubstr("\n10.0.0.0/9\n10.128.0.0/9\n:99:"));
}

TEST_F(EmitTest, CompatSendsOthersToExactOrRefuses) {
  Domain("m.test", "v=spf1 ip4:192.0.2.1 ?ip4:192.0.2.2 -all");
  EXPECT_THAT(Body(EmitFormat::kRbldnsdCompat), HasSubstr("$DATASET ip4trie:m.test m.test\n"));
  EXPECT_EQ(totals_.fallbacks, 1u);
  EXPECT_FALSE(Lost());
  zone_.exact_fallback = false;
  EXPECT_THAT(Emit(EmitFormat::kRbldnsdCompat), Not(HasSubstr("$DATASET")));
  EXPECT_EQ(totals_.refused, 1u);
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_THAT(notes_[0].message, HasSubstr("2 different records besides the one for pass, for IPv4 clients"));
}

TEST_F(EmitTest, CompatWherePassIsTheDefault) {
  Domain("all.test", "v=spf1 +all");
  EXPECT_THAT(Body(EmitFormat::kRbldnsdCompat),
              HasSubstr("$DATASET ip4set:all.test all.test\n:99:v=spf1 ip4:$ -all\n0.0.0.0/1 "));
}

TEST_F(EmitTest, TimesOnlyWhenAsked) {
  Domain("t.test", "v=spf1 -all");
  EXPECT_THAT(Emit(EmitFormat::kRbldnsdCompat), Not(HasSubstr(" @ ")));
  zone_.created = 1'700'000'000;
  EXPECT_THAT(Emit(EmitFormat::kRbldnsdCompat), HasSubstr("for:t.test @ 2023-11-1"));
}

// A wildcard answers nothing below a name that exists: each level has one of its own.
TEST_F(EmitTest, BindHasWildcardsAtBorders) {
  Domain("w.test", "v=spf1 ip4:192.0.2.0/23 ip4:1.2.3.4 -all");
  const std::string text = Emit(EmitFormat::kBind);
  EXPECT_THAT(text, HasSubstr("$ORIGIN _spf.test.\n$TTL 300\n@ SOA ns.test. host.master.test. ("));
  EXPECT_THAT(text, HasSubstr("\n*.w.test TXT \"v=spf1 -all\"\n"));
  EXPECT_THAT(text, HasSubstr("\n*.192.w.test TXT \"v=spf1 -all\"\n*.0.192.w.test TXT \"v=spf1 -all\"\n"
                              "*.2.0.192.w.test TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"
                              "*.3.0.192.w.test TXT \"v=spf1 ip4:192.0.3.0/24 -all\"\n"));
  // The name of 1.2.3.4 is also the beginning of names in 1234::/16.
  EXPECT_THAT(text, HasSubstr("\n4.3.2.1.w.test TXT \"v=spf1 ip4:1.2.3.4 -all\"\n*.4.3.2.1.w.test TXT \"v=spf1 -all\"\n"));
}

TEST_F(EmitTest, BindSaysBothFamiliesOnSharedNames) {
  Domain("s.test", "v=spf1 ip4:2.0.0.0/8 ip6:2000::/4 ~all");
  EXPECT_THAT(Emit(EmitFormat::kBind), HasSubstr("\n*.2.s.test TXT \"v=spf1 ip4:2.0.0.0/8 ip6:2000::/4 -all\"\n"));
  settings_.domains.clear();
  Domain("u.test", "v=spf1 ip4:0.0.0.0/0 ?all");
  EXPECT_THAT(Emit(EmitFormat::kBind), HasSubstr("\n*.u.test TXT \"v=spf1 ip4:0.0.0.0/0 ?all\"\n"));
}

TEST_F(EmitTest, BindNeedsAnAuthority) {
  Domain("n.test", "v=spf1 -all");
  zone_.format = EmitFormat::kBind;
  zone_.hostmaster.clear();
  EXPECT_FALSE(CheckEmittable(zone_).ok());
}

TEST_F(EmitTest, JsonHasEveryPrefixOnce) {
  Domain("j.test", "v=spf1 ip4:192.0.2.1 exists:$%{l}.a.test -all");
  const auto json = nlohmann::json::parse(Emit(EmitFormat::kJson));
  EXPECT_EQ(json["zone"], "_spf.test");
  EXPECT_EQ(json["form"], "redirect");
  const auto& domain = json["domains"][0];
  EXPECT_EQ(domain["source"], "_x.j.test");
  EXPECT_EQ(domain["v4"][0]["result"], "pass");
  EXPECT_EQ(domain["v4"][0]["record"], "v=spf1 ip4:$IP -all");
  EXPECT_EQ(domain["v4"][0]["prefixes"], nlohmann::json::array({"192.0.2.1/32"}));
  EXPECT_EQ(domain["v4"][1]["result"], "dynamic");
  EXPECT_EQ(domain["v4"][1]["record"], "v=spf1 exists:$$%{l}.a.test -all");
  EXPECT_EQ(domain["v4"][1]["prefixes"].size(), 32u);
  EXPECT_EQ(domain["v6"][0]["prefixes"], nlohmann::json::array({"::/0"}));
}

TEST_F(EmitTest, OtherLayoutsAreRefusedButInJson) {
  Domain("l.test", "v=spf1 -all");
  settings_.layouts = {"%{i}._ip.%{d}"};
  zone_.format = EmitFormat::kRbldnsdExact;
  EXPECT_FALSE(CheckEmittable(zone_).ok());
  zone_.format = EmitFormat::kJson;
  EXPECT_TRUE(CheckEmittable(zone_).ok());
  settings_.layouts = {"%{ir}.%{d}"};
  settings_.form = Form::kClasses;
  zone_.format = EmitFormat::kRbldnsdExact;
  EXPECT_FALSE(CheckEmittable(zone_).ok());
}

// Addresses of one domain as keys and back: disjoint, complete.
TEST_F(EmitTest, PrefixesCoverEverythingOnce) {
  Domain("r.test", "v=spf1 ip4:0.0.0.0/1 -ip4:255.255.255.255 ip4:203.0.113.0/25 ip6:ffff::/16 ip6:::/96 -all");
  const auto json = nlohmann::json::parse(Emit(EmitFormat::kJson));
  double v4 = 0, v6 = 0;
  for (const auto& group : json["domains"][0]["v4"])
    for (const std::string p : group["prefixes"]) v4 += std::ldexp(1.0, -std::stoi(p.substr(p.find('/') + 1)));
  for (const auto& group : json["domains"][0]["v6"])
    for (const std::string p : group["prefixes"]) v6 += std::ldexp(1.0, -std::stoi(p.substr(p.find('/') + 1)));
  EXPECT_EQ(v4, 1.0);
  EXPECT_NEAR(v6, 1.0, 1e-12);
}

}  // namespace
}  // namespace mz::compiler::spf
