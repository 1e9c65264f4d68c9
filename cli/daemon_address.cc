// See daemon_address.h.
#include "cli/daemon_address.h"

#include <charconv>

#include "base/file.h"
#include "cli/config.h"

extern char** environ;

namespace mz::cli {

void DaemonAddress::Declare(Options* options, bool with_pid_file) {
  options->Text("--stats-page", &stats_page, "FILE", "the statistics page that the daemon writes");
  if (with_pid_file) options->Text("--pid-file", &pid_file, "FILE", "the file that holds the daemon's process id");
  options->Positional("CONFIG|STATS_PAGE", &argument, "the configuration that `mailzone serve` runs with, or the page",
                      Options::kOptional);
}

StatusOr<std::string> DaemonAddress::StatsPage(dataset::DiagnosticSink* sink) const {
  if (!stats_page.empty()) return stats_page;
  if (argument.empty())
    return MakeStatus(StatusCode::kInvalidArgument, "which daemon? Give its configuration or --stats-page FILE");
  if (!argument.ends_with(".toml")) return argument;
  MZ_ASSIGN_OR_RETURN(Config loaded, LoadConfig(argument, EnvironmentOf(environ), sink));
  return loaded.server.stats_page;
}

StatusOr<pid_t> ReadPidFile(const std::string& path) {
  MZ_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  pid_t pid = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (failure != std::errc() || end != text.data() + text.size() || pid <= 1)
    return MakeStatus(StatusCode::kDataLoss, path + ": no process id in it");
  return pid;
}

}  // namespace mz::cli
