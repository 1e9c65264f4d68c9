// Opening an image: the header page alone (kStructure), everything on one and on two threads, and loading it for service
// (copied into huge pages and verified). The floor is a checksum pass over the same bytes.
#include <xxhash.h>

#include <random>

#include "bench/support/fixture.h"
#include "format/image/verify.h"
#include "server/swap/load.h"

namespace mz::bench {
namespace {

const image::View& List(int64_t count) {
  return Cached("list/" + std::to_string(count), [count] {
    std::mt19937 random(1);
    std::string text = ":127.0.0.2:Listed, see $\n";
    for (int64_t i = 0; i < count; i++) {
      const uint32_t a = static_cast<uint32_t>(i) * 0x9e3779b1u;
      text += std::to_string(a >> 24) + "." + std::to_string(a >> 16 & 255) + "." + std::to_string(a >> 8 & 255) + "." +
              std::to_string(a & 255) + "\n";
    }
    return FromText(image::kIp4Set, text);
  });
}

void Bytes(benchmark::State& state, const image::View& view) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(view.bytes().size()));
  state.counters["image_bytes"] = static_cast<double>(view.bytes().size());
}

void BM_Checksum(benchmark::State& state) {
  const image::View& view = List(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(XXH3_64bits(view.bytes().data(), view.bytes().size()));
  Bytes(state, view);
}

void BM_VerifyStructure(benchmark::State& state) {
  const image::View& view = List(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(image::Verify(view.bytes(), image::VerifyLevel::kStructure).ok());
}

void BM_VerifyEverything(benchmark::State& state) {
  const image::View& view = List(state.range(0));
  const auto threads = static_cast<int>(state.range(1));
  for (auto _ : state)
    if (!image::Verify(view.bytes(), image::VerifyLevel::kEverything, threads).ok()) state.SkipWithError("does not verify");
  Bytes(state, view);
}

void BM_LoadImageFile(benchmark::State& state) {
  const image::View& view = List(state.range(0));
  const std::string path = FileOf(view);
  for (auto _ : state)
    if (!swap::LoadImageFile(path, {.verify_threads = 2}).ok()) state.SkipWithError("does not load");
  Bytes(state, view);
}

BENCHMARK(BM_Checksum)->ArgName("lines")->Arg(100000)->Arg(10000000)->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_VerifyStructure)->ArgName("lines")->Arg(100000)->Arg(10000000)->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_VerifyEverything)->ArgNames({"lines", "threads"})->ArgsProduct({{100000, 10000000}, {1, 2}})
    ->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(BM_LoadImageFile)->ArgName("lines")->Arg(100000)->Arg(10000000)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace mz::bench
