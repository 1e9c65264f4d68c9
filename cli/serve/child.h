// A child process of the supervisor: started with its output on pipes, line by line, and bound to our life.
//
//   MZ_ASSIGN_OR_RETURN(Child child, Child::Start({"/usr/bin/mailzoned", "--image", ...}, {}));
//   poll child.out_fd() and child.err_fd(); child.ReadLines(fd, [](std::string_view line) { ... });
//   on SIGCHLD: if (std::optional<int> status = child.Reap()) ...
//
// The kernel sends the child `death_signal` when the supervisor ends in any way (PR_SET_PDEATHSIG). Single-threaded: the
// supervisor has no threads, so fork() is safe.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/status.h"

namespace mz::cli {

class Child {
 public:
  struct Options {
    int death_signal = 0;             // 0: SIGKILL
    int nice = 0;                     // added to our own
    bool inherit_stdout = false;      // not a pipe: the query log
  };
  Child() = default;
  // Errors: FailedPrecondition (no process, no pipe). A program that cannot be executed ends with status 127 after a line
  // on its stderr.
  static StatusOr<Child> Start(const std::vector<std::string>& arguments, const Options& options);

  pid_t pid() const { return pid_; }
  bool running() const { return pid_ > 0; }
  int out_fd() const { return out_.fd.get(); }
  int err_fd() const { return err_.fd.get(); }

  // Reads what is there from both pipes and hands out complete lines. With `flush` also an unfinished last one.
  void ReadLines(const std::function<void(std::string_view)>& line, bool flush);
  // The wait status when the process has ended, else nothing. Does not block.
  std::optional<int> Reap();
  void Kill(int signal) const;

 private:
  struct Pipe {
    UniqueFd fd;
    std::string pending;
  };
  static void Read(Pipe* pipe, const std::function<void(std::string_view)>& line, bool flush);

  pid_t pid_ = -1;
  Pipe out_, err_;
};

// "exit status 2", "signal 9 (Killed)"
std::string WaitStatusText(int status);

}  // namespace mz::cli
