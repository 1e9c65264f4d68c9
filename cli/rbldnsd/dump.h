// rbldnsd -d: compiles, and writes all zones in BIND's format to standard output.
#pragma once

#include "base/log.h"
#include "cli/rbldnsd/arguments.h"

namespace mz::cli {

// Chroot and working directory apply, -u does not. Returns the exit code; warnings go to the log, without INFO lines.
int RunRbldnsdDump(const RbldnsdArguments& arguments, const Logger& log);

}  // namespace mz::cli
