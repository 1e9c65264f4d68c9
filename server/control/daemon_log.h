// The log of a daemon: the terminal it was started from, syslog, or both.
//
//   DaemonLog daemon_log("mailzoned", {.info_fd = 2, .error_fd = 2, .syslog = background});
//   Logger log(daemon_log.MakeSink());
//   options.detached = [&] { daemon_log.Detach(); };          // from here on syslog only
//
// Lines on a terminal carry the prefix; syslog adds the identity itself. Any thread may log; Detach() by any.
#pragma once

#include <atomic>
#include <string>

#include "base/log.h"

namespace mz::control {

class DaemonLog {
 public:
  struct Options {
    int info_fd = -1, error_fd = -1;  // -1: not there
    bool syslog = false;
    int syslog_facility = 0;          // LOG_DAEMON ...; 0: LOG_DAEMON
  };
  // Opens syslog at once, so that it is still reached after chroot.
  DaemonLog(std::string program, const Options& options);
  DaemonLog(const DaemonLog&) = delete;
  DaemonLog& operator=(const DaemonLog&) = delete;

  // The DaemonLog must outlive the sink.
  Logger::Sink MakeSink();
  void Detach() { detached_.store(true, std::memory_order_relaxed); }

 private:
  const std::string program_;  // openlog(3) keeps the pointer
  const bool syslog_;
  std::atomic<bool> detached_{false};
  Logger::Sink terminal_;
};

}  // namespace mz::control
