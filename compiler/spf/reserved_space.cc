// See reserved_space.h.
#include "compiler/spf/reserved_space.h"

namespace mz::compiler::spf {
namespace {

struct Block4 {
  net::Ip4 address;
  int length;
  std::string_view what;
};
constexpr Block4 kBlocks4[] = {
    {0x00000000, 8, "\"this network\" (RFC 791)"},
    {0x0a000000, 8, "private use (RFC 1918)"},
    {0x64400000, 10, "shared address space (RFC 6598)"},
    {0x7f000000, 8, "loopback (RFC 1122)"},
    {0xa9fe0000, 16, "link local (RFC 3927)"},
    {0xac100000, 12, "private use (RFC 1918)"},
    {0xc0000200, 24, "documentation (RFC 5737)"},
    {0xc0a80000, 16, "private use (RFC 1918)"},
    {0xc6120000, 15, "benchmarking (RFC 2544)"},
    {0xc6336400, 24, "documentation (RFC 5737)"},
    {0xcb007100, 24, "documentation (RFC 5737)"},
    {0xe0000000, 4, "multicast (RFC 5771)"},
    {0xf0000000, 4, "reserved (RFC 1112)"},
};

struct Block6 {
  net::Ip6 address;
  int length;
  std::string_view what;
};
constexpr Block6 kBlocks6[] = {
    {{0, 0}, 127, "unspecified and loopback (RFC 4291)"},
    {{0x0100000000000000, 0}, 64, "discard only (RFC 6666)"},
    {{0x20010db800000000, 0}, 32, "documentation (RFC 3849)"},
    {{0x3fff000000000000, 0}, 20, "documentation (RFC 9637)"},
    {{0xfc00000000000000, 0}, 7, "unique local (RFC 4193)"},
    {{0xfe80000000000000, 0}, 10, "link local (RFC 4291)"},
    {{0xff00000000000000, 0}, 8, "multicast (RFC 4291)"},
};

}  // namespace

std::string_view ReservedSpace(net::Ip4 address, int prefix_length) {
  for (const Block4& b : kBlocks4)
    if (prefix_length >= b.length && net::PrefixRange4(address, b.length).first == b.address) return b.what;
  return {};
}

std::string_view ReservedSpace(const net::Ip6& address, int prefix_length) {
  for (const Block6& b : kBlocks6)
    if (prefix_length >= b.length && net::PrefixRange6(address, b.length).first == b.address) return b.what;
  return {};
}

}  // namespace mz::compiler::spf
