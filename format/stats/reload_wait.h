// `reload --wait`: tells a running daemon to reload and learns the verdict, through its statistics page and SIGHUP alone.
//
//   MZ_ASSIGN_OR_RETURN(ReloadReport r, ReloadAndWait("zone.mzi.stats", 60'000));
//   if (r.verdict == ReloadVerdict::kFailed) ... r.error
//
// The daemon counts reloads when they begin and again when they are finished, one at a time. The caller's change is on
// disk before the count is read, so any reload that begins afterwards has seen it: the wait ends with the first of those.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "format/stats/page.h"

namespace mz::stats {

struct ReloadReport {
  ReloadVerdict verdict = ReloadVerdict::kNone;
  std::string error;              // kFailed: why; the daemon keeps serving what it had
  uint64_t generation = 0;        // in service now
  uint64_t image_identity = 0;
  uint32_t microseconds = 0;      // of the reload
};

// Sends SIGHUP to the daemon that writes the page at `path`, without waiting. Errors: those of ReadHeader, NotFound when
// the daemon is gone, PermissionDenied.
Status SendReload(const std::string& path);

// The same, and waits for the verdict. Errors: besides, Unavailable when the daemon ends or timeout_ms passes.
StatusOr<ReloadReport> ReloadAndWait(const std::string& path, int timeout_ms);

}  // namespace mz::stats
