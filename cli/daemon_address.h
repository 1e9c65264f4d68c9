// How a verb finds the running daemon: by its statistics page, by a configuration that names one, or by a pid file.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/status.h"
#include "cli/options.h"
#include "format/dataset/diagnostic.h"

namespace mz::cli {

struct DaemonAddress {
  std::string stats_page, pid_file, argument;

  void Declare(Options* options, bool with_pid_file);
  // The path of the statistics page: --stats-page, else the argument itself or what the configuration says. Errors:
  // InvalidArgument (neither is given, or the configuration is wrong), or those of reading it.
  StatusOr<std::string> StatsPage(dataset::DiagnosticSink* sink) const;
};

// Errors: those of ReadFile, DataLoss (no pid in it).
StatusOr<pid_t> ReadPidFile(const std::string& path);

}  // namespace mz::cli
