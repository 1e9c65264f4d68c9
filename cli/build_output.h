// How `build` and `check` tell their results: lines for people, one JSON document for machines.
#pragma once

#include "cli/build_job.h"
#include "cli/diagnostics.h"
#include "cli/terminal.h"

namespace mz::cli {

// The summary, errors and warnings of a finished job. With `json` one document on out; else errors and warnings on err and
// the summary on out. Returns the exit code: the report's own, or kExitFindings when something was found and `strict`.
int PrintBuildReport(const BuildReport& report, DiagnosticLog& log, BuildTarget target, bool json, bool strict,
                     Terminal& terminal);

// An error before the job could run (command line, configuration). Returns the exit code.
int PrintJobError(const Status& status, DiagnosticLog& log, bool json, Terminal& terminal);

}  // namespace mz::cli
