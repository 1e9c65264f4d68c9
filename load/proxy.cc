// See proxy.h.
#include "load/proxy.h"

#include <charconv>

namespace mz::load {

namespace {

Status Bad(std::string_view text, std::string_view why) {
  return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(text) + "': " + std::string(why));
}

StatusOr<Subnet> ParseSubnet(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  int length = -1;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || end != digits.data() + digits.size() || length < 0)
      return Bad(text, "the part after '/' is not a prefix length");
  }
  if (const std::optional<net::Ip4> v4 = net::ParseIp4(address)) {
    if (length > 32) return Bad(text, "prefix lengths of IPv4 go up to 32");
    return Subnet{true, net::PrefixRange4(*v4, length < 0 ? 32 : length), {}};
  }
  if (const std::optional<net::Ip6> v6 = net::ParseIp6(address)) {
    if (length > 128) return Bad(text, "prefix lengths of IPv6 go up to 128");
    return Subnet{false, {}, net::PrefixRange6(*v6, length < 0 ? 128 : length)};
  }
  return Bad(text, "not an address or ADDRESS/LENGTH");
}

void AppendAddress(const Address& a, std::string* out) {
  uint8_t bytes[16];
  if (a.is_v4) {
    StoreBe32(bytes, a.v4);
    out->append(reinterpret_cast<char*>(bytes), 4);
    return;
  }
  const Be64 high = a.v6.high, low = a.v6.low;
  std::memcpy(bytes, &high, 8);
  std::memcpy(bytes + 8, &low, 8);
  out->append(reinterpret_cast<char*>(bytes), 16);
}

void AppendBe16(uint16_t v, std::string* out) {
  out->push_back(static_cast<char>(v >> 8));
  out->push_back(static_cast<char>(v));
}

}  // namespace

StatusOr<std::vector<Subnet>> ParseSubnets(std::string_view text) {
  std::vector<Subnet> out;
  while (true) {
    const size_t comma = text.find(',');
    MZ_ASSIGN_OR_RETURN(Subnet s, ParseSubnet(text.substr(0, comma)));
    out.push_back(s);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

Address DrawAddress(const std::vector<Subnet>& subnets, Random& random) {
  const Subnet& s = subnets[random.Below(subnets.size())];
  if (s.is_v4) {
    const uint64_t size = uint64_t{s.four.last} - s.four.first + 1;
    return {true, static_cast<net::Ip4>(s.four.first + random.Below(size)), {}};
  }
  // Host bits are those in which first and last differ.
  return {false,
          0,
          {s.six.first.high | (random.Next() & (s.six.first.high ^ s.six.last.high)),
           s.six.first.low | (random.Next() & (s.six.first.low ^ s.six.last.low))}};
}

std::string ProxyHeader(const Address& client, uint16_t client_port, bool tcp) {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  out.push_back(0x21);  // version 2, PROXY
  out.push_back(static_cast<char>((client.is_v4 ? 0x10 : 0x20) | (tcp ? 1 : 2)));
  AppendBe16(client.is_v4 ? 12 : 36, &out);
  AppendAddress(client, &out);
  AppendAddress(
      {client.is_v4, 0xc0000235 /* 192.0.2.53, RFC 5737 */, {0x20010db800000000, 0x53} /* RFC 3849 */}, &out);
  AppendBe16(client_port, &out);
  AppendBe16(53, &out);
  return out;
}

}  // namespace mz::load
