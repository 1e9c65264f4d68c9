// One request while its batch is being worked on: the parsed query, its lower-cased name and what is known so
// far.
//
// A job lives on the stack of AnswerBatch(). The big arrays are touched only as far as the name reaches, so a
// batch of ordinary queries stays in the first-level cache.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "format/dns/query.h"
#include "format/image/view.h"
#include "server/answer/access.h"
#include "server/answer/lower.h"
#include "server/answer/nibbles.h"
#include "server/answer/octets.h"
#include "server/answer/spf_name.h"

namespace mz::answer {

struct Job {
  dns::Query query;
  dns::QueryError error;
  Access access;  // of the global acl; the zone's joins it later

  // What the leftmost labels say: four decimal octets, or 32 nibbles, in reverse order.
  bool has_ip4, has_ip6;
  net::Ip4 ip4;
  net::Ip6 ip6;

  bool wants_zone;                // set by whoever decided that the query is about zone data
  const image::ZoneRecord* zone;  // null: no zone of ours
  int32_t zone_index;
  uint8_t apex;  // label index where the apex begins = labels left of it

  // The subzone of the first combined dataset, when it was looked up already; and the hash of its likely
  // name.
  const image::DatasetRef* subzone_of;
  const image::NameRecord* subzone;
  uint8_t subzone_labels;
  const image::DatasetRef* guess_of;
  uint64_t guess_hash;

  // The first reading of the name in an spf dataset and the hash of its domain, when they were made already.
  const image::DatasetRef* spf_of;
  bool spf_fits;  // there is one
  uint64_t spf_hash;
  SpfName spf_name;

  uint64_t hashed;  // bit i: label_hash[i] is valid; labels from 64 on are hashed anew

  // The name with root octet, lower case, and octets behind it that HashLabel and CopyLower may touch.
  alignas(16) uint8_t name[dns::kMaxNameBytes + 1 + 16];
  uint64_t label_hash[dns::kMaxLabels + 1];

  unsigned labels() const { return query.labels; }
  // Octets of the labels [first, last).
  const uint8_t* Labels(unsigned first) const { return name + query.label[first]; }
  unsigned LabelBytes(unsigned first, unsigned last) const {
    return static_cast<unsigned>(query.label[last] - query.label[first]);
  }
};

namespace internal {

// One lower-case hexadecimal digit.
inline bool ParseNibble(const uint8_t* label, unsigned* nibble) {
  if (label[0] != 1) return false;
  const unsigned digit = label[1] - unsigned{'0'};
  const unsigned letter = label[1] - unsigned{'a'};
  *nibble = digit <= 9 ? digit : letter + 10;
  return digit <= 9 || letter <= 5;
}

}  // namespace internal

// `count` leftmost labels of the name at `name` as the leading octets of an IPv4 address, in host order and shifted to
// the top. count 1..4. The name may be the packet's own: digits have no case, and its octets were written long ago,
// while those of the job's copy may still be on their way to the cache.
inline bool ReversedOctets(const dns::Query& query, const uint8_t* name, unsigned count, net::Ip4* address) {
  uint32_t value = 0;
  for (unsigned i = 0; i < count; i++) {
    unsigned octet;
    if (!internal::ParseOctet(name + query.label[i], &octet)) return false;
    value |= octet << (8 * (i + 4 - count));
  }
  *address = value;
  return true;
}

// `count` leftmost labels as the leading nibbles of an IPv6 address. count 1..32.
inline bool ReversedNibbles(const Job& job, unsigned count, net::Ip6* address) {
  if (job.query.label[count] != 2 * count) return false;  // some label is longer than one octet
  if (count == 32) return ParseNibbleLabels(job.name, address);
  net::Ip6 value;
  for (unsigned i = 0; i < count; i++) {
    unsigned nibble;
    if (!internal::ParseNibble(job.Labels(i), &nibble)) return false;
    const unsigned position = i + 32 - count;  // nibbles from the low end
    if (position < 16)
      value.low |= uint64_t{nibble} << (4 * position);
    else
      value.high |= uint64_t{nibble} << (4 * (position - 16));
  }
  *address = value;
  return true;
}

// Parses the packet and prepares the name. Everything in the job but `access` is set.
inline void Decode(std::span<const uint8_t> wire, Job* job) {
  job->error = dns::ParseQuery(wire, &job->query);
  job->wants_zone = false;
  job->zone = nullptr;
  job->zone_index = -1;
  job->apex = 0;
  job->subzone_of = nullptr;
  job->guess_of = nullptr;
  job->spf_of = nullptr;
  job->has_ip4 = job->has_ip6 = false;
  job->hashed = 0;
  if (job->query.question_end == 0) return;
  const uint8_t* from = wire.data() + dns::kHeaderBytes;
  CopyLower(from, job->query.qname_bytes, job->name);
  if (job->query.labels >= 4) job->has_ip4 = ReversedOctets(job->query, from, 4, &job->ip4);
  if (job->query.labels >= 32) job->has_ip6 = ReversedNibbles(*job, 32, &job->ip6);
}

// Hash of the labels [first, last) as a name relative to `scope`.
inline uint64_t HashRelative(const image::View& view, uint32_t scope, unsigned first, unsigned last,
                             Job* job) {
  image::NameHasher hasher(view.hash_seed(), scope);
  for (unsigned i = last; i-- > first;) {
    const uint64_t bit = i < 64 ? uint64_t{1} << i : 0;
    if ((job->hashed & bit) == 0) {
      const uint8_t* label = job->Labels(i);
      job->label_hash[i] = image::HashLabel(view.hash_seed(), label + 1, label[0]);
      job->hashed |= bit;
    }
    hasher.Add(job->label_hash[i]);
  }
  return hasher.Finish();
}

// The stored record of the labels [first, last) in `scope`, or null. `hash` is theirs.
inline const image::NameRecord* FindHashed(const image::View& view, uint32_t scope, uint64_t hash,
                                           unsigned first, unsigned last, const Job& job) {
  return view.FindName(scope, hash, job.Labels(first), job.LabelBytes(first, last));
}
inline const image::NameRecord* FindRelative(const image::View& view, uint32_t scope, unsigned first,
                                             unsigned last, Job* job) {
  return FindHashed(view, scope, HashRelative(view, scope, first, last, job), first, last, *job);
}

// Depth bitmaps of layout.h: bit n stands for names of n labels, bit 31 for 31 and more.
inline bool HasDepth(uint32_t depths, unsigned n) { return (depths >> (n < 31 ? n : 31)) & 1; }
inline bool HasDeeper(uint32_t depths, unsigned n) {
  return (n >= 30 ? depths >> 31 : depths >> (n + 1)) != 0;
}
// The largest depth up to n that is in the bitmap, or -1.
inline int DeepestUpTo(uint32_t depths, int n) {
  if (n < 0) return -1;
  if (n >= 31 && depths >> 31) return n;
  const uint32_t candidates = depths & (n >= 31 ? ~0u >> 1 : (2u << n) - 1);
  return std::bit_width(candidates) - 1;  // -1 when there is none
}

}  // namespace mz::answer
