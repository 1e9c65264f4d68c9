// The pipeline of one query: format, EDNS version, opcode, class, type, zone, access, then apex records or
// datasets, then the authority section. The order is rbldnsd's (silence before SERVFAIL before REFUSED before
// data); where an RFC asks for something else, the profile of the image decides. See answer.h.
#include "server/answer/answer.h"

#include <algorithm>

#include "format/dns/response_writer.h"
#include "server/answer/composer.h"
#include "server/answer/dataset_query.h"
#include "server/answer/express.h"
#include "server/answer/job.h"
#include "server/answer/prefetch.h"
#include "server/answer/reply.h"

namespace mz::answer {
namespace {

using dns::Rcode;

// Lower-case wire names of the CHAOS class, RFC 4892 and BIND's custom.
constexpr char kVersionBind[] = "\7version\4bind";
constexpr char kVersionServer[] = "\7version\6server";
constexpr char kHostnameBind[] = "\10hostname\4bind";
constexpr char kIdServer[] = "\2id\6server";

template <size_t N>
bool IsName(const Job& job, const char (&name)[N]) {
  return job.query.qname_bytes == N && std::memcmp(job.name, name, N) == 0;  // both end in the root octet
}

// NSID longer than this is an operator's slip; it would crowd out the answer.
constexpr size_t kMaxNsidBytes = 128;

class Response {
 public:
  Response(const image::View& view, const Settings& settings, Request& request, Job& job, WorkerState& state)
      : view_(view),
        settings_(settings),
        request_(request),
        job_(job),
        state_(state),
        profile_(view.profile()),
        opt_(MakeOpt()),
        writer_(request.response, Limit(), job.query.edns.present ? opt_.bytes() : 0),
        composer_(view, writer_, job.query.qtype) {}

  void Run() {
    if (!writer_.Begin(request_.wire, job_.query.question_end))
      return;  // a response buffer below the contract
    Decide();
    if (dropped_) return;
    Send();
  }

 private:
  bool Has(image::ProfileBits bit) const { return (profile_ & bit) != 0; }

  size_t Limit() const { return ReplyLimit(settings_, request_.tcp, job_.query.edns.udp_bytes); }

  dns::OptReply MakeOpt() const {
    dns::OptReply opt;
    opt.udp_bytes = std::max<uint16_t>(settings_.max_udp_bytes, dns::kMinUdpBytes);
    opt.dnssec_ok = job_.query.edns.dnssec_ok;
    // RFC 5001 section 2.3: only when asked.
    if (job_.query.edns.wants_nsid && settings_.server_id.size() <= kMaxNsidBytes)
      opt.nsid = settings_.server_id;
    return opt;
  }

  void Decide() {
    const dns::Query& q = job_.query;
    const bool lenient = Has(image::kProfileDropMalformed);
    const bool unreadable = q.question_end == 0;
    if (unreadable && lenient) return Drop();
    // RFC 8906 section 3.1.4: an opcode that is not ours gets NOTIMP, whatever its message looks like behind
    // the header.
    if (q.opcode() != 0 || ((q.flags & (dns::kFlagAa | dns::kFlagTc)) && Has(image::kProfileNotImpAaTc))) {
      if (Has(image::kProfileClearOpcode)) copied_flags_ = 0;
      return Refuse(dns::kNotImp);
    }
    // RFC 9619: QDCOUNT is 1 in a query.
    if (unreadable || job_.error == dns::QueryError::kBadOpt) return Refuse(dns::kFormErr);
    // rbldnsd looks at nothing behind the question: what does not parse there is not EDNS.
    if (job_.error != dns::QueryError::kNone && !lenient) return Refuse(dns::kFormErr);
    // RFC 6891 section 6.1.3
    if (q.edns.present && q.edns.version != 0) return Refuse(dns::kBadVers);
    if (q.qclass == dns::kClassCh) return Chaos();
    if (q.qclass != dns::kClassIn && q.qclass != dns::kClassAny) return Refuse(dns::kRefused);
    if (const uint16_t error = MetaTypeError(q.qtype)) return Refuse(error);
    if (job_.zone == nullptr) return Refuse(dns::kRefused, dns::kErrorNotAuthoritative);
    InZone(*job_.zone);
  }

