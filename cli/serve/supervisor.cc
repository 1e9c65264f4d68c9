// See supervisor.h.
#include "cli/serve/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cli/exit_code.h"
#include "cli/serve/notify.h"
#include "format/stats/page.h"

namespace mz::cli {
namespace {

using std::chrono::milliseconds;

constexpr int kLookAtDaemonMs = 20;
constexpr int kVerdictPatienceMs = 120'000;   // a huge image on a slow disk
constexpr int kStableMs = 60'000;             // a daemon that ran so long is started again without much of a pause
constexpr int kMaxQuietFactor = 10;           // files that never rest are built after so many quiet times
constexpr int kMinBuildRetryMs = 5'000, kMaxBuildRetryMs = 60'000;

// Changes whenever something is renamed over the path.
uint64_t InodeOf(const std::string& path) {
  struct stat st;
  return ::stat(path.c_str(), &st) == 0 ? st.st_ino : 0;
}

bool Due(std::optional<std::chrono::steady_clock::time_point>* time) {
  if (!time->has_value() || std::chrono::steady_clock::now() < **time) return false;
  time->reset();
  return true;
}

}  // namespace

Supervisor::Supervisor(ServePlan plan, Replan replan, const Logger& log)
    : plan_(std::move(plan)), replan_(std::move(replan)), log_(log) {}

int Supervisor::Run() {
  sigset_t handled;
  ::sigemptyset(&handled);
  for (int s : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) ::sigaddset(&handled, s);
  ::sigprocmask(SIG_BLOCK, &handled, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  signals_.reset(::signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_.valid()) {
    log_.Error("signalfd: " + std::string(Message(ErrnoStatus(errno, ""))));
    return kExitInternal;
  }
  watch_.SetFiles(plan_.files);
  if (watch_.fd() < 0) log_.Warning("no inotify: changes are noticed only every " + std::to_string(plan_.poll_ms) + " ms");
  poll_ = Clock::now() + milliseconds(plan_.poll_ms);
  while (true) {
    if (exit_code_ && !builder_.running() && !daemon_.running()) break;
    if (!exit_code_ && build_wanted_ && !retry_build_) {
      if (!builder_.running()) {
        StartBuild();
      } else if (plan_.builder_stays) {
        build_wanted_ = false;
        if (StatusOr<ServePlan> plan = replan_(); plan.ok()) AdoptPlan(std::move(*plan));
        watch_.Remember();
        builder_.Kill(SIGHUP);
      }
    }
    Wait();
    HandleSignals();
    HandleChildren();
    HandleTimers();
  }
  log_.Info("ended");
  return *exit_code_;
}

void Supervisor::Wait() {
  std::array<pollfd, 6> fds = {{{signals_.get(), POLLIN, 0},
                                {watch_.fd(), POLLIN, 0},
                                {builder_.out_fd(), POLLIN, 0},
                                {builder_.err_fd(), POLLIN, 0},
                                {daemon_.out_fd(), POLLIN, 0},
                                {daemon_.err_fd(), POLLIN, 0}}};
  Time next;
  for (const Time& t : {look_at_files_, poll_, retry_build_, restart_, look_at_daemon_, verdict_deadline_, kill_})
    if (t && (!next || *t < *next)) next = t;
  int timeout_ms = -1;
  if (next) {
    auto left = std::chrono::ceil<milliseconds>(*next - Clock::now()).count();
    timeout_ms = static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
  }
  ::poll(fds.data(), fds.size(), timeout_ms);
}

void Supervisor::HandleSignals() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (static_cast<int>(info.ssi_signo)) {
      case SIGINT:
      case SIGTERM:
        if (exit_code_) {
          builder_.Kill(SIGKILL);
          daemon_.Kill(SIGKILL);
        } else {
          Stop(kExitOk, info.ssi_signo == SIGINT ? "interrupted" : "told to end");
        }
        break;
      case SIGHUP:
        log_.Info("told to build now");
        daemon_.Kill(SIGHUP);
        build_wanted_ = true;
        break;
      case SIGUSR1:
      case SIGUSR2:
        daemon_.Kill(static_cast<int>(info.ssi_signo));
        break;
      default: break;  // SIGCHLD: HandleChildren looks anyway
    }
  }
}

void Supervisor::HandleChildren() {
  auto pass = [this](const char* prefix) {
    return [this, prefix](std::string_view line) { log_.Info(prefix + std::string(line)); };
  };
  // An end is looked for first: what was written before it is then complete.
  std::optional<int> built = builder_.Reap();
  builder_.ReadLines(
      [&](std::string_view line) {
        if (plan_.builder_stays && line.starts_with(kPublished))
          image_announced_ = true;
        else
          log_.Info("build: " + std::string(line));
      },
      built.has_value());
  if (std::exchange(image_announced_, false) && !exit_code_) ImageWritten();
  std::optional<int> ended = daemon_.Reap();
  daemon_.ReadLines(pass(""), ended.has_value());
  if (built) BuildEnded(*built);
  if (ended) DaemonEnded(*ended);
}

