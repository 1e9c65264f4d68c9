// Going into the background: the parent stays until the daemon is ready, so that its exit code tells whether the start
// succeeded.
//
//   Background background;
//   if (auto exit_code = background.Fork()) return *exit_code;     // the parent's end of it
//   ...                                                            // from here on: the daemon
//   background.Ready(keep_stdout);
//
// Exit code of the parent: 0 after Ready(), 1 or the code given to Failed() when the daemon ends before.
#pragma once

#include <optional>

#include "base/fd.h"

namespace mz::control {

class Background {
 public:
  // Requires: the process has one thread. Returns an exit code in the parent, nothing in the daemon, which has a session
  // of its own. When fork fails: the exit code 1, in the only process.
  std::optional<int> Fork();
  bool forked() const { return pipe_.valid(); }
  // Tells the parent, and replaces stdin, stdout (unless keep_stdout) and stderr by /dev/null. Once.
  void Ready(bool keep_stdout);
  void Failed(int exit_code);

 private:
  UniqueFd pipe_, null_;
};

}  // namespace mz::control
