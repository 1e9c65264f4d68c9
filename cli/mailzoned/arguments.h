// The command line of mailzoned.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/terminal.h"
#include "server/control/daemon.h"

namespace mz::cli {

struct MailzonedArguments {
  std::string image;
  control::DaemonOptions daemon;
  bool syslog = false;
};

// "HOST:PORT", "HOST/PORT", "[V6]:PORT", or a host alone (port 53). Errors: InvalidArgument.
StatusOr<control::ListenAddress> ParseListenAddress(std::string_view text);

// Returns an exit code when there is nothing to run: after --help or --version, and after a usage error.
std::optional<int> ParseMailzonedArguments(const std::vector<std::string>& arguments, Terminal& terminal,
                                           MailzonedArguments* out);

}  // namespace mz::cli
