// Differences between images: nothing where nothing changed, each kind of change, and random maps against an
// oracle that looks up every border.
#include "format/image/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "format/image/present.h"
#include "format/image/verify.h"
#include "tests/compiler/build/spf_models.h"
#include "tests/format/image/sample_models.h"

namespace mz::image {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<uint8_t> Image(const compiler::ImageModel& m, uint64_t seed = 1) {
  compiler::WriteOptions options;
  options.hash_seed = seed;
  options.created_unix = seed;
  std::vector<uint8_t> bytes;
  EXPECT_TRUE(compiler::WriteImage(m, options, &bytes).ok());
  return bytes;
}

std::vector<std::string> Changes(const compiler::ImageModel& before, const compiler::ImageModel& after,
                                 std::vector<ZoneChanges>* zones = nullptr) {
  const std::vector<uint8_t> a = Image(before, 1), b = Image(after, 2);
  std::vector<std::string> out;
  const bool any = Diff(
      *Verify(a, VerifyLevel::kEverything), *Verify(b, VerifyLevel::kEverything), {},
      [&](const Change& c) { out.push_back(ChangeText(c)); },
      [&](const ZoneChanges& z) {
        if (zones != nullptr) zones->push_back(z);
      });
  EXPECT_EQ(any, !out.empty());
  return out;
}

TEST(DiffTest, EqualContentHasNoChanges) {
  for (const std::string& name : SampleNames())
    EXPECT_THAT(Changes(MakeSample(name), MakeSample(name)), IsEmpty()) << name;
}

TEST(DiffTest, AddressesComeGoAndChange) {
  compiler::ImageModel before = MakeSample("tiny"), after = MakeSample("tiny");
  const compiler::ResultId other = MakeResult(&after.pool, "127.0.0.9");
  const compiler::ResultId listed = after.datasets[0]->map4[1].result;
  after.datasets[0]->map4 = {
      {0, 0}, {0x0a000000, listed}, {0x0a010000, 0}, {0xc0000201, other}, {0xc0000202, 0}};
  std::vector<ZoneChanges> zones;
  EXPECT_THAT(Changes(before, after, &zones),
              ElementsAre("+ bl.test. ip4set 10.0.0.0/16 A 127.0.0.2 TXT \"listed: $\"",
                          "~ bl.test. ip4set 192.0.2.1 A 127.0.0.2 TXT \"listed: $\" -> A 127.0.0.9"));
  ASSERT_EQ(zones.size(), 1u);
  EXPECT_EQ(zones[0].zone, "bl.test.");
  EXPECT_EQ(zones[0].added, 1u);
  EXPECT_EQ(zones[0].changed, 1u);
  EXPECT_EQ(zones[0].removed, 0u);
  EXPECT_EQ(zones[0].addresses4_added, 65536u);
  EXPECT_EQ(zones[0].addresses4_changed, 1u);
  EXPECT_THAT(Changes(after, before),
              ElementsAre("- bl.test. ip4set 10.0.0.0/16 A 127.0.0.2 TXT \"listed: $\"",
                          "~ bl.test. ip4set 192.0.2.1 A 127.0.0.9 -> A 127.0.0.2 TXT \"listed: $\""));
}

TEST(DiffTest, SettingsChange) {
  compiler::ImageModel before = MakeSample("tiny"), after = MakeSample("tiny");
  after.datasets[0]->ttl = 60;
  after.datasets[0]->soa->refresh = 1;
  after.zones[0].flags = kZoneMinimal;
  after.profile = 1;
  EXPECT_THAT(
      Changes(before, after),
      ElementsAre("~ (image) profile 0 -> 1", "~ bl.test. flags none -> minimal",
                  "~ bl.test. soa 3600 ns.bl.test. adm.ex.test. 1700000000 7200 600 604800 300 -> 3600 "
                  "ns.bl.test. adm.ex.test. 1700000000 1 600 604800 300",
                  "~ bl.test. ip4set ttl 2100 -> 60"));
}

TEST(DiffTest, ZonesComeAndGo) {
  compiler::ImageModel before = MakeSample("empty"), after = MakeSample("tiny");
  std::vector<ZoneChanges> zones;
  const std::vector<std::string> changes = Changes(before, after, &zones);
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes[0], "+ bl.test. zone served");
  ASSERT_EQ(zones.size(), 1u);
  EXPECT_EQ(zones[0].kind, ChangeKind::kAdded);
  zones.clear();
  EXPECT_EQ(Changes(after, before, &zones)[0], "- bl.test. zone served");
  ASSERT_EQ(zones.size(), 1u);
  EXPECT_EQ(zones[0].kind, ChangeKind::kRemoved);
}

