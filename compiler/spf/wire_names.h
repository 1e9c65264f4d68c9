// Names as SPF texts write them: labels between dots, no escapes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mz::compiler::spf {

// Relative wire form in lower case; nothing when a label is empty or over 63 octets, or the name over 253.
std::optional<std::string> WireName(std::string_view text);
// The way back; dots inside labels are not marked.
std::string RawText(std::string_view wire);

}  // namespace mz::compiler::spf
