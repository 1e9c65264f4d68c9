// Properties of the evaluator: partitions say for every address what a record-by-record evaluation of that one address says,
// forgetting and evaluating again gives what a fresh evaluation gives, and hostile input stays bounded.
#include "compiler/spf/evaluator.h"

#include <chrono>
#include <random>
#include <set>

#include "compiler/spf/policy_diff.h"
#include "compiler/spf/residual.h"
#include "gtest/gtest.h"
#include "tests/compiler/spf/map_source.h"

namespace mz::compiler::spf {
namespace {

using Random = std::mt19937_64;

size_t Below(Random& r, size_t n) { return r() % n; }

// A world of records r0..rN under ".test" whose includes point anywhere, loops included.
struct World {
  std::map<std::string, std::string> records;
  std::vector<net::Ip4> borders;
};

std::string RandomTerm(Random& r, int count, World* world) {
  static const char* kSigns[] = {"", "", "+", "-", "~", "?"};
  const std::string sign = kSigns[Below(r, 6)];
  const std::string name = "r" + std::to_string(Below(r, static_cast<size_t>(count))) + ".test";
  switch (Below(r, 10)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const net::Ip4 a = 0xc0000200u + static_cast<net::Ip4>(Below(r, 64));
      const int length = 26 + static_cast<int>(Below(r, 7));
      const net::Range4 range = net::PrefixRange4(a, length);
      world->borders.push_back(range.first);
      world->borders.push_back(range.last);
      return sign + "ip4:" + net::ToString(a) + "/" + std::to_string(length);
    }
    case 4:
    case 5:
    case 6:
      return sign + "include:" + name;
    case 7:
      return sign + "exists:%{l}." + name;
    case 8:
      return sign + (Below(r, 2) ? "ptr:" + name : "include:%{i}." + name);
    default:
      return sign + "a:host" + std::to_string(Below(r, 4)) + ".test";
  }
}

World RandomWorld(Random& r) {
  World world;
  const int count = 2 + static_cast<int>(Below(r, 5));
  for (int i = 0; i < count; i++) {
    std::string text = "v=spf1";
    for (size_t terms = Below(r, 5); terms > 0; terms--) text += " " + RandomTerm(r, count, &world);
    switch (Below(r, 5)) {
      case 0:
        text += " redirect=r" + std::to_string(Below(r, static_cast<size_t>(count))) + ".test";
        break;
      case 1:
        text += " redirect=%{l}.x.test";
        break;
      case 2:
        break;
      default:
        text += std::string(" ") + "+-~?"[Below(r, 4)] + "all";
    }
    if (Below(r, 12) == 0) text += " ip4:1.2.3";  // a syntax error
    if (Below(r, 12) != 0) world.records["r" + std::to_string(i) + ".test"] = text;
  }
  return world;
}

void Fill(const World& world, MapSource* source) {
  for (const auto& [name, text] : world.records) source->AddTxt(name, {text});
  source->AddA("host0.test", "192.0.2.5");
  source->AddA("host1.test", "192.0.2.40");
  source->AddA("host1.test", "192.0.2.41");
  source->Fail("host2.test");
}

// The program for one address, by walking the records with that address in hand.
class OneAddress {
 public:
  OneAddress(MapSource* source, ProgramPool* programs, net::Ip4 ip) : source_(source), programs_(*programs), ip_(ip) {}

  ProgramId Evaluate(const std::string& name) {
    if (!stack_.insert(name).second) return programs_.Decided(Default::kPermerror);
    const ProgramId p = Record(name);
    stack_.erase(name);
    return p;
  }

