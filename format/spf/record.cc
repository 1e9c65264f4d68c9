// See record.h. The grammar of RFC 7208 section 12.
#include "format/spf/record.h"

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "format/spf/argument.h"

namespace mz::spf {
namespace {

constexpr size_t kVersionLength = 6;  // "v=spf1"
constexpr size_t kMaxErrors = 100;
constexpr size_t kLongestWord = 16;  // a longer unknown word is no typing mistake, and measuring it is not free

constexpr std::string_view kSigns = "+-~?";  // in the order of Qualifier

constexpr std::string_view kTermSection = "RFC 7208 section 4.6.1";
constexpr std::string_view kModifierSection = "RFC 7208 section 6";

struct MechanismInfo {
  Mechanism mechanism;
  std::string_view name;
  std::string_view section;
};
constexpr std::array<MechanismInfo, 8> kMechanisms = {{
    {Mechanism::kAll, "all", "RFC 7208 section 5.1"},
    {Mechanism::kInclude, "include", "RFC 7208 section 5.2"},
    {Mechanism::kA, "a", "RFC 7208 section 5.3"},
    {Mechanism::kMx, "mx", "RFC 7208 section 5.4"},
    {Mechanism::kPtr, "ptr", "RFC 7208 section 5.5"},
    {Mechanism::kIp4, "ip4", "RFC 7208 section 5.6"},
    {Mechanism::kIp6, "ip6", "RFC 7208 section 5.6"},
    {Mechanism::kExists, "exists", "RFC 7208 section 5.7"},
}};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool IsLetter(char c) { return Lower(c) >= 'a' && Lower(c) <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameChar(char c) { return IsLetter(c) || IsDigit(c) || c == '-' || c == '_' || c == '.'; }

bool SameWord(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) { return Lower(x) == y; });
}

const MechanismInfo* FindMechanism(std::string_view word) {
  for (const MechanismInfo& info : kMechanisms)
    if (SameWord(word, info.name)) return &info;
  return nullptr;
}

// name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ); 0 when the text begins with none.
size_t NameLength(std::string_view text) {
  if (text.empty() || !IsLetter(text[0])) return 0;
  size_t n = 1;
  while (n < text.size() && IsNameChar(text[n])) n++;
  return n;
}

bool Fail(Mistake* mistake, std::string_view where, std::string message, std::string hint,
          std::string_view section) {
  *mistake = {where, std::move(message), std::move(hint), section};
  return false;
}

// What stands behind the colon or equals sign of a mistyped term, for hints.
std::string Rest(std::string_view rest) { return Quoted(rest.empty() ? rest : rest.substr(1)); }

std::string UnknownMechanismHint(std::string_view term, std::string_view name, std::string_view rest) {
  if (name.empty()) {
    if (term.find_first_not_of("0123456789./") == std::string_view::npos) return "ip4:" + Quoted(term);
    if (std::count(term.begin(), term.end(), ':') >= 2 && term.size() < 60 &&
        term.find_first_not_of("0123456789abcdefABCDEF:./") == std::string_view::npos)
      return "ip6:" + Quoted(term);
    return "";
  }
  for (std::string_view modifier : {"redirect", "exp"})
    if (SameWord(name, modifier)) return std::string(modifier) + "=" + (rest.empty() ? "" : Rest(rest));
  for (std::string_view word : {"ipv4", "ip", "ip-4", "ip4s"})
    if (SameWord(name, word)) return rest.find(':') == rest.rfind(':') ? "ip4:" + Rest(rest) : "ip6:" + Rest(rest);
  for (std::string_view word : {"ipv6", "ip-6"})
    if (SameWord(name, word)) return "ip6:" + Rest(rest);
  if (SameWord(name, "host") || SameWord(name, "aaaa")) return "a" + Quoted(rest);
  // A name with a dot and nothing behind it was pasted without its mechanism.
  if (rest.empty() && name.find('.') != std::string_view::npos)
    return "include:" + Quoted(name) + " or a:" + Quoted(name);
  if (name.size() > kLongestWord) return "";
  static constexpr std::string_view kWords[] = {"all", "include", "a",      "mx",       "ptr",
                                                "ip4", "ip6",     "exists", "redirect", "exp"};
  const std::string nearest = Nearest(name, kWords);
  if (nearest.empty()) return "";
  if (nearest == "redirect" || nearest == "exp") return nearest + "=" + (rest.empty() ? "" : Rest(rest));
  return nearest + Quoted(rest);
}

std::string_view TrailingDigits(std::string_view text) {
  size_t start = text.size();
  while (start > 0 && IsDigit(text[start - 1])) start--;
  return text.substr(start);
}

class Parser {
 public:
  Parser(std::string_view text, size_t max_errors, Record* record, std::vector<SyntaxError>* errors)
      : text_(text), max_errors_(max_errors), record_(record), errors_(errors) {}

