// What the exit code of `mailzone` says; the same for every verb (mailzone(1), EXIT STATUS).
#pragma once

#include "base/status.h"

namespace mz::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFindings = 1,    // the input was read and something is wrong with it, or two images differ
  kExitUsage = 2,       // command line or configuration
  kExitUnreadable = 3,  // a file is missing, unreadable or damaged on disk
  kExitTemporary = 4,   // worth another try: disk full, daemon does not answer, network
  kExitInternal = 5,    // our bug
};

// For an error met while working on an input (a bad command line is kExitUsage whatever its status says).
ExitCode ExitCodeFor(const Status& status);

}  // namespace mz::cli
