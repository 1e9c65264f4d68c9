// `mailzone refresh`: one process that keeps the image of a configuration with SPF zones fresh. `mailzone serve` runs it
// beside the daemon; it can also run alone, under a service manager, on a machine that only compiles.
//
// It asks each DNS question when its TTL is over, evaluates what rests on a changed answer, and publishes a new image when
// something really changed: the first change at once, later ones collected for spf.write_interval. SIGHUP reads the
// configuration, the lists of domains and the data files again; SIGTERM and SIGINT end it, with the state saved. Each
// published image is announced on standard output by one line, "published GENERATION IDENTITY". One thread (hooks have
// their own).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "cli/build_job.h"
#include "cli/serve/supervisor.h"
#include "cli/spf/change_record.h"
#include "cli/spf/hooks.h"
#include "cli/spf/session.h"
#include "cli/terminal.h"

namespace mz::cli {

inline constexpr int64_t kDefaultWriteInterval = 10;   // seconds
inline constexpr int64_t kSaveStateSeconds = 60;
inline constexpr int64_t kReadDomainsSeconds = 300;    // of URLs; files are read on SIGHUP and when they change
inline constexpr int64_t kFirstImagePatience = 15;     // seconds: then the first image goes out with what is there
inline constexpr uint64_t kDefaultGenerations = 20;

class RefreshLoop {
 public:
  RefreshLoop(BuildFlags flags, std::vector<std::string> inputs, const Logger& log, Terminal& terminal);
  ~RefreshLoop();

  // Until a signal ends it: the exit code. `once`: until everything was asked and written once.
  int Run(bool once);

 private:
  using Clock = std::chrono::steady_clock;

  // Errors: as MakeBuildJob() and SpfSession::Open(); what runs stays as it was.
  Status Configure();
  bool HandleSignals();             // false: told to end
  void Wait(int64_t now);
  bool WriteIsDue() const;
  void Publish(int64_t now);
  void TellEvents();
  void TakeAcknowledgements(int64_t now);
  void SaveState();
  void Push(int64_t now);

  const BuildFlags flags_;
  const std::vector<std::string> inputs_;
  const Logger& log_;
  Terminal& terminal_;
  UniqueFd signals_;

  std::unique_ptr<BuildJob> job_;   // owns the configuration that the session refers to
  std::unique_ptr<SpfSession> session_;
  std::unique_ptr<ChangeRecord> changes_;
  std::unique_ptr<Hooks> hooks_;
  std::vector<compiler::spf::Refresher::Change> pending_changes_;
  bool write_wanted_ = true;        // data files or settings changed, or there is no image yet
  bool published_ = false;          // by this process
  bool last_build_good_ = false;
  std::vector<std::string> last_errors_;
  bool held_ = false;               // a rollback forbids publishing
  Clock::time_point last_write_, started_;
  Clock::time_point first_answer_;  // of pending_changes_: when the first of them was taken in
  int64_t last_save_ = 0, last_domains_ = 0, last_push_ = 0;
  int64_t last_round_ms_ = 0;
  bool state_dirty_ = false;
};

}  // namespace mz::cli