 private:
  ProgramId Record(const std::string& name) {
    const resolve::Answer* a = source_->Find({MapSource::Wire(name), 16});
    if (a->kind != resolve::Answer::kData) return programs_.Decided(Default::kNone);
    const std::string text = a->rdata[0].substr(1);
    mz::spf::Record record;
    mz::spf::SyntaxError error;
    if (!mz::spf::ParseRecord(text, &record, &error)) return programs_.Decided(Default::kPermerror);
    size_t count = record.terms.size();
    std::optional<ProgramId> rest;
    for (size_t i = 0; i < count; i++) {
      if (record.terms[i].mechanism != mz::spf::Mechanism::kAll) continue;
      rest = programs_.Decided(DefaultOf(record.terms[i].qualifier));
      count = i;
    }
    if (!rest && record.redirect) {
      if (mz::spf::IsDynamic(record.redirect->value))
        rest = programs_.Redirect(mz::spf::MacroText(record.redirect->value));
      else
        rest = programs_.NoneToPermerror(Evaluate(record.redirect->value[0].literal));
    }
    if (!rest) rest = programs_.Decided(Default::kNeutral);
    ProgramId k = *rest;
    for (size_t i = count; i-- > 0;) {
      const mz::spf::Term& t = record.terms[i];
      const ProgramId matched = programs_.Decided(DefaultOf(t.qualifier));
      if (t.mechanism == mz::spf::Mechanism::kIp4) {
        const net::Range4 range = net::PrefixRange4(t.ip4, t.prefix4);
        if (range.first <= ip_ && ip_ <= range.last) k = matched;
      } else if (t.mechanism == mz::spf::Mechanism::kA) {
        const resolve::Answer* addresses = source_->Find({MapSource::Wire(t.domain->at(0).literal), 1});
        if (addresses->kind == resolve::Answer::kFailed) k = programs_.Decided(Default::kTemperror);
        for (const std::string& rdata : addresses->rdata)
          if (LoadBe32(reinterpret_cast<const uint8_t*>(rdata.data())) == ip_) k = matched;
      } else if (t.mechanism == mz::spf::Mechanism::kInclude && !mz::spf::IsDynamic(*t.domain)) {
        const ProgramId x = programs_.AsIncluded(Evaluate(t.domain->at(0).literal));
        k = programs_.Include(t.qualifier, x, k, 0);
      } else {
        const std::string atom =
            std::string(mz::spf::MechanismName(t.mechanism)) + ":" + mz::spf::MacroText(*t.domain);
        k = programs_.Cons(t.qualifier, programs_.MechanismAtom(atom), k, 0);
      }
    }
    return k;
  }

