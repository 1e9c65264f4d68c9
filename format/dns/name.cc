// See name.h.
#include "format/dns/name.h"

#include <array>

namespace mz::dns {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Status Bad(std::string_view text, std::string_view why) {
  return MakeStatus(StatusCode::kInvalidArgument,
                    "invalid domain name `" + std::string(text) + "': " + std::string(why));
}

// Reads the escape behind a backslash: one to three digits are a decimal octet, anything else stands for
// itself.
bool TakeEscape(std::string_view text, size_t* position, uint8_t* octet) {
  size_t i = *position;
  if (i >= text.size()) return false;
  if (!IsDigit(text[i])) {
    *octet = static_cast<uint8_t>(text[i]);
    *position = i + 1;
    return true;
  }
  unsigned value = 0;
  for (int digits = 0; digits < 3 && i < text.size() && IsDigit(text[i]); digits++, i++)
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  *position = i;
  *octet = static_cast<uint8_t>(value);
  return value <= 255;
}

// Octets that NameText writes differently: 0 as it is, 1 behind a backslash, 2 as \DDD.
constexpr std::array<uint8_t, 256> MakeEscapeTable() {
  std::array<uint8_t, 256> table{};
  for (int i = 0; i <= 32; i++) table[i] = 2;
  for (int i = 127; i < 256; i++) table[i] = 2;
  for (char c : {'"', '.', ';', '\\', '@', '$'}) table[static_cast<uint8_t>(c)] = 1;
  return table;
}
constexpr std::array<uint8_t, 256> kEscape = MakeEscapeTable();

// rbldnsd's names of the types 0..41 and 250..256.
constexpr const char* kTypeNames[] = {
    "INVALID", "A",        "NS",    "MD",    "MF",   "CNAME", "SOA",   "MB",    "MG",  "MR",   "NULL",
    "WKS",     "PTR",      "HINFO", "MINFO", "MX",   "TXT",   "RP",    "AFSDB", "X25", "ISDN", "RT",
    "NSAP",    "NSAP_PTR", "SIG",   "KEY",   "PX",   "GPOS",  "AAAA",  "LOC",   "NXT", "EID",  "NIMLOC",
    "SRV",     "ATMA",     "NAPTR", "KX",    "CERT", "A6",    "DNAME", "SINK",  "OPT"};
static_assert(std::size(kTypeNames) == 42);
constexpr const char* kMetaTypeNames[] = {"TSIG", "IXFR", "AXFR", "MAILB", "MAILA", "ANY"};

}  // namespace

StatusOr<std::string> ParseName(std::string_view text) {
  std::string wire;
  size_t length_at = 0;  // of the label being written
  size_t label = 0;      // its octets so far
  wire.push_back('\0');
  for (size_t i = 0; i < text.size();) {
    uint8_t octet = static_cast<uint8_t>(text[i++]);
    if (octet == '.') {
      if (label == 0) continue;  // leading, doubled or trailing dot
      wire[length_at] = static_cast<char>(label);
      length_at = wire.size();
      wire.push_back('\0');
      label = 0;
      continue;
    }
    if (octet == '\\' && !TakeEscape(text, &i, &octet)) return Bad(text, "bad escape");
    if (++label > kMaxLabelBytes) return Bad(text, "a label is longer than 63 octets");
    wire.push_back(static_cast<char>(octet));
    if (wire.size() + 1 > kMaxNameBytes) return Bad(text, "the name is longer than 255 octets");
  }
  if (label == 0)
    wire.pop_back();  // the unused length octet
  else
    wire[length_at] = static_cast<char>(label);
  return wire;
}

void LowerName(std::string* wire) {
  for (char& c : *wire)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
}

size_t FormatName(std::span<const uint8_t> wire, char* out, size_t capacity) {
  size_t n = 0;
  auto put = [&](char c) {
    if (n < capacity) out[n] = c;
    n++;
  };
  if (wire.empty() || wire[0] == 0) {
    put('.');
    return n;
  }
  for (size_t i = 0; i < wire.size() && wire[i] != 0;) {
    if (i != 0) put('.');
    size_t end = i + 1 + wire[i];
    if (end > wire.size()) end = wire.size();
    for (i++; i < end; i++) {
      uint8_t c = wire[i];
      switch (kEscape[c]) {
        case 0:
          put(static_cast<char>(c));
          break;
        case 1:
          put('\\');
          put(static_cast<char>(c));
          break;
        default:
          put('\\');
          put(static_cast<char>('0' + c / 100));
          put(static_cast<char>('0' + c / 10 % 10));
          put(static_cast<char>('0' + c % 10));
      }
    }
  }
  return n;
}

std::string NameText(std::string_view wire) {
  std::span<const uint8_t> bytes{reinterpret_cast<const uint8_t*>(wire.data()), wire.size()};
  char buffer[4 * kMaxNameBytes];  // every octet as \DDD
  size_t n = FormatName(bytes, buffer, sizeof buffer);
  if (n <= sizeof buffer) return std::string(buffer, n);
  std::string text(n, '\0');
  FormatName(bytes, text.data(), n);
  return text;
}

int CountLabels(std::string_view wire) {
  int labels = 0;
  for (size_t i = 0; i < wire.size() && wire[i] != 0; i += 1u + static_cast<uint8_t>(wire[i])) labels++;
  return labels;
}

bool EndsWith(std::string_view name, std::string_view suffix) {
  if (suffix.size() > name.size()) return false;
  const size_t border = name.size() - suffix.size();
  if (name.substr(border) != suffix) return false;
  size_t i = 0;
  while (i < border) i += 1u + static_cast<uint8_t>(name[i]);
  return i == border;
}

std::string TypeText(uint16_t type) {
  if (type < std::size(kTypeNames)) return kTypeNames[type];
  if (type >= 250 && type <= 255) return kMetaTypeNames[type - 250];
  if (type == 256) return "ZXFR";
  return "type" + std::to_string(type);
}

std::string ClassText(uint16_t qclass) {
  switch (qclass) {
    case 0:
      return "INVALID";
    case 1:
      return "IN";
    case 3:
      return "CH";
    case 4:
      return "HS";
    case 255:
      return "ANY";
    default:
      return "class" + std::to_string(qclass);
  }
}

std::string RcodeText(uint16_t rcode) {
  static constexpr const char* kNames[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                           "NOTIMPL", "REFUSED", "YXDOMAIN", "YXRRSET",
                                           "NXRRSET", "NOTAUTH", "NOTZONE"};
  if (rcode < std::size(kNames)) return kNames[rcode];
  if (rcode == 16) return "BADVERS";
  if (rcode == 23) return "BADCOOKIE";
  return "rcode" + std::to_string(rcode);
}

}  // namespace mz::dns
