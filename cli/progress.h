// The progress line on a terminal: appears when the work takes over a second, is redrawn at most ten times a second, and
// leaves nothing behind. On anything but a terminal it does nothing.
//
//   Progress progress(terminal);
//   progress.Show("bl.txt", done, total);     // any thread
//   progress.Clear();                         // before something else is written
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "cli/terminal.h"

namespace mz::cli {

class Progress {
 public:
  explicit Progress(Terminal& terminal);
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(std::string_view what, uint64_t done, uint64_t total);
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  Terminal& terminal_;
  std::mutex mutex_;
  Clock::time_point next_;
  bool drawn_ = false;
};

}  // namespace mz::cli
