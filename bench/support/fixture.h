// What the microbenchmarks share: images made as in production (written, loaded into huge pages, verified), one kept at a
// time, and hardware counters where the machine has them.
//
//   const image::View& view = Cached("names/1000", [] { return FromText(image::kDnset, text); });
#pragma once

#include <benchmark/benchmark.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "compiler/build/model.h"
#include "server/swap/published.h"

namespace mz::bench {

using Loaded = std::unique_ptr<swap::Generation>;

inline constexpr std::string_view kApex = "\5bench\4test";  // of every image here, wire form without root octet

// Ends the program with a message when something fails: a benchmark of nothing is worse than none.
Loaded FromModel(const compiler::ImageModel& model);
// One zone with one dataset.
Loaded FromDataset(std::unique_ptr<compiler::DatasetModel> dataset, compiler::Pool pool);
Loaded FromText(image::DatasetKind kind, std::string_view text);
// The file of an image, for benchmarks of loading; removed at exit.
std::string FileOf(const image::View& view);

// The image of this key; the one of another key is freed.
const image::View& Cached(const std::string& key, const std::function<Loaded()>& make);

// The only dataset of the only zone.
const image::DatasetRef& OnlyDataset(const image::View& view);

// Counts of one label per number, about 14 octets in all, in no order: "\11xk3b2ay\3com".
std::string ScatteredName(uint32_t i);

// Instructions and cycles of the calling thread in user space while it lives, put into the state as counters per item.
class Counted {
 public:
  Counted(benchmark::State& state, int64_t items_per_iteration = 1);
  ~Counted();
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  benchmark::State& state_;
  int64_t items_;
  std::array<int, 2> fds_;
};

}  // namespace mz::bench
