// See answer_json.h. Written by hand, read by nlohmann::json: writing is simple, reading must refuse everything odd.
#include "compiler/resolve/answer_json.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "format/dns/message.h"
#include "format/dns/name.h"
#include "format/net/address.h"

namespace mz::resolve {
namespace {

using nlohmann::json;

constexpr const char* kKinds[] = {"data", "nodata", "nxdomain", "failed", "bogus"};
static_assert(Answer::kData == 0 && Answer::kBogus == 4);
constexpr char kHex[] = "0123456789abcdef";
constexpr size_t kMaxRdataBytes = 65535;

Status Bad(std::string message) { return MakeStatus(StatusCode::kInvalidArgument, message); }

// Numbers in front of everything else: "\DDD" of an octet.
void AppendDecimalEscape(std::string* out, uint8_t octet) {
  *out += '\\';
  *out += static_cast<char>('0' + octet / 100);
  *out += static_cast<char>('0' + octet / 10 % 10);
  *out += static_cast<char>('0' + octet % 10);
}

void AppendJsonString(std::string* out, std::string_view text) {
  *out += '"';
  for (const char c : text) {
    const uint8_t octet = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (octet < 0x20) {
      *out += "\\u00";
      *out += kHex[octet >> 4];
      *out += kHex[octet & 15];
    } else {
      *out += octet < 0x7f ? c : '?';
    }
  }
  *out += '"';
}

std::string EscapedString(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    if (c == '\\')
      text += "\\\\";
    else if (c < 0x20 || c > 0x7e)
      AppendDecimalEscape(&text, static_cast<uint8_t>(c));
    else
      text += c;
  }
  return text;
}

std::string HexText(std::string_view rdata) {
  std::string text = "\\# " + std::to_string(rdata.size());
  if (!rdata.empty()) text += ' ';
  for (const char c : rdata) {
    text += kHex[static_cast<uint8_t>(c) >> 4];
    text += kHex[static_cast<uint8_t>(c) & 15];
  }
  return text;
}

// The name that fills `wire` exactly, root octet included; nothing when it is not one.
std::optional<std::string_view> WholeName(std::string_view wire) {
  if (wire.size() > dns::kMaxNameBytes) return std::nullopt;
  size_t i = 0;
  while (i < wire.size() && wire[i] != 0) {
    if (static_cast<uint8_t>(wire[i]) > dns::kMaxLabelBytes) return std::nullopt;
    i += 1u + static_cast<uint8_t>(wire[i]);
  }
  if (i + 1 != wire.size()) return std::nullopt;
  return wire.substr(0, i);
}

void AppendRdata(std::string* out, uint16_t type, std::string_view rdata) {
  char buffer[net::kMaxAddressText];
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(rdata.data());
  if (type == dns::kTypeA && rdata.size() == 4) {
    const net::Ip4 address = uint32_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
    return AppendJsonString(out, {buffer, net::FormatIp4(address, buffer)});
  }
  if (type == dns::kTypeAaaa && rdata.size() == 16)
    return AppendJsonString(out, {buffer, net::FormatIp6(net::Ip6::FromBytes(bytes), buffer)});
  if (type == dns::kTypeMx && rdata.size() > 2) {
    if (auto name = WholeName(rdata.substr(2)))
      return AppendJsonString(out, std::to_string(bytes[0] << 8 | bytes[1]) + ' ' + dns::NameText(*name));
  }
  if (type == dns::kTypeTxt) {
    std::vector<std::string> strings;
    size_t i = 0;
    while (i < rdata.size() && i + 1 + bytes[i] <= rdata.size()) {
      strings.push_back(EscapedString(rdata.substr(i + 1, bytes[i])));
      i += 1u + bytes[i];
    }
    if (i == rdata.size() && strings.size() == 1) return AppendJsonString(out, strings[0]);
    if (i == rdata.size()) {
      *out += '[';
      for (size_t n = 0; n < strings.size(); n++) {
        if (n > 0) *out += ',';
        AppendJsonString(out, strings[n]);
      }
      *out += ']';
      return;
    }
  }
  AppendJsonString(out, HexText(rdata));
}

// Octets of an escaped string; nothing when an escape is wrong or an octet is not ASCII.
std::optional<std::string> Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (c < 0x20 || c > 0x7e) return std::nullopt;
    if (c != '\\') {
      out += c;
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '\\') {
      out += '\\';
      i++;
      continue;
    }
    int value = 0;
    if (i + 3 >= text.size()) return std::nullopt;
    for (size_t k = i + 1; k <= i + 3; k++) {
      if (text[k] < '0' || text[k] > '9') return std::nullopt;
      value = value * 10 + (text[k] - '0');
    }
    if (value > 255) return std::nullopt;
    out += static_cast<char>(value);
    i += 3;
  }
  return out;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What follows "\# ".
