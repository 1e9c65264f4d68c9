// TXT answers as SPF reads them (RFC 7208 sections 3.3 and 4.5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/resolve/resolver.h"

namespace mz::compiler::spf {

// The character-strings of one RDATA, joined without blanks. False: not well-formed.
bool JoinStrings(std::string_view rdata, std::string* out);
// The texts of a TXT answer that are SPF records, in the order of the answer.
std::vector<std::string> SpfRecordsOf(const resolve::Answer& answer);

}  // namespace mz::compiler::spf
