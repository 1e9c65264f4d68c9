// See argument.h.
#include "format/spf/argument.h"

#include <algorithm>

#include "format/spf/macro_parser.h"

namespace mz::spf {
namespace {

constexpr std::string_view kAddressSection = "RFC 7208 section 5.6";
constexpr std::string_view kMacroSection = "RFC 7208 section 7.1";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool AllDigits(std::string_view s) { return std::all_of(s.begin(), s.end(), IsDigit); }

bool Fail(Mistake* mistake, std::string_view where, std::string message, std::string hint,
          std::string_view section) {
  *mistake = {where, std::move(message), std::move(hint), section};
  return false;
}

// The prefix length a netmask says, or -1.
int MaskLength(std::string_view text) {
  if (text.size() > 15) return -1;
  const auto mask = net::ParseIp4(text);
  if (!mask) return -1;
  const uint32_t inverse = ~*mask;
  if (inverse & (inverse + 1)) return -1;
  return __builtin_popcount(*mask);
}

// 1*4 groups of 1*3 digits, whatever their values: something that was meant to be an IPv4 address.
bool LooksLikeIp4(std::string_view text) {
  return !text.empty() && text.size() <= 20 && text.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(text.begin(), text.end(), '.') == 3;
}
bool LooksLikeIp6(std::string_view text) {
  return text.size() <= 60 && std::count(text.begin(), text.end(), ':') >= 2 &&
         text.find_first_not_of("0123456789abcdefABCDEF:./") == std::string_view::npos;
}

bool ParseOctets(std::string_view text, std::string_view tail, net::Ip4* address, Mistake* mistake) {
  uint32_t value = 0;
  int octets = 0;
  for (size_t start = 0;; octets++) {
    const size_t end = std::min(text.find('.', start), text.size());
    const std::string_view octet = text.substr(start, end - start);
    if (octets == 4) return Fail(mistake, text, "an IPv4 address has four octets", "", kAddressSection);
    if (octet.empty() || !AllDigits(octet)) {
      std::string hint;
      if (LooksLikeIp6(text))
        hint = "ip6:" + Quoted(text);
      else if (!AllDigits(octet) && std::any_of(text.begin(), text.end(), IsAlnum))
        hint = "ip4 takes an address; a:" + Quoted(text) + " is for names";
      return Fail(mistake, octet.empty() ? text : octet, "not an IPv4 address", std::move(hint), kAddressSection);
    }
    if (octet.size() > 1 && octet[0] == '0') {
      // Some readers take 010 for eight.
      std::string_view digits = octet.substr(std::min(octet.find_first_not_of('0'), octet.size() - 1));
      return Fail(mistake, octet, "leading zero in an octet", Quoted(digits), kAddressSection);
    }
    if (octet.size() > 3 || std::stoi(std::string(octet)) > 255)
      return Fail(mistake, octet, "octet over 255", "", kAddressSection);
    value = value << 8 | static_cast<uint32_t>(std::stoi(std::string(octet)));
    if (end == text.size()) break;
    start = end + 1;
  }
  if (octets != 3) {
    std::string padded = "ip4:" + std::string(text);
    for (int i = octets; i < 3; i++) padded += ".0";
    return Fail(mistake, text, "an IPv4 address has four octets", padded + std::string(tail.substr(0, 4)),
                kAddressSection);
  }
  *address = value;
  return true;
}

// toplabel, from the right: "." toplabel [ "." ] at the end of `text`. Section 7.1.
bool EndsInToplabel(std::string_view text) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  size_t start = text.size();
  bool letter = false, hyphen = false;
  for (; start > 0 && (IsAlnum(text[start - 1]) || text[start - 1] == '-'); start--) {
    const char c = text[start - 1];
    hyphen |= c == '-';
    letter |= c != '-' && !IsDigit(c);
  }
  if (start == 0 || text[start - 1] != '.' || start == text.size()) return false;
  if (!hyphen) return letter;
  return text[start] != '-' && text.back() != '-';
}

// Why the end of a domain-spec is none. `literal` is what stands behind the last macro.
bool BadDomainEnd(std::string_view argument, std::string_view literal, std::string_view name, Mistake* mistake) {
  const std::string word(name);
  std::string hint;
  const size_t slash = argument.rfind('/');
  const bool prefix = slash != std::string_view::npos && AllDigits(argument.substr(slash + 1));
  const std::string_view host = argument.substr(0, prefix ? slash : argument.size());
  if (LooksLikeIp4(host))
    return Fail(mistake, argument, "an address where a name belongs", "ip4:" + Quoted(argument), kMacroSection);
  if (LooksLikeIp6(argument))
    return Fail(mistake, argument, "an address where a name belongs", "ip6:" + Quoted(argument), kMacroSection);
  const char last = argument.back();
  if (last == ',' || last == ';') {
    return Fail(mistake, argument.substr(argument.size() - 1), "terms are separated by blanks only",
                word + Quoted(argument.substr(0, argument.size() - 1)), kMacroSection);
  }
  if (prefix && (name == "include:" || name == "exists:" || name == "ptr:"))
    return Fail(mistake, argument.substr(slash), word.substr(0, word.size() - 1) + " takes no prefix length",
                word + Quoted(host), kMacroSection);
  if (literal.find('.') == std::string_view::npos && literal.size() == argument.size())
    hint = "a name of at least two labels, such as example.com";
  else
    hint = "a domain name ends in a label such as com, or in a macro";
  const size_t end = argument.size() - (last == '.' && argument.size() > 1 ? 1 : 0);
  const size_t dot = argument.substr(0, end).rfind('.');
  const size_t macro_end = argument.size() - literal.size();
  const size_t from = std::max(dot == std::string_view::npos ? 0 : dot + 1, macro_end);
  return Fail(mistake, from < end ? argument.substr(from, end - from) : argument, "not a top-level label",
              std::move(hint), kMacroSection);
}

bool FromMacroError(std::string_view text, MacroError error, Mistake* mistake) {
  return Fail(mistake, text.substr(error.at, error.length), std::move(error.message), std::move(error.hint),
              kMacroSection);
}

}  // namespace

