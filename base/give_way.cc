// See give_way.h.
#include "base/give_way.h"

#include <sched.h>

namespace mz {

void GiveWay() {
  thread_local const bool background = [] {
    const int policy = ::sched_getscheduler(0);
    return policy == SCHED_BATCH || policy == SCHED_IDLE;
  }();
  if (background) ::sched_yield();
}

}  // namespace mz
