// From a configuration (or a command line) to what the supervisor runs: the compiler's command, the daemon's command, the
// files to watch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/build_job.h"
#include "cli/serve/supervisor.h"

namespace mz::cli {

struct ServeInput {
  BuildFlags build;
  std::vector<std::string> inputs;            // one configuration, or zone specifications
  std::vector<std::string> listen;            // beats server.listen
  std::optional<std::string> io, user;        // beat the configuration
  std::optional<uint64_t> workers;
  std::optional<uint64_t> poll_seconds, quiet_ms;
  std::string mailzone_path, mailzoned_path;  // programs
  std::string default_image;                  // without a configuration and -o
};

// Reads the configuration. Errors: as MakeBuildJob; InvalidArgument when no address to listen on is known.
StatusOr<ServePlan> MakeServePlan(const ServeInput& input, dataset::DiagnosticSink* sink);

// The path of this program, and of mailzoned: beside it, else in PATH. Errors: NotFound.
StatusOr<std::string> OwnPath();
StatusOr<std::string> FindMailzoned(const std::string& own_path);

}  // namespace mz::cli
