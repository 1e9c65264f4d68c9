// See answer_hash.h.
#include "load/answer_hash.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/endian.h"
#include "format/dns/message.h"
#include "format/dns/name_limits.h"

namespace mz::load {

namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t kScratch = 1024;

// Reads the name at *at, decompressed, into out (at most 255 octets), and moves *at behind it. 0: malformed.
size_t ExpandName(Bytes wire, size_t* at, uint8_t* out) {
  size_t bytes = 0, from = *at;
  bool jumped = false;
  for (int jumps = 0; from < wire.size();) {
    const uint8_t length = wire[from];
    if (length >= 0xc0) {
      if (from + 2 > wire.size() || ++jumps > 127) return 0;
      const size_t target = LoadBe16(&wire[from]) & 0x3fff;
      if (!jumped) *at = from + 2;
      jumped = true;
      if (target >= from) return 0;  // pointers point backward
      from = target;
      continue;
    }
    if (length > dns::kMaxLabelBytes || from + 1 + length > wire.size() ||
        bytes + 1 + length > dns::kMaxNameBytes)
      return 0;
    std::memcpy(out + bytes, &wire[from], 1u + length);
    bytes += 1u + length;
    from += 1u + length;
    if (length == 0) {
      if (!jumped) *at = from;
      return bytes;
    }
  }
  return 0;
}

// How many octets of RDATA stand before the names in it, and how many names there are (RFC 1035's types only:
// no other type may be compressed, RFC 3597 section 4).
void NamesInRdata(uint16_t type, size_t* before, int* names) {
  *before = 0;
  *names = 0;
  if (type == dns::kTypeNs || type == dns::kTypeCname || type == dns::kTypePtr) *names = 1;
  if (type == dns::kTypeSoa) *names = 2;
  if (type == dns::kTypeMx) *before = 2, *names = 1;
}

// The record at *at as a hash; moves *at behind it. False: malformed.
bool HashRecord(Bytes wire, size_t* at, uint64_t* hash) {
  uint8_t scratch[kScratch];
  size_t used = 0, p = *at;
  if (p + 2 <= wire.size() && LoadBe16(&wire[p]) == (0xc000 | dns::kHeaderBytes)) {
    p += 2;  // the name that was asked, which is hashed with the question
  } else {
    used = ExpandName(wire, &p, scratch);
    if (used == 0) return false;
    size_t question = dns::kHeaderBytes;
    uint8_t asked[dns::kMaxNameBytes];
    const size_t n = ExpandName(wire, &question, asked);
    if (n == used && n != 1 && std::memcmp(asked, scratch, n) == 0) used = 0;
  }
  if (p + 10 > wire.size()) return false;
  const uint16_t type = LoadBe16(&wire[p]);
  const size_t rdata_bytes = LoadBe16(&wire[p + 8]);
  const size_t rdata = p + 10, end = rdata + rdata_bytes;
  if (end > wire.size()) return false;
  size_t before;
  int names;
  NamesInRdata(type, &before, &names);
  if (names == 0) {
    // With its length, which tells where one thing ends and the next begins.
    *hash = XXH3_64bits_withSeed(&wire[p], end - p, used == 0 ? 0 : XXH3_64bits(scratch, used));
    *at = end;
    return true;
  }
  std::memcpy(scratch + used, &wire[p], 8);  // type, class, TTL
  used += 8;
  if (before > rdata_bytes) return false;
  std::memcpy(scratch + used, &wire[rdata], before);
  used += before;
  size_t from = rdata + before;
  for (; names > 0; names--) {
    const size_t n = ExpandName(wire, &from, scratch + used);
    if (n == 0 || from > end) return false;
    used += n;
  }
  const uint64_t rest = XXH3_64bits(&wire[from], end - from);
  *hash = XXH3_64bits_withSeed(scratch, used, rest);
  *at = end;
  return true;
}

uint64_t Reserved(uint64_t hash) { return hash < 2 ? hash + 2 : hash; }

uint64_t HashAsIs(Bytes wire) {
  const size_t skip = wire.size() < 2 ? wire.size() : 2;
  return Reserved(XXH3_64bits_withSeed(wire.data() + skip, wire.size() - skip, 0x6d7a));
}

}  // namespace

uint64_t AnswerHash(Bytes wire) {
  if (wire.size() < dns::kHeaderBytes) return HashAsIs(wire);
  size_t at = dns::kHeaderBytes;
  for (uint32_t n = LoadBe16(&wire[4]); n > 0; n--) {
    while (at < wire.size() && wire[at] != 0 && wire[at] < 0xc0) at += 1u + wire[at];
    if (at < wire.size()) at += wire[at] == 0 ? 1 : 2;
    at += 4;
    if (at > wire.size()) return HashAsIs(wire);
  }
  uint64_t hash = XXH3_64bits(&wire[2], at - 2);
  for (uint32_t section = 0; section < 3; section++) {
    uint64_t sum = 0;
    for (uint32_t n = LoadBe16(&wire[6 + 2 * section]); n > 0; n--) {
      uint64_t record;
      if (!HashRecord(wire, &at, &record)) return HashAsIs(wire);
      sum += record * 0x9e3779b97f4a7c15 + 1;
    }
    hash = (hash ^ sum) * 0xbf58476d1ce4e5b9 + section;
  }
  hash ^= XXH3_64bits(wire.data() + at, wire.size() - at) * 3;
  return Reserved(hash ^ hash >> 31);
}

}  // namespace mz::load
