// See macro.h.
#include "format/spf/macro.h"

#include <algorithm>
#include <vector>

namespace mz::spf {
namespace {

constexpr size_t kMaxName = 253;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Section 7.3: split at any of the delimiters, reverse, keep the right-hand parts, join by dots.
std::string Transform(const std::string& value, const MacroPart& m) {
  if (m.keep == 0 && !m.reverse && m.delimiters.empty()) return value;
  const std::string_view delimiters = m.delimiters.empty() ? std::string_view(".") : m.delimiters;
  std::vector<std::string_view> parts;
  std::string_view rest = value;
  while (true) {
    const size_t at = rest.find_first_of(delimiters);
    parts.push_back(rest.substr(0, at));
    if (at == std::string_view::npos) break;
    rest.remove_prefix(at + 1);
  }
  if (m.reverse) std::reverse(parts.begin(), parts.end());
  const size_t first = m.keep != 0 && m.keep < parts.size() ? parts.size() - m.keep : 0;
  std::string out;
  for (size_t i = first; i < parts.size(); i++) {
    if (i > first) out += '.';
    out += parts[i];
  }
  return out;
}

// RFC 3986 section 2.3: everything but unreserved characters becomes %XX.
std::string UrlEscape(const std::string& text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    if (IsLetter(c) || IsDigit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<uint8_t>(c) >> 4];
      out += kHex[static_cast<uint8_t>(c) & 15];
    }
  }
  return out;
}

std::string Value(const std::string& value, const MacroPart& m) {
  const std::string text = Transform(value, m);
  return m.url_escape ? UrlEscape(text) : text;
}

void AppendLiteral(std::string_view literal, std::string* out) {
  for (size_t i = 0; i < literal.size(); i++) {
    if (literal.substr(i).starts_with("%20")) {
      *out += "%-";
      i += 2;
    } else if (literal[i] == '%') {
      *out += "%%";
    } else if (literal[i] == ' ') {
      *out += "%_";
    } else {
      *out += literal[i];
    }
  }
}

void AppendMacro(const MacroPart& m, std::string* out) {
  *out += "%{";
  *out += m.url_escape ? static_cast<char>(m.letter - 32) : m.letter;
  if (m.keep != 0) *out += std::to_string(m.keep);
  if (m.reverse) *out += 'r';
  *out += m.delimiters;
  *out += '}';
}

void CutName(std::string* name) {
  if (name->ends_with('.')) name->pop_back();
  size_t from = 0;
  while (name->size() - from > kMaxName) {
    const size_t dot = name->find('.', from);
    if (dot == std::string::npos) break;
    from = dot + 1;
  }
  name->erase(0, from);
}

std::string ReversibleAddress(const MessageMacros& m) {
  char text[net::kMaxAddressText];
  if (m.is_v4) return std::string(text, net::FormatIp4(m.ip4, text));
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 32; i++) {
    const uint64_t half = i < 16 ? m.ip6.high : m.ip6.low;
    if (i > 0) out += '.';
    out += kHex[(half >> (60 - 4 * (i % 16))) & 15];
  }
  return out;
}

}  // namespace

bool IsDynamic(const MacroString& s) {
  return std::any_of(s.begin(), s.end(),
                     [](const MacroPart& p) { return p.letter != 0 && p.letter != 'd' && p.letter != 'v'; });
}

bool Uses(const MacroString& s, char letter) {
  return std::any_of(s.begin(), s.end(), [letter](const MacroPart& p) { return p.letter == letter; });
}

Expansion ExpandStatic(const MacroString& s, const KnownMacros& known) {
  Expansion out;
  out.dynamic = IsDynamic(s);
  for (const MacroPart& p : s) {
    if (p.letter == 'd' || p.letter == 'v') {
      const std::string value = Value(p.letter == 'd' ? std::string(known.domain) : known.is_v4 ? "in-addr" : "ip6", p);
      if (out.dynamic)
        AppendLiteral(value, &out.text);
      else
        out.text += value;
    } else if (p.letter != 0) {
      AppendMacro(p, &out.text);
    } else if (out.dynamic) {
      AppendLiteral(p.literal, &out.text);
    } else {
      out.text += p.literal;
    }
  }
  if (!out.dynamic) CutName(&out.text);
  return out;
}

MacroString FillKnown(const MacroString& s, const KnownMacros& known) {
  MacroString out;
  for (const MacroPart& p : s) {
    MacroPart part = p;
    if (p.letter == 'd' || p.letter == 'v') {
      part = MacroPart{};
      part.literal = Value(p.letter == 'd' ? std::string(known.domain) : known.is_v4 ? "in-addr" : "ip6", p);
    }
    if (part.letter == 0 && !out.empty() && out.back().letter == 0)
      out.back().literal += part.literal;
    else
      out.push_back(std::move(part));
  }
  return out;
}

std::string ExpandFor(const MacroString& s, const MessageMacros& m, bool is_name) {
  const size_t at = m.sender.rfind('@');
  const std::string local(at == std::string_view::npos || at == 0 ? "postmaster" : m.sender.substr(0, at));
  const std::string sender_domain(m.sender.empty()                ? m.helo
                                  : at == std::string_view::npos ? m.sender
                                                                 : m.sender.substr(at + 1));
  std::string out;
  for (const MacroPart& p : s) {
    std::string value;
    switch (p.letter) {
      case 0:
        out += p.literal;
        continue;
      case 's':
        value = local + "@" + sender_domain;
        break;
      case 'l':
        value = local;
        break;
      case 'o':
        value = sender_domain;
        break;
      case 'd':
        value = m.domain;
        break;
      case 'i':
        value = ReversibleAddress(m);
        break;
      case 'p':
        value = "unknown";
        break;
      case 'v':
        value = m.is_v4 ? "in-addr" : "ip6";
        break;
      case 'h':
        value = m.helo;
        break;
      case 'c':
        value = m.is_v4 ? net::ToString(m.ip4) : net::ToString(m.ip6);
        break;
      case 'r':
        value = m.receiver.empty() ? "unknown" : std::string(m.receiver);
        break;
      case 't':
        value = std::to_string(m.now_unix);
        break;
      default:
        break;
    }
    out += Value(value, p);
  }
  if (is_name) CutName(&out);
  return out;
}

std::string MacroText(const MacroString& s) {
  std::string out;
  for (const MacroPart& p : s) {
    if (p.letter == 0)
      AppendLiteral(p.literal, &out);
    else
      AppendMacro(p, &out);
  }
  return out;
}

std::string ExplanationText(const MacroString& s) {
  std::string out;
  for (const MacroPart& p : s) {
    if (p.letter != 0) {
      AppendMacro(p, &out);
      continue;
    }
    for (char c : p.literal) out += c == '%' ? std::string("%%") : std::string(1, c);
  }
  return out;
}

}  // namespace mz::spf
