// CPU time and memory of other processes, from /proc.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"

namespace mz::load {

struct ProcessUsage {
  uint64_t cpu_ns = 0;  // of all threads, user and system; exact (schedstat), where times(2) would round
  uint64_t resident_bytes = 0;
};

// The sum over `pids`. Errors: NotFound (no such process), FailedPrecondition (kernel without schedstat).
StatusOr<ProcessUsage> ReadUsage(const std::vector<int>& pids);

}  // namespace mz::load
