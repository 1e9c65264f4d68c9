// Canonicalisation of mail for DKIM and ARC: RFC 6376 section 3.4. Any octets may come in; cost is linear.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mz::mail {

enum class Canon : uint8_t { kSimple, kRelaxed };
std::string_view CanonName(Canon canon);

// One header field with its final CRLF. `value` as in Field: all that follows the colon.
std::string CanonicalField(Canon canon, std::string_view name, std::string_view value);

// `body` has CRLF line ends.
std::string CanonicalBody(Canon canon, std::string_view body);

}  // namespace mz::mail
