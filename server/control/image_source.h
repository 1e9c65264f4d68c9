// Where a daemon gets its images from: a file (mailzoned) or a compiler in another process (the rbldnsd personality).
//
// A source is used by one thread at a time (the daemon's loader thread), but for Cancel().
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/status.h"
#include "server/swap/published.h"

namespace mz::control {

enum class LoadReason {
  kStart,   // the first load
  kSignal,  // SIGHUP: look closely
  kTick,    // the check interval has passed: a stat(2) is enough to find that nothing changed
};

struct LoadOutcome {
  // Ready for publication, or null: keep the one in service.
  std::unique_ptr<swap::Generation> next;
  // Not OK: something could not be loaded, and what was good before is kept. May come with `next`, when other parts
  // changed. The daemon records it in the statistics page, and tries again at the next check.
  Status problem;
  bool problem_logged = false;   // the source has told the log already
  bool reloaded = false;         // files were read: "zones reloaded, time ..." is logged
  double cpu_seconds = 0;        // spent in other processes on behalf of this load
};

class ImageSource {
 public:
  virtual ~ImageSource() = default;
  // May take long; the workers go on. `current` is the generation in service, null at first; it stays until Load returns.
  virtual LoadOutcome Load(LoadReason reason, const swap::Generation* current, const Logger& log) = 0;
  // Makes a running or later Load() return soon, with any outcome: the daemon is about to end. Any thread.
  virtual void Cancel() {}
  // Names the source in the statistics page and in log lines.
  virtual std::string description() const = 0;
  // Zones there will be, as far as known before the first load; -1: not known.
  virtual int zones_configured() const { return -1; }
};

}  // namespace mz::control
