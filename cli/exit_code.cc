// See exit_code.h.
#include "cli/exit_code.h"

namespace mz::cli {

ExitCode ExitCodeFor(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk: return kExitOk;
    case StatusCode::kInvalidArgument:
    case StatusCode::kDataLoss: return kExitFindings;
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied: return kExitUnreadable;
    case StatusCode::kUnavailable:
    case StatusCode::kResourceExhausted:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kFailedPrecondition: return kExitTemporary;
    default: return kExitInternal;
  }
}

}  // namespace mz::cli