TEST(DiffTest, NamesComeGoAndChange) {
  auto model = [](bool second) {
    compiler::ImageModel m = MakeSample("every-kind");
    if (!second) return m;
    compiler::DatasetModel& names = *m.datasets[2];
    names.dnset.erase(names.dnset.begin());  // com
    names.dnset[0].wild = 0;                 // *.a.com
    names.dnset.push_back({names.names.Add(Wire("new.net")), kNameExact, names.dnset[0].exact, 0, 1});
    compiler::DatasetModel& generic = *m.datasets[3];
    generic.generic[1].records[0].ttl = 5;  // www
    m.datasets[4]->subzones.pop_back();     // six
    return m;
  };
  const std::vector<std::string> changes = Changes(model(false), model(true));
  EXPECT_THAT(changes, testing::IsSupersetOf(
                           {"- inner.bl.test. dnset com A 127.0.0.2 TXT \"name $\"",
                            "~ inner.bl.test. dnset *.a.com A 127.0.0.9 -> excluded",
                            "+ inner.bl.test. dnset new.net A 127.0.0.2 TXT \"name $\"",
                            "~ gen.test. generic www 300 MX 10 mail.gen.test. -> 5 MX 10 mail.gen.test.",
                            "- c.test. combined/six subzone served",
                            "- c.test. combined/six/ip6trie ::/0 A 127.0.0.2 TXT \"listed\""}));
}

TEST(DiffTest, CountsWithoutEntries) {
  const std::vector<uint8_t> a = Image(MakeSample("empty")), b = Image(MakeSample("direct4"));
  int changes = 0;
  uint64_t added = 0;
  Diff(
      *Verify(a, VerifyLevel::kEverything), *Verify(b, VerifyLevel::kEverything), {.entries = false},
      [&](const Change& c) { changes += c.entry; }, [&](const ZoneChanges& z) { added = z.added; });
  EXPECT_EQ(changes, 0);
  EXPECT_EQ(added, 3u * 40001);
}

// A change list applied to the old map gives the new one.
TEST(DiffTest, RandomMapsDifferWhereTheyDo) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; round++) {
    auto model = [&] {
      compiler::ImageModel m = MakeSample("tiny");
      const compiler::ResultId results[] = {0, MakeResult(&m.pool, "127.0.0.3", "x"),
                                            MakeResult(&m.pool, "127.0.0.4")};
      BigVector<compiler::Interval4> map{{0, results[random() % 3]}};
      for (net::Ip4 at = 0; map.size() < 12;) {
        at += 1 + static_cast<net::Ip4>(random() % 5);
        const compiler::ResultId r = results[random() % 3];
        if (r != map.back().result) map.push_back({at, r});
      }
      m.datasets[0]->map4 = map;
      return Image(m, random());
    };
    const std::vector<uint8_t> a = model(), b = model();
    const View before = *Verify(a, VerifyLevel::kEverything), after = *Verify(b, VerifyLevel::kEverything);
    auto text = [](const View& view, net::Ip4 address) -> std::string {
      const uint32_t map = Datasets(view.node(view.zones()[0].node))[0].map4;
      const uint32_t result = map == 0 ? 0 : FindAddress(view, view.map(map), address).result;
      return result == 0 ? "" : ResultText(view, result);
    };
    std::vector<std::pair<net::Range4, Change>> changes;
    Diff(
        before, after, {},
        [&](const Change& c) {
          const size_t dash = c.what.find('-'), slash = c.what.find('/');
          const net::Ip4 first = *net::ParseIp4(c.what.substr(0, std::min(dash, slash)));
          net::Range4 range{first, first};
          if (dash != std::string::npos) range.last = *net::ParseIp4(c.what.substr(dash + 1));
          if (slash != std::string::npos)
            range = net::PrefixRange4(first, std::stoi(c.what.substr(slash + 1)));
          changes.push_back({range, c});
        },
        nullptr);
    for (net::Ip4 address = 0; address < 80; address++) {
      std::string now = text(before, address);
      for (const auto& [range, c] : changes) {
        if (address < range.first || address > range.last) continue;
        EXPECT_EQ(c.before, now);
        EXPECT_NE(c.before, c.after);
        now = c.after;
      }
      ASSERT_EQ(now, text(after, address)) << round << " " << address;
    }
  }
}

