// Where the mail of a domain goes: RFC 5321 section 5.1, null MX of RFC 7505.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "compiler/resolve/resolver.h"

namespace mz::cli {

struct Exchanger {
  uint16_t preference = 0;
  std::string host;                    // A-labels, lower case
  std::vector<std::string> addresses;  // IPv6 and IPv4 in text form
};

// Best first; those of equal preference in the order of the answer. A domain without MX is its own exchanger.
// Exchangers without address are left out. Errors: InvalidArgument (no such domain, null MX, no address),
// Unavailable (the DNS does not answer).
StatusOr<std::vector<Exchanger>> FindExchangers(std::string_view domain, resolve::Resolver* resolver);

}  // namespace mz::cli
