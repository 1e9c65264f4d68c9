// See reload_line.h.
#include "server/control/reload_line.h"

#include <malloc.h>

#include <algorithm>
#include <cstdio>

namespace mz::control {

MemoryUse AllocatorUse() {
  const struct mallinfo2 m = ::mallinfo2();
  return {m.arena, m.fordblks, m.hblkhd};
}

std::string ReloadedLine(double elapsed_seconds, double cpu_seconds, const MemoryUse& memory) {
  char line[192];
  std::snprintf(line, sizeof line, "zones reloaded, time %.2fe/%.2fu sec, mem arena=%llu free=%llu mmap=%llu Kb",
                std::max(elapsed_seconds, 0.0), std::max(cpu_seconds, 0.0),
                static_cast<unsigned long long>(memory.arena >> 10), static_cast<unsigned long long>(memory.free >> 10),
                static_cast<unsigned long long>(memory.mmap >> 10));
  return line;
}

}  // namespace mz::control