// One zone with these prefixes passing for a.test; b.test has the same set, so that it is shared.
compiler::ImageModel SpfModel(const std::vector<std::string>& passing, const std::vector<std::string>& layouts = {"%{ir}.%{d}"},
                              bool third_domain = false) {
  using compiler::SpfOutcome;
  compiler::ImageModel m;
  compiler::testing::SpfModelBuilder spf(&m.pool, layouts);
  const uint32_t pass = spf.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all"), fail = spf.Program(SpfOutcome::kFail, "v=spf1 -all");
  const uint32_t set = spf.Set4(passing);
  spf.Domain("a.test", {{set, pass}}, {}, fail, fail);
  spf.Domain("b.test", {{spf.Set4({"10.0.0.0/8"}), fail}, {set, pass}}, {}, fail, pass);
  if (third_domain) spf.Domain("c.test", {}, {}, fail, fail).ttl = 60;
  auto d = std::make_unique<compiler::DatasetModel>();
  d->kind = kSpf;
  d->spec = "spf:x";
  d->spf = spf.Finish();
  m.datasets.push_back(std::move(d));
  compiler::ZoneModel z;
  z.apex = Wire("z.test");
  z.text = "z.test";
  z.datasets = {0};
  m.zones.push_back(z);
  return m;
}

TEST(DiffTest, SpfAnswersAreComparedNotTheirForm) {
  const std::vector<std::string> three = {"192.0.2.0/24", "198.51.100.0/24", "10.1.0.0/16"};
  std::vector<std::string> split = {"192.0.2.0/25", "192.0.2.128/25", "198.51.100.0/24", "10.1.0.0/16", "203.0.113.9"};
  EXPECT_THAT(Changes(SpfModel(three), SpfModel(three)), IsEmpty());
  EXPECT_THAT(Changes(SpfModel(three), SpfModel(split)),
              ElementsAre("~ z.test. spf/a.test. 203.0.113.9 fail \"v=spf1 -all\" -> pass \"v=spf1 ip4:$ -all\"",
                          "~ z.test. spf/b.test. 203.0.113.9 fail \"v=spf1 -all\" -> pass \"v=spf1 ip4:$ -all\""));
  // Two prefixes are written out, three are a shared set: 10.1.0.0/16 fails in b.test either way.
  EXPECT_THAT(Changes(SpfModel(three), SpfModel({"192.0.2.0/24", "198.51.100.0/24"})),
              ElementsAre("~ z.test. spf/a.test. 10.1.0.0/16 pass \"v=spf1 ip4:$ -all\" -> fail \"v=spf1 -all\""));
  EXPECT_THAT(Changes(SpfModel(three), SpfModel(three, {"%{i}.%{d}"}, true)),
              ElementsAre("- z.test. spf setting layout %{ir}.%{d}", "+ z.test. spf setting layout %{i}.%{d}",
                          "+ z.test. spf c.test. ttl 60"));
}

}  // namespace
}  // namespace mz::image
