// IPv4 and IPv6 addresses and ranges as plain integers in host order, and their text forms.
//
//   Ip4 a = 0x7f000002;                 // 127.0.0.2
//   char buf[kMaxAddressText]; size_t n = FormatIp4(a, buf);   // no allocation: used on the answer path
//
// All functions are pure and may be called from any thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/endian.h"

namespace mz::net {

using Ip4 = uint32_t;

struct Ip6 {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(const Ip6&, const Ip6&) = default;

  static Ip6 FromBytes(const uint8_t* p) { return {LoadBe64(p), LoadBe64(p + 8)}; }
  Ip6 Next() const { return {high + (low == ~0ull), low + 1}; }      // wraps to :: after the last address
  Ip6 Previous() const { return {high - (low == 0), low - 1}; }      // wraps to ff..ff before ::
};

inline constexpr Ip6 kIp6Last{~0ull, ~0ull};
inline constexpr size_t kMaxAddressText = 48;
inline constexpr size_t kIp4TextRoom = 16;

struct Range4 {  // inclusive
  Ip4 first = 0, last = 0;
  friend bool operator==(const Range4&, const Range4&) = default;
};
struct Range6 {  // inclusive
  Ip6 first, last;
  friend bool operator==(const Range6&, const Range6&) = default;
};

// length 0..32 / 0..128; host bits of `address` are cleared.
Range4 PrefixRange4(Ip4 address, int length);
Range6 PrefixRange6(Ip6 address, int length);

// Writes canonical text without a terminating zero and returns its length (RFC 5952 for IPv6: lower case, the longest
// run of two or more zero groups compressed, no embedded dotted quad). Requires: room for kMaxAddressText bytes, IPv4:
// kIp4TextRoom, of which what lies behind the text may be overwritten.
size_t FormatIp4(Ip4 address, char* out);
size_t FormatIp6(const Ip6& address, char* out);
std::string ToString(Ip4 address);
std::string ToString(const Ip6& address);

// The fewest prefixes that cover exactly a range are what people read: "1.2.3.0/24", or "a-b" when it is not one prefix.
std::string RangeText(const Range4& range);
std::string RangeText(const Range6& range);

// inet_pton forms only; nullopt otherwise.
std::optional<Ip4> ParseIp4(std::string_view text);
std::optional<Ip6> ParseIp6(std::string_view text);

// ::ffff:a.b.c.d
inline bool IsV4Mapped(const Ip6& a) { return a.high == 0 && (a.low >> 32) == 0xffff; }
// 2002:AABB:CCDD::/48, RFC 3056
inline bool Is6To4(const Ip6& a) { return (a.high >> 48) == 0x2002; }

}  // namespace mz::net
