// See layout.h.
#include "compiler/spf/layout.h"

#include <algorithm>

#include "format/spf/macro.h"

namespace mz::compiler::spf {
namespace {

constexpr std::string_view kClassLabel = "{class}";
constexpr size_t kAddressLabels6Octets = 63;  // 32 nibbles with dots between them

Status Bad(std::string_view text, const std::string& why) {
  return MakeStatus(StatusCode::kInvalidArgument, "layout \"" + std::string(text) + "\": " + why);
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

bool IsVariable(const SpfLayoutPart& part) {
  return part.kind == SpfLayoutPart::kDomain || part.kind == SpfLayoutPart::kIgnored;
}

}  // namespace

StatusOr<SpfLayout> ParseLayout(std::string_view text) {
  if (text.empty()) return Bad(text, "empty; write \"%{ir}.%{d}\"");
  if (text.size() > 200) return Bad(text.substr(0, 40), "longer than 200 octets");
  SpfLayout layout;
  int addresses = 0, classes = 0;
  bool has_d = false;
  std::vector<std::pair<size_t, char>> named;  // ignored parts that could select the domain when there is no %{d}
  std::string_view rest = text;
  while (true) {
    const size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    SpfLayoutPart part;
    if (label.empty()) return Bad(text, "an empty label: no dot at the start, at the end, or twice in a row");
    if (label == kClassLabel) {
      part.kind = SpfLayoutPart::kClass;
      classes++;
    } else if (label.find('%') == std::string_view::npos) {
      if (label.size() > 63) return Bad(text, "a label longer than 63 octets");
      const bool plain = std::all_of(label.begin(), label.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
      if (!plain) return Bad(text, "\"" + std::string(label) + "\" has characters other than letters, digits, - and _");
      part.label = Lower(label);
    } else {
      mz::spf::MacroString macro;
      size_t error_at = 0;
      if (!mz::spf::ParseMacroString(label, false, &macro, &error_at))
        return Bad(text, "\"" + std::string(label) + "\" is not a macro of RFC 7208 section 7");
      if (macro.size() != 1 || macro[0].letter == 0)
        return Bad(text, "\"" + std::string(label) + "\": a label is either text or one macro");
      const mz::spf::MacroPart& m = macro[0];
      if (m.url_escape)
        return Bad(text, "write %{" + std::string(1, m.letter) + "} in lower case: receivers read the upper-case form differently");
      switch (m.letter) {
        case 'i':
          if (m.keep != 0 || !m.delimiters.empty()) return Bad(text, "%{i} and %{ir} are the only forms of the address");
          part.kind = m.reverse ? SpfLayoutPart::kAddressReversed : SpfLayoutPart::kAddress;
          addresses++;
          break;
        case 'v':
          if (m.keep != 0 || m.reverse) return Bad(text, "%{v} takes no transformers");
          part.kind = SpfLayoutPart::kFamily;
          break;
        case 'd':
          if (has_d) return Bad(text, "%{d} twice");
          if (m.keep != 0 || m.reverse || !m.delimiters.empty()) return Bad(text, "%{d} takes no transformers here");
          part.kind = SpfLayoutPart::kDomain;
          has_d = true;
          break;
        default:
          part.kind = SpfLayoutPart::kIgnored;
          if (m.letter == 'o' && m.keep == 0 && !m.reverse) named.emplace_back(layout.size(), 'o');
          if (m.letter == 'h' && m.keep == 0 && !m.reverse) named.emplace_back(layout.size(), 'h');
          break;
      }
    }
    layout.push_back(std::move(part));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (!has_d && !named.empty()) {
    auto best = std::find_if(named.begin(), named.end(), [](const auto& n) { return n.second == 'o'; });
    layout[(best != named.end() ? *best : named.front()).first].kind = SpfLayoutPart::kDomain;
  }
  if (addresses != 1) return Bad(text, addresses == 0 ? "no %{ir} or %{i}: the answer depends on the client's address"
                                                      : "the address twice");
  if (classes > 1) return Bad(text, "{class} twice");
  for (size_t i = 0; i + 1 < layout.size(); i++)
    if (IsVariable(layout[i]) && IsVariable(layout[i + 1]))
      return Bad(text, "two names without a text label between them");
  if (layout.size() > 16) return Bad(text, "more than 16 labels");
  return layout;
}

std::string PublishedTarget(std::string_view layout_text, std::string_view zone_text,
                            char class_label) {
  std::string out(layout_text);
  if (const size_t at = out.find(kClassLabel); at != std::string::npos)
    out.replace(at, kClassLabel.size(), std::string(1, class_label));
  return out + "." + std::string(zone_text);
}

std::string PublishedRecord(std::string_view layout_text, std::string_view zone_text, Form form,
                            char all_qualifier) {
  const auto target = [&](char c) { return PublishedTarget(layout_text, zone_text, c); };
  const std::string all = std::string(" ") + all_qualifier + "all";
  switch (form) {
    case Form::kRedirect:
      return "v=spf1 redirect=" + target('p');
    case Form::kInclude:
      return "v=spf1 include:" + target('p') + all;
    case Form::kExists:
      return "v=spf1 exists:" + target('p') + all;
    case Form::kClasses:
      return "v=spf1 include:" + target('p') + " ~include:" + target('s') + " ?include:" + target('n') + " -all";
  }
  return "";
}

size_t LongestQueryName(const SpfLayout& layout, std::string_view domain_text, std::string_view zone_text,
                        bool with_helper) {
  size_t octets = zone_text.size() + (with_helper ? 5 : 0);  // "_h0" and its dot, or longer by a digit
  for (const SpfLayoutPart& part : layout) {
    switch (part.kind) {
      case SpfLayoutPart::kLiteral:
        octets += part.label.size() + 1;
        break;
      case SpfLayoutPart::kAddress:
      case SpfLayoutPart::kAddressReversed:
        octets += kAddressLabels6Octets + 1;
        break;
      case SpfLayoutPart::kFamily:
        octets += 4;
        break;
      case SpfLayoutPart::kDomain:
        octets += domain_text.size() + 1;
        break;
      case SpfLayoutPart::kIgnored:
        octets += 2;  // at least; what the sender chooses cannot be known
        break;
      case SpfLayoutPart::kClass:
        octets += 2;
        break;
    }
  }
  return octets;
}

}  // namespace mz::compiler::spf
