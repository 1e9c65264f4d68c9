// See express.h.
#include "server/answer/express.h"

#include <algorithm>

#include "base/copy.h"
#include "format/dns/query.h"
#include "format/dns/response_writer.h"
#include "format/image/spf_view.h"
#include "server/answer/express_plan.h"
#include "server/answer/job.h"
#include "server/answer/nibbles.h"
#include "server/answer/octets.h"
#include "server/answer/reply.h"
#include "server/answer/short_text.h"

namespace mz::answer {
namespace {

constexpr size_t kQname = dns::kHeaderBytes;
constexpr unsigned kOctets = 4;
constexpr unsigned kNibbles = 32;
constexpr unsigned kMaxNameLabels = 8;  // of the name between address and apex
// What the hash and the comparisons may read behind the name: sixteen octets from its last label on.
constexpr size_t kReadAhead = 15;
constexpr size_t kMaxRequest = 512;
constexpr size_t kMinQnameBytes = 8;  // sixteen octets before the root octet belong to the message
constexpr uint32_t kMaxRecords = 8;  // of one owner
// Longer names may be the rest of what a client cut (spf_query.cc).
constexpr size_t kMaxQnameBytes = 250;

// Header fields from the flags on: QR, opcode, AA and TC clear; one question; no answers, no authority.
bool IsPlainHeader(const uint8_t* wire) {
  return (LoadBe64(wire + 2) & 0xfe00ffffffffffffull) == 0x0000000100000000ull;
}

// Offset behind the QNAME, or 0: found from the end where OPT has no options, label by label otherwise.
size_t EndOfName(std::span<const uint8_t> wire, unsigned additional) {
  if (additional == 0) return wire.size() - 4;
  const uint8_t* opt = wire.data() + wire.size() - dns::kOptRecordBytes;
  if (LoadBe16(opt) == dns::kTypeOpt >> 8 && opt[2] == dns::kTypeOpt && LoadBe16(opt + 9) == 0)
    return wire.size() - dns::kOptRecordBytes - 4;
  return dns::internal::SkipName(wire, kQname);
}

}  // namespace

ExpressLane::ExpressLane(const image::View& view, const Settings& settings, WorkerState& state)
    : view_(view), settings_(settings), state_(state), plans_(state.express) {
  if (plans_.base != view.bytes().data() || plans_.identity != view.header().identity) [[unlikely]] {
    plans_.base = view.bytes().data();
    plans_.identity = view.header().identity;
    plans_.count = plans_.next = 0;
    if (view.zones().size() == 1) Learn(0);
  }
  uint8_t opt[8] = {0, 0, dns::kTypeOpt, 0, 0, 0, 0, 0};
  StoreBe16(opt + 3, std::max<uint16_t>(settings.max_udp_bytes, dns::kMinUdpBytes));
  std::memcpy(&opt_, opt, sizeof opt_);
}

void ExpressLane::Learn(int32_t zone_index) {
  for (uint32_t i = 0; i < plans_.count; i++)
    if (plans_.plans[i].zone_index == zone_index) return;
  ExpressPlan plan;
  if (!MakeExpressPlan(view_, zone_index, &plan)) return;
  if (plans_.count < ExpressPlans::kPlans) {
    plans_.plans[plans_.count++] = plan;
    return;
  }
  plans_.plans[plans_.next] = plan;
  plans_.next = (plans_.next + 1) % ExpressPlans::kPlans;
}

// The leftmost labels as an address; `at` moves behind them.
[[gnu::always_inline]] inline bool ExpressLane::ReadAddress(const uint8_t* packet, size_t apex, ExpressQuery* q,
                                                           size_t* at) const {
  if (packet[*at] == 1 && *at + kNibbleLabelBytes <= apex && ParseNibbleLabels(packet + *at, &q->ip6)) {
    q->six = true;
    *at += kNibbleLabelBytes;
    return !net::IsV4Mapped(q->ip6) && !net::Is6To4(q->ip6);  // these may be asked as IPv4 addresses
  }
  OctetLabels octets;
  if (apex < kQname + 2 * kOctets || !ParseOctetLabels(packet + kQname, &octets)) return false;
  q->ip4 = octets.ip4;
  *at = kQname + octets.bytes;
  // RFC 7208 section 7.3 writes no leading zeros; rbldnsd takes them.
  return *at <= apex && !(octets.leading_zeros && q->plan->kind == ExpressPlan::kPolicies);
}

[[gnu::always_inline]] inline bool ExpressLane::ReadOne(const Request& request, ExpressQuery* q) const {
  const std::span<const uint8_t> wire = request.wire;
  const uint8_t* const packet = wire.data();
  if (wire.size() < 2 * dns::kHeaderBytes || wire.size() > kMaxRequest || !IsPlainHeader(packet)) return false;
  const unsigned additional = LoadBe16(packet + 10);
  if (additional > 1) return false;
  const size_t end = EndOfName(wire, additional);
  if (end < kQname + kMinQnameBytes || end > kQname + kMaxQnameBytes || wire.size() - end < 4) return false;
  const uint32_t type_and_class = LoadBe32(packet + end);
  q->qtype = static_cast<uint16_t>(type_and_class >> 16);
  q->searched = false;
  if ((type_and_class & 0xffff) != dns::kClassIn || (q->qtype != dns::kTypeTxt && q->qtype != dns::kTypeA))
    return false;
  q->question_end = static_cast<uint16_t>(end + 4);
  q->edns = additional != 0;
  q->dnssec_ok = false;
  q->udp_bytes = 0;
  if (q->edns) {
    dns::Edns edns;
    if (dns::internal::ReadRecords(wire, end + 4, 0, 1, &edns) != dns::QueryError::kNone || edns.version != 0 ||
        edns.wants_nsid || !edns.present)
      return false;
    q->dnssec_ok = edns.dnssec_ok;
    q->udp_bytes = edns.udp_bytes;
  }

  // The zone, by the last octets of the name.
  const size_t root = end - 1;
  if (packet[root] != 0) return false;
  const Octets16 tail = Lower(LoadOctets(packet + root - sizeof(Octets16)));
  const ExpressPlan* plan = nullptr;
  size_t apex = 0;
  for (uint32_t i = 0; i < plans_.count; i++) {
    const ExpressPlan& p = plans_.plans[i];
    if (!IsZero((tail & LoadOctets(p.mask)) ^ LoadOctets(p.tail))) continue;
    if (p.apex_bytes + kQname + 2u > root) continue;
    apex = root - p.apex_bytes;
    if (p.apex_bytes > sizeof(Octets16) &&
        !SameLower(packet + apex, p.apex, p.apex_bytes - sizeof(Octets16)))
      continue;
    plan = &p;
    break;
  }
  if (plan == nullptr || apex + kReadAhead > wire.size() || request.now_unix > plan->last_second) return false;
  q->plan = plan;

  size_t at = kQname;
  unsigned labels = 0;
  q->six = false;
  const bool no_address = plan->kind >= ExpressPlan::kNames;
  if (!no_address) {
    if (!ReadAddress(packet, apex, q, &at)) return false;
    labels = q->six ? kNibbles : kOctets;
  }
  q->name_at = static_cast<uint8_t>(at - kQname);
  if (plan->kind == ExpressPlan::kAddresses) {
    const image::DatasetRef* ref = q->six ? plan->ref6 : plan->ref;
    if (at != apex || ref == nullptr || HasDepth(plan->elsewhere, labels)) return false;
    q->labels = static_cast<uint8_t>(labels);
    q->found = true;
    q->map = &view_.map(q->six ? ref->map6 : ref->map4);
    q->ttl = ref->ttl;
    return true;
  }
  uint64_t label_hash[kMaxNameLabels];
  unsigned names = 0;
  while (at < apex) {
    const unsigned length = packet[at];
    if (length - 1 >= dns::kMaxLabelBytes || at + 1 + length > apex || names == kMaxNameLabels) return false;
    label_hash[names++] = HashLabelLower(view_.hash_seed(), packet + at + 1, length);
    at += 1 + length;
  }
  labels += names;
  if (at != apex || names == 0 || HasDepth(plan->elsewhere, labels)) return false;
  // Names of this depth, or above or below names that are stored; others cannot be there.
  const uint32_t depths = plan->ref->exact_depths;
  q->found = !HasDepth(depths, names);
  if (q->found) {
    if (!no_address) return false;
    q->listed = false;
    q->found = !HasDeeper(depths, names) && plan->ref->wild_depths == 0;
  }
  image::NameHasher hasher(view_.hash_seed(), plan->ref->scope);
  while (names > 0) hasher.Add(label_hash[--names]);
  q->hash = hasher.Finish();
  view_.PrefetchBucket(q->hash);
  q->guess = nullptr;
  q->name_bytes = static_cast<uint8_t>(apex - kQname - q->name_at);
  q->labels = static_cast<uint8_t>(labels);
  return true;
}

void ExpressLane::Read(std::span<const Request> requests, std::span<ExpressQuery> queries) const {
  for (size_t i = 0; i < requests.size(); i++)
    if (!ReadOne(requests[i], &queries[i])) queries[i].plan = nullptr;
}

// The one dataset of a subzone that is asked for such an address.
[[gnu::always_inline]] inline bool ExpressLane::FindSubzone(const image::NameRecord& record, ExpressQuery* q) const {
  if (record.flags & image::kNameBelow) return false;  // a longer name may be a subzone, too
  const image::DatasetRef* chosen = nullptr;
  for (const image::DatasetRef& ref : image::Datasets(view_.node(record.a))) {
    const bool six = ref.kind == image::kIp6Tset || ref.kind == image::kIp6Trie;
    if (!six && ref.kind > image::kIp4Trie) return false;
    if (six != q->six) continue;
    if (chosen != nullptr || (six ? ref.map6 : ref.map4) == 0) return false;
    chosen = &ref;
  }
  if (chosen == nullptr) return false;
  q->map = &view_.map(q->six ? chosen->map6 : chosen->map4);
  q->ttl = chosen->ttl;
  return true;
}

// dnset: the result of the longest wildcard above the name; 0: none, or an exclusion.
uint32_t ExpressLane::FindWildcard(const uint8_t* name, const ExpressQuery& q) const {
  const image::DatasetRef& ref = *q.plan->ref;
  const uint8_t* label[kMaxNameLabels];
  unsigned labels = 0;
  for (const uint8_t* p = name; p < name + q.name_bytes; p += 1 + p[0]) label[labels++] = p;
  uint32_t result = 0;
  image::NameHasher hasher(view_.hash_seed(), ref.scope);
  for (unsigned n = 1; n < labels; n++) {
    const uint8_t* suffix = label[labels - n];
    hasher.Add(HashLabelLower(view_.hash_seed(), suffix + 1, suffix[0]));
    if (!HasDepth(ref.wild_depths, n)) continue;
    const size_t bytes = static_cast<size_t>(name + q.name_bytes - suffix);
    const image::NameRecord* record = view_.FindNameIf(
        ref.scope, hasher.Finish(), bytes, [&](const uint8_t* stored) { return SameLower(suffix, stored, bytes); });
    if (record != nullptr && (record->flags & image::kNameWild)) result = record->b;
  }
  return result;
}

bool ExpressLane::Find(const Request& request, ExpressQuery* q) const {
  const image::DatasetRef& ref = *q->plan->ref;
  const uint8_t* name = request.wire.data() + kQname + q->name_at;
  auto same = [&](const uint8_t* stored) { return SameLower(name, stored, q->name_bytes); };
  const image::NameRecord* record = q->guess;
  if (record == nullptr || record->scope != ref.scope || record->name_bytes != q->name_bytes ||
      !same(image::NameBytes(*record).data())) [[unlikely]]
    record = view_.FindNameIf(ref.scope, q->hash, q->name_bytes, same);
  const bool exact = record != nullptr && (record->flags & image::kNameExact) != 0;
  q->found = true;
  q->listed = exact;
  switch (q->plan->kind) {
    case ExpressPlan::kSubzones:
      return exact && FindSubzone(*record, q);
    case ExpressPlan::kPolicies:
      if (!exact) return false;
      q->domain = &view_.spf_domain(record->a);
      q->ttl = q->domain->ttl;
      return (q->domain->flags & image::kSpfNoData) == 0;
    case ExpressPlan::kRecords:
      if (exact) q->rrset = &view_.rrset(record->a);
      return exact || record == nullptr;
    default:
      q->ttl = ref.ttl;
      q->result = exact ? uint32_t{record->a} : ref.wild_depths != 0 ? FindWildcard(name, *q) : 0;
      q->listed = q->result != 0;
      // A name that is there and not listed is excluded, or lies above others.
      return q->listed || record == nullptr;
  }
}

void ExpressLane::Warm(std::span<const Request> requests, std::span<ExpressQuery> queries) const {
  // Each loop touches what the one before, or Read(), has asked the memory for.
  for (ExpressQuery& q : queries) {
    if (q.plan == nullptr || q.found) continue;
    q.guess = view_.GuessName(q.hash);
    if (q.guess != nullptr) PrefetchLines(q.guess, q.plan->kind >= ExpressPlan::kNames ? 1 : 2);
  }
  MapWalk<net::Ip4> walks[kBatch];
  MapWalk<net::Ip6> walks6[kBatch];
  size_t count = 0, count6 = 0;
  for (size_t i = 0; i < queries.size(); i++) {
    ExpressQuery& q = queries[i];
    if (q.plan == nullptr) continue;
    if (!q.found && !Find(requests[i], &q)) {
      q.plan = nullptr;
      continue;
    }
    const image::MapHeader* map = nullptr;
    switch (q.plan->kind) {
      case ExpressPlan::kPolicies: {
        PrefetchLines(q.domain, 2);
        const uint32_t classes = q.six ? view_.spf()->class_map6 : view_.spf()->class_map4;
        if (classes != 0) map = &view_.map(classes);
        break;
      }
      case ExpressPlan::kNames:
        if (q.listed) PrefetchLines(&view_.value(q.result), 1);
        break;
      case ExpressPlan::kRecords:
        if (q.listed) PrefetchLines(q.rrset, 2);
        break;
      default:
        map = q.map;
        break;
    }
    if (map == nullptr) continue;
    PrefetchLines(map, q.six ? 3 : 2);
    if (map->kind == image::kMapSets4) map = &view_.map(view_.shared_sets().class_map);
    q.searched = map->kind != image::kMapDirect4;
    if (q.six)
      walks6[count6++] = {map, q.ip6, &q.result};
    else
      walks[count++] = {map, q.ip4, &q.result};
  }
  WalkMaps(view_, std::span(walks, count));
  WalkMaps(view_, std::span(walks6, count6));
}

// OPT, header and outcome. The header of the request is there.
[[gnu::always_inline]] inline void ExpressLane::Finish(const ExpressQuery& q, Request& request, size_t size,
                                                      uint16_t rcode, uint16_t answers, uint32_t authority,
                                                      uint32_t additional) const {
  uint8_t* const out = request.response.data();
  if (q.edns) {
    uint8_t* const opt = out + size;
    std::memcpy(opt, &opt_, sizeof opt_);
    StoreBe32(opt + 7, q.dnssec_ok ? uint32_t{dns::kEdnsDnssecOk} << 16 : 0);
    size += dns::kOptRecordBytes;
    additional++;
  }
  const uint16_t flags =
      static_cast<uint16_t>(dns::kFlagQr | dns::kFlagAa | rcode | (LoadBe16(out + 2) & dns::kFlagRd));
  StoreBe32(out + 2, uint32_t{flags} << 16 | 1);
  StoreBe32(out + 6, uint32_t{answers} << 16 | authority);
  StoreBe16(out + 10, static_cast<uint16_t>(additional));
  request.response_size = size;
  Outcome& outcome = request.outcome;
  outcome.kind = rcode == dns::kNoError ? Outcome::kAnswered : Outcome::kNxdomain;
  outcome.rcode = rcode;
  outcome.answer_count = answers;
  outcome.qtype = q.qtype;
  outcome.qclass = dns::kClassIn;
  outcome.qname_bytes = static_cast<uint8_t>(q.question_end - 4u - kQname);
  outcome.zone = q.plan->zone_index;
  outcome.delay_ms = 0;
}

[[gnu::always_inline]] inline uint32_t ExpressLane::FindListed(const ExpressQuery& q) const {
  if (q.searched)
    return q.map->kind == image::kMapSets4
               ? image::internal::FindSets4(view_, image::AsSetMap(*q.map), q.ip4, q.result)
               : q.result;
  return q.six ? image::FindAddress(view_, *q.map, q.ip6).result : image::FindAddress(view_, *q.map, q.ip4).result;
}

uint32_t ExpressLane::EvaluatePolicy(const ExpressQuery& q) const {
  if (q.six)
    return q.searched ? image::EvaluateSpf(view_, *q.domain, q.ip6, q.result).program
                      : image::EvaluateSpf(view_, *q.domain, q.ip6).program;
  return q.searched ? image::EvaluateSpf(view_, *q.domain, q.ip4, q.result).program
                    : image::EvaluateSpf(view_, *q.domain, q.ip4).program;
}

// The NS set behind an answer of `*size` octets.
void ExpressLane::AddAuthority(const ExpressQuery& q, Request& request, size_t* size, uint32_t* authority,
                               uint32_t* additional) const {
  dns::ResponseWriter writer = Writer(q, request, *size, 1);
  Composer composer(view_, writer, q.qtype);
  AddPositiveAuthority(view_, composer, *q.plan->zone, q.plan->zone_index, ApexOffset(q), state_);
  *size = writer.size();
  *authority = writer.count(dns::kAuthority);
  *additional = writer.count(dns::kAdditional);
}

// `size` octets are there but for header and question: the answer section is complete.
[[gnu::always_inline]] inline bool ExpressLane::Positive(const ExpressQuery& q, Request& request, size_t size) const {
  CopyShort(request.response.data(), request.wire.data(), q.question_end);
  uint32_t authority = 0, additional = 0;
  if (HasPositiveAuthority(*q.plan->zone)) AddAuthority(q, request, &size, &authority, &additional);
  Finish(q, request, size, dns::kNoError, 1, authority, additional);
  return true;
}

[[gnu::always_inline]] inline bool ExpressLane::AnswerOne(ExpressQuery& q, Request& request) const {
  if (!q.found && !Find(request, &q)) return false;
  if (request.response.size() < dns::kMinUdpBytes) return false;
  if (q.plan->kind == ExpressPlan::kRecords) return Record(q, request);
  const image::Text* text = nullptr;
  uint8_t* const rr = request.response.data() + q.question_end;
  uint8_t* const rdata = rr + dns::kAnswerOverhead;
  size_t rdata_bytes;
  if (q.plan->kind == ExpressPlan::kPolicies) {
    if (q.qtype != dns::kTypeTxt) return false;
    const image::SpfProgram& program = view_.spf_program(EvaluatePolicy(q));
    if (program.outcome == image::kSpfTemperror || program.text == 0) return false;
    text = &view_.text(program.text);
  } else {
    uint32_t result = q.result;
    if (q.plan->kind == ExpressPlan::kNames) {
      if (!q.listed) return Negative(q, request);
    } else {
      result = FindListed(q);
      if (result == 0) return Negative(q, request);
    }
    const image::Value& value = view_.value(result);
    if (value.ref & image::kValueMore) return false;
    if (q.qtype == dns::kTypeTxt) {
      if ((value.ref & image::kValueTextMask) == 0) return false;
      text = &view_.text(value.ref & image::kValueTextMask);
      if (text->holes != 0 && q.plan->kind == ExpressPlan::kNames) return false;
    } else {
      std::memcpy(rdata, value.a, sizeof value.a);
    }
  }
  if (text != nullptr) {
    const size_t most = q.six ? MostShortTextBytes(*text, q.ip6) : MostShortTextBytes(*text, q.ip4);
    if (most == 0 || q.question_end + dns::kAnswerOverhead + 1 + most + dns::kOptRecordBytes > dns::kMinUdpBytes)
      return false;
    rdata_bytes = q.six ? WriteShortText(*text, q.ip6, rdata) : WriteShortText(*text, q.ip4, rdata);
  } else {
    rdata_bytes = 4;
  }
  StoreBe32(rr, uint32_t{dns::kQuestionPointer} << 16 | q.qtype);
  StoreBe16(rr + 4, dns::kClassIn);
  StoreBe32(rr + 6, q.ttl);
  StoreBe16(rr + 10, static_cast<uint16_t>(rdata_bytes));
  return Positive(q, request, q.question_end + dns::kAnswerOverhead + rdata_bytes);
}

size_t ExpressLane::Answer(std::span<Request> requests, std::span<ExpressQuery> queries, size_t from) const {
  for (; from < requests.size(); from++)
    if (queries[from].plan == nullptr || !AnswerOne(queries[from], requests[from])) break;
  return from;
}

// The one record of the type; it is stored as it is sent, behind the owner.
bool ExpressLane::Record(const ExpressQuery& q, Request& request) const {
  if (!q.listed) return Negative(q, request);
  if (q.rrset->count > kMaxRecords) return false;
  const uint8_t* record = image::Records(*q.rrset).data();
  const uint8_t* chosen = nullptr;
  size_t chosen_bytes = 0;
  for (uint32_t i = q.rrset->count; i > 0; i--) {
    const size_t bytes = kStoredRecordHeader + LoadBe16(record + 8);
    if (LoadBe16(record) == q.qtype) {
      if (chosen != nullptr) return false;  // several take turns
      chosen = record;
      chosen_bytes = bytes;
    }
    record += bytes;
  }
  const size_t size = q.question_end + sizeof dns::kQuestionPointer + chosen_bytes;
  if (chosen == nullptr || size + dns::kOptRecordBytes > dns::kMinUdpBytes) return false;
  uint8_t* const rr = request.response.data() + q.question_end;
  StoreBe16(rr, dns::kQuestionPointer);
  CopyShort(rr + sizeof dns::kQuestionPointer, chosen, chosen_bytes);
  return Positive(q, request, size);
}

bool ExpressLane::Negative(const ExpressQuery& q, Request& request) const {
  const image::ZoneRecord& zone = *q.plan->zone;
  if ((zone.flags & image::kZoneEntNxdomain) == 0) {
    if (HasDeeper(q.plan->stored, q.labels)) return false;  // perhaps an empty non-terminal
    // Four octets of one digit each are four nibbles as well, above whatever IPv6 addresses are listed.
    if (q.plan->kind < ExpressPlan::kNames && !q.six && q.name_at == 2 * kOctets) return false;
  }
  dns::ResponseWriter writer = Writer(q, request, q.question_end, 0);
  Composer composer(view_, writer, q.qtype);
  if (!AddNegativeAuthority(view_, composer, zone, ApexOffset(q))) return false;
  CopyShort(request.response.data(), request.wire.data(), q.question_end);
  Finish(q, request, writer.size(), dns::kNxDomain, 0, writer.count(dns::kAuthority), 0);
  return true;
}

size_t ExpressLane::ApexOffset(const ExpressQuery& q) const { return q.question_end - 5u - q.plan->apex_bytes; }

dns::ResponseWriter ExpressLane::Writer(const ExpressQuery& q, Request& request, size_t size, uint32_t answers) const {
  dns::ResponseWriter writer(request.response, ReplyLimit(settings_, request.tcp, q.udp_bytes),
                             q.edns ? dns::kOptRecordBytes : 0);
  writer.Continue(q.question_end, size, answers);
  return writer;
}

}  // namespace mz::answer
