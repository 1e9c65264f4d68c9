// See reload_wait.h.
#include "format/stats/reload_wait.h"

#include <signal.h>
#include <time.h>

namespace mz::stats {
namespace {

constexpr int kPollMs = 5;

int64_t NowMs() {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1000000;
}

Status Signal(const HeaderSample& header, int signal_number, const std::string& path) {
  if (header.pid == 0 || header.pid > 0x7fffffff || ::kill(static_cast<pid_t>(header.pid), signal_number) != 0) {
    if (header.pid != 0 && errno == EPERM)
      return MakeStatus(StatusCode::kPermissionDenied,
                        "process " + std::to_string(header.pid) + " may not be signalled by this user");
    return MakeStatus(StatusCode::kNotFound, path + ": the daemon that wrote this page (process " +
                                                 std::to_string(header.pid) + ") is not running");
  }
  return absl::OkStatus();
}

}  // namespace

Status SendReload(const std::string& path) {
  MZ_ASSIGN_OR_RETURN(HeaderSample header, ReadHeader(path));
  return Signal(header, SIGHUP, path);
}

StatusOr<ReloadReport> ReloadAndWait(const std::string& path, int timeout_ms) {
  MZ_ASSIGN_OR_RETURN(HeaderSample before, ReadHeader(path));
  MZ_RETURN_IF_ERROR(Signal(before, SIGHUP, path));
  const int64_t deadline = NowMs() + timeout_ms;
  for (;;) {
    // The page disappears when the daemon ends in good order.
    StatusOr<HeaderSample> now = ReadHeader(path);
    if (!now.ok() || now->pid != before.pid || !Signal(before, 0, path).ok())
      return MakeStatus(StatusCode::kUnavailable, "the daemon ended before it had reloaded");
    if (now->reloads_finished > before.reloads_begun) {
      ReloadReport r;
      r.verdict = now->last_verdict;
      r.error = now->last_error;
      r.generation = now->generation;
      r.image_identity = now->image_identity;
      r.microseconds = now->last_reload_microseconds;
      return r;
    }
    if (NowMs() >= deadline)
      return MakeStatus(StatusCode::kUnavailable,
                        "no verdict within " + std::to_string(timeout_ms) + " ms; the reload may still be under way");
    timespec pause{0, kPollMs * 1000000};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace mz::stats