std::string Quoted(std::string_view text) {
  constexpr size_t kMost = 40;
  return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "...";
}

bool ParsePrefixLength(std::string_view digits, std::string_view where, int max, uint8_t* length,
                       Mistake* mistake) {
  if (digits.empty()) return Fail(mistake, where, "\"/\" without a prefix length", "", kAddressSection);
  if (!AllDigits(digits)) {
    const int mask = max == 32 ? MaskLength(digits) : -1;
    return Fail(mistake, digits, "not a prefix length", mask >= 0 ? "/" + std::to_string(mask) : "",
                kAddressSection);
  }
  if (digits.size() > 1 && digits[0] == '0')
    return Fail(mistake, digits, "leading zero in a prefix length", "", kAddressSection);
  if (digits.size() > 3 || std::stoi(std::string(digits)) > max)
    return Fail(mistake, digits, "prefix length over " + std::to_string(max), "", kAddressSection);
  *length = static_cast<uint8_t>(std::stoi(std::string(digits)));
  return true;
}

bool ParseIp4Argument(std::string_view argument, net::Ip4* address, uint8_t* length, Mistake* mistake) {
  const size_t slash = std::min(argument.find('/'), argument.size());
  if (!ParseOctets(argument.substr(0, slash), argument.substr(slash), address, mistake)) return false;
  *length = 32;
  if (slash == argument.size()) return true;
  return ParsePrefixLength(argument.substr(slash + 1), argument.substr(slash, 1), 32, length, mistake);
}

bool ParseIp6Argument(std::string_view argument, net::Ip6* address, uint8_t* length, Mistake* mistake) {
  const size_t slash = std::min(argument.find('/'), argument.size());
  const std::string_view text = argument.substr(0, slash);
  const auto parsed = text.size() < net::kMaxAddressText ? net::ParseIp6(text) : std::nullopt;
  if (!parsed) {
    std::string hint;
    if (LooksLikeIp4(text))
      hint = "ip4:" + Quoted(argument);
    else if (!text.empty() && text[0] == '[')
      hint = "without brackets";
    else if (text.find("::") == std::string_view::npos && std::count(text.begin(), text.end(), ':') < 7)
      hint = "eight groups, or :: in place of the missing ones";
    return Fail(mistake, text.empty() ? argument : text, "not an IPv6 address", std::move(hint), kAddressSection);
  }
  *address = *parsed;
  *length = 128;
  if (slash == argument.size()) return true;
  return ParsePrefixLength(argument.substr(slash + 1), argument.substr(slash, 1), 128, length, mistake);
}

bool ParseDomainSpec(std::string_view argument, std::string_view name, std::string_view where, MacroString* spec,
                     Mistake* mistake) {
  if (argument.empty())
    return Fail(mistake, where, std::string(name) + " without a domain name", std::string(name) + "example.com",
                kMacroSection);
  MacroError error;
  size_t tail = 0;
  if (!ParseMacros(argument, MacroSyntax{}, spec, &tail, &error))
    return FromMacroError(argument, std::move(error), mistake);
  // domain-end = ( "." toplabel [ "." ] ) / macro-expand
  if (tail == argument.size() || EndsInToplabel(argument.substr(tail))) return true;
  return BadDomainEnd(argument, argument.substr(tail), name, mistake);
}

bool ParseModifierValue(std::string_view value, MacroString* out, Mistake* mistake) {
  MacroError error;
  size_t tail = 0;
  if (ParseMacros(value, {kExplanationLetters, false}, out, &tail, &error)) return true;
  return FromMacroError(value, std::move(error), mistake);
}

}  // namespace mz::spf
