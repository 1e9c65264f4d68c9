// SPF models -> images: for every address the image says what the first match in the model says, whatever form the
// sets take.
#include <gtest/gtest.h>

#include "compiler/build/address_classes.h"
#include "format/image/spf_view.h"
#include "model_tools.h"
#include "spf_models.h"

namespace mz::compiler {
namespace {

using testing::FirstMatch;
using testing::SpfModelBuilder;

struct Forms {  // entries seen, by form
  int sets = 0, prefixes = 0, maps = 0;
};

void Count(const image::SpfList& list, Forms* forms) {
  for (uint32_t i = 0; i < list.count; i++)
    (list.kind[i] == image::kSpfEntrySet   ? forms->sets
     : list.kind[i] == image::kSpfEntryMap ? forms->maps
                                           : forms->prefixes)++;
}

class RandomSpf {
 public:
  explicit RandomSpf(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t n) { return random_() % n; }

  // Addresses crowd in a small space, so that everything overlaps; now and then the ends of the whole space.
  net::Range4 Range4() {
    if (Below(40) == 0)
      return Below(2) ? net::Range4{0, static_cast<net::Ip4>(Below(100))} : net::Range4{~0u - 5, ~0u};
    if (Below(60) == 0) return {0, ~0u};
    const auto first = static_cast<net::Ip4>(0x0a000000 + Below(4096));
    return Below(2) ? net::PrefixRange4(first, static_cast<int>(20 + Below(13)))
                    : net::Range4{first, static_cast<net::Ip4>(first + Below(64))};
  }
  net::Range6 Range6() {
    const uint64_t kHigh = 0x20010db800000000;
    if (Below(40) == 0)
      return Below(2) ? net::Range6{{}, {0, Below(9)}} : net::Range6{{~0ull, ~0ull - Below(9)}, net::kIp6Last};
    const net::Ip6 first{kHigh + Below(256), Below(3) ? 0 : Below(256)};
    if (Below(3) == 0) return {first, {first.high, first.low + Below(40)}};
    return net::PrefixRange6(first, static_cast<int>(Below(2) ? 120 + Below(9) : 56 + Below(9)));
  }

  void Fill(SpfModelBuilder* spf, int sets, int domains, int largest_set) {
    std::vector<uint32_t> programs;
    const int program_count = Below(6) == 0 ? 300 : 5;  // more than a domain can name
    for (int i = 0; i < program_count; i++)
      programs.push_back(spf->Program(static_cast<SpfOutcome>(i % 7), "v=spf1 " + std::to_string(i)));
    std::vector<uint32_t> sets4, sets6;
    auto size = [&] { return 1 + Below(Below(3) ? 4 : static_cast<uint64_t>(largest_set)); };
    for (int i = 0; i < sets; i++) {
      std::vector<net::Range4> four;
      for (uint64_t k = size(); k > 0; k--) four.push_back(Range4());
      sets4.push_back(spf->AddSet4(four));
      std::vector<net::Range6> six;
      for (uint64_t k = size(); k > 0; k--) six.push_back(Range6());
      sets6.push_back(spf->AddSet6(six));
    }
    auto program = [&] { return programs[Below(programs.size())]; };
    for (int i = 0; i < domains; i++) {
      std::vector<SpfEntry> four, six;
      const uint64_t longest = Below(10) == 0 ? 400 : 8;
      for (uint64_t k = Below(longest); k > 0; k--) four.push_back({sets4[Below(sets4.size())], program()});
      for (uint64_t k = Below(longest); k > 0; k--) six.push_back({sets6[Below(sets6.size())], program()});
      spf->Domain("d" + std::to_string(i) + ".test", four, six, program(), program());
    }
  }

