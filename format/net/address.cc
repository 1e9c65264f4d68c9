// See address.h.
#include "format/net/address.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace mz::net {

Range4 PrefixRange4(Ip4 address, int length) {
  uint32_t mask = length == 0 ? 0 : ~0u << (32 - length);
  return {address & mask, address | ~mask};
}

Range6 PrefixRange6(Ip6 a, int length) {
  uint64_t high = length == 0 ? 0 : length >= 64 ? ~0ull : ~0ull << (64 - length);
  uint64_t low = length <= 64 ? 0 : ~0ull << (128 - length);
  return {{a.high & high, a.low & low}, {a.high | ~high, a.low | ~low}};
}

namespace {

// The decimal text of every octet and its length. Without branches on the number of digits, which are as good as random.
struct OctetText {
  char digits[3];
  uint8_t length;
};
constexpr std::array<OctetText, 256> kOctetText = [] {
  std::array<OctetText, 256> table{};
  for (unsigned i = 0; i < 256; i++) {
    char digits[3] = {static_cast<char>('0' + i / 100), static_cast<char>('0' + i / 10 % 10), static_cast<char>('0' + i % 10)};
    const unsigned skip = i < 10 ? 2 : i < 100 ? 1 : 0;
    for (unsigned k = skip; k < 3; k++) table[i].digits[k - skip] = digits[k];
    table[i].length = static_cast<uint8_t>(3 - skip);
  }
  return table;
}();

}  // namespace

size_t FormatIp4(Ip4 address, char* out) {
  char* p = out;
  for (int shift = 24;; shift -= 8) {
    const OctetText& t = kOctetText[(address >> shift) & 255];
    std::memcpy(p, &t, sizeof t);  // the fourth octet is overwritten
    p += t.length;
    if (shift == 0) return static_cast<size_t>(p - out);
    *p++ = '.';
  }
}

size_t FormatIp6(const Ip6& a, char* out) {
  uint16_t group[8];
  for (int i = 0; i < 4; i++) {
    group[i] = static_cast<uint16_t>(a.high >> (48 - 16 * i));
    group[4 + i] = static_cast<uint16_t>(a.low >> (48 - 16 * i));
  }
  int best = -1, best_length = 1;  // only runs of two or more are compressed
  for (int i = 0; i < 8;) {
    int j = i;
    while (j < 8 && group[j] == 0) j++;
    if (j - i > best_length) {
      best = i;
      best_length = j - i;
    }
    i = j > i ? j : i + 1;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  char* p = out;
  for (int i = 0; i < 8; i++) {
    if (i == best) {
      *p++ = ':';
      *p++ = ':';
      i += best_length - 1;
      continue;
    }
    if (i != 0 && p[-1] != ':') *p++ = ':';
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
      int digit = (group[i] >> shift) & 15;
      started |= digit != 0 || shift == 0;
      if (started) *p++ = kHex[digit];
    }
  }
  return static_cast<size_t>(p - out);
}

std::string ToString(Ip4 address) {
  char buffer[kMaxAddressText];
  return std::string(buffer, FormatIp4(address, buffer));
}

std::string ToString(const Ip6& address) {
  char buffer[kMaxAddressText];
  return std::string(buffer, FormatIp6(address, buffer));
}

std::string RangeText(const Range4& r) {
  for (int length = 0; length <= 32; length++)
    if (PrefixRange4(r.first, length) == r)
      return length == 32 ? ToString(r.first) : ToString(r.first) + "/" + std::to_string(length);
  return ToString(r.first) + "-" + ToString(r.last);
}

std::string RangeText(const Range6& r) {
  for (int length = 0; length <= 128; length++)
    if (PrefixRange6(r.first, length) == r)
      return length == 128 ? ToString(r.first) : ToString(r.first) + "/" + std::to_string(length);
  return ToString(r.first) + "-" + ToString(r.last);
}

std::optional<Ip4> ParseIp4(std::string_view text) {
  std::string copy(text);
  uint8_t bytes[4];
  if (copy.size() != copy.find('\0') && copy.find('\0') != std::string::npos) return std::nullopt;
  if (::inet_pton(AF_INET, copy.c_str(), bytes) != 1) return std::nullopt;
  return LoadBe32(bytes);
}

std::optional<Ip6> ParseIp6(std::string_view text) {
  std::string copy(text);
  uint8_t bytes[16];
  if (copy.find('\0') != std::string::npos) return std::nullopt;
  if (::inet_pton(AF_INET6, copy.c_str(), bytes) != 1) return std::nullopt;
  return Ip6::FromBytes(bytes);
}

}  // namespace mz::net
