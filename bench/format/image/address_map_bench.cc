// Address maps: FindAddress() in maps of few and many intervals, IPv4 and IPv6. `cold` 0: 64 addresses again and again; 1:
// random addresses of the whole map. `dependent` 1: every address depends on the result before, so that the time is the
// latency of one search, not the throughput of several that overlap.
#include <random>
#include <vector>

#include "bench/support/fixture.h"

namespace mz::bench {
namespace {

// About half of all addresses listed: intervals of even length in random places.
template <typename Map, typename Random>
void Fill(Map* map, uint32_t count, compiler::ResultId listed, Random place) {
  using Interval = typename Map::value_type;
  for (uint32_t i = 0; i < count; i++) map->push_back({place(i), i % 2 == 0 ? listed : 0});
  map->insert(map->begin(), Interval{{}, 0});
}

const image::View& Make4(uint32_t count) {
  return Cached("map4/" + std::to_string(count), [count] {
    compiler::Pool pool;
    auto d = std::make_unique<compiler::DatasetModel>();
    d->kind = image::kIp4Set;
    d->spec = "ip4set:bench";
    std::mt19937_64 random(3);
    const uint64_t step = 0xf0000000ull / count;
    Fill(&d->map4, count, pool.InternResult({{{127, 0, 0, 2}, 0}}), [&](uint32_t i) {
      return static_cast<net::Ip4>(0x01000000 + i * step + random() % step);
    });
    return FromDataset(std::move(d), std::move(pool));
  });
}

const image::View& Make6(uint32_t count) {
  return Cached("map6/" + std::to_string(count), [count] {
    compiler::Pool pool;
    auto d = std::make_unique<compiler::DatasetModel>();
    d->kind = image::kIp6Trie;
    d->spec = "ip6trie:bench";
    std::mt19937_64 random(3);
    const uint64_t step = (uint64_t{1} << 61) / count;
    Fill(&d->map6, count, pool.InternResult({{{127, 0, 0, 2}, 0}}), [&](uint32_t i) {
      return net::Ip6{0x2000000000000000 + i * step + random() % step, 0};
    });
    return FromDataset(std::move(d), std::move(pool));
  });
}

template <typename Address, typename Draw, typename Next>
void Run(benchmark::State& state, const image::View& view, const image::MapHeader& map, Draw draw, Next depend) {
  std::mt19937_64 random(5);
  std::vector<Address> asked(state.range(1) != 0 ? 1u << 20 : 64);
  for (Address& a : asked) a = draw(random());
  const bool dependent = state.range(2) != 0;
  size_t next = 0;
  uint64_t found = 0;
  uint32_t last = 0;
  {
    Counted counted(state);
    for (auto _ : state) {
      Address a = asked[next];
      next = next + 1 == asked.size() ? 0 : next + 1;
      if (dependent) depend(&a, last);
      last = image::FindAddress(view, map, a).result;
      found += last != 0;
    }
  }
  if (found == 0 && state.iterations() > 1000) state.SkipWithError("nothing was found");
  state.counters["listed"] = static_cast<double>(found) / static_cast<double>(state.iterations());
  state.counters["image_bytes"] = static_cast<double>(view.bytes().size());
}

void BM_FindAddress4(benchmark::State& state) {
  const image::View& view = Make4(static_cast<uint32_t>(state.range(0)));
  Run<net::Ip4>(state, view, view.map(OnlyDataset(view).map4),
                [](uint64_t r) { return static_cast<net::Ip4>(0x01000000 + r % 0xf0000000); },
                [](net::Ip4* a, uint32_t last) { *a ^= last & 1; });
}

void BM_FindAddress6(benchmark::State& state) {
  const image::View& view = Make6(static_cast<uint32_t>(state.range(0)));
  Run<net::Ip6>(state, view, view.map(OnlyDataset(view).map6),
                [](uint64_t r) { return net::Ip6{0x2000000000000000 + r % (uint64_t{1} << 61), r}; },
                [](net::Ip6* a, uint32_t last) { a->low ^= last & 1; });
}

void Sizes(benchmark::internal::Benchmark* b, std::initializer_list<int64_t> sizes) {
  b->ArgNames({"intervals", "cold", "dependent"});
  for (int64_t n : sizes)
    for (int64_t cold : {0, 1})
      for (int64_t dependent : {0, 1}) b->Args({n, cold, dependent});
}
BENCHMARK(BM_FindAddress4)->Apply([](auto* b) { Sizes(b, {8, 400, 100000, 1000000, 10000000}); });
BENCHMARK(BM_FindAddress6)->Apply([](auto* b) { Sizes(b, {8, 400, 100000, 1000000, 10000000}); });

}  // namespace
}  // namespace mz::bench
