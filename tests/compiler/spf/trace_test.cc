// The explanation of one client's result, beside what the evaluator says.
#include "compiler/spf/trace.h"

#include "compiler/spf/residual.h"
#include "gtest/gtest.h"
#include "tests/compiler/spf/map_source.h"

namespace mz::compiler::spf {
namespace {

struct World {
  MapSource source;
  Evaluator evaluator{&source, {}};

  Trace Of(const std::string& domain, const std::string& ip, size_t limit = 10'000) {
    const std::string wire = MapSource::Wire(domain);
    return TraceClient(&evaluator, &source, {wire, wire}, *ParseClient(ip), limit);
  }
  std::string Residual(const Trace& t, bool v4 = true) {
    return ResidualText(&evaluator.programs(), t.program, v4, Form::kRedirect);
  }
};

// "=> ip4:192.0.2.0/24 match", one line a step that is no record.
std::vector<std::string> Lines(const Trace& t) {
  constexpr const char* kWords[] = {"record", "no", "match", "receiver", "error", "followed"};
  std::vector<std::string> out;
  for (const TraceStep& s : t.steps)
    if (s.outcome != TraceStep::kRecord)
      out.push_back((s.decides ? "=> " : "") + std::string(static_cast<size_t>(s.depth), '>') + s.term + " " +
                    kWords[s.outcome]);
  return out;
}
using L = std::vector<std::string>;

TEST(ParseClientTest, MappedAddressesAreIpv4) {
  EXPECT_TRUE(ParseClient("192.0.2.1")->is_v4);
  EXPECT_EQ(ParseClient("::ffff:192.0.2.1")->v4, 0xc0000201u);
  EXPECT_TRUE(ParseClient("::ffff:192.0.2.1")->is_v4);
  EXPECT_FALSE(ParseClient("2001:db8::1")->is_v4);
  EXPECT_FALSE(ParseClient("192.0.2.300"));
}

TEST(TraceTest, IncludeIsDecidedByTheTermThatPassedInside) {
  World w;
  w.source.AddTxt("a.example", {"v=spf1 ip4:198.51.100.1 include:p.example -all"});
  w.source.AddTxt("p.example", {"v=spf1 ip4:192.0.2.9 ip4:192.0.2.0/24 ~all"});
  Trace t = w.Of("a.example", "192.0.2.1");
  EXPECT_EQ(Lines(t), (L{"ip4:198.51.100.1 no", "=> include:p.example match", ">ip4:192.0.2.9 no",
                         "=> >ip4:192.0.2.0/24 match"}));
  EXPECT_EQ(w.Residual(t), "v=spf1 ip4:$IP -all");
  // softfail inside is no match outside.
  t = w.Of("a.example", "203.0.113.1");
  EXPECT_EQ(Lines(t).back(), "=> -all match");
  EXPECT_EQ(Lines(t)[1], "include:p.example no");
  EXPECT_EQ(t.steps.front().outcome, TraceStep::kRecord);
  EXPECT_EQ(t.steps[2].column, 25u);
}

TEST(TraceTest, NegativeTermInsideAnIncludeEndsTheInclude) {
  World w;
  w.source.AddTxt("a.example", {"v=spf1 include:p.example ?all"});
  w.source.AddTxt("p.example", {"v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24"});
  EXPECT_EQ(Lines(w.Of("a.example", "192.0.2.1")), (L{"include:p.example no", ">-ip4:192.0.2.1 match", "=> ?all match"}));
}

TEST(TraceTest, RedirectIsFollowed) {
  World w;
  w.source.AddTxt("a.example", {"v=spf1 ip4:192.0.2.1 redirect=b.example"});
  w.source.AddTxt("b.example", {"v=spf1 ~all"});
  EXPECT_EQ(Lines(w.Of("a.example", "192.0.2.2")), (L{"ip4:192.0.2.1 no", "=> redirect=b.example followed", "=> >~all match"}));
}

TEST(TraceTest, WhatTheReceiverDecidesStaysOpen) {
  World w;
  w.source.AddTxt("a.example", {"v=spf1 exists:%{l}.x.example ip4:192.0.2.1 -all"});
  Trace t = w.Of("a.example", "192.0.2.2");
  EXPECT_EQ(Lines(t), (L{"exists:%{l}.x.example receiver", "ip4:192.0.2.1 no", "=> -all match"}));
  EXPECT_EQ(w.Residual(t), "v=spf1 exists:%{l}.x.example -all");
  // Whatever the receiver finds, the include passes.
  w.source.AddTxt("b.example", {"v=spf1 include:a.example ~all"});
  t = w.Of("b.example", "192.0.2.1");
  EXPECT_EQ(Lines(t).front(), "=> include:a.example match");
  EXPECT_EQ(w.Residual(t), "v=spf1 ip4:$IP -all");
  EXPECT_EQ(Lines(w.Of("b.example", "192.0.2.2")).front(), "include:a.example receiver");
}

TEST(TraceTest, HostsOfAAndMx) {
  World w;
  w.source.AddTxt("a.example", {"v=spf1 a:none.example mx a:h.example/24 -all"});
  w.source.AddMx("a.example", 10, "m1.example");
  w.source.AddMx("a.example", 20, "m2.example");
  w.source.AddA("m1.example", "192.0.2.1");
  w.source.AddA("m2.example", "192.0.2.2");
  w.source.AddAaaa("m2.example", "2001:db8::2");
  w.source.AddA("h.example", "198.51.100.7");
  Trace t = w.Of("a.example", "192.0.2.1");  // the second exchange does not undo the first
  EXPECT_EQ(Lines(t), (L{"a:none.example no", "=> mx match"}));
  EXPECT_EQ(t.steps.back().note, "m1.example has 192.0.2.1");
  EXPECT_EQ(Lines(w.Of("a.example", "2001:db8::2")).back(), "=> mx match");
  EXPECT_EQ(Lines(w.Of("a.example", "198.51.100.200")).back(), "=> a:h.example/24 match");
  EXPECT_EQ(w.Residual(w.Of("a.example", "198.51.100.200")), "v=spf1 ip4:$IP -all");
}

TEST(TraceTest, FailingLookupsAndMissingRecordsDecide) {
  World w;
  w.source.AddTxt("a.example", {"v=spf1 ip4:192.0.2.1 mx -all"});
  w.source.AddMx("a.example", 10, "m1.example");
  w.source.AddMx("a.example", 10, "m2.example");
  w.source.AddA("m1.example", "192.0.2.7");
  w.source.Fail("m2.example");
  Trace t = w.Of("a.example", "192.0.2.7");
  EXPECT_EQ(Lines(t).back(), "=> mx error");
  EXPECT_EQ(t.steps.back().note, "m2.example: lookup failed: timeout");
  EXPECT_EQ(w.Residual(t), "SERVFAIL");
  w.source.AddTxt("b.example", {"v=spf1 include:nx.example -all"});
  t = w.Of("b.example", "192.0.2.1");
  EXPECT_EQ(Lines(t), (L{"=> include:nx.example error"}));
  ASSERT_EQ(t.steps.size(), 3u);
  EXPECT_TRUE(t.steps[2].decides);
  EXPECT_FALSE(t.steps[2].ok);
  EXPECT_EQ(t.steps[2].term, "the name does not exist");
}

TEST(TraceTest, LoopsEnd) {
  World w;
  w.source.AddTxt("a.example", {"v=spf1 include:b.example -all"});
  w.source.AddTxt("b.example", {"v=spf1 ip4:192.0.2.1 redirect=a.example"});
  Trace t = w.Of("a.example", "192.0.2.2");
  EXPECT_EQ(Lines(t).back(), "=> >redirect=a.example error");
  EXPECT_EQ(t.steps.back().note, "leads back to itself");
  EXPECT_EQ(Lines(w.Of("a.example", "192.0.2.1")).back(), "=> >ip4:192.0.2.1 match");
}

TEST(TraceTest, StopsAtItsLimit) {
  World w;
  w.source.AddTxt("a.example", {"v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 -all"});
  const Trace t = w.Of("a.example", "198.51.100.1", 3);
  EXPECT_EQ(t.steps.size(), 3u);
  EXPECT_TRUE(t.cut);
}

TEST(TraceTest, NothingMatches) {
  World w;
  w.source.AddTxt("a.example", {"v=spf1 ip4:192.0.2.1"});
  const Trace t = w.Of("a.example", "192.0.2.2");
  for (const TraceStep& s : t.steps) EXPECT_FALSE(s.decides);
  EXPECT_EQ(w.Residual(t), "v=spf1 ?all");
}

TEST(TraceTest, SourceThatLeadsToOurOwnZone) {
  MapSource source;
  source.AddTxt("a.example", {"v=spf1 ip4:192.0.2.1 include:%{ir}.%{d}._SPF.z.example -all"});
  Options options;
  options.own_zones = {MapSource::Wire("_spf.z.example")};
  Evaluator evaluator(&source, options);
  const RecordKey key{MapSource::Wire("a.example"), MapSource::Wire("a.example")};
  const Trace t = TraceClient(&evaluator, &source, key, *ParseClient("192.0.2.2"));
  EXPECT_EQ(Lines(t).back(), "=> include:%{ir}.%{d}._SPF.z.example error");
  EXPECT_EQ(evaluator.programs().program(t.program).fallback, Default::kPermerror);
}

// What the marked steps say, for comparison with the evaluator: a sign, '!' for an error, '*' when it is open.
char Derived(const Trace& t) {
  int depth = 0;
  for (size_t i = 0; i < t.steps.size(); i++) {
    const TraceStep& s = t.steps[i];
    if (s.depth != depth) continue;
    if (s.outcome == TraceStep::kReceiver) return '*';
    if (!s.decides) continue;
    if (s.outcome == TraceStep::kFollowed) {
      depth++;
      continue;
    }
    if (s.outcome != TraceStep::kMatch) return '!';
    return std::string_view("-~?").find(s.term[0]) != std::string_view::npos ? s.term[0] : '+';
  }
  return '?';
}

class Worlds {
 public:
  explicit Worlds(uint64_t seed) : state_(seed) {}
  void Fill(MapSource* source) {
    for (int n = 0; n < 5; n++) {
      std::string record = "v=spf1";
      for (uint64_t i = Next(4); i > 0; i--) record += " " + Term();
      if (Next(2)) record += std::string(" ") + "+-~?"[Next(4)] + "all";
      else if (Next(3) == 0) record += " redirect=" + Name();
      if (Next(8) != 0) source->AddTxt("n" + std::to_string(n) + ".example", {record});
      if (Next(2)) source->AddA("n" + std::to_string(n) + ".example", Address());
    }
  }
  std::string Address() { return "192.0.2." + std::to_string(Next(4)); }

