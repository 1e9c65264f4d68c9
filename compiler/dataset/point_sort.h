// Sorts 64-bit points by their upper 32 bits (an IPv4 address), with several threads, in about one extra copy.
#pragma once

#include <cstdint>
#include <vector>

namespace mz::compiler {

// Equal addresses end up together, in no particular order. Memory: as much again while it runs, less afterwards.
void SortPoints(std::vector<uint64_t>* points, int threads);

}  // namespace mz::compiler