  void Run() {
    // record = "v=spf1" *( 1*SP ( directive / modifier ) ) *SP: blanks are 0x20 only.
    for (size_t at = kVersionLength; at < text_.size() && errors_->size() < max_errors_;) {
      const size_t start = text_.find_first_not_of(' ', at);
      if (start == std::string_view::npos) return;
      at = std::min(text_.find(' ', start), text_.size());
      Mistake mistake;
      if (!ParseTerm(text_.substr(start, at - start), &mistake)) Report(std::move(mistake));
    }
  }

 private:
  uint32_t Column(std::string_view part) const { return static_cast<uint32_t>(part.data() - text_.data()) + 1; }

  void Report(Mistake m) {
    const auto length = static_cast<uint32_t>(std::max<size_t>(m.where.size(), 1));
    errors_->push_back({Column(m.where), length, std::move(m.message), std::move(m.hint), m.section});
  }

  bool ParseTerm(std::string_view term, Mistake* mistake) {
    for (size_t i = 0; i < term.size(); i++) {
      const auto c = static_cast<uint8_t>(term[i]);
      if (c >= 0x21 && c <= 0x7e) continue;
      return BadOctet(term.substr(i), mistake);
    }
    // A name with "=" before ":" or "/" is a modifier, whatever the name.
    const size_t name = NameLength(term);
    if (name > 0 && name < term.size() && term[name] == '=')
      return ParseModifier(term, term.substr(0, name), term.substr(name + 1), mistake);
    return ParseDirective(term, mistake);
  }

  static bool BadOctet(std::string_view from, Mistake* mistake) {
    static constexpr char kHex[] = "0123456789abcdef";
    const auto c = static_cast<uint8_t>(from[0]);
    size_t length = 1;
    std::string_view hint;
    if (c == '\t') {
      hint = "terms are separated by blanks, not tabs";
    } else if (c == '\n' || c == '\r') {
      hint = "a line end inside the record: check how the TXT strings are joined";
    } else if (c >= 0x80) {
      while (length < from.size() && static_cast<uint8_t>(from[length]) >= 0x80) length++;
      hint = "ASCII only: check for typographic dashes and blanks, write names in their xn-- form";
    }
    return Fail(mistake, from.substr(0, length),
                std::string("octet 0x") + kHex[c >> 4] + kHex[c & 15] + " in a record", std::string(hint),
                kTermSection);
  }

  bool ParseModifier(std::string_view term, std::string_view name, std::string_view value, Mistake* mistake) {
    const std::string_view head = term.substr(0, name.size() + 1);
    if (SameWord(name, "redirect"))
      return ParseKnownModifier(term, head, value, "redirect=", "RFC 7208 section 6.1", &record_->redirect,
                                mistake);
    if (SameWord(name, "exp"))
      return ParseKnownModifier(term, head, value, "exp=", "RFC 7208 section 6.2", &record_->explanation, mistake);
    // Section 6: unrecognized modifiers are ignored, but have to be well formed.
    MacroString ignored;
    return ParseModifierValue(value, &ignored, mistake);
  }

