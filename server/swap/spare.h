// The memory of an image that went out of service, for the next one.
//
//   auto spare = std::make_shared<SpareMemory>();
//   LoadImageFile(path, {.spare = spare})      // takes it, if it fits; each image leaves its memory there when it ends
//
// Memory that is new to the machine costs more than its pages' clearing. Under a hypervisor that takes back what its guest has
// freed, the first touch of each 2 MiB stops the whole core in the hypervisor, and with it a worker there, whatever policies the
// threads have. Measured (image of 1.06 GB, a thread on the loader's core woken every 50 us): in new memory 330 to 560 wake-ups
// were late by more than 0.1 ms, p99.9 0.22 to 0.27 ms; in memory that is used again 26 to 30, p99.9 0.03 ms, as without a load. The first
// replacement after the start has nothing to use again.
//
// The kernel takes the memory when it is short of it (MADV_FREE); until then it counts as the process's. At most one image's
// memory is kept. Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>

#include "base/file.h"

namespace mz::swap {

class SpareMemory {
 public:
  // Requires: Mapping::Anonymous() has made it.
  void Keep(Mapping memory);
  // `size` bytes of any contents, to be written before they are sealed.
  StatusOr<Mapping> Take(size_t size);

 private:
  std::mutex mutex_;
  Mapping memory_;
};

}  // namespace mz::swap
