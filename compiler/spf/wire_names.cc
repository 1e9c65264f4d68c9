// See wire_names.h.
#include "compiler/spf/wire_names.h"

#include <algorithm>
#include <cstdint>

#include "format/dns/name.h"

namespace mz::compiler::spf {

std::optional<std::string> WireName(std::string_view text) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return std::nullopt;
  std::string wire;
  wire.reserve(text.size() + 1);
  while (true) {
    const size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > 63) return std::nullopt;
    wire += static_cast<char>(label.size());
    wire += label;
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  dns::LowerName(&wire);
  return wire;
}

std::string RawText(std::string_view wire) {
  std::string text;
  text.reserve(wire.size());
  for (size_t i = 0; i < wire.size();) {
    const size_t n = static_cast<uint8_t>(wire[i]);
    if (!text.empty()) text += '.';
    text += wire.substr(i + 1, n);
    i += 1 + n;
  }
  return text;
}

bool EndsInZone(std::string_view text, std::string_view zone_wire) {
  while (!text.empty() && text.back() == '.') text.remove_suffix(1);
  const std::string zone = RawText(zone_wire);
  if (zone.empty() || text.size() < zone.size()) return false;
  const std::string_view end = text.substr(text.size() - zone.size());
  const bool equal = std::equal(end.begin(), end.end(), zone.begin(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b;
  });
  return equal && (text.size() == zone.size() || text[text.size() - zone.size() - 1] == '.');
}

}  // namespace mz::compiler::spf
