// Log sinks. One Logger is made by main and passed down; there is no global.
//
//   log.Info("listening on 127.0.0.1/53");   log.Warning("file bl(3): invalid address");
//
// Any thread may call; each line is written with one write(2) or one syslog(3) call.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace mz {

enum class LogLevel { kInfo, kWarning, kError };

class Logger {
 public:
  // Receives one line without prefix and without newline.
  using Sink = std::function<void(LogLevel, std::string_view)>;
  explicit Logger(Sink sink) : sink_(std::move(sink)) {}

  void Log(LogLevel level, std::string_view line) const { sink_(level, line); }
  void Info(std::string_view line) const { Log(LogLevel::kInfo, line); }
  void Warning(std::string_view line) const { Log(LogLevel::kWarning, line); }
  void Error(std::string_view line) const { Log(LogLevel::kError, line); }

 private:
  Sink sink_;
};

// "PREFIX: line\n"; INFO to info_fd, WARNING and ERROR to error_fd. An fd of -1 discards.
Logger::Sink FdSink(std::string prefix, int info_fd, int error_fd);
// syslog(3); the caller has called openlog().
Logger::Sink SyslogSink();
Logger::Sink Tee(Logger::Sink a, Logger::Sink b);

}  // namespace mz
