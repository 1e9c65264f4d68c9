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

// A search in an IPv4 map, whose header and root node have been asked for.
struct MapWalk {
  const image::MapHeader* map;
  net::Ip4 ip4;
  uint32_t node;  // where the descent stands; the root is 0
};
// Takes the steps of all searches side by side. `walks` is used up.
void WarmMaps(const image::View& view, std::span<MapWalk> walks);

// Finds the zones of all jobs that want one.
void FindZones(const image::View& view, std::span<Job> jobs);
// Brings what the datasets of the jobs' zones will read into the cache.
void WarmDatasets(const image::View& view, std::span<Job> jobs);

}  // namespace mz::answer
