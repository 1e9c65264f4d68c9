// See query_builder.h.
#include "format/dns/query_builder.h"

#include <algorithm>
#include <charconv>

#include "format/dns/name.h"

namespace mz::dns {
namespace {

void Put16(std::string* out, uint16_t v) {
  out->push_back(static_cast<char>(v >> 8));
  out->push_back(static_cast<char>(v));
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  return upper;
}

// The number behind `prefix` (which may be missing), or nullopt.
std::optional<uint16_t> Number(std::string_view text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  uint16_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Mnemonic {
  std::string_view text;
  uint16_t value;
};
// Newer types than TypeText() knows by name.
constexpr Mnemonic kNewTypes[] = {{"APL", 42},        {"DS", 43},         {"SSHFP", 44},  {"IPSECKEY", 45},
                                  {"RRSIG", 46},      {"NSEC", 47},       {"DNSKEY", 48}, {"NSEC3", 50},
                                  {"NSEC3PARAM", 51}, {"TLSA", 52},       {"SMIMEA", 53}, {"CDS", 59},
                                  {"CDNSKEY", 60},    {"OPENPGPKEY", 61}, {"SVCB", 64},   {"HTTPS", 65},
                                  {"SPF", 99},        {"TKEY", 249},      {"URI", 256},   {"CAA", 257}};

}  // namespace

std::string BuildOpt(const EdnsQuery& edns) {
  std::string options;
  for (const auto& [code, data] : edns.options) {
    Put16(&options, code);
    Put16(&options, static_cast<uint16_t>(data.size()));
    options += data;
  }
  std::string out(1, '\0');
  Put16(&out, kTypeOpt);
  Put16(&out, edns.udp_bytes);
  out.push_back('\0');
  out.push_back(static_cast<char>(edns.version));
  Put16(&out, edns.flags);
  Put16(&out, static_cast<uint16_t>(options.size()));
  return out + options;
}

std::string BuildQuery(std::string_view name, uint16_t type, uint16_t qclass, const QueryOptions& options) {
  std::string out;
  Put16(&out, options.id);
  Put16(&out, options.flags);
  Put16(&out, 1);
  Put16(&out, 0);
  Put16(&out, 0);
  Put16(&out, options.edns.has_value() ? 1 : 0);
  out += name;
  out.push_back('\0');
  Put16(&out, type);
  Put16(&out, qclass);
  if (options.edns.has_value()) out += BuildOpt(*options.edns);
  return out;
}

StatusOr<uint16_t> ParseType(std::string_view text) {
  const std::string upper = Upper(text);
  for (const Mnemonic& m : kNewTypes)
    if (m.text == upper) return m.value;
  for (uint16_t type = 1; type <= 256; type++)
    if (TypeText(type) == upper) return type;
  if (std::optional<uint16_t> number = Number(upper, "TYPE")) return *number;
  return MakeStatus(StatusCode::kInvalidArgument, "unknown record type `" + std::string(text) + "'");
}

StatusOr<uint16_t> ParseClass(std::string_view text) {
  const std::string upper = Upper(text);
  for (uint16_t value : {1, 3, 4, 255})
    if (ClassText(value) == upper) return value;
  if (std::optional<uint16_t> number = Number(upper, "CLASS")) return *number;
  return MakeStatus(StatusCode::kInvalidArgument, "unknown class `" + std::string(text) + "'");
}

}  // namespace mz::dns
