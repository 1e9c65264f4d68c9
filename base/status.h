// Status glue: absl::Status with std::string_view, errno, and the early-return macros.
//
//   MZ_ASSIGN_OR_RETURN(UniqueFd fd, OpenForRead(path));
//   if (size > kMax) return Status(absl::StatusCode::kResourceExhausted, StrCat("image is ", size, " bytes"));
//
// Debian's absl::string_view is a type of its own (no implicit conversion to or from std::string_view): this is the one
// header that bridges the two. The code says who reacts: InvalidArgument (operator's text), DataLoss (image bytes),
// FailedPrecondition (fix the machine), Unavailable (retry), ResourceExhausted (a named limit), Internal (our bug).
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mz {

using absl::StatusCode;
template <typename T>
using StatusOr = absl::StatusOr<T>;
using Status = absl::Status;

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view ToStd(absl::string_view s) { return {s.data(), s.size()}; }
inline std::string_view Message(const Status& s) { return ToStd(s.message()); }

inline Status MakeStatus(StatusCode code, std::string_view message) { return Status(code, ToAbsl(message)); }

// "THING: strerror". ENOENT, EACCES and the like become NotFound, PermissionDenied ...; ENOSPC ResourceExhausted.
Status ErrnoStatus(int error_number, std::string_view thing);

// Adds one piece of context in front: "CONTEXT: message", same code.
inline Status Annotate(const Status& s, std::string_view context) {
  if (s.ok()) return s;
  return Status(s.code(), ToAbsl(std::string(context) + ": " + std::string(Message(s))));
}

}  // namespace mz

#define MZ_CONCAT_INNER(a, b) a##b
#define MZ_CONCAT(a, b) MZ_CONCAT_INNER(a, b)
#define MZ_RETURN_IF_ERROR(expr)                       \
  do {                                                 \
    if (::absl::Status mz_status = (expr); !mz_status.ok()) return mz_status; \
  } while (0)
#define MZ_ASSIGN_OR_RETURN(lhs, expr) MZ_ASSIGN_OR_RETURN_IMPL(MZ_CONCAT(mz_statusor_, __LINE__), lhs, expr)
#define MZ_ASSIGN_OR_RETURN_IMPL(tmp, lhs, expr) \
  auto tmp = (expr);                             \
  if (!tmp.ok()) return tmp.status();            \
  lhs = std::move(tmp).value()
// A broken invariant is our bug: say where and abort. Untrusted bytes must never reach such a check.
#define MZ_CHECK(cond)                                                                     \
  do {                                                                                     \
    if (!(cond)) [[unlikely]] ::mz::CheckFailed(__FILE__, __LINE__, #cond);                \
  } while (0)

namespace mz {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}