  MapSource* source_;
  ProgramPool& programs_;
  const net::Ip4 ip_;
  std::set<std::string> stack_;
};

std::vector<net::Ip4> Addresses(const World& world) {
  std::set<net::Ip4> out{0, 0xffffffff, 0xc0000205, 0xc0000206, 0xc0000228, 0xc0000229, 0xc000022a};
  for (net::Ip4 b : world.borders)
    for (net::Ip4 a : {b - 1, b, b + 1}) out.insert(a);
  return {out.begin(), out.end()};
}

RecordKey Key(const std::string& name) { return {MapSource::Wire(name), MapSource::Wire(name)}; }

TEST(Evaluator, SaysForEveryAddressWhatThatAddressAloneGets) {
  size_t checks = 0;
  for (uint64_t seed = 1; seed <= 3000; seed++) {
    Random r(seed);
    const World world = RandomWorld(r);
    MapSource source;
    Fill(world, &source);
    Evaluator e(&source, {});
    const Policy policy = e.Evaluate(Key("r0.test"));
    for (net::Ip4 ip : Addresses(world)) {
      const ProgramId expected = OneAddress(&source, &e.programs(), ip).Evaluate("r0.test");
      const ProgramId got = e.partitions4().Find(policy.v4, ip);
      ASSERT_EQ(ResidualText(&e.programs(), got, true, Form::kRedirect),
                ResidualText(&e.programs(), expected, true, Form::kRedirect))
          << "seed " << seed << " address " << net::ToString(ip);
      checks++;
    }
    // Regions are disjoint and cover everything.
    uint64_t covered = 0;
    for (const Entry& region : e.partitions4().Regions(policy.v4))
      for (const net::Range4& range : e.sets4().Get(region.set)) covered += uint64_t{range.last} - range.first + 1;
    ASSERT_EQ(covered, uint64_t{1} << 32) << "seed " << seed;
  }
  EXPECT_GT(checks, 20'000u);
}

TEST(Evaluator, ForgettingAndEvaluatingAgainIsAFreshEvaluation) {
  for (uint64_t seed = 1; seed <= 1500; seed++) {
    Random r(seed);
    World world = RandomWorld(r);
    MapSource source;
    Fill(world, &source);
    Evaluator kept(&source, {});
    for (int i = 0; i < 7; i++) kept.Evaluate(Key("r" + std::to_string(i) + ".test"));
    for (int change = 0; change < 4; change++) {
      const std::string name = "r" + std::to_string(Below(r, 6)) + ".test";
      World other = RandomWorld(r);
      source.Clear(name, 16);
      world.borders.insert(world.borders.end(), other.borders.begin(), other.borders.end());
      if (!other.records.empty()) source.AddTxt(name, {other.records.begin()->second});
      kept.Forget({MapSource::Wire(name), 16}, {});
      if (change % 2 == 1) continue;  // two changes at once are as good as one
      for (int i = 0; i < 7; i++) {
        const RecordKey key = Key("r" + std::to_string(i) + ".test");
        Evaluator fresh(&source, {});
        const Policy a = kept.Evaluate(key), b = fresh.Evaluate(key);
        for (net::Ip4 ip : Addresses(world))
          ASSERT_EQ(ResidualText(&kept.programs(), kept.partitions4().Find(a.v4, ip), true, Form::kRedirect),
                    ResidualText(&fresh.programs(), fresh.partitions4().Find(b.v4, ip), true, Form::kRedirect))
              << "seed " << seed << " change " << change << " record " << i << " address " << net::ToString(ip);
      }
    }
  }
}

TEST(Evaluator, AffectedNamesEverythingAbove) {
  MapSource source;
  source.AddTxt("a.test", {"v=spf1 include:b.test -all"});
  source.AddTxt("b.test", {"v=spf1 include:c.test -all"});
  source.AddTxt("c.test", {"v=spf1 a:host0.test -all"});
  source.AddTxt("d.test", {"v=spf1 -all"});
  source.AddA("host0.test", "192.0.2.5");
  Evaluator e(&source, {});
  e.Evaluate(Key("a.test"));
  e.Evaluate(Key("d.test"));
  std::set<std::string> affected;
  e.Forget({MapSource::Wire("host0.test"), 1}, [&](const RecordKey& key) { affected.insert(key.domain); });
  EXPECT_EQ(affected, (std::set<std::string>{MapSource::Wire("a.test"), MapSource::Wire("b.test"), MapSource::Wire("c.test")}));
  const std::vector<RecordKey> path = e.PathTo(Key("a.test"), {MapSource::Wire("host0.test"), 1});
  ASSERT_EQ(path.size(), 3u);
  EXPECT_EQ(path[2].owner, MapSource::Wire("c.test"));
}

std::string TextOf(Evaluator* e, const std::string& name, const std::string& ip) {
  const Policy& p = e->Evaluate(Key(name));
  return ResidualText(&e->programs(), e->partitions4().Find(p.v4, *net::ParseIp4(ip)), true, Form::kRedirect);
}

TEST(Evaluator, ALoopKeepsWhatRestsOnWhat) {
  // b.test is read twice: below a.test, and below c.test, where it may not lead back to c.test.
  MapSource source;
  source.AddTxt("a.test", {"v=spf1 ?include:b.test +all"});
  source.AddTxt("b.test", {"v=spf1 include:c.test -all"});
  source.AddTxt("c.test", {"v=spf1 a:host0.test include:b.test -all"});
  Evaluator e(&source, {});
  EXPECT_EQ(TextOf(&e, "a.test", "192.0.2.5"), "v=spf1 exists:%{x}");
  EXPECT_EQ(TextOf(&e, "c.test", "192.0.2.5"), "v=spf1 exists:%{x}");
  source.AddA("host0.test", "192.0.2.5");
  e.Forget({MapSource::Wire("host0.test"), 1}, {});
  EXPECT_EQ(TextOf(&e, "a.test", "192.0.2.5"), "v=spf1 ?all");
}

TEST(Bounds, LongChainsEndInPermerror) {
  MapSource source;
  for (int i = 0; i < 1000; i++)
    source.AddTxt("c" + std::to_string(i) + ".test", {"v=spf1 include:c" + std::to_string(i + 1) + ".test ip4:192.0.2.1 -all"});
  source.AddTxt("c1000.test", {"v=spf1 -all"});
  Evaluator e(&source, {});
  EXPECT_EQ(TextOf(&e, "c0.test", "192.0.2.1"), "v=spf1 exists:%{x}");
  EXPECT_EQ(TextOf(&e, "c950.test", "192.0.2.1"), "v=spf1 ip4:$IP -all");
}

TEST(Bounds, AWorldOfLoopsIsBounded) {
  // Every record includes every other: without a bound the number of paths is factorial.
  MapSource source;
  constexpr int kRecords = 30;
  for (int i = 0; i < kRecords; i++) {
    std::string text = "v=spf1";
    for (int k = 0; k < kRecords; k++)
      if (k != i) text += " include:l" + std::to_string(k) + ".test";
    source.AddTxt("l" + std::to_string(i) + ".test", {text + " -all"});
  }
  Evaluator e(&source, {});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(TextOf(&e, "l0.test", "192.0.2.1"), "v=spf1 exists:%{x}");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(Bounds, ThousandsOfTermsAndPrograms) {
  MapSource source;
  std::string alternating = "v=spf1", dynamic = "v=spf1";
  for (int i = 0; i < 2500; i++) {
    const std::string ip = "ip4:10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".1";
    alternating += (i % 2 ? " ?" : " ") + ip;
    if (i < 1000) dynamic += " -exists:%{l}.x" + std::to_string(i) + ".test " + ip;
  }
  source.AddTxt("alternating.test", {alternating + " -all"});
  source.AddTxt("dynamic.test", {dynamic + " -all"});
  source.AddTxt("good.test", {"v=spf1 ip4:192.0.2.1 include:alternating.test -all"});
  Evaluator e(&source, {});
  EXPECT_EQ(TextOf(&e, "alternating.test", "10.0.0.1"), "v=spf1 ip4:$IP -all");
  EXPECT_EQ(TextOf(&e, "alternating.test", "10.0.1.1"), "v=spf1 ?all");
  EXPECT_EQ(TextOf(&e, "alternating.test", "10.9.9.9"), "v=spf1 -all");
  EXPECT_EQ(TextOf(&e, "good.test", "10.0.2.1"), "v=spf1 ip4:$IP -all");
  EXPECT_EQ(TextOf(&e, "dynamic.test", "10.0.0.1"), "v=spf1 exists:%{x}");  // over the bound of classes
}

TEST(Prefixes, CoverARangeWithTheFewest) {
  uint64_t total = 0;
  const std::vector<net::Range4> ranges{{0x0a000001, 0x0a000006}, {0xfffffffe, 0xffffffff}};
  EXPECT_EQ(PrefixTexts<V4>(ranges, 10, &total),
            (std::vector<std::string>{"10.0.0.1", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6", "255.255.255.254/31"}));
  EXPECT_EQ(total, 5u);
  EXPECT_EQ(PrefixTexts<V4>({{0, 0xffffffff}}, 10, &total), std::vector<std::string>{"0.0.0.0/0"});
  EXPECT_EQ(PrefixTexts<V6>({{{0, 0}, net::kIp6Last}}, 10, &total), std::vector<std::string>{"::/0"});
}

}  // namespace
}  // namespace mz::compiler::spf
