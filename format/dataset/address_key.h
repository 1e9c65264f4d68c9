// Keys of address entries: IPv4 ranges and prefixes, IPv6 prefixes, as rbldnsd reads them.
//
//   KeyResult r = ParseIp4Key(&p, end, Ip4KeyForm::kSet, mask_host_bits, &range);
//
// The scanners advance *p behind what they took. They do not look at what follows the key: IsKeyEnd() does. Requires:
// *end may be read and is neither a digit nor a hexadecimal letter nor one of ". / - :" (a line's LF or the NUL behind a
// block).
#pragma once

#include <cstdint>

#include "format/dataset/chars.h"
#include "format/net/address.h"

namespace mz::dataset {

enum class KeyResult : uint8_t { kOk, kInvalid, kHostBits };

enum class Ip4KeyForm : uint8_t {
  kSet,   // prefixes, CIDR but /0, ranges
  kTrie,  // prefixes and CIDR
};

// 1-4 dotted decimal octets (no limit on leading zeros), /BITS, -RANGE. A lone octet needs one of the latter two.
KeyResult ParseIp4Key(const char** p, const char* end, Ip4KeyForm form, bool mask_host_bits, net::Range4* range);

// Exactly four octets.
bool ParseIp4Full(const char** p, const char* end, net::Ip4* address);

// One to four octets; returns their count, 0 when there is none or it is malformed. *address is left-aligned.
int ParseOctets(const char** p, const char* end, net::Ip4* address);

// Hexadecimal groups, "::" at most once (a second one ends the key), /BITS. A lone group needs "/" or "::".
KeyResult ParseIp6Key(const char** p, const char* end, bool mask_host_bits, net::Ip6* address, int* bits);

// What ip6tset takes: *groups is the number of groups written, 8 when "::" stood for the missing ones.
bool ParseIp6Groups(const char** p, const char* end, net::Ip6* address, int* groups, bool* compressed);

// End of the line, blank, comment or value: what may follow a key.
inline bool IsKeyEnd(const char* p, const char* end) {
  return p == end || IsBlank(*p) || IsComment(*p) || *p == ':';
}

}  // namespace mz::dataset
