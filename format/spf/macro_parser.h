// Reading macro-strings, shared by the record parser and ParseMacroString.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "format/spf/macro.h"

namespace mz::spf {

inline constexpr std::string_view kRecordLetters = "slodipvh";  // in a domain-spec
inline constexpr std::string_view kExplanationLetters =
    "slodipvhcrt";  // RFC 7208 section 7.2: c, r, t in explanations
inline constexpr std::string_view kMacroDelimiters = ".-+,/_=";

struct MacroError {
  size_t at = 0;      // 0-based octet
  size_t length = 1;  // octets
  std::string message;
  std::string hint;
};

struct MacroSyntax {
  std::string_view letters = kRecordLetters;
  bool spaces = false;  // an explain-string also holds blanks
};

// Requires nothing of the octets. `*tail` is the offset behind the last macro-expand, 0 when there is none: what
// follows it is literal. On error `*out` is unspecified.
bool ParseMacros(std::string_view text, const MacroSyntax& syntax, MacroString* out, size_t* tail,
                 MacroError* error);

}  // namespace mz::spf
