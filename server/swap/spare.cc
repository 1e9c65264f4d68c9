// See spare.h.
#include "server/swap/spare.h"

#include <utility>

namespace mz::swap {

namespace {
// An image that grows by as much from one version to the next still fits.
constexpr size_t kRoomShare = 8;
}  // namespace

void SpareMemory::Keep(Mapping memory) {
  memory.Lend();
  std::lock_guard lock(mutex_);
  std::swap(memory_, memory);  // what was there ends after the lock
}

StatusOr<Mapping> SpareMemory::Take(size_t size) {
  {
    Mapping memory;
    {
      std::lock_guard lock(mutex_);
      std::swap(memory_, memory);
    }
    if (memory.Reuse(size)) return memory;
  }
  StatusOr<Mapping> roomy = Mapping::Anonymous(size, size / kRoomShare);
  return roomy.ok() ? std::move(roomy) : Mapping::Anonymous(size);
}

}  // namespace mz::swap
