// HTTP for the few things that need it: a list of domains, hooks, a monitor's push address. libcurl behind two functions.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace mz::cli {

inline constexpr long kHttpTimeoutSeconds = 20;
inline constexpr size_t kMaxDownloadBytes = 256u << 20;

// GET. Redirects are followed to http and https only. Errors: Unavailable (no answer, or not 2xx), InvalidArgument (not
// an http or https URL), ResourceExhausted (over kMaxDownloadBytes).
StatusOr<std::string> Download(const std::string& url, const std::vector<std::string>& headers);
// POST of a JSON body. Errors: the same.
Status PostJson(const std::string& url, const std::string& body);

}  // namespace mz::cli
