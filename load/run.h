// One run: opens the sockets, starts the workers, reads the server's usage at both ends of the counted
// window, and merges what the workers found.
//
//   MZ_ASSIGN_OR_RETURN(Result r, Run(settings, pool, plan, hooks));
//
// Blocks until the last answer has come or timed out.
#pragma once

#include <atomic>
#include <functional>

#include "base/status.h"
#include "load/query_pool.h"
#include "load/result.h"
#include "load/settings.h"

namespace mz::load {

struct Progress {
  double seconds = 0;       // since the first query
  double last_seconds = 0;  // that `last_*` cover
  uint64_t sent = 0, answered = 0, lost = 0;
  uint64_t last_sent = 0, last_answered = 0, last_lost = 0;
};

struct Hooks {
  std::function<void(const Progress&)>
      progress;                             // about once a second, from the calling thread; may be empty
  const std::atomic<bool>* stop = nullptr;  // set by a signal handler: end early, and report
};

// Errors: FailedPrecondition (limits, kernel), Unavailable (network), NotFound (a pid).
StatusOr<Result> Run(const Settings& settings, const QueryPool& pool, const Plan& plan, const Hooks& hooks);

}  // namespace mz::load
