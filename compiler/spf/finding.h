// A remark on one record, placed in its text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/dataset/diagnostic.h"

namespace mz::compiler::spf {

// `file` of the diagnostic is "TXT NAME", its line 1.
struct Finding {
  dataset::Diagnostic diagnostic;
  std::string_view section;  // "RFC 7208 section 5.2"; may be empty
};

// `owner`: wire form; `text`: the record, any octets; `column` is 1-based, 0: the record as a whole. A long record is cut
// around the column, and not quoted at all without one.
Finding MakeFinding(dataset::Severity severity, std::string_view owner, std::string_view text, uint32_t column,
                    uint32_t length, std::string message, std::string hint, std::string_view section);

}  // namespace mz::compiler::spf
