// Overlaps the cache misses of a batch: every stage touches what the stage before has asked the memory for,
// and asks for the next link of the chain bucket -> record -> map header and root -> leaf. Nothing here
// decides anything: a wrong guess costs a prefetch, and the answers are the same without this file.
#pragma once

#include <span>

#include "server/answer/job.h"

namespace mz::answer {

// Finds the zones of all jobs that want one.
void FindZones(const image::View& view, std::span<Job> jobs);
// Brings what the datasets of the jobs' zones will read into the cache.
void WarmDatasets(const image::View& view, std::span<Job> jobs);

}  // namespace mz::answer
