// The measured loop of the benchmarks that ask the answer engine.
//
//   Ask(state, view, packets, batch);   // all packets in turn, `batch` at a time; counters: ns_per_query, answered
//
// Before each round of kAskRound queries their packets are copied to where a receive would have left them, and only then
// does the clock run: the working set of the engine is the image and the round, not all the packets there are.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "format/image/view.h"

namespace mz::bench {

inline constexpr size_t kAskRound = 256;

// The benchmark must be registered with UseManualTime(). Requires: packets of at most 512 octets; a batch that divides kAskRound.
void Ask(benchmark::State& state, const image::View& view, const std::vector<std::string>& packets, size_t batch,
         uint32_t now_unix = 1);

}  // namespace mz::bench