void Supervisor::HandleTimers() {
  Clock::time_point now = Clock::now();
  if (watch_.Drain() && !exit_code_) {
    if (!first_event_) first_event_ = now;
    look_at_files_ = std::min(now + milliseconds(plan_.quiet_ms),
                              *first_event_ + milliseconds(kMaxQuietFactor * plan_.quiet_ms));
  }
  if (Due(&look_at_files_)) {
    first_event_.reset();
    LookAtFiles();
  }
  if (Due(&poll_)) {
    poll_ = now + milliseconds(plan_.poll_ms);
    if (!look_at_files_) LookAtFiles();
  }
  if (Due(&retry_build_)) build_wanted_ = true;
  if (Due(&restart_)) StartDaemon();
  if (Due(&look_at_daemon_)) {
    if (!daemon_ready_)
      LookAtDaemonStart();
    else if (verdict_deadline_)
      LookAtVerdict();
  }
  if (Due(&verdict_deadline_)) log_.Warning("mailzoned has not told its verdict on the new image");
  if (Due(&kill_)) {
    log_.Warning("children do not end: killed");
    builder_.Kill(SIGKILL);
    daemon_.Kill(SIGKILL);
  }
}

// --- building ----------------------------------------------------------------------------------------------------

void Supervisor::LookAtFiles() {
  if (exit_code_ || build_wanted_ || (builder_.running() && !plan_.builder_stays)) return;  // after a build: again
  if (!watch_.Changed()) return;
  log_.Info("files changed");
  build_wanted_ = true;
}

void Supervisor::StartBuild() {
  build_wanted_ = false;
  retry_build_.reset();
  if (tried_image_) {
    if (StatusOr<ServePlan> plan = replan_(); plan.ok()) AdoptPlan(std::move(*plan));
    // else the build reports what is wrong with the configuration
  }
  watch_.Remember();
  image_inode_ = InodeOf(plan_.image);
  StatusOr<Child> child = Child::Start(plan_.build_command, {.death_signal = plan_.builder_stays ? SIGTERM : SIGKILL, .nice = 5});
  if (!child.ok()) {
    log_.Error("the compiler cannot be started: " + std::string(Message(child.status())));
    retry_build_ = Clock::now() + milliseconds(kMinBuildRetryMs);
    return;
  }
  builder_ = std::move(*child);
}

void Supervisor::AdoptPlan(ServePlan plan) {
  const bool other_daemon = plan.daemon_command != plan_.daemon_command;
  const bool other_builder = plan.builder_stays != plan_.builder_stays || plan.build_command != plan_.build_command;
  plan_ = std::move(plan);
  watch_.SetFiles(plan_.files);
  if (other_daemon && daemon_.running()) StopDaemonFor("the server's settings changed");
  if (other_builder && builder_.running()) builder_.Kill(SIGTERM);  // its end starts the other one
}

// A good image lies at its place.
void Supervisor::ImageWritten() {
  tried_image_ = true;
  build_retry_ms_ = 0;
  if (!daemon_.running()) {
    if (!restart_) StartDaemon();
  } else if (daemon_ready_ && InodeOf(plan_.image) != image_inode_) {
    AskForReload();
  }  // else LookAtDaemonStart() sees the new image
  if (plan_.builder_stays) image_inode_ = InodeOf(plan_.image);
}

void Supervisor::BuildEnded(int status) {
  if (exit_code_) return;
  bool good = WIFEXITED(status) && WEXITSTATUS(status) == kExitOk;
  bool first = !tried_image_;
  if (plan_.builder_stays && tried_image_) {
    // It should never end by itself.
    log_.Error("the compiler ended (" + WaitStatusText(status) + "); the image stays in service");
    build_wanted_ = true;
    build_retry_ms_ = std::clamp(build_retry_ms_ * 2, kMinBuildRetryMs, kMaxBuildRetryMs);
    retry_build_ = Clock::now() + milliseconds(build_retry_ms_);
    return;
  }
  tried_image_ = true;
  if (good) {
    ImageWritten();
  } else {
    bool have_image = InodeOf(plan_.image) != 0;
    log_.Error("the build failed (" + WaitStatusText(status) + "); " +
               (have_image ? "the old image stays in service" : "there is no image yet"));
    if (first && !have_image)
      return Stop(WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(kExitInternal), "nothing to serve");
    // What a person must mend is built again when a file changes; the rest may pass by itself.
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(kExitInternal);
    if (code != kExitFindings && code != kExitUsage && code != kExitUnreadable) {
      build_retry_ms_ = std::clamp(build_retry_ms_ * 2, kMinBuildRetryMs, kMaxBuildRetryMs);
      retry_build_ = Clock::now() + milliseconds(build_retry_ms_);
      log_.Info("next attempt in " + std::to_string(build_retry_ms_ / 1000) + " s");
    }
    if (!daemon_.running() && !restart_) StartDaemon();
  }
  if (watch_.Changed()) build_wanted_ = true;  // while it was being read
}

// --- the daemon --------------------------------------------------------------------------------------------------

