// See log.h.
#include "base/log.h"

#include <syslog.h>
#include <unistd.h>

namespace mz {

Logger::Sink FdSink(std::string prefix, int info_fd, int error_fd) {
  return [prefix = std::move(prefix), info_fd, error_fd](LogLevel level, std::string_view line) {
    int fd = level == LogLevel::kInfo ? info_fd : error_fd;
    if (fd < 0) return;
    std::string text = prefix.empty() ? std::string(line) : prefix + ": " + std::string(line);
    text += '\n';
    // A log that cannot be written has nowhere to be reported.
    [[maybe_unused]] ssize_t n = ::write(fd, text.data(), text.size());
  };
}

Logger::Sink SyslogSink() {
  return [](LogLevel level, std::string_view line) {
    int priority = level == LogLevel::kInfo ? LOG_INFO : level == LogLevel::kWarning ? LOG_WARNING : LOG_ERR;
    ::syslog(priority, "%.*s", static_cast<int>(line.size()), line.data());
  };
}

Logger::Sink Tee(Logger::Sink a, Logger::Sink b) {
  return [a = std::move(a), b = std::move(b)](LogLevel level, std::string_view line) {
    a(level, line);
    b(level, line);
  };
}

}  // namespace mz
