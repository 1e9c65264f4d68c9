// `mailzone serve`: keeps an image built and a daemon running, until told to stop.
//
//   Supervisor supervisor(std::move(plan), replan, log);
//   return supervisor.Run();                       // exit code
//
// Compiling happens in one child (`mailzone build`), answering in another (`mailzoned`); this process only watches files
// and children. A build that fails leaves the old image in service. A daemon that ends is started again, after a pause that
// doubles up to kMaxRestartPauseMs. SIGINT and SIGTERM end all, SIGHUP builds now and lets the daemon reopen its logs,
// SIGUSR1 and SIGUSR2 go on to the daemon. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "base/status.h"
#include "cli/serve/child.h"
#include "cli/serve/watch.h"

namespace mz::cli {

inline constexpr int kMinRestartPauseMs = 200;
inline constexpr int kMaxRestartPauseMs = 30'000;
inline constexpr int kStopPatienceMs = 5'000;   // from SIGTERM to SIGKILL
// How a compiler that stays announces an image on its standard output (cli/spf/refresh_loop.h).
inline constexpr std::string_view kPublished = "published ";

// What is wanted. Made anew when a configuration file changed.
struct ServePlan {
  std::vector<std::string> build_command;    // argv of the compiler, which writes `image`
  // The compiler stays (`mailzone refresh`): it announces each image it published, and is told by SIGHUP that files changed.
  bool builder_stays = false;
  std::vector<std::string> daemon_command;   // argv of mailzoned
  bool daemon_owns_stdout = false;           // its query log goes there
  std::string image, stats_page;
  std::vector<std::string> files;            // to watch
  int poll_ms = 5'000;
  int quiet_ms = 200;                        // changes are collected until nothing happens for so long
};

class Supervisor {
 public:
  // `replan` is called after a file changed; an error keeps the old plan (the build will say what is wrong).
  using Replan = std::function<StatusOr<ServePlan>()>;
  Supervisor(ServePlan plan, Replan replan, const Logger& log);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  int Run();

 private:
  using Clock = std::chrono::steady_clock;
  using Time = std::optional<Clock::time_point>;  // none: not waiting for it

  void Wait();
  void HandleSignals();
  void HandleChildren();
  void HandleTimers();

  void LookAtFiles();
  void StartBuild();
  void AdoptPlan(ServePlan plan);
  void ImageWritten();
  void BuildEnded(int status);
  void StartDaemon();
  void DaemonEnded(int status);
  void AskForReload();
  void LookAtVerdict();
  void LookAtDaemonStart();
  void Stop(int exit_code, const std::string& why);
  void StopDaemonFor(const std::string& why);

  ServePlan plan_;
  Replan replan_;
  const Logger& log_;
  UniqueFd signals_;
  FileWatch watch_;
  Child builder_, daemon_;

  bool build_wanted_ = true;
  bool tried_image_ = false;         // the first build ended, one way or the other
  bool image_announced_ = false;     // builder_stays: by the line that was just read
  int build_retry_ms_ = 0;
  uint64_t image_inode_ = 0;         // as it was when the build began
  uint64_t daemon_inode_ = 0;        // as it was when the daemon was started

  bool daemon_ready_ = false;        // this one has answered for itself
  bool daemon_ever_ready_ = false;
  bool restart_daemon_ = false;      // it was told to end, because its settings changed
  int restart_pause_ms_ = kMinRestartPauseMs;
  Clock::time_point daemon_started_;

  uint64_t verdict_number_ = 0;      // count of finished reloads that brings the verdict we wait for
  Time look_at_files_, poll_, retry_build_, restart_, look_at_daemon_, verdict_deadline_, kill_;
  Time first_event_;
  std::optional<int> exit_code_;     // stopping
};

}  // namespace mz::cli
