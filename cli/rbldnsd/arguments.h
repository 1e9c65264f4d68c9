// rbldnsd's own command line, for a drop-in replacement: same letters, same rules, same error texts; long options are ours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/dataset/compile.h"
#include "server/control/daemon.h"

namespace mz::cli {

struct RbldnsdArguments {
  std::string program;                 // basename of argv[0]
  bool dump = false;                   // -d
  bool quick_start = false;            // -q
  int syslog_facility = 0;             // -F
  control::DaemonOptions daemon;
  compiler::CompileOptions compile;
  std::vector<std::string> zones;      // zone specifications, unparsed
};

// What stops the program before it starts.
struct RbldnsdExit {
  int code = 1;
  std::string out, err;                // whole texts for stdout and stderr
};

// Permutes argv as getopt does, which also writes its own messages to stderr. Started as root: the process' rights decide
// the default user; `has_systemd_sockets` makes -b optional.
std::optional<RbldnsdExit> ParseRbldnsdArguments(int argc, char** argv, bool is_root, bool has_systemd_sockets,
                                                 RbldnsdArguments* out);

// The pieces, for tests. "D[:MIN[:MAX]]"; errors: InvalidArgument with rbldnsd's text.
StatusOr<compiler::TtlBounds> ParseTtlOption(const std::string& text);
StatusOr<control::ListenAddress> ParseBindOption(const std::string& text);

inline constexpr char kRbldnsdVersion[] = "1.0pre (snapshot 20210120)";  // whose behaviour this is

}  // namespace mz::cli
