// An IPv6 text in one label, as clients send it that do not write nibbles (no embedded dotted quad: a label has no
// dots).
#pragma once

#include <cstdint>

#include "format/net/address.h"

namespace mz::answer {

// `label`: length octet and lower-case octets. False: no such text (RFC 4291 section 2.2, forms 1 and 2).
inline bool ParseIp6Label(const uint8_t* label, net::Ip6* out) {
  const unsigned length = label[0];
  const uint8_t* p = label + 1;
  const uint8_t* const end = p + length;
  if (length < 2 || length > 39) return false;
  uint16_t group[8] = {};
  unsigned groups = 0, gap = 8;  // gap: groups before "::"
  bool has_gap = false;
  if (p[0] == ':') {
    if (p[1] != ':') return false;
    p++;
  }
  for (; p < end;) {
    if (*p == ':') {  // the second of "::"; the first was eaten behind a group, or stands at the start
      if (has_gap) return false;
      has_gap = true;
      gap = groups;
      p++;
      continue;
    }
    if (groups == 8) return false;
    unsigned value = 0, digits = 0;
    for (; p < end && *p != ':'; p++) {
      const unsigned digit = *p - unsigned{'0'}, letter = *p - unsigned{'a'};
      if ((digit > 9 && letter > 5) || ++digits > 4) return false;
      value = value << 4 | (digit <= 9 ? digit : letter + 10);
    }
    group[groups++] = static_cast<uint16_t>(value);
    if (p == end) break;
    if (++p == end) return false;  // a single colon at the end
  }
  if (has_gap ? groups == 8 : groups != 8) return false;
  if (has_gap) {
    const unsigned behind = groups - gap;
    for (unsigned i = 0; i < behind; i++) {
      group[7 - i] = group[groups - 1 - i];
      if (groups - 1 - i < 8 - behind) group[groups - 1 - i] = 0;
    }
  }
  out->high = out->low = 0;
  for (unsigned i = 0; i < 4; i++) {
    out->high = out->high << 16 | group[i];
    out->low = out->low << 16 | group[4 + i];
  }
  return true;
}

}  // namespace mz::answer
