// A daemon as a child process of a test: started on a port of the kernel's choice, always ended.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace mz::control {

class DaemonProcess {
 public:
  // Runs `program` (absolute path) with these arguments; output goes to files in a directory of its own.
  DaemonProcess(const std::string& program, const std::vector<std::string>& arguments,
                const std::vector<std::string>& environment = {});
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  pid_t pid() const { return pid_; }
  // Waits until the log contains this text; false after timeout_ms, or when the process has ended without it.
  bool WaitForLog(const std::string& text, int timeout_ms = 20000) const;
  std::string Log() const;     // standard error
  std::string Output() const;  // standard output
  // Of the first "listening on HOST/PORT" line.
  int Port() const;
  void Signal(int signal_number) const;
  // The exit code, or 1000 + signal; nullopt when it still runs after timeout_ms.
  std::optional<int> WaitExit(int timeout_ms = 20000);

 private:
  std::string directory_;
  pid_t pid_ = -1;
  std::optional<int> exit_;
};

// One UDP query to 127.0.0.1; the reply, or empty after two seconds.
std::vector<uint8_t> Ask(int port, const std::vector<uint8_t>& query);
// The first character-string of the first answer to TXT 2.0.0.127.ZONE; "" when there is none.
std::string AskTxt(int port, const std::string& zone);

std::string MakeTestDirectory();

}  // namespace mz::control
