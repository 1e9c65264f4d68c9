// The query parser: one pass over an untrusted packet, no copy, no allocation.
//
//   Query q;
//   QueryError e = ParseQuery(packet, &q);
//   if (e == QueryError::kNone) ... packet.subspan(kHeaderBytes, q.qname_bytes) ... q.label[0..labels] ...
//   q.edns
//
// Any bytes are safe. What could be read is filled in even when an error is returned, so that the reply can
// echo it: the header always (except kShort), the question when question_end is not 0, EDNS when
// edns.present. Records of the answer and authority sections are skipped; the OPT record may stand anywhere
// in the additional section (RFC 6891 section 6.1.1). Octets behind the last counted record are ignored.
// Cost: linear in the message; every record takes at least 11 octets.
#pragma once

#include <cstdint>
#include <span>

#include "base/endian.h"
#include "format/dns/message.h"
#include "format/dns/name_limits.h"

namespace mz::dns {

struct Edns {
  bool present = false;
  bool dnssec_ok = false;
  bool wants_nsid = false;
  uint8_t version = 0;
  uint16_t udp_bytes = 0;  // as offered
};

struct Query {
  uint16_t id = 0;
  uint16_t flags = 0;  // HeaderFlags
  uint16_t qtype = 0, qclass = 0;
  uint16_t question_end = 0;  // offset behind the question; 0: no question was read
  uint8_t qname_bytes = 0;    // wire length with root octet; the name starts at kHeaderBytes
  uint8_t labels = 0;         // without root
  Edns edns;
  // Offsets of the labels' length octets from the start of the name; label[labels] is the root octet's.
  uint8_t label[kMaxLabels + 1];

  uint8_t opcode() const { return static_cast<uint8_t>((flags & kOpcodeMask) >> 11); }
};

enum class QueryError : uint8_t {
  kNone,
  kShort,          // less than a header: nothing to answer to
  kResponse,       // QR is set: answering could start a loop
  kNoQuestion,     // QDCOUNT 0
  kManyQuestions,  // QDCOUNT over 1, RFC 9619
  kBadQuestion,    // cut off, compressed, extended label type, over 255 octets
  kBadRecords,     // the counted records behind the question do not parse; EDNS as far as it was read
  kBadOpt,         // a second OPT record, or one whose owner is not the root (RFC 6891 section 6.1.1)
};

namespace internal {

// Offset behind the name at `at`, or 0. Compression pointers end a name and are not followed.
inline size_t SkipName(std::span<const uint8_t> wire, size_t at) {
  const size_t start = at;
  while (at < wire.size()) {
    const uint8_t length = wire[at];
    if (length == 0) return at + 1;
    if (length >= 0xc0) return at + 2 <= wire.size() ? at + 2 : 0;
    if (length > kMaxLabelBytes) return 0;
    at += 1u + length;
    if (at - start >= kMaxNameBytes) return 0;
  }
  return 0;
}

inline bool ReadOptions(std::span<const uint8_t> rdata, Edns* edns) {
  size_t at = 0;
  while (at < rdata.size()) {
    if (rdata.size() - at < 4) return false;
    const uint16_t code = LoadBe16(&rdata[at]);
    const size_t length = LoadBe16(&rdata[at + 2]);
    at += 4;
    if (rdata.size() - at < length) return false;
    if (code == kOptionNsid)
      edns->wants_nsid = true;  // every other option is ignored, RFC 6891 section 6.1.2
    at += length;
  }
  return true;
}

inline QueryError ReadRecords(std::span<const uint8_t> wire, size_t at, uint32_t skipped_records,
                              uint32_t additional_records, Edns* edns) {
  const uint32_t all = skipped_records + additional_records;
  for (uint32_t i = 0; i < all; i++) {
    const size_t owner = at;
    at = SkipName(wire, at);
    if (at == 0 || wire.size() - at < 10) return QueryError::kBadRecords;
    const uint16_t type = LoadBe16(&wire[at]);
    const size_t rdata_bytes = LoadBe16(&wire[at + 8]);
    if (wire.size() - at - 10 < rdata_bytes) return QueryError::kBadRecords;
    if (type == kTypeOpt && i >= skipped_records) {
      const bool second = edns->present;
      edns->present = true;
      if (second || wire[owner] != 0) return QueryError::kBadOpt;
      edns->udp_bytes = LoadBe16(&wire[at + 2]);
      edns->version = wire[at + 5];  // wire[at + 4], the extended RCODE, means nothing in a query
      edns->dnssec_ok = (LoadBe16(&wire[at + 6]) & kEdnsDnssecOk) != 0;
      // The options of another version are not ours to judge: such a query gets BADVERS.
      if (edns->version == 0 && !ReadOptions(wire.subspan(at + 10, rdata_bytes), edns))
        return QueryError::kBadRecords;
    }
    at += 10 + rdata_bytes;
  }
  return QueryError::kNone;
}

}  // namespace internal

inline QueryError ParseQuery(std::span<const uint8_t> wire, Query* q) {
  q->question_end = 0;
  q->qname_bytes = 0;
  q->labels = 0;
  q->qtype = q->qclass = 0;
  q->edns = Edns{};
  if (wire.size() < kHeaderBytes) return QueryError::kShort;
  q->id = LoadBe16(&wire[0]);
  q->flags = LoadBe16(&wire[2]);
  if (q->flags & kFlagQr) return QueryError::kResponse;
  const uint16_t questions = LoadBe16(&wire[4]);
  const uint32_t skipped = uint32_t{LoadBe16(&wire[6])} + LoadBe16(&wire[8]);
  const uint32_t additional = LoadBe16(&wire[10]);

  if (questions != 1) {
    // The reply has no question, but an OPT record behind a header alone still deserves one.
    if (questions == 0) {
      QueryError e = internal::ReadRecords(wire, kHeaderBytes, skipped, additional, &q->edns);
      return e == QueryError::kNone ? QueryError::kNoQuestion : e;
    }
    size_t at = kHeaderBytes;
    for (uint32_t i = 0; i < questions; i++) {
      at = internal::SkipName(wire, at);
      if (at == 0 || wire.size() - at < 4) return QueryError::kManyQuestions;
      at += 4;
    }
    internal::ReadRecords(wire, at, skipped, additional, &q->edns);
    return QueryError::kManyQuestions;
  }

  // Inside the message, and the root octet at most the 255th of the name; that many octets hold at most
  // kMaxLabels labels.
  const size_t limit =
      wire.size() < kHeaderBytes + kMaxNameBytes ? wire.size() : kHeaderBytes + kMaxNameBytes;
  size_t at = kHeaderBytes;
  unsigned labels = 0;
  for (;; labels++) {
    if (at >= limit) return QueryError::kBadQuestion;
    q->label[labels] = static_cast<uint8_t>(at - kHeaderBytes);
    const unsigned length = wire[at];
    if (length - 1 >= kMaxLabelBytes) break;  // the root, or no plain label
    at += 1 + length;
  }
  if (wire[at] != 0) return QueryError::kBadQuestion;
  at++;
  if (wire.size() - at < 4) return QueryError::kBadQuestion;
  q->labels = static_cast<uint8_t>(labels);
  q->qname_bytes = static_cast<uint8_t>(at - kHeaderBytes);
  q->qtype = LoadBe16(&wire[at]);
  q->qclass = LoadBe16(&wire[at + 2]);
  q->question_end = static_cast<uint16_t>(at + 4);
  if ((skipped | additional) == 0) return QueryError::kNone;
  return internal::ReadRecords(wire, at + 4, skipped, additional, &q->edns);
}

}  // namespace mz::dns
