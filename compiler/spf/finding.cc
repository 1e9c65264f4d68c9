// See finding.h.
#include "compiler/spf/finding.h"

#include <algorithm>

#include "format/dns/name.h"

namespace mz::compiler::spf {

Finding MakeFinding(dataset::Severity severity, std::string_view owner, std::string_view text, uint32_t column,
                    uint32_t length, std::string message, std::string hint, std::string_view section) {
  constexpr uint32_t kBefore = 60, kShown = 200;
  Finding f;
  dataset::Diagnostic& d = f.diagnostic;
  d.severity = severity;
  d.file = "TXT " + dns::NameText(owner);
  d.line = 1;
  d.column = column;
  d.length = column != 0 ? std::max<uint32_t>(length, 1) : 0;
  d.message = std::move(message);
  d.hint = std::move(hint);
  const uint32_t from = column > kBefore + 1 && text.size() > kShown ? column - kBefore - 1 : 0;
  if (column != 0) d.source_line = text.substr(std::min<size_t>(from, text.size()), kShown);
  for (char& c : d.source_line)
    if (static_cast<uint8_t>(c) < 0x20 || static_cast<uint8_t>(c) > 0x7e) c = '?';
  d.source_column = column - from;
  f.section = section;
  return f;
}

}  // namespace mz::compiler::spf