  // RFC 6895 section 3.1: 128..255 are query and meta types, OPT and 0 are none that a query may ask for. 0:
  // go on.
  uint16_t MetaTypeError(uint16_t type) const {
    if (Has(image::kProfileNotImpMetaTypes))
      return type >= dns::kTypeTsig && type != dns::kTypeAny ? dns::kNotImp : dns::kNoError;
    if ((type < 128 || type > 255) && type != dns::kTypeOpt && type != 0) return dns::kNoError;
    switch (type) {
      case dns::kTypeAny:
        return dns::kNoError;
      case dns::kTypeAxfr:  // RFC 5936 section 2.2.1: refused for policy
      case dns::kTypeIxfr:
        return dns::kRefused;
      case dns::kTypeMaila:
      case dns::kTypeMailb:
        return dns::kNotImp;
      default:
        return dns::kFormErr;
    }
  }

  void Chaos() {
    std::span<const uint8_t> text;
    if (job_.query.qtype == dns::kTypeTxt) {
      if (IsName(job_, kVersionBind) || IsName(job_, kVersionServer)) text = settings_.version;
      if (IsName(job_, kHostnameBind) || IsName(job_, kIdServer)) text = settings_.server_id;
    }
    if (text.empty()) return Refuse(dns::kRefused);
    writer_.AddChaosText(text);
  }

  void InZone(const image::ZoneRecord& zone) {
    request_.outcome.zone = job_.zone_index;
    Access& access = job_.access;
    AddAccess(view_, zone.acl, request_.client, &access);
    if (access.ignore()) return Drop();
    if ((zone.flags & image::kZoneNotLoaded) ||
        (zone.expires_unix != 0 && request_.now_unix > zone.expires_unix))
      return Refuse(dns::kServFail, dns::kErrorNotReady);
    if (access.refuse()) return Refuse(dns::kRefused, dns::kErrorProhibited);
    authoritative_ = job_.query.qclass == dns::kClassIn;  // RFC 1034 section 6.2.6: never for QCLASS=*
    const bool at_apex = job_.apex == 0;
    if (at_apex && !ApexRecords(zone)) return;
    Search search{view_, job_, request_.client, composer_, state_, 0, request_.now_unix};
    bool found = QueryDatasets(search) || at_apex;
    request_.outcome.delay_ms = search.delay_ms;
    if (search.effect != Effect::kNone) [[unlikely]] {
      if (!ApplyEffect(search, &found)) return;
    }
    if (search.rcode != 0 && writer_.count(dns::kAnswer) == 0) return Refuse(search.rcode);
    if (writer_.overflowed()) return;
    if (writer_.count(dns::kAnswer) != 0) return PositiveAuthority(zone);
    if (!found && ((zone.flags & image::kZoneEntNxdomain) || !IsEmptyNonTerminal(search)))
      rcode_ = dns::kNxDomain;
    NegativeAuthority(zone);
  }

  size_t apex_offset() const { return dns::kHeaderBytes + job_.query.label[job_.apex]; }

  // SOA and NS of the apex. False: the response is settled.
  bool ApexRecords(const image::ZoneRecord& zone) {
    const uint16_t qtype = job_.query.qtype;
    const bool any = qtype == dns::kTypeAny;
    if (qtype != dns::kTypeSoa && qtype != dns::kTypeNs && !any) return true;
    const bool has_soa = zone.soa != 0, has_ns = zone.ns_count != 0;
    // rbldnsd is not authoritative for what it was not given.
    if (Has(image::kProfileApex) &&
        ((!has_soa && qtype != dns::kTypeNs) || (!has_ns && qtype != dns::kTypeSoa))) {
      Refuse(dns::kRefused);
      return false;
    }
    if (has_soa && composer_.Wants(dns::kTypeSoa)) {
      if (!composer_.AddSoa(zone, dns::kAnswer, zone.soa_ttl, apex_offset())) writer_.MarkOverflow();
      composer_.Chose(dns::kTypeSoa);
    }
    if (has_ns && composer_.Wants(dns::kTypeNs)) {
      // Without NS in AUTHORITY this is the only place for the glue (RFC 1034 section 4.3.2 step 6).
      const bool glue = !Has(image::kProfileApex) && !any;
      const image::AuthorityBlock& block = NextNs(view_, zone, job_.zone_index, state_);
      if (!(glue && composer_.AddBlock(block, dns::kAnswer, true, apex_offset())) &&
          !composer_.AddBlock(block, dns::kAnswer, false, apex_offset()))
        writer_.MarkOverflow();
      composer_.Chose(dns::kTypeNs);
      ns_answered_ = true;
    }
    return true;
  }

