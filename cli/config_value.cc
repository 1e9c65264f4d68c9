// What makes one value of the configuration good. See config_value.h.
#include "cli/config_value.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/suggest.h"
#include "cli/mailzoned/arguments.h"
#include "cli/ttl_bounds.h"
#include "compiler/dataset/compile.h"
#include "format/dns/name.h"

namespace mz::cli {
namespace {

constexpr std::string_view kTypes[] = {"ip4set", "ip4tset", "ip4trie", "ip6tset", "ip6trie",
                                       "dnset",  "generic", "combined", "spf", "healthcheck"};

std::string Describe(const SettingValue& value) {
  if (std::holds_alternative<std::string>(value)) return "text";
  if (std::holds_alternative<int64_t>(value)) return "a number";
  if (std::holds_alternative<bool>(value)) return "true or false";
  if (std::holds_alternative<ForeignValue>(value)) return std::get<ForeignValue>(value).kind;
  return "a list";
}

Complaint WrongKind(const Setting& s, const std::string& wanted, std::string hint = "") {
  if (s.variable.empty()) return {"'" + s.key + "' wants " + wanted + ", not " + Describe(s.value), std::move(hint)};
  return {"'" + std::get<std::string>(s.value) + "' is not " + wanted, std::move(hint)};
}

Complaint OutOfRange(const Setting& s, const Rule& rule) {
  return {"'" + s.key + "' is out of range", "from " + std::to_string(rule.low) + " to " + std::to_string(rule.high)};
}

std::optional<Complaint> CheckChoice(const Setting& s, std::string_view all, const std::string& text) {
  std::vector<std::string_view> choices;
  for (size_t at = 0; at < all.size();) {
    size_t end = std::min(all.find('|', at), all.size());
    choices.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::nullopt;
  std::string nearest = Nearest(text, choices);
  return Complaint{"'" + text + "' is not a value of '" + s.key + "'",
                   nearest.empty() ? "one of: " + JoinWords(choices) : "did you mean '" + nearest + "'?"};
}

std::optional<Complaint> CheckType(const std::string& text) {
  if (std::find(std::begin(kTypes), std::end(kTypes), text) != std::end(kTypes)) return std::nullopt;
  if (text == "acl")
    return Complaint{"'acl' is not a type of zone", "give the files with the key 'acl' of the zone or of [server]"};
  std::string nearest = Nearest(text, kTypes);
  return Complaint{"unknown type '" + text + "'",
                   nearest.empty() ? std::string(kSupportedTypes) : "did you mean '" + nearest + "'?"};
}

std::optional<Complaint> CheckText(const Setting& s, const Rule& rule, Kind kind, const std::string& text) {
  switch (kind) {
    case kChoice: return CheckChoice(s, rule.choices, text);
    case kType: return CheckType(text);
    case kName:
      if (StatusOr<std::string> name = dns::ParseName(text); !name.ok() || name->empty())
        return Complaint{"'" + text + "' is not a domain name", name.ok() ? "" : std::string(Message(name.status()))};
      return std::nullopt;
    case kListens:
      if (StatusOr<control::ListenAddress> address = ParseListenAddress(text); !address.ok())
        return Complaint{"'" + text + "' is not an address to listen on", "HOST:PORT, [IPV6]:PORT or HOST/PORT"};
      return std::nullopt;
    case kPath:
    case kLogPath:
      if (text.empty()) return Complaint{"'" + s.key + "' is empty", ""};
      return std::nullopt;
    case kTtl:
      if (StatusOr<compiler::TtlBounds> bounds = ParseTtlBounds(text); !bounds.ok())
        return Complaint{std::string(Message(bounds.status())), "DEFAULT[:MIN[:MAX]], for example \"35m:1m:1d\""};
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::string Resolve(const std::string& path, std::string_view directory) {
  if (path.starts_with('/') || directory.empty()) return path;
  return (std::filesystem::path(directory) / path).lexically_normal().string();
}

std::string ResolveLog(const std::string& path, std::string_view directory) {
  if (path.starts_with('+')) return "+" + ResolveLog(path.substr(1), directory);
  return path == "-" || path.empty() ? path : Resolve(path, directory);
}

bool ParseNumber(const std::string& text, uint64_t* out) {
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return failure == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string JoinWords(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::string_view w : words) out += (out.empty() ? "" : ", ") + std::string(w);
  return out;
}

std::optional<Complaint> Assign(const Setting& s, const Rule& rule, std::string* out) {
  const std::string* text = std::get_if<std::string>(&s.value);
  if (text == nullptr) return WrongKind(s, "text", rule.kind == kTtl ? "write it in quotes: \"2100\" or \"35m\"" : "");
  if (auto complaint = CheckText(s, rule, rule.kind, *text)) return complaint;
  *out = rule.kind == kPath      ? Resolve(*text, rule.directory)
         : rule.kind == kLogPath ? ResolveLog(*text, rule.directory)
                                 : *text;
  return std::nullopt;
}

std::optional<Complaint> Assign(const Setting& s, const Rule& rule, std::vector<std::string>* out) {
  std::vector<std::string> texts;
  const std::string* text = std::get_if<std::string>(&s.value);
  if (text != nullptr && !s.variable.empty()) {
    for (size_t at = 0; at < text->size();) {  // a variable separates by commas or blanks
      size_t end = std::min(text->find_first_of(", ", at), text->size());
      if (end > at) texts.push_back(text->substr(at, end - at));
      at = end + 1;
    }
  } else if (auto* list = std::get_if<std::vector<std::string>>(&s.value)) {
    texts = *list;
  } else if (text != nullptr) {
    return WrongKind(s, "a list", "write " + s.key + " = [\"" + *text + "\"]");
  } else {
    return WrongKind(s, "a list of text");
  }
  Kind single = rule.kind == kPaths ? kPath : rule.kind == kNames ? kName : rule.kind;
  for (std::string& t : texts) {
    if (t.empty()) return Complaint{"an entry of '" + s.key + "' is empty", ""};
    if (auto complaint = CheckText(s, rule, single, t)) return complaint;
    if (single == kPath) t = Resolve(t, rule.directory);
  }
  *out = std::move(texts);
  return std::nullopt;
}

std::optional<Complaint> Assign(const Setting& s, const Rule& rule, std::optional<uint64_t>* out) {
  uint64_t value = 0;
  const std::string* text = std::get_if<std::string>(&s.value);
  if (const int64_t* number = std::get_if<int64_t>(&s.value)) {
    if (*number < 0) return OutOfRange(s, rule);
    value = static_cast<uint64_t>(*number);
  } else if (text != nullptr && rule.kind == kTime) {
    StatusOr<uint32_t> seconds = compiler::ParseTime(*text);
    if (!seconds.ok())
      return Complaint{"'" + *text + "' is not a time", "seconds, or a number with a unit: \"90s\", \"35m\", \"1d\""};
    value = *seconds;
  } else if (text != nullptr && !s.variable.empty()) {
    if (!ParseNumber(*text, &value)) return WrongKind(s, "a number");
  } else {
    return WrongKind(s, rule.kind == kTime ? "a time" : "a number",
                     text != nullptr ? "write the number without quotes" : "");
  }
  if (value < rule.low || value > rule.high) return OutOfRange(s, rule);
  *out = value;
  return std::nullopt;
}

std::optional<Complaint> Assign(const Setting& s, const Rule&, std::optional<bool>* out) {
  if (const bool* b = std::get_if<bool>(&s.value)) {
    *out = *b;
    return std::nullopt;
  }
  const std::string* text = std::get_if<std::string>(&s.value);
  if (text != nullptr && !s.variable.empty()) {
    bool yes = *text == "true" || *text == "1" || *text == "yes";
    if (yes || *text == "false" || *text == "0" || *text == "no") {
      *out = yes;
      return std::nullopt;
    }
  }
  return WrongKind(s, "true or false");
}

}  // namespace mz::cli
