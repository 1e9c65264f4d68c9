// See address_key.h.
#include "format/dataset/address_key.h"

namespace mz::dataset {
namespace {

// One octet, 0..255, any number of leading zeros.
inline bool ParseOctet(const char** p, const char* end, uint32_t* value) {
  const char* q = *p;
  if (q == end || !IsDigit(*q)) return false;
  uint32_t v = 0;
  for (; q < end && IsDigit(*q); ++q) {
    v = v * 10 + static_cast<uint32_t>(*q - '0');
    if (v > 255) return false;
  }
  *p = q;
  *value = v;
  return true;
}

// Decimal 0..limit behind a "/".
bool ParseBits(const char** p, const char* end, int limit, int* bits) {
  const char* q = *p;
  if (q == end || !IsDigit(*q)) return false;
  int v = 0;
  for (; q < end && IsDigit(*q); ++q) {
    v = v * 10 + (*q - '0');
    if (v > limit) return false;
  }
  *p = q;
  *bits = v;
  return true;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = LowerChar(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ParseGroup(const char** p, const char* end, uint32_t* value) {
  const char* q = *p;
  uint32_t v = 0;
  for (; q < end && HexValue(*q) >= 0; ++q) {
    v = v * 16 + static_cast<uint32_t>(HexValue(*q));
    if (v > 0xffff) return false;
  }
  if (q == *p) return false;
  *p = q;
  *value = v;
  return true;
}

}  // namespace

int ParseOctets(const char** p, const char* end, net::Ip4* address) {
  const char* q = *p;
  uint32_t octet, a = 0;
  int n = 0;
  for (;;) {
    if (!ParseOctet(&q, end, &octet)) return 0;
    a |= octet << (24 - 8 * n);
    ++n;
    if (n == 4 || q == end || *q != '.') break;
    ++q;
  }
  *p = q;
  *address = a;
  return n;
}

bool ParseIp4Full(const char** p, const char* end, net::Ip4* address) {
  return ParseOctets(p, end, address) == 4;
}

KeyResult ParseIp4Key(const char** p, const char* end, Ip4KeyForm form, bool mask_host_bits, net::Range4* range) {
  net::Ip4 first;
  int octets = ParseOctets(p, end, &first);
  if (octets == 0) return KeyResult::kInvalid;
  const char* q = *p;

  if (q < end && *q == '/') {
    ++q;
    int bits;
    if (!ParseBits(&q, end, 32, &bits)) return KeyResult::kInvalid;
    // rbldnsd's ip4set has no /0, its tries have.
    if (bits == 0 && form == Ip4KeyForm::kSet) return KeyResult::kInvalid;
    net::Ip4 host = bits == 0 ? ~0u : bits == 32 ? 0 : ~0u >> bits;
    *p = q;
    if ((first & host) != 0 && !mask_host_bits) return KeyResult::kHostBits;
    *range = {first & ~host, first | host};
    return KeyResult::kOk;
  }

  net::Ip4 fill = octets == 4 ? 0 : ~0u >> (8 * octets);
  if (form == Ip4KeyForm::kSet && q < end && *q == '-') {
    ++q;
    net::Ip4 last;
    int n = ParseOctets(&q, end, &last);
    if (n == 0) return KeyResult::kInvalid;
    if (n == 1 && octets > 1) {  // a single octet replaces the last one: 10.1.1.250-255
      int shift = 32 - 8 * octets;
      last = (first & ~(0xffu << shift)) | (last >> 24 << shift);
    } else if (n != octets) {
      return KeyResult::kInvalid;
    }
    *p = q;
    if (last < first) return KeyResult::kInvalid;
    *range = {first, last | fill};
    return KeyResult::kOk;
  }

  if (octets == 1) return KeyResult::kInvalid;
  *range = {first, first | fill};
  return KeyResult::kOk;
}

bool ParseIp6Groups(const char** p, const char* end, net::Ip6* address, int* groups, bool* compressed) {
  uint16_t words[8] = {};
  int count = 0;
  int gap = -1;  // groups before "::"
  const char* q = *p;
  if (end - q >= 2 && q[0] == ':' && q[1] == ':') {
    gap = 0;
    q += 2;
  }
  uint32_t value;
  for (bool need_group = gap < 0;;) {
    if (q == end || HexValue(*q) < 0) {
      if (need_group) return false;
      break;
    }
    if (!ParseGroup(&q, end, &value)) return false;
    words[count++] = static_cast<uint16_t>(value);
    if (count == 8 || q == end || *q != ':') break;
    ++q;
    if (gap >= 0) {
      // A colon behind a group of a compressed address is taken even when no group follows: what follows then is the
      // value ("1::2::3" is 1::2 with the value ":3").
      need_group = false;
    } else if (q < end && *q == ':') {
      gap = count;
      ++q;
      need_group = false;
    } else {
      need_group = true;
    }
  }
  if (gap >= 0) {
    if (count == 8) return false;  // "::" must stand for at least one group
    int moved = count - gap;
    for (int i = 1; i <= moved; ++i) {
      words[8 - i] = words[count - i];
      if (count - i != 8 - i) words[count - i] = 0;
    }
  }
  address->high = address->low = 0;
  for (int i = 0; i < 4; ++i) address->high = address->high << 16 | words[i];
  for (int i = 4; i < 8; ++i) address->low = address->low << 16 | words[i];
  *groups = gap >= 0 ? 8 : count;
  *compressed = gap >= 0;
  *p = q;
  return true;
}

KeyResult ParseIp6Key(const char** p, const char* end, bool mask_host_bits, net::Ip6* address, int* bits) {
  int groups;
  bool compressed;
  const char* q = *p;
  if (!ParseIp6Groups(&q, end, address, &groups, &compressed)) return KeyResult::kInvalid;
  *bits = groups * 16;
  if (q < end && *q == '/') {
    ++q;
    if (!ParseBits(&q, end, 128, bits)) return KeyResult::kInvalid;
  } else if (groups == 1) {
    return KeyResult::kInvalid;
  }
  *p = q;
  net::Ip6 network = net::PrefixRange6(*address, *bits).first;
  if (network != *address && !mask_host_bits) return KeyResult::kHostBits;
  *address = network;
  return KeyResult::kOk;
}

}  // namespace mz::dataset
