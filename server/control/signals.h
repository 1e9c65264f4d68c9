// Signals as file descriptor events: blocked in every thread, read by the control thread, so none is lost and no code runs
// in a handler.
#pragma once

#include <signal.h>

#include <optional>

#include "base/fd.h"
#include "base/status.h"

namespace mz::control {

// SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGALRM.
sigset_t HandledSignals();

class SignalQueue {
 public:
  // Blocks the handled signals in the calling thread (before any other thread exists) and ignores SIGPIPE.
  Status Open();
  int fd() const { return fd_.get(); }
  // The next signal that has arrived, if any. Does not block.
  std::optional<int> Next();

 private:
  UniqueFd fd_;
};

}  // namespace mz::control
