// Inside the configuration: what config_toml.cc and the environment hand to config.cc, one flat list of settings with their
// places, and the check of one value against the rule of its key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "format/dataset/diagnostic.h"

namespace mz::cli {

struct ForeignValue {  // a TOML value of a kind that no key takes
  std::string kind;    // "a table", "a floating-point number", ...
};
using SettingValue = std::variant<std::string, int64_t, bool, std::vector<std::string>, ForeignValue>;

struct Place {
  uint32_t line = 0, column = 0, length = 1;  // 1-based, octets; line 0: an environment variable
};

struct Setting {
  std::string section;    // "server"; "" for a key before the first section
  int zone = -1;          // index of the [[zone]], from 0
  std::string key;        // "" announces the section or zone itself
  SettingValue value;
  Place key_place, value_place;
  std::string variable;   // name of the environment variable; its value is text whatever the key wants
};

// Flattens a TOML document. False: it does not parse, and the reason has been reported.
bool ReadToml(const std::string& path, std::string_view text, dataset::DiagnosticSink* sink,
              std::vector<Setting>* settings);

enum Kind {
  kText,
  kPath,    // text; a relative one becomes relative to Rule::directory
  kLogPath, // the same, with "+" in front of it or not; "-" stays
  kName,    // a domain name
  kTtl,     // D[:MIN[:MAX]]
  kType,    // of a zone's dataset
  kChoice,  // one of Rule::choices
  kNumber,
  kTime,    // seconds, or text with a unit: "1h"
  kBool,
  kTexts,
  kListens, // HOST:PORT, [HOST]:PORT
  kPaths,
  kNames,
};
struct Rule {
  Kind kind = kText;
  uint64_t low = 0, high = 0;
  std::string_view choices;    // "a|b"
  std::string_view directory;
};
struct Complaint {
  std::string message, hint;
};

// Checks and stores one value; a complaint leaves *out as it was.
std::optional<Complaint> Assign(const Setting& setting, const Rule& rule, std::string* out);
std::optional<Complaint> Assign(const Setting& setting, const Rule& rule, std::vector<std::string>* out);
std::optional<Complaint> Assign(const Setting& setting, const Rule& rule, std::optional<uint64_t>* out);
std::optional<Complaint> Assign(const Setting& setting, const Rule& rule, std::optional<bool>* out);

inline constexpr std::string_view kSupportedTypes =
    "supported types: ip4set, ip4tset, ip4trie, ip6tset, ip6trie, dnset, generic, combined, spf, healthcheck";

// "a, b, c"
std::string JoinWords(const std::vector<std::string_view>& words);

// A diagnostic at this place of the document.
dataset::Diagnostic At(const std::string& path, std::string_view text, const Place& place, std::string message,
                       std::string hint);

}  // namespace mz::cli