  bool ParseKnownModifier(std::string_view term, std::string_view head, std::string_view value,
                          std::string_view name, std::string_view section, std::optional<Modifier>* out,
                          Mistake* mistake) {
    Modifier modifier;
    modifier.column = Column(term);
    modifier.length = static_cast<uint32_t>(term.size());
    if (!ParseDomainSpec(value, name, head, &modifier.value, mistake)) {
      if (mistake->where.data() == head.data()) mistake->section = section;
      return false;
    }
    if (*out)
      return Fail(mistake, term, "second " + std::string(name.substr(0, name.size() - 1)) + " modifier",
                  "at most one each of redirect= and exp=", kModifierSection);
    *out = std::move(modifier);
    return true;
  }

  bool ParseDirective(std::string_view term, Mistake* mistake) {
    Term out;
    out.column = Column(term);
    out.length = static_cast<uint32_t>(term.size());
    std::string_view body = term;
    if (const size_t sign = kSigns.find(term[0]); sign != std::string_view::npos) {
      out.qualifier = static_cast<Qualifier>(sign);
      body.remove_prefix(1);
    }
    const std::string_view name = body.substr(0, NameLength(body));
    const std::string_view rest = body.substr(name.size());
    const MechanismInfo* info = FindMechanism(name);
    if (info == nullptr) return UnknownTerm(term, body, name, rest, mistake);
    out.mechanism = info->mechanism;
    if (!ParseMechanism(*info, name, rest, &out, mistake)) return false;
    record_->terms.push_back(std::move(out));
    return true;
  }

  static bool UnknownTerm(std::string_view term, std::string_view body, std::string_view name,
                          std::string_view rest, Mistake* mistake) {
    if (body.empty())
      return Fail(mistake, term, "qualifier without a mechanism", "no blank behind + - ~ ?", kTermSection);
    if (!name.empty() && rest.substr(0, 1) == "=")
      return Fail(mistake, term.substr(0, 1), "a modifier takes no qualifier", Quoted(body), kTermSection);
    std::string hint = UnknownMechanismHint(body, name, rest);
    if (name.empty())
      return Fail(mistake, body, "a term begins with the name of a mechanism or modifier", std::move(hint),
                  kTermSection);
    return Fail(mistake, name, "unknown mechanism \"" + Quoted(name) + "\"", std::move(hint), kTermSection);
  }

  bool ParseMechanism(const MechanismInfo& info, std::string_view name, std::string_view rest, Term* out,
                      Mistake* mistake) {
    const std::string prefix = std::string(info.name) + ":";
    const bool colon = !rest.empty() && rest[0] == ':';
    const std::string_view argument = colon ? rest.substr(1) : std::string_view();
    // The name and its colon, when there is one.
    const std::string_view head(name.data(), name.size() + (colon ? 1 : 0));
    switch (info.mechanism) {
      case Mechanism::kAll:
        if (rest.empty()) return true;
        return Fail(mistake, rest, "\"all\" takes no argument", "all", info.section);
      case Mechanism::kInclude:
      case Mechanism::kExists:
        if (!colon)
          return Fail(mistake, head, std::string(info.name) + " without a domain name", prefix + "example.com",
                      info.section);
        return ParseSpec(argument, prefix, head, info, out, mistake);
      case Mechanism::kPtr:
        if (rest.empty()) return true;
        if (!colon) return BadBehindName(info, rest, mistake);
        return ParseSpec(argument, prefix, head, info, out, mistake);
      case Mechanism::kA:
      case Mechanism::kMx: return ParseRanged(info, name, rest, out, mistake);
      case Mechanism::kIp4:
      case Mechanism::kIp6:
        if (argument.empty())
          return Fail(mistake, colon ? head : std::string_view(name.data(), name.size() + rest.size()),
                      std::string(info.name) + " without an address",
                      info.mechanism == Mechanism::kIp4 ? "ip4:192.0.2.0/24" : "ip6:2001:db8::/32", info.section);
        return info.mechanism == Mechanism::kIp4 ? ParseIp4Argument(argument, &out->ip4, &out->prefix4, mistake)
                                                 : ParseIp6Argument(argument, &out->ip6, &out->prefix6, mistake);
    }
    return false;
  }