std::optional<std::string> ParseHex(std::string_view text) {
  size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || length > kMaxRdataBytes) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (length == 0) return text.empty() ? std::optional<std::string>("") : std::nullopt;
  if (text.empty() || text[0] != ' ' || text.size() != 1 + 2 * length) return std::nullopt;
  std::string out;
  for (size_t i = 1; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

// One TXT string into `rdata`, with its length octet.
bool AddString(const json& value, std::string* rdata) {
  if (!value.is_string()) return false;
  std::optional<std::string> octets = Unescape(value.get_ref<const std::string&>());
  if (!octets || octets->size() > 255 || rdata->size() + 1 + octets->size() > kMaxRdataBytes) return false;
  *rdata += static_cast<char>(octets->size());
  *rdata += *octets;
  return true;
}

std::optional<std::string> ParseMx(std::string_view text) {
  unsigned preference = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), preference);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (error != std::errc() || preference > 65535 || text.size() < 2 || text[0] != ' ') return std::nullopt;
  StatusOr<std::string> name = dns::ParseName(text.substr(1));
  if (!name.ok()) return std::nullopt;
  std::string rdata{static_cast<char>(preference >> 8), static_cast<char>(preference)};
  rdata += *name;
  rdata += '\0';
  return rdata;
}

std::optional<std::string> ParseRdata(uint16_t type, const json& value) {
  if (type == dns::kTypeTxt && value.is_array()) {
    std::string rdata;
    for (const json& part : value)
      if (!AddString(part, &rdata)) return std::nullopt;
    return rdata;
  }
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.get_ref<const std::string&>();
  if (text.starts_with("\\# ")) return ParseHex(std::string_view(text).substr(3));
  switch (type) {
    case dns::kTypeA: {
      const std::optional<net::Ip4> a = net::ParseIp4(text);
      if (!a) return std::nullopt;
      return std::string{static_cast<char>(*a >> 24), static_cast<char>(*a >> 16), static_cast<char>(*a >> 8),
                         static_cast<char>(*a)};
    }
    case dns::kTypeAaaa: {
      const std::optional<net::Ip6> a = net::ParseIp6(text);
      if (!a) return std::nullopt;
      std::string rdata(16, '\0');
      for (size_t i = 0; i < 8; i++) {
        rdata[i] = static_cast<char>(a->high >> (56 - 8 * i));
        rdata[i + 8] = static_cast<char>(a->low >> (56 - 8 * i));
      }
      return rdata;
    }
    case dns::kTypeMx:
      return ParseMx(text);
    case dns::kTypeTxt: {
      std::string rdata;
      if (!AddString(value, &rdata)) return std::nullopt;
      return rdata;
    }
    default:
      return std::nullopt;
  }
}

// The inverse of dns::TypeText().
std::optional<uint16_t> ParseType(const std::string& text) {
  static const auto* const names = [] {
    auto* map = new absl::flat_hash_map<std::string, uint16_t>;
    for (int type = 0; type <= 256; type++) map->emplace(dns::TypeText(static_cast<uint16_t>(type)), type);
    return map;
  }();
  if (auto it = names->find(text); it != names->end()) return it->second;
  if (!text.starts_with("type")) return std::nullopt;
  unsigned value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + 4, last, value);
  if (error != std::errc() || end != last || value > 65535) return std::nullopt;
  return static_cast<uint16_t>(value);
}

void AppendKey(std::string* out, std::string_view key) {
  *out += '"';
  *out += key;
  *out += "\":";
}

}  // namespace

void AppendText(std::string* out, std::string_view key, std::string_view value) {
  AppendKey(out, key);
  AppendJsonString(out, value);
}

void AppendNumber(std::string* out, std::string_view key, int64_t value) {
  AppendKey(out, key);
  *out += std::to_string(value);
}

void AppendQuestion(std::string* out, const Question& question) {
  AppendText(out, "name", dns::NameText(question.name));
  *out += ',';
  AppendText(out, "type", dns::TypeText(question.type));
}

