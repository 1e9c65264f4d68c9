// TOML in, settings out. The only file that knows toml++.
#include <toml++/toml.h>

#include <algorithm>

#include "cli/config_value.h"

namespace mz::cli {
namespace {

std::string_view LineOf(std::string_view text, uint32_t line) {
  for (uint32_t at = 1; at < line; at++) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view result = text.substr(0, text.find('\n'));
  if (result.ends_with('\r')) result.remove_suffix(1);
  return result;
}

// toml++ counts code points; a diagnostic counts octets.
uint32_t OctetColumn(std::string_view line, uint32_t code_point_column) {
  uint32_t seen = 0;
  for (size_t i = 0; i < line.size(); i++) {
    if ((static_cast<uint8_t>(line[i]) & 0xc0) != 0x80) seen++;
    if (seen == code_point_column) return static_cast<uint32_t>(i + 1);
  }
  return static_cast<uint32_t>(line.size() + 1);
}

class Flattener {
 public:
  Flattener(std::string_view text, std::vector<Setting>* settings) : text_(text), settings_(settings) {}

  void Document(const toml::table& root) {
    for (const auto& [key, node] : root) {
      std::string name(key.str());
      if (const toml::table* table = node.as_table()) {
        Announce(name, -1, PlaceOf(key.source()));
        Section(name, -1, *table);
      } else if (const toml::array* array = node.as_array(); array != nullptr && Tables(*array)) {
        int index = 0;
        for (const toml::node& element : *array) {
          Announce(name, index, PlaceOf(element.source()));
          Section(name, index++, *element.as_table());
        }
      } else {
        Add("", -1, key, node);
      }
    }
    // A TOML table has no order; people expect the order of the file.
    std::stable_sort(settings_->begin(), settings_->end(), [](const Setting& a, const Setting& b) {
      return std::pair(a.key_place.line, a.key_place.column) < std::pair(b.key_place.line, b.key_place.column);
    });
  }

 private:
  static bool Tables(const toml::array& array) {
    return !array.empty() &&
           std::all_of(array.begin(), array.end(), [](const toml::node& n) { return n.is_table(); });
  }

  Place PlaceOf(const toml::source_region& region) const {
    Place place;
    place.line = region.begin.line;
    std::string_view line = LineOf(text_, place.line);
    place.column = OctetColumn(line, region.begin.column);
    uint32_t end = region.end.line == region.begin.line ? OctetColumn(line, region.end.column)
                                                        : static_cast<uint32_t>(line.size() + 1);
    place.length = end > place.column ? end - place.column : 1;
    return place;
  }

  void Announce(const std::string& section, int zone, const Place& place) {
    settings_->push_back({.section = section, .zone = zone, .key = {}, .value = true, .key_place = place,
                          .value_place = place, .variable = {}});
  }

  void Section(const std::string& section, int zone, const toml::table& table) {
    for (const auto& [key, node] : table) Add(section, zone, key, node);
  }

  void Add(const std::string& section, int zone, const toml::key& key, const toml::node& node) {
    Setting setting{.section = section, .zone = zone, .key = std::string(key.str()), .value = Value(node),
                    .key_place = PlaceOf(key.source()), .value_place = PlaceOf(node.source()), .variable = {}};
    settings_->push_back(std::move(setting));
  }

  static SettingValue Value(const toml::node& node) {
    if (auto s = node.value_exact<std::string>()) return *s;
    if (auto i = node.value_exact<int64_t>()) return *i;
    if (auto b = node.value_exact<bool>()) return *b;
    if (node.is_floating_point()) return ForeignValue{"a floating-point number"};
    if (node.is_table()) return ForeignValue{"a table"};
    const toml::array* array = node.as_array();
    if (array == nullptr) return ForeignValue{"a date or time"};
    std::vector<std::string> texts;
    for (const toml::node& element : *array) {
      auto text = element.value_exact<std::string>();
      if (!text) return ForeignValue{"a list with other things than text"};
      texts.push_back(*text);
    }
    return texts;
  }

  std::string_view text_;
  std::vector<Setting>* settings_;
};

}  // namespace

dataset::Diagnostic At(const std::string& path, std::string_view text, const Place& place, std::string message,
                       std::string hint) {
  dataset::Diagnostic d;
  d.severity = dataset::Severity::kError;
  d.file = path;
  d.line = place.line;
  d.column = place.column;
  d.length = place.length;
  d.message = std::move(message);
  d.hint = std::move(hint);
  if (place.line > 0) d.source_line = LineOf(text, place.line);
  return d;
}

bool ReadToml(const std::string& path, std::string_view text, dataset::DiagnosticSink* sink,
              std::vector<Setting>* settings) {
  try {
    toml::table root = toml::parse(text, path);
    Flattener(text, settings).Document(root);
    return true;
  } catch (const toml::parse_error& e) {
    Place place;
    place.line = std::max<uint32_t>(1, e.source().begin.line);
    place.column = OctetColumn(LineOf(text, place.line), e.source().begin.column);
    std::string message(e.description());
    sink->Report(At(path, text, place, std::move(message), ""));
    return false;
  }
}

}  // namespace mz::cli
