// SPF evaluation of recorded answers: customers that include 4 of 200 providers and name five addresses, from nothing
// (every record is parsed and evaluated), and one customer more when the providers are known.
#include <random>

#include "bench/support/fixture.h"
#include "tests/compiler/spf/map_source.h"

namespace mz::bench {
namespace {

using compiler::spf::MapSource;

std::string Dotted(uint32_t a) {
  return std::to_string(a >> 24) + "." + std::to_string(a >> 16 & 255) + "." + std::to_string(a >> 8 & 255) + "." +
         std::to_string(a & 255);
}

std::string Customer(int64_t i) { return "customer" + std::to_string(i) + ".example"; }

void Record(MapSource* source, int64_t customers) {
  std::mt19937 random(1);
  for (int p = 0; p < 200; p++) {
    std::string record = "v=spf1";
    for (int k = 0; k < 65; k++) record += " ip4:" + Dotted(static_cast<uint32_t>(random()) & 0xffffff00) + "/24";
    for (int k = 0; k < 10; k++) record += " ip6:2001:db8:" + std::to_string(p * 10 + k) + "::/48";
    source->AddTxt("_spf.provider" + std::to_string(p) + ".test", {record + " ~all"});
  }
  for (int64_t i = 0; i < customers; i++) {
    std::string record = "v=spf1";
    for (int k = 0; k < 4; k++) record += " include:_spf.provider" + std::to_string(random() % 200) + ".test";
    for (int k = 0; k < 5; k++) record += " ip4:" + Dotted(static_cast<uint32_t>(random()));
    source->AddTxt(Customer(i), {record + " -all"});
  }
}

void BM_EvaluateAll(benchmark::State& state) {
  const int64_t customers = state.range(0);
  MapSource source;
  Record(&source, customers);
  std::vector<compiler::spf::RecordKey> keys;
  for (int64_t i = 0; i < customers; i++) {
    const std::string wire = MapSource::Wire(Customer(i));
    keys.push_back({wire, wire});
  }
  for (auto _ : state) {
    compiler::spf::Evaluator evaluator(&source, {});
    for (const auto& key : keys)
      if (!evaluator.Evaluate(key).complete) state.SkipWithError("an answer is missing");
  }
  state.SetItemsProcessed(state.iterations() * customers);
  state.counters["seconds_per_customer"] = benchmark::Counter(static_cast<double>(state.iterations() * customers),
                                                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_EvaluateAll)->ArgName("customers")->Arg(570)->Arg(5000)->Unit(benchmark::kMillisecond);

void BM_EvaluateOneMore(benchmark::State& state) {
  constexpr int64_t kCustomers = 5000;
  MapSource source;
  Record(&source, kCustomers);
  compiler::spf::Evaluator evaluator(&source, {});
  std::vector<compiler::spf::RecordKey> keys;
  for (int64_t i = 0; i < kCustomers; i++) {
    const std::string wire = MapSource::Wire(Customer(i));
    keys.push_back({wire, wire});
    evaluator.Evaluate(keys.back());
  }
  int64_t next = 0;
  for (auto _ : state) {
    const auto& key = keys[static_cast<size_t>(next)];
    next = (next + 1) % kCustomers;
    evaluator.Forget({key.owner, 16}, [](const compiler::spf::RecordKey&) {});
    benchmark::DoNotOptimize(evaluator.Evaluate(key).ttl);
  }
}
BENCHMARK(BM_EvaluateOneMore);

}  // namespace
}  // namespace mz::bench
