// See daemon_log.h.
#include "server/control/daemon_log.h"

#include <syslog.h>

namespace mz::control {

DaemonLog::DaemonLog(std::string program, const Options& options)
    : program_(std::move(program)),
      syslog_(options.syslog),
      terminal_(FdSink(program_, options.info_fd, options.error_fd)) {
  if (syslog_)
    ::openlog(program_.c_str(), LOG_PID | LOG_NDELAY, options.syslog_facility ? options.syslog_facility : LOG_DAEMON);
}

Logger::Sink DaemonLog::MakeSink() {
  return [this, syslog = SyslogSink()](LogLevel level, std::string_view line) {
    if (!detached_.load(std::memory_order_relaxed)) terminal_(level, line);
    if (syslog_) syslog(level, line);
  };
}

}  // namespace mz::control
