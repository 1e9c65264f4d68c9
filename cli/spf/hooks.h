// What is told to the world after a change: a command, a webhook, a monitor. Nothing of it can hold up publishing.
//
// One thread of its own works off a bounded queue; what does not fit is dropped and counted. A command has 30 seconds.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "cli/config.h"

namespace mz::cli {

inline constexpr int kHookSeconds = 30;

class Hooks {
 public:
  Hooks(const SpfConfig& config, const Logger& log);
  ~Hooks();   // gives up what is waiting; a running command is killed
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;

  // The command gets the lines on standard input; the webhook a JSON body {"text", "content", "changes"} that Slack,
  // Discord and others show as it is.
  void Changed(const std::vector<std::string>& lines, uint64_t generation);
  // GET of the push URL, with the milliseconds that the last round took where it ends in "ping=".
  void Healthy(int64_t milliseconds);

 private:
  void Work();
  void Enqueue(std::function<void()> job);
  void RunCommand(const std::string& input);

  const SpfConfig& config_;
  const Logger& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace mz::cli
