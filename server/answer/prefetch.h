// Overlaps the cache misses of a batch: every stage touches what the stage before has asked the memory for,
// and asks for the next link of the chain bucket -> record -> map header and root -> leaf. Nothing here
// decides anything: a wrong guess costs a prefetch, and the answers are the same without this file.
#pragma once

#include <span>

#include "server/answer/job.h"

namespace mz::answer {

constexpr size_t kCacheLine = 64;

inline void PrefetchLines(const void* p, int lines) {
  for (int i = 0; i < lines; i++) __builtin_prefetch(static_cast<const char*>(p) + i * static_cast<int>(kCacheLine));
}

// A search in a map, whose header and root node have been asked for.
template <typename Address>
struct MapWalk {
  const image::MapHeader* map;
  Address address;
  uint32_t* result = nullptr;  // where to put it, when it is found on the way
  uint32_t node = 0;           // where the descent stands; the root is 0
  uint32_t best = ~0u;         // node * fanout + slot of the greatest key seen at or below the address
};
// Takes the steps of all searches side by side, so that they wait for the memory together. Searches in trees end with
// their result (`*result`); of other maps the next lines are asked for. `walks` is used up; at most kBatch.
void WalkMaps(const image::View& view, std::span<MapWalk<net::Ip4>> walks);
void WalkMaps(const image::View& view, std::span<MapWalk<net::Ip6>> walks);

// Finds the zones of all jobs that want one.
void FindZones(const image::View& view, std::span<Job> jobs);
// Brings what the datasets of the jobs' zones will read into the cache.
void WarmDatasets(const image::View& view, std::span<Job> jobs);

}  // namespace mz::answer
