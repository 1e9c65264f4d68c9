// The name index: FindName() alone, hashes made beforehand. Names of about 14 octets in one dnset; `hit` 1: stored names, 0:
// others. `cold` 0: 256 names again and again; 1: random names of the whole index, which is larger than the last cache
// from a few million names on. Single look-ups do not depend on each other; a batch of 32 is prefetched as the answer
// engine does it.
#include <random>
#include <vector>

#include "bench/support/fixture.h"
#include "format/image/name_hash.h"

namespace mz::bench {
namespace {

struct Asked {
  uint64_t hash;
  uint32_t offset;  // into Workload::bytes
  uint32_t length;
};
struct Workload {
  const image::View* view;
  uint32_t scope;
  std::string bytes;
  std::vector<Asked> asked;
};

Workload Make(const benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const bool hit = state.range(1) != 0, cold = state.range(2) != 0;
  Workload w;
  w.view = &Cached("names/" + std::to_string(count), [count] {
    compiler::Pool pool;
    auto d = std::make_unique<compiler::DatasetModel>();
    d->kind = image::kDnset;
    d->spec = "dnset:bench";
    const compiler::ResultId listed = pool.InternResult({{{127, 0, 0, 2}, 0}});
    for (uint32_t i = 0; i < count; i++) {
      compiler::DnsetName name;
      name.name = d->names.Add(ScatteredName(i));
      name.flags = image::kNameExact;
      name.exact = listed;
      d->dnset.push_back(name);
    }
    return FromDataset(std::move(d), std::move(pool));
  });
  w.scope = OnlyDataset(*w.view).scope;
  std::mt19937 random(7);
  const uint32_t queries = cold ? 1u << 20 : 256;
  for (uint32_t i = 0; i < queries; i++) {
    const std::string name = ScatteredName(static_cast<uint32_t>(random() % count) + (hit ? 0 : count));
    const auto* p = reinterpret_cast<const uint8_t*>(name.data());
    w.asked.push_back({image::HashName(w.view->hash_seed(), w.scope, {p, name.size()}),
                       static_cast<uint32_t>(w.bytes.size()), static_cast<uint32_t>(name.size())});
    w.bytes += name;
  }
  return w;
}

const uint8_t* NameOf(const Workload& w, const Asked& a) {
  return reinterpret_cast<const uint8_t*>(w.bytes.data()) + a.offset;
}

void BM_FindName(benchmark::State& state) {
  const Workload w = Make(state);
  size_t next = 0, found = 0;
  {
    Counted counted(state);
    for (auto _ : state) {
      const Asked& a = w.asked[next];
      next = next + 1 == w.asked.size() ? 0 : next + 1;
      found += w.view->FindName(w.scope, a.hash, NameOf(w, a), a.length) != nullptr;
    }
  }
  if ((found != 0) != (state.range(1) != 0)) state.SkipWithError("hits and misses are not what they should be");
}

void BM_FindNameBatch(benchmark::State& state) {
  constexpr size_t kBatch = 32;
  const Workload w = Make(state);
  size_t next = 0, found = 0;
  {
    Counted counted(state, kBatch);
    for (auto _ : state) {
      const Asked* a = &w.asked[next];
      next = next + 2 * kBatch > w.asked.size() ? 0 : next + kBatch;
      for (size_t i = 0; i < kBatch; i++) w.view->PrefetchBucket(a[i].hash);
      for (size_t i = 0; i < kBatch; i++) __builtin_prefetch(w.view->GuessName(a[i].hash));
      for (size_t i = 0; i < kBatch; i++)
        found += w.view->FindName(w.scope, a[i].hash, NameOf(w, a[i]), a[i].length) != nullptr;
    }
  }
  if ((found != 0) != (state.range(1) != 0)) state.SkipWithError("hits and misses are not what they should be");
}

void Sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"names", "hit", "cold"});
  for (int64_t names : {1000, 1000000, 10000000})
    for (int64_t hit : {1, 0})
      for (int64_t cold : {0, 1})
        if (names > 1000 || cold == 0) b->Args({names, hit, cold});
}
BENCHMARK(BM_FindName)->Apply(Sizes);
BENCHMARK(BM_FindNameBatch)->ArgNames({"names", "hit", "cold"})->Args({1000000, 1, 1})->Args({1000000, 0, 1})
    ->Args({10000000, 1, 1})->Args({10000000, 0, 1});

void BM_HashName(benchmark::State& state) {
  const std::string name = ScatteredName(12345);
  Counted counted(state);
  for (auto _ : state)
    benchmark::DoNotOptimize(image::HashName(1, 2, {reinterpret_cast<const uint8_t*>(name.data()), name.size()}));
}
BENCHMARK(BM_HashName);

}  // namespace
}  // namespace mz::bench
