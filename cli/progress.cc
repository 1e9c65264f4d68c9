// See progress.h.
#include "cli/progress.h"

#include <string>

#include "cli/diagnostics.h"

namespace mz::cli {

Progress::Progress(Terminal& terminal) : terminal_(terminal), next_(Clock::now() + std::chrono::seconds(1)) {}

void Progress::Show(std::string_view what, uint64_t done, uint64_t total) {
  if (!terminal_.err_is_terminal) return;
  std::lock_guard lock(mutex_);
  Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  std::string line = Printable(what);
  if (line.size() > 60) line = "..." + line.substr(line.size() - 57);
  if (total > 0) line += "  " + std::to_string(done * 100 / total) + " %";
  terminal_.err << "\r\033[K" << line << std::flush;
  drawn_ = true;
}

void Progress::Clear() {
  std::lock_guard lock(mutex_);
  if (!drawn_) return;
  terminal_.err << "\r\033[K" << std::flush;
  drawn_ = false;
}

}  // namespace mz::cli