  static bool BadBehindName(const MechanismInfo& info, std::string_view rest, Mistake* mistake) {
    const std::string name(info.name);
    if (rest[0] == '/' && info.mechanism == Mechanism::kPtr)
      return Fail(mistake, rest, "ptr takes no prefix length", "ptr", info.section);
    return Fail(
        mistake, rest, "not what follows " + name,
        name + ":example.com" +
            (info.mechanism == Mechanism::kPtr ? ""
                                               : ", " + name + "/24, " + name + "//64 or " + name + "/24//64"),
        info.section);
  }

  static bool ParseSpec(std::string_view argument, std::string_view prefix, std::string_view head,
                        const MechanismInfo& info, Term* out, Mistake* mistake) {
    out->domain.emplace();
    if (ParseDomainSpec(argument, prefix, head, &*out->domain, mistake)) return true;
    if (mistake->where.data() == head.data()) mistake->section = info.section;
    return false;
  }

  // a and mx: [ ":" domain-spec ] [ dual-cidr-length ]. A domain-spec may hold slashes, so the lengths are taken
  // from the right; what is left has to be a domain-spec, which never ends in "/24".
  bool ParseRanged(const MechanismInfo& info, std::string_view name, std::string_view rest, Term* out,
                   Mistake* mistake) {
    std::string_view digits = TrailingDigits(rest);
    std::string_view front = rest.substr(0, rest.size() - digits.size());
    if (front.size() >= 2 && front.substr(front.size() - 2) == "//") {
      if (!ParsePrefixLength(digits, front.substr(front.size() - 2), 128, &out->prefix6, mistake)) return false;
      rest = front.substr(0, front.size() - 2);
      digits = TrailingDigits(rest);
      front = rest.substr(0, rest.size() - digits.size());
    }
    const bool one_slash =
        !front.empty() && front.back() == '/' && (front.size() < 2 || front[front.size() - 2] != '/');
    if (one_slash) {
      if (!ParsePrefixLength(digits, front.substr(front.size() - 1), 32, &out->prefix4, mistake)) {
        // a/64 was meant for IPv6.
        if (digits.size() <= 3 && !digits.empty() && digits[0] != '0' && std::stoi(std::string(digits)) <= 128)
          mistake->hint = "//" + std::string(digits) + " is the length for IPv6";
        return false;
      }
      rest = front.substr(0, front.size() - 1);
    }
    if (rest.empty()) return true;
    if (rest[0] != ':') return BadBehindName(info, rest, mistake);
    const std::string_view head(name.data(), name.size() + 1);
    return ParseSpec(rest.substr(1), std::string(info.name) + ":", head, info, out, mistake);
  }

  std::string_view text_;
  size_t max_errors_;
  Record* record_;
  std::vector<SyntaxError>* errors_;
};

}  // namespace

char QualifierSign(Qualifier q) { return kSigns[static_cast<uint8_t>(q) & 3]; }

std::string_view MechanismName(Mechanism m) {
  for (const MechanismInfo& info : kMechanisms)
    if (info.mechanism == m) return info.name;
  return "";
}

bool IsSpfRecord(std::string_view text) {
  return SameWord(text.substr(0, kVersionLength), "v=spf1") &&
         (text.size() == kVersionLength || text[kVersionLength] == ' ');
}

bool ParseRecord(std::string_view text, Record* record, SyntaxError* error) {
  *record = Record();
  std::vector<SyntaxError> errors;
  Parser(text, 1, record, &errors).Run();
  if (errors.empty()) return true;
  *error = std::move(errors.front());
  return false;
}

std::vector<SyntaxError> FindErrors(std::string_view text) {
  Record record;
  std::vector<SyntaxError> errors;
  Parser(text, kMaxErrors, &record, &errors).Run();
  return errors;
}

}  // namespace mz::spf