 private:
  std::mt19937_64 random_;
};

// The addresses where something may change, and their neighbours.
std::vector<net::Ip4> Probes4(const SpfModel& m) {
  std::vector<net::Ip4> out{0, ~0u};
  for (const auto& set : m.sets4)
    for (const net::Range4& r : set)
      for (net::Ip4 a : {r.first, r.first - 1, r.last, r.last + 1}) out.push_back(a);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}
std::vector<net::Ip6> Probes6(const SpfModel& m) {
  std::vector<net::Ip6> out{{}, net::kIp6Last};
  for (const auto& set : m.sets6)
    for (const net::Range6& r : set)
      for (const net::Ip6& a : {r.first, r.first.Previous(), r.last, r.last.Next()}) out.push_back(a);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::string TextOfProgram(const image::View& view, uint32_t id) {
  const image::Text& t = view.text(view.spf_program(id).text);
  return {reinterpret_cast<const char*>(image::Literal(t)), t.bytes};
}

void ExpectSameAnswers(const SpfModel& m, const Pool& pool, const image::View& view, uint32_t scope,
                       Forms* forms) {
  const std::vector<net::Ip4> probes4 = Probes4(m);
  const std::vector<net::Ip6> probes6 = Probes6(m);
  auto text = [&](uint32_t program) { return pool.text(m.programs[program].text).literal; };
  for (const SpfDomain& d : m.domains) {
    const std::string_view name = m.names.Get(d.name);
    const auto* p = reinterpret_cast<const uint8_t*>(name.data());
    const image::NameRecord* r =
        view.FindName(scope, image::HashName(view.hash_seed(), scope, {p, name.size()}), p, name.size());
    ASSERT_NE(r, nullptr);
    const image::SpfDomain& stored = view.spf_domain(r->a);
    Count(image::SpfList4(stored), forms);
    Count(image::SpfList6(stored), forms);
    for (net::Ip4 ip : probes4)
      ASSERT_EQ(TextOfProgram(view, EvaluateSpf(view, stored, ip).program), text(FirstMatch(m, d, ip)))
          << net::ToString(ip) << " in " << dns::NameText(name);
    for (const net::Ip6& ip : probes6)
      ASSERT_EQ(TextOfProgram(view, EvaluateSpf(view, stored, ip).program), text(FirstMatch(m, d, ip)))
          << net::ToString(ip) << " in " << dns::NameText(name);
  }
}

TEST(SpfEncoderTest, RandomModelsAnswerAsTheFirstMatchSays) {
  Forms forms;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    SCOPED_TRACE(seed);
    ImageModel model;
    RandomSpf random(seed);
    SpfModelBuilder spf(&model.pool, {"%{ir}.%{d}"});
    random.Fill(&spf, static_cast<int>(4 + random.Below(seed % 8 == 0 ? 150 : 12)),
                static_cast<int>(1 + random.Below(12)), static_cast<int>(4 + random.Below(40)));
    DatasetModel* d = testing::AddDataset(&model, image::kSpf, "spf:test");
    d->spf = spf.Finish();
    testing::AddZone(&model, "z.test", {0});
    auto image = testing::Write(model);
    ASSERT_NE(image, nullptr);
    ExpectSameAnswers(*d->spf, model.pool, image->view, testing::OnlyDataset(image->view).scope, &forms);
    if (HasFailure()) return;
  }
  // All forms must have been tried.
  EXPECT_GT(forms.sets, 50);
  EXPECT_GT(forms.prefixes, 50);
  EXPECT_GT(forms.maps, 30);
}

// Two zones share sets and programs; the second keeps its own domains.
TEST(SpfEncoderTest, ZonesShareSets) {
  ImageModel model;
  Forms forms;
  for (int zone = 0; zone < 2; zone++) {
    RandomSpf random(7);
    SpfModelBuilder spf(&model.pool, {"%{ir}.%{d}"});
    random.Fill(&spf, 10, 3 + zone, 30);
    testing::AddDataset(&model, image::kSpf, "spf:" + std::to_string(zone))->spf = spf.Finish();
  }
  testing::AddZone(&model, "one.test", {0});
  testing::AddZone(&model, "two.test", {1});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  for (size_t zone = 0; zone < 2; zone++)
    ExpectSameAnswers(*model.datasets[zone]->spf, model.pool, image->view,
                      testing::OnlyDataset(image->view, zone).scope, &forms);
}

std::vector<std::vector<net::Range4>> OverlappingSets(int count, int ranges, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<net::Range4>> out;
  for (int i = 0; i < count; i++) {
    std::vector<net::Range4> set;
    net::Ip4 at = static_cast<net::Ip4>(random() % 1000);
    for (int k = 0; k < ranges; k++) {
      const net::Ip4 last = at + static_cast<net::Ip4>(random() % 1000000 + 2);
      set.push_back({at, last});
      at = last + 2 + static_cast<net::Ip4>(random() % 50);
    }
    out.push_back(std::move(set));
  }
  return out;
}

TEST(SpfClassesTest, BoundsHoldHoweverSetsOverlap) {
  const auto sets = OverlappingSets(500, 100, 3);
  std::vector<SharedSet<net::Ip4>> shared;
  for (size_t i = 0; i < sets.size(); i++) shared.push_back({&sets[i], static_cast<uint32_t>(2 + i)});
  for (const ClassLimits& limits : {ClassLimits{}, ClassLimits{16, 1 << 20}, ClassLimits{64, 20000}}) {
    const auto table = BuildClasses<net::Ip4>(shared, limits);
    EXPECT_LE(table.words.size(), limits.words);
    EXPECT_GT(table.set_count, 0u);
    uint32_t longest = 0;
    for (size_t i = 1; i < table.words.size(); i += 1 + table.words[i])
      longest = std::max(longest, table.words[i]);
    EXPECT_LE(longest, limits.depth);
    EXPECT_NE(table.set_ids.back(), 0u) << "the set with the most users stays";
  }
}

// 2,000 domains, each with 20 of 300 large sets that all overlap: the image stays linear, and right.
TEST(SpfEncoderTest, OverlappingSetsStayLinear) {
  ImageModel model;
  SpfModelBuilder spf(&model.pool, {"%{ir}.%{d}"});
  const uint32_t pass = spf.Program(SpfOutcome::kPass, "p"), fail = spf.Program(SpfOutcome::kFail, "f"),
                 soft = spf.Program(SpfOutcome::kSoftfail, "s");
  std::vector<uint32_t> sets;
  for (auto& set : OverlappingSets(300, 200, 4)) sets.push_back(spf.AddSet4(std::move(set)));
  std::mt19937_64 random(5);
  for (int i = 0; i < 2000; i++) {
    std::vector<SpfEntry> entries;
    for (int k = 0; k < 20; k++) entries.push_back({sets[random() % sets.size()], random() % 2 ? pass : soft});
    spf.Domain("d" + std::to_string(i) + ".test", entries, {}, fail, fail);
  }
  DatasetModel* d = testing::AddDataset(&model, image::kSpf, "spf:test");
  d->spf = spf.Finish();
  testing::AddZone(&model, "z.test", {0});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  EXPECT_LT(image->bytes.size(), 40u << 20);
  const SpfModel& m = *d->spf;
  const uint32_t scope = testing::OnlyDataset(image->view).scope;
  for (int i = 0; i < 20000; i++) {
    const SpfDomain& domain = m.domains[random() % m.domains.size()];
    const std::string_view name = m.names.Get(domain.name);
    const auto* p = reinterpret_cast<const uint8_t*>(name.data());
    const auto* r = image->view.FindName(scope, image::HashName(image->view.hash_seed(), scope, {p, name.size()}),
                                         p, name.size());
    const auto& set = m.sets4[domain.entries4[random() % 20].set];
    const net::Ip4 ip = set[random() % set.size()].first - static_cast<net::Ip4>(random() % 2);
    ASSERT_EQ(TextOfProgram(image->view, EvaluateSpf(image->view, image->view.spf_domain(r->a), ip).program),
              model.pool.text(m.programs[FirstMatch(m, domain, ip)].text).literal);
  }
}

// More entries than a list may have.
TEST(SpfEncoderTest, VeryLongListsBecomeOneMap) {
  ImageModel model;
  SpfModelBuilder spf(&model.pool, {"%{ir}.%{d}"});
  const uint32_t pass = spf.Program(SpfOutcome::kPass, "p"), fail = spf.Program(SpfOutcome::kFail, "f");
  std::vector<SpfEntry> entries;
  for (uint32_t i = 0; i < 3000; i++) {
    // Every second one large and shared, so that neighbours do not join.
    const net::Ip4 at = 0x0a000000 + 64 * (i % 50);
    entries.push_back(
        {spf.AddSet4(i % 2 ? std::vector<net::Range4>{{at, at + 1}, {at + 5, at + 6}, {at + 9, at + 20}}
                           : std::vector<net::Range4>{{at + i, at + i}}),
         i % 3 ? pass : fail});
  }
  spf.Domain("a.test", entries, {}, fail, fail);
  spf.Domain("b.test", entries, {}, pass, fail);
  DatasetModel* d = testing::AddDataset(&model, image::kSpf, "spf:test");
  d->spf = spf.Finish();
  testing::AddZone(&model, "z.test", {0});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  Forms forms;
  ExpectSameAnswers(*d->spf, model.pool, image->view, testing::OnlyDataset(image->view).scope, &forms);
  EXPECT_EQ(forms.maps, 2);
  EXPECT_EQ(forms.sets + forms.prefixes, 0);
}

TEST(SpfEncoderTest, EqualPoliciesAreStoredOnce) {
  ImageModel model;
  SpfModelBuilder spf(&model.pool, {"%{ir}.%{d}"});
  const uint32_t pass = spf.Program(SpfOutcome::kPass, "p"), fail = spf.Program(SpfOutcome::kFail, "f");
  const uint32_t set = spf.Set4({"192.0.2.1", "192.0.2.3", "192.0.2.5", "192.0.2.7"});
  for (int i = 0; i < 100; i++) spf.Domain("d" + std::to_string(i) + ".test", {{set, pass}}, {}, fail, fail);
  testing::AddDataset(&model, image::kSpf, "spf:test")->spf = spf.Finish();
  testing::AddZone(&model, "z.test", {0});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  EXPECT_LT(image->view.section(image::kSpfData).size(), 600u);
}

TEST(SpfEncoderTest, BrokenModelsAreRefused) {
  auto write = [](auto change) {
    ImageModel model;
    SpfModelBuilder spf(&model.pool, {"%{ir}.%{d}"});
    const uint32_t pass = spf.Program(SpfOutcome::kPass, "p");
    spf.Domain("a.test", {{spf.Set4({"192.0.2.1"}), pass}}, {}, pass, pass);
    change(spf.model());
    testing::AddDataset(&model, image::kSpf, "spf:test")->spf = spf.Finish();
    testing::AddZone(&model, "z.test", {0});
    std::vector<uint8_t> bytes;
    return WriteImage(model, {}, &bytes).status().code();
  };
  EXPECT_EQ(write([](SpfModel&) {}), StatusCode::kOk);
  EXPECT_EQ(write([](SpfModel& m) { m.domains[0].entries4[0].set = 9; }), StatusCode::kInternal);
  EXPECT_EQ(write([](SpfModel& m) { m.domains[0].entries4[0].program = 9; }), StatusCode::kInternal);
  EXPECT_EQ(write([](SpfModel& m) { m.domains[0].default6 = 9; }), StatusCode::kInternal);
  EXPECT_EQ(write([](SpfModel& m) { m.sets4[0] = {{5, 4}}; }), StatusCode::kInternal);
  EXPECT_EQ(write([](SpfModel& m) { m.sets4[0] = {{5, 6}, {7, 8}}; }), StatusCode::kInternal);
  EXPECT_EQ(write([](SpfModel& m) { m.layouts.clear(); }), StatusCode::kInternal);
  EXPECT_EQ(write([](SpfModel& m) { m.programs[0].text = 77; }), StatusCode::kInternal);
  EXPECT_EQ(write([](SpfModel& m) { m.unknown_domain = SpfUnknown::kText; }), StatusCode::kInternal);
  EXPECT_EQ(write([](SpfModel& m) {
              m.layouts[0].push_back({SpfLayoutPart::kIgnored, ""});
            }),
            StatusCode::kInternal);
}

}  // namespace
}  // namespace mz::compiler