void Supervisor::StartDaemon() {
  daemon_ready_ = false;
  daemon_started_ = Clock::now();
  daemon_inode_ = InodeOf(plan_.image);
  StatusOr<Child> child = Child::Start(plan_.daemon_command,
                                       {.death_signal = SIGTERM, .inherit_stdout = plan_.daemon_owns_stdout});
  if (!child.ok()) {
    log_.Error("mailzoned cannot be started: " + std::string(Message(child.status())));
    restart_ = Clock::now() + milliseconds(restart_pause_ms_);
    restart_pause_ms_ = std::min(restart_pause_ms_ * 2, kMaxRestartPauseMs);
    return;
  }
  daemon_ = std::move(*child);
  log_.Info("mailzoned started, pid " + std::to_string(daemon_.pid()));
  look_at_daemon_ = Clock::now() + milliseconds(kLookAtDaemonMs);
}

void Supervisor::LookAtDaemonStart() {
  if (!daemon_.running()) return;
  StatusOr<stats::HeaderSample> header = stats::ReadHeader(plan_.stats_page);
  if (header.ok() && header->pid == static_cast<uint32_t>(daemon_.pid()) && header->generation > 0) {
    daemon_ready_ = daemon_ever_ready_ = true;
    log_.Info("serving " + std::to_string(header->zone_count) + " zone" + (header->zone_count == 1 ? "" : "s") +
              ", generation " + std::to_string(header->generation));
    NotifyServiceManager("READY=1");
    // An image that was published while the daemon was starting up may have been missed.
    if (InodeOf(plan_.image) != daemon_inode_) AskForReload();
    return;
  }
  look_at_daemon_ = Clock::now() + milliseconds(kLookAtDaemonMs);
}

void Supervisor::DaemonEnded(int status) {
  look_at_daemon_.reset();
  verdict_deadline_.reset();
  if (exit_code_) return;
  if (restart_daemon_) {
    restart_daemon_ = false;
    kill_.reset();
    return StartDaemon();
  }
  bool hopeless = !daemon_ever_ready_ && WIFEXITED(status) &&
                  (WEXITSTATUS(status) == kExitUsage || WEXITSTATUS(status) == 127);
  log_.Error("mailzoned ended by itself: " + WaitStatusText(status));
  if (hopeless) return Stop(kExitUsage, "mailzoned cannot run with these settings");
  if (Clock::now() - daemon_started_ > milliseconds(kStableMs)) restart_pause_ms_ = kMinRestartPauseMs;
  log_.Info("it is started again in " + std::to_string(restart_pause_ms_) + " ms");
  restart_ = Clock::now() + milliseconds(restart_pause_ms_);
  restart_pause_ms_ = std::min(restart_pause_ms_ * 2, kMaxRestartPauseMs);
}

void Supervisor::AskForReload() {
  StatusOr<stats::HeaderSample> header = stats::ReadHeader(plan_.stats_page);
  uint64_t begun = header.ok() ? header->reloads_begun : 0;
  daemon_.Kill(SIGHUP);
  if (!header.ok()) {
    log_.Warning("mailzoned was told to reload; its verdict is unknown: " + std::string(Message(header.status())));
    return;
  }
  // A reload that was under way may not have seen the new image; the next one has.
  verdict_number_ = begun + 1;
  verdict_deadline_ = Clock::now() + milliseconds(kVerdictPatienceMs);
  look_at_daemon_ = Clock::now() + milliseconds(kLookAtDaemonMs);
}

void Supervisor::LookAtVerdict() {
  StatusOr<stats::HeaderSample> header = stats::ReadHeader(plan_.stats_page);
  if (!header.ok() || header->reloads_finished < verdict_number_) {
    look_at_daemon_ = Clock::now() + milliseconds(kLookAtDaemonMs);
    return;
  }
  verdict_deadline_.reset();
  if (header->last_verdict == stats::ReloadVerdict::kFailed)
    log_.Error("mailzoned refused the new image: " + header->last_error);
  else
    log_.Info("in service: generation " + std::to_string(header->generation));
}

// --- the end -----------------------------------------------------------------------------------------------------

void Supervisor::StopDaemonFor(const std::string& why) {
  log_.Info(why + ": mailzoned is started again");
  restart_daemon_ = true;
  daemon_.Kill(SIGTERM);
  kill_ = Clock::now() + milliseconds(kStopPatienceMs);
}

void Supervisor::Stop(int exit_code, const std::string& why) {
  log_.Info(why + ": ending");
  NotifyServiceManager("STOPPING=1");
  exit_code_ = exit_code;
  build_wanted_ = false;
  for (Time* t : {&look_at_files_, &poll_, &retry_build_, &restart_, &look_at_daemon_, &verdict_deadline_}) t->reset();
  builder_.Kill(plan_.builder_stays ? SIGTERM : SIGKILL);  // one that stays saves its state
  daemon_.Kill(SIGTERM);
  kill_ = Clock::now() + milliseconds(kStopPatienceMs);
}

}  // namespace mz::cli
