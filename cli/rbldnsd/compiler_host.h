// The compiler process of the rbldnsd personality. Text is never parsed in the process that answers queries.
//
//   host.Start(task, quiet)                   // before any thread exists: forks the host, a small idle process
//   host.Build(request, on_line)              // the host forks a child for each build; the child runs `task`
//
// The child has the daemon's rights (user, chroot, working directory) and nothing else of it: no socket, no signal
// handling. When it crashes, is killed or runs out of memory, that build has failed and nothing else. The host ends when
// the daemon ends, and kills a child that still runs. If the host itself is killed, every later build fails, loudly; the
// daemon serves on.
//
// Build() is called by one thread at a time; Cancel() by any.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "cli/rbldnsd/build_channel.h"

namespace mz::cli {

// Runs in the child: does what `request` asks, sends kLine and then one kResult to `socket`. May take long, use threads, and
// die.
using BuildTask = std::function<void(BuildMessage request, int socket)>;

struct BuildAnswer {
  BuildVerdict verdict = BuildVerdict::kUnchanged;
  std::string failing;   // specs, one per line
  std::string text;
  UniqueFd image;        // kChanged
  double cpu_seconds = 0;
};

class CompilerHost {
 public:
  CompilerHost() = default;
  ~CompilerHost();
  CompilerHost(const CompilerHost&) = delete;
  CompilerHost& operator=(const CompilerHost&) = delete;

  // `quiet`: the processes get no terminal (a background daemon must not hold the one it was started from).
  Status Start(BuildTask task, bool quiet);
  // Errors: Unavailable (host gone, or cancelled), Internal (the child died: how).
  StatusOr<BuildAnswer> Build(const BuildMessage& request, const std::function<void(LogLevel, std::string_view)>& on_line);
  // Ends a running build; later ones fail.
  void Cancel();
  pid_t host_pid() const { return pid_; }

 private:
  UniqueFd socket_;
  pid_t pid_ = -1;
};

}  // namespace mz::cli