void AppendAnswer(std::string* out, uint16_t type, const Answer& answer) {
  AppendText(out, "kind", kKinds[answer.kind]);
  if (answer.secure) *out += ",\"secure\":true";
  if (answer.ttl != 0) {
    *out += ',';
    AppendNumber(out, "ttl", answer.ttl);
  }
  if (!answer.rdata.empty()) {
    *out += ",\"rdata\":[";
    for (size_t i = 0; i < answer.rdata.size(); i++) {
      if (i > 0) *out += ',';
      AppendRdata(out, type, answer.rdata[i]);
    }
    *out += ']';
  }
  if (!answer.reason.empty()) {
    *out += ',';
    AppendText(out, "reason", answer.reason);
  }
}

Status ReadNumber(const json& object, const char* key, int64_t low, int64_t high, int64_t* value) {
  auto it = object.find(key);
  if (it == object.end()) return absl::OkStatus();
  const bool fits = it->is_number_integer() && (!it->is_number_unsigned() || it->get<uint64_t>() <= uint64_t{INT64_MAX});
  const int64_t read = fits ? it->get<int64_t>() : 0;
  if (!fits || read < low || read > high)
    return Bad(std::string("\"") + key + "\" is not a whole number from " + std::to_string(low) + " to " +
               std::to_string(high));
  *value = read;
  return absl::OkStatus();
}

Status ReadString(const json& object, const char* key, std::string* value) {
  auto it = object.find(key);
  if (it == object.end()) return absl::OkStatus();
  if (!it->is_string()) return Bad(std::string("\"") + key + "\" is not a string");
  *value = it->get_ref<const std::string&>();
  return absl::OkStatus();
}

StatusOr<Question> QuestionFromJson(const json& object) {
  std::string name, type;
  if (!object.contains("name") || !object.contains("type")) return Bad("\"name\" or \"type\" is missing");
  MZ_RETURN_IF_ERROR(ReadString(object, "name", &name));
  MZ_RETURN_IF_ERROR(ReadString(object, "type", &type));
  Question question;
  MZ_ASSIGN_OR_RETURN(question.name, dns::ParseName(name));
  dns::LowerName(&question.name);
  const std::optional<uint16_t> number = ParseType(type);
  if (!number) return Bad("\"type\" is no record type; write \"TXT\", \"A\" or \"type257\"");
  question.type = *number;
  return question;
}

StatusOr<Answer> AnswerFromJson(const json& object, uint16_t type) {
  Answer answer;
  std::string kind;
  MZ_RETURN_IF_ERROR(ReadString(object, "kind", &kind));
  const auto* found = std::find(std::begin(kKinds), std::end(kKinds), kind);
  if (found == std::end(kKinds)) return Bad("\"kind\" must be data, nodata, nxdomain, failed or bogus");
  answer.kind = static_cast<Answer::Kind>(found - kKinds);
  int64_t ttl = 0;
  MZ_RETURN_IF_ERROR(ReadNumber(object, "ttl", 0, UINT32_MAX, &ttl));
  answer.ttl = static_cast<uint32_t>(ttl);
  if (auto it = object.find("secure"); it != object.end()) {
    if (!it->is_boolean()) return Bad("\"secure\" is neither true nor false");
    answer.secure = it->get<bool>();
  }
  MZ_RETURN_IF_ERROR(ReadString(object, "reason", &answer.reason));
  if (auto it = object.find("rdata"); it != object.end()) {
    if (!it->is_array()) return Bad("\"rdata\" is not a list");
    for (const json& value : *it) {
      std::optional<std::string> rdata = ParseRdata(type, value);
      if (!rdata)
        return Bad("\"rdata\" item " + std::to_string(answer.rdata.size() + 1) + " is no " + dns::TypeText(type) +
                   " record and no \"\\\\# LENGTH HEX\"");
      answer.rdata.push_back(*std::move(rdata));
    }
  }
  if ((answer.kind == Answer::kData) == answer.rdata.empty())
    return Bad(answer.rdata.empty() ? "kind \"data\" needs \"rdata\"" : "only kind \"data\" has \"rdata\"");
  std::sort(answer.rdata.begin(), answer.rdata.end());
  answer.rdata.erase(std::unique(answer.rdata.begin(), answer.rdata.end()), answer.rdata.end());
  return answer;
}

Status ForEachJsonLine(std::string_view text, const std::string& name, const std::function<Status(const json&)>& take) {
  for (size_t line = 1; !text.empty(); line++) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view content = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const json object = json::parse(content, nullptr, /*allow_exceptions=*/false);
    Status status = object.is_object() ? take(object) : Bad("not a JSON object; one object a line is expected");
    if (!status.ok()) return Annotate(status, name + ":" + std::to_string(line));
  }
  return absl::OkStatus();
}

}  // namespace mz::resolve
