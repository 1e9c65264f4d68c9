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
// True when a name as a text writes it, macros and all, ends in the zone.
bool EndsInZone(std::string_view text, std::string_view zone_wire);

}  // namespace mz::compiler::spf