  void PositiveAuthority(const image::ZoneRecord& zone) {
    if (!HasPositiveAuthority(zone)) return;
    if (ns_answered_ && !Has(image::kProfileApex)) return;
    AddPositiveAuthority(view_, composer_, zone, job_.zone_index, apex_offset(), state_);
  }

  void NegativeAuthority(const image::ZoneRecord& zone) {
    if (!AddNegativeAuthority(view_, composer_, zone, apex_offset())) writer_.MarkOverflow();
  }

  // Healthcheck zones: how the server misbehaves. False: the response is settled.
  bool ApplyEffect(Search& search, bool* found) {
    switch (search.effect) {
      case Effect::kSilence:
        Drop();
        return false;
      case Effect::kFormErrEdns:  // as a server that has never heard of OPT, which sends none back
        no_opt_ = true;
        Refuse(dns::kFormErr);
        return false;
      case Effect::kTruncateNoTcp:
        if (request_.tcp) {
          Drop();
          return false;
        }
        [[fallthrough]];
      case Effect::kTruncate:
        if (!request_.tcp) writer_.MarkOverflow();
        return true;
      case Effect::kWrongCase:
        wrong_case_ = true;
        return true;
      case Effect::kOversize:
        if (writer_.overflowed() && !request_.tcp) {
          writer_.Restart(request_.response.size(), job_.query.edns.present ? opt_.bytes() : 0);
          *found = QueryDatasets(search);
        }
        return true;
      case Effect::kLame:
        authoritative_ = false;
        return false;
      case Effect::kNone:
        break;
    }
    return true;
  }

  void Drop() { dropped_ = true; }

  void Refuse(uint16_t rcode, uint16_t extended_error = dns::kErrorNone) {
    rcode_ = rcode;
    opt_.extended_error = extended_error;
    authoritative_ = false;
  }

  void Send() {
    uint16_t flags = static_cast<uint16_t>(dns::kFlagQr | (job_.query.flags & copied_flags_));
    if (authoritative_) flags |= dns::kFlagAa;
    if (writer_.overflowed()) {
      writer_.CutToQuestion();
      flags |= dns::kFlagTc;
    }
    const uint16_t answers = static_cast<uint16_t>(writer_.count(dns::kAnswer));
    if (job_.query.edns.present && !no_opt_ && !writer_.AddOpt(opt_, rcode_)) {
      opt_.nsid = {};  // the only part that may be long
      writer_.AddOpt(opt_, rcode_);
    }
    request_.response_size = writer_.Finish(flags, rcode_);
    if (wrong_case_) InvertQuestionCase();
    Outcome& outcome = request_.outcome;
    outcome.rcode = rcode_;
    outcome.answer_count = answers;
    outcome.kind = rcode_ == dns::kNoError    ? Outcome::kAnswered
                   : rcode_ == dns::kNxDomain ? Outcome::kNxdomain
                                              : Outcome::kError;
  }

  void InvertQuestionCase() {
    for (size_t i = 0; i < job_.query.qname_bytes; i++) {
      uint8_t& c = request_.response[dns::kHeaderBytes + i];
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) c ^= 0x20;  // length octets are below 64
    }
  }

