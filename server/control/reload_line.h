// rbldnsd's log line after a load:
//
//   zones reloaded, time 0.27e/0.24u sec, mem arena=284 free=131 mmap=31252 Kb
#pragma once

#include <cstdint>
#include <string>

namespace mz::control {

struct MemoryUse {  // octets
  uint64_t arena = 0;   // heap of the allocator
  uint64_t free = 0;    // of it, not in use
  uint64_t mmap = 0;    // large blocks of their own
};

// Of this process, allocator only: the image in service lies in a mapping of its own.
MemoryUse AllocatorUse();

// Elapsed and CPU time in seconds; hundredths are zero-padded (1.07, where rbldnsd prints 1.7).
std::string ReloadedLine(double elapsed_seconds, double cpu_seconds, const MemoryUse& memory);

}  // namespace mz::control
