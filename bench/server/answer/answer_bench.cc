// The answer engine alone: batches of 32 queries against images of 1 to 1,000,000 names in expurgate's form (an IPv4 map of
// about 400 intervals a name), every query another name and address, so that the working set is the image.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/support/asking.h"
#include "bench/support/fixture.h"

namespace mz {
namespace {

constexpr int kProviders = 200;
constexpr int kPrefixes = 65;
constexpr int kQueries = 1 << 16;

std::string Label(std::string_view text) { return static_cast<char>(text.size()) + std::string(text); }

// One image and its queries.
struct Workload {
  bench::Loaded image;
  std::vector<std::string> queries;
};

BigVector<compiler::Interval4> Merge(std::vector<net::Range4> ranges, compiler::ResultId hit, compiler::ResultId miss) {
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  BigVector<compiler::Interval4> map{{0, miss}};  // Requires: no range begins at 0
  uint64_t free_from = 0;
  for (const net::Range4& r : ranges) {
    if (r.last < free_from) continue;
    net::Ip4 first = static_cast<net::Ip4>(std::max<uint64_t>(r.first, free_from));
    if (map.back().result == miss && map.back().start == first)
      map.pop_back();  // goes on where the last one ended
    else
      map.push_back({first, hit});
    free_from = uint64_t{r.last} + 1;
    if (free_from > 0xffffffffu) break;
    map.push_back({static_cast<net::Ip4>(free_from), miss});
  }
  return map;
}

const Workload& Domains(int count) {
  static std::map<int, std::unique_ptr<Workload>> cache;
  std::unique_ptr<Workload>& w = cache[count];
  if (w) return *w;
  w = std::make_unique<Workload>();
  std::mt19937_64 random(1);
  const int lengths[] = {32, 24, 22, 20, 19, 28, 29};
  std::vector<std::vector<net::Range4>> providers(kProviders);
  for (auto& p : providers)
    for (int i = 0; i < kPrefixes; i++)
      p.push_back(net::PrefixRange4(static_cast<net::Ip4>(random()), lengths[random() % 7]));

  compiler::ImageModel model;
  compiler::TextModel pass{.literal = "v=spf1 ip4: ~all", .holes = {11}};
  compiler::TextModel rest{.literal = "v=spf1 ~all"};
  compiler::ResultId hit = model.pool.InternResult({{{127, 0, 0, 3}, model.pool.InternText(pass)}});
  compiler::ResultId miss = model.pool.InternResult({{{127, 0, 0, 99}, model.pool.InternText(rest)}});
  auto combined = std::make_unique<compiler::DatasetModel>();
  combined->kind = image::kCombined;
  combined->spec = "combined:bench";
  for (int d = 0; d < count; d++) {
    auto part = std::make_unique<compiler::DatasetModel>();
    part->kind = image::kIp4Set;
    part->spec = "ip4set";
    std::vector<net::Range4> ranges;
    for (int i = 0; i < 3; i++) {
      const auto& p = providers[random() % kProviders];
      ranges.insert(ranges.end(), p.begin(), p.end());
    }
    part->map4 = Merge(std::move(ranges), hit, miss);
    std::string name = Label("customer" + std::to_string(d)) + Label("example");
    combined->subzones.push_back({combined->names.Add(name), {static_cast<uint32_t>(combined->parts.size())}});
    combined->parts.push_back(std::move(part));
  }
  model.datasets.push_back(std::move(combined));
  compiler::ZoneModel zone;
  zone.apex = Label("_spf") + Label("bench") + Label("test");
  zone.text = "_spf.bench.test";
  zone.datasets = {0};
  model.zones.push_back(zone);
  w->image = bench::FromModel(model);
  for (int i = 0; i < kQueries; i++) {
    std::string q("\x12\x34\1\0\0\1\0\0\0\0\0\0", 12);
    for (int k = 0; k < 4; k++) q += Label(std::to_string(random() % 256));
    q += Label("customer" + std::to_string(random() % static_cast<unsigned>(count))) + Label("example") + zone.apex;
    q += std::string("\0\0\x10\0\1", 5);
    w->queries.push_back(q);
  }
  return *w;
}

void BM_AnswerBatch(benchmark::State& state) {
  const Workload& w = Domains(static_cast<int>(state.range(0)));
  bench::Ask(state, w.image->view, w.queries, static_cast<size_t>(state.range(1)));
  if (state.counters["answered"] < 1) state.SkipWithError("not all were answered");
  state.counters["image_bytes"] = static_cast<double>(w.image->view.bytes().size());
}
BENCHMARK(BM_AnswerBatch)
    ->ArgNames({"domains", "batch"})
    ->Args({1, 32})
    ->Args({1, 1})
    ->Args({20000, 32})
    ->Args({20000, 1})
    ->Args({200000, 32})
    ->UseManualTime();

}  // namespace
}  // namespace mz