 private:
  uint64_t Next(uint64_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % n;
  }
  std::string Name() { return "n" + std::to_string(Next(6)) + ".example"; }
  std::string Term() {
    const std::string sign(1, "+-~?"[Next(4)]);
    switch (Next(6)) {
      case 0: case 1: return sign + "ip4:" + Address() + (Next(3) ? "" : "/31");
      case 2: case 3: return sign + "include:" + Name();
      case 4: return sign + "a:" + Name();
      default: return sign + (Next(2) ? "exists:%{l}." : "exists:") + Name();
    }
  }
  uint64_t state_;
};

TEST(TraceTest, AgreesWithTheEvaluatorOnRandomWorlds) {
  size_t decided = 0, open = 0;
  for (uint64_t seed = 1; seed <= 4000; seed++) {
    World w;
    Worlds random(seed);
    random.Fill(&w.source);
    const Trace t = w.Of("n0.example", random.Address());
    const Program& p = w.evaluator.programs().program(t.program);
    const char derived = Derived(t);
    if (derived == '*') {
      open++;  // the evaluator may know better: two ways to one result
      continue;
    }
    decided++;
    ASSERT_TRUE(p.clauses.empty()) << seed << " " << w.Residual(t);
    ASSERT_EQ(IsResult(p.fallback) ? mz::spf::QualifierSign(QualifierOf(p.fallback)) : '!', derived)
        << seed << " " << w.Residual(t) << testing::PrintToString(Lines(t));
  }
  EXPECT_GT(decided, 2500u);
  EXPECT_GT(open, 100u);
}

}  // namespace
}  // namespace mz::compiler::spf
