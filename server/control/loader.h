// The loader thread: an image source may take minutes, and signals must be served meanwhile.
//
//   loader.Start(LoadReason::kSignal, published.current());
//   ... loader.event_fd() becomes readable ...
//   if (auto done = loader.Take()) done->outcome ...
//   loader.Free(published.Publish(std::move(next)));       // an image that is out of service: unmapping takes a while, too
//   while (loader.working()) every kStarvationCheckMs: loader.Watch();
//
// Loads and frees while workers serve stand back behind them (scheduling.h). Control thread only. At most one load runs at a
// time.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "base/fd.h"
#include "base/log.h"
#include "server/control/image_source.h"
#include "server/control/scheduling.h"

namespace mz::control {

struct LoadDone {
  LoadReason reason = LoadReason::kStart;
  LoadOutcome outcome;
  double elapsed_seconds = 0;
  double cpu_seconds = 0;    // of this process and of others on its behalf
};

class Loader {
 public:
  Loader(ImageSource& source, const Logger& log) : source_(source), log_(log) {}
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  Status Open();
  int event_fd() const { return event_.get(); }
  bool busy() const { return busy_; }
  // Requires: !busy(). `current` must stay valid until Take() has returned the result.
  void Start(LoadReason reason, const swap::Generation* current);
  // Destroys it on a thread of its own, or here when there is none to be had. Waits for the one before.
  void Free(std::unique_ptr<const swap::Generation> old);
  bool working() const { return busy_ || freeing_.load(std::memory_order_relaxed); }
  // Sees to it that what was started ends although no core is idle. May be called at any time.
  void Watch();
  // The result, once, when there is one.
  std::optional<LoadDone> Take();
  // Cancels a load that is under way and waits for its end, but not longer than timeout_ms. False: it still runs, and the
  // process must end without destroying what it uses.
  bool Stop(int timeout_ms);

 private:
  ImageSource& source_;
  const Logger& log_;
  UniqueFd event_;
  std::thread thread_, freer_;
  bool busy_ = false;
  std::atomic<bool> freeing_{false};
  StarvationWatch watch_;
  std::atomic<bool> done_{false};
  LoadDone result_;
};

}  // namespace mz::control