  const image::View& view_;
  const Settings& settings_;
  Request& request_;
  Job& job_;
  WorkerState& state_;
  const uint32_t profile_;
  dns::OptReply opt_;
  dns::ResponseWriter writer_;
  Composer composer_;
  uint16_t rcode_ = dns::kNoError;
  uint16_t copied_flags_ = dns::kOpcodeMask | dns::kFlagRd;
  bool authoritative_ = false;
  bool ns_answered_ = false;
  bool dropped_ = false;
  bool no_opt_ = false;
  bool wrong_case_ = false;
};

// Reads the packet. Afterwards the job knows whether it is to be answered at all and whether it needs a zone.
void Prepare(const image::View& view, Request& request, Job* job, bool* silent) {
  request.response_size = 0;
  request.outcome = Outcome{};
  job->access = Access{};
  AddAccess(view, view.header().global_acl, request.client, &job->access);
  Decode(request.wire, job);
  // Never a reply to a reply: two servers would talk for ever (RFC 1035 section 7.3, CVE-2024-2169).
  *silent = job->access.ignore() || job->error == dns::QueryError::kShort ||
            job->error == dns::QueryError::kResponse;
  if (*silent) return;
  request.outcome.qname_bytes = job->query.qname_bytes;
  request.outcome.qtype = job->query.qtype;
  request.outcome.qclass = job->query.qclass;
  job->wants_zone = job->query.question_end != 0 && job->query.opcode() == 0 &&
                    (job->query.qclass == dns::kClassIn || job->query.qclass == dns::kClassAny);
}

// An image this small stays in a second-level cache by itself; asking for it early on the general path would only cost
// time (about 35 ns a query, bench/server/answer).
constexpr uint64_t kCachedBytes = 512 << 10;

// One request by the general path. The index of its zone, or -1.
int32_t AnswerByJob(const image::View& view, const Settings& settings, Request& request, WorkerState& state) {
  Job job;
  bool silent;
  Prepare(view, request, &job, &silent);
  if (silent) return -1;
  FindZones(view, {&job, 1});
  Response(view, settings, request, job, state).Run();
  return job.zone_index;
}

// A batch of which several requests are the general path's: they share its searches. Returns the zone of one of them, or -1.
int32_t AnswerMixed(const image::View& view, const Settings& settings, std::span<Request> requests,
                    std::span<ExpressQuery> express, const ExpressLane& lane, WorkerState& state) {
  Job jobs[kBatch];
  bool silent[kBatch];
  size_t count = 0;
  for (size_t i = 0; i < requests.size(); i++) {
    if (express[i].plan != nullptr) continue;
    Prepare(view, requests[i], &jobs[count], &silent[count]);
    count++;
  }
  FindZones(view, {jobs, count});
  if (view.served_bytes() > kCachedBytes) WarmDatasets(view, {jobs, count});
  // In the order of the requests, for the sake of the rotation counters.
  size_t next = 0;
  int32_t zone = -1;
  for (size_t i = 0; (i = lane.Answer(requests, express, i)) < requests.size(); i++) {
    if (express[i].plan != nullptr) {
      AnswerByJob(view, settings, requests[i], state);
      continue;
    }
    Job& job = jobs[next];
    if (silent[next++]) continue;
    Response(view, settings, requests[i], job, state).Run();
    if (job.zone_index >= 0) zone = job.zone_index;
  }
  return zone;
}

// Requires: at most kBatch requests.
void AnswerChunk(const image::View& view, const Settings& settings, std::span<Request> requests, WorkerState& state) {
  ExpressLane lane(view, settings, state);
  ExpressQuery space[kBatch];
  const std::span<ExpressQuery> express(space, requests.size());
  lane.Read(requests, express);
  if (requests.size() > 1) lane.Warm(requests, express);
  size_t general = 0;
  for (const ExpressQuery& q : express) general += q.plan == nullptr;
  int32_t zone = -1;
  if (general > 1) {  // jobs are large: most batches do without
    zone = AnswerMixed(view, settings, requests, express, lane, state);
  } else {
    for (size_t i = 0; (i = lane.Answer(requests, express, i)) < requests.size(); i++) {
      const int32_t answered = AnswerByJob(view, settings, requests[i], state);
      if (express[i].plan == nullptr) zone = answered;
    }
  }
  if (zone >= 0) lane.Learn(zone);  // only now: the queries of this batch point at plans
}

}  // namespace

void AnswerGenerally(const image::View& view, const Settings& settings, Request& request, WorkerState& state) {
  AnswerByJob(view, settings, request, state);
}

void Answer(const image::View& view, const Settings& settings, Request& request, WorkerState& state) {
  AnswerBatch(view, settings, {&request, 1}, state);
}

void AnswerBatch(const image::View& view, const Settings& settings, std::span<Request> requests,
                 WorkerState& state) {
  while (!requests.empty()) {
    const size_t n = std::min(requests.size(), kBatch);
    AnswerChunk(view, settings, requests.first(n), state);
    requests = requests.subspan(n);
  }
}

}  // namespace mz::answer
