// See trace.h.
#include "compiler/spf/trace.h"

#include <algorithm>

#include "compiler/spf/read_record.h"
#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"
#include "format/spf/macro.h"

namespace mz::compiler::spf {
namespace {

using mz::spf::Mechanism;
using mz::spf::Term;
using resolve::Answer;

// What may come out, as far as it is known without the message: a set of bits.
enum Possible : uint8_t { kYes = 1, kNo = 2, kBad = 4 };  // of a term: match, no match, error; of a record: pass, other, error

TraceStep::Outcome OutcomeOf(uint8_t possible) {
  switch (possible) {
    case kYes:
      return TraceStep::kMatch;
    case kNo:
      return TraceStep::kNoMatch;
    case kBad:
      return TraceStep::kError;
    default:
      return TraceStep::kReceiver;
  }
}

constexpr std::string_view kHome = "points to a record that we publish";

class Tracer {
 public:
  Tracer(const Options& options, AnswerSource* source, const ClientAddress& client, size_t limit, Trace* out)
      : options_(options), source_(source), client_(client), limit_(limit), out_(*out) {}

  // The record of a key and everything below; its possible results.
  uint8_t Record(const RecordKey& key, int depth) {
    const RecordRead read = ReadRecord(source_, key.owner);
    if (TraceStep* step = Step(TraceStep::kRecord, depth, key, 0, read.ok ? read.text : read.problem)) step->ok = read.ok;
    if (!read.ok || depth >= static_cast<int>(options_.limits.depth)) return kBad;
    if (read.record.terms.empty() && !read.record.redirect) return kNo;
    stack_.push_back(key.domain);
    const uint8_t result = Terms(read, key, depth);
    stack_.pop_back();
    return result;
  }

 private:
  uint8_t Terms(const RecordRead& read, const RecordKey& key, int depth) {
    const std::string domain = RawText(key.domain);
    uint8_t result = 0;
    for (const Term& term : read.record.terms) {
      if (out_.cut) return kYes | kNo | kBad;
      const size_t index = out_.steps.size();
      Step(TraceStep::kNoMatch, depth, key, term.column, read.text.substr(term.column - 1, term.length));
      std::string note;
      const uint8_t match = Evaluate(term, domain, depth, &note);
      if (index < out_.steps.size()) {
        out_.steps[index].outcome = OutcomeOf(match);
        out_.steps[index].note = std::move(note);
      }
      if (match & kYes) result |= term.qualifier == Qualifier::kPass ? kYes : kNo;
      if (match & kBad) result |= kBad;
      if (!(match & kNo)) return result;
    }
    if (!read.record.redirect) return result | kNo;
    return result | Redirect(*read.record.redirect, read, key, domain, depth);
  }

  uint8_t Redirect(const mz::spf::Modifier& m, const RecordRead& read, const RecordKey& key, const std::string& domain,
                   int depth) {
    const mz::spf::Expansion target = Expand(m.value, domain);
    const std::optional<std::string> wire = WireName(target.text);
    const std::string bad = LeadsHome(target.text)    ? std::string(kHome)
                            : target.dynamic          ? ""
                            : !wire                   ? "not a domain name"
                            : IsRunning(*wire)        ? "leads back to itself"
                                                      : "";
    TraceStep* step = Step(!bad.empty()     ? TraceStep::kError
                           : target.dynamic ? TraceStep::kReceiver
                                            : TraceStep::kFollowed,
                           depth, key, m.column, read.text.substr(m.column - 1, m.length));
    if (step != nullptr) step->note = bad;
    if (!bad.empty()) return kBad;
    if (target.dynamic) return kYes | kNo | kBad;
    return Record({*wire, *wire}, depth + 1);
  }

  // Null: the limit is reached. The pointer is good until the next step.
  TraceStep* Step(TraceStep::Outcome outcome, int depth, const RecordKey& key, uint32_t column, std::string term) {
    if (out_.steps.size() >= limit_) {
      out_.cut = true;
      return nullptr;
    }
    TraceStep step;
    step.outcome = outcome;
    step.depth = depth;
    step.owner = dns::NameText(key.owner);
    step.column = column;
    step.term = std::move(term);
    out_.steps.push_back(std::move(step));
    return &out_.steps.back();
  }

  mz::spf::Expansion Expand(const mz::spf::MacroString& s, const std::string& domain) const {
    return mz::spf::ExpandStatic(s, {.domain = domain, .is_v4 = client_.is_v4});
  }
  bool LeadsHome(const std::string& name) const {
    return std::any_of(options_.own_zones.begin(), options_.own_zones.end(),
                       [&](const std::string& zone) { return EndsInZone(name, zone); });
  }
  bool IsRunning(const std::string& name) const {
    return std::find(stack_.begin(), stack_.end(), name) != stack_.end();
  }

  uint8_t Evaluate(const Term& term, const std::string& domain, int depth, std::string* note) {
    // Lookups of hosts may well end in our zone; records and what depends on the message may not.
    const bool dynamic = term.domain && mz::spf::IsDynamic(*term.domain);
    if (term.domain && (dynamic || term.mechanism == Mechanism::kInclude || term.mechanism == Mechanism::kPtr) &&
        LeadsHome(Expand(*term.domain, domain).text)) {
      *note = kHome;
      return kBad;
    }
    if (dynamic)
      return term.mechanism == Mechanism::kInclude ? kYes | kNo | kBad : kYes | kNo;
    switch (term.mechanism) {
      case Mechanism::kAll:
        return kYes;
      case Mechanism::kPtr:
        return kYes | kNo;
      case Mechanism::kIp4:
        return client_.is_v4 && In4(term.ip4, term.prefix4) ? kYes : kNo;
      case Mechanism::kIp6:
        return !client_.is_v4 && In6(term.ip6, term.prefix6) ? kYes : kNo;
      case Mechanism::kInclude:
        return Include(term, domain, depth, note);
      default:
        return Lookup(term, domain, note);
    }
  }

  uint8_t Include(const Term& term, const std::string& domain, int depth, std::string* note) {
    const std::optional<std::string> name = WireName(Expand(*term.domain, domain).text);
    if (!name || IsRunning(*name)) {
      *note = name ? "leads back to itself" : "not a domain name";
      return kBad;
    }
    return Record({*name, *name}, depth + 1);  // RFC 7208 section 5.2: pass matches, the other results do not
  }

  // a, mx and exists.
  uint8_t Lookup(const Term& term, const std::string& domain, std::string* note) {
    const std::optional<std::string> name = WireName(term.domain ? Expand(*term.domain, domain).text : domain);
    if (!name) {
      *note = "not a domain name";
      return kNo;
    }
    std::vector<std::string> hosts{*name};
    if (term.mechanism == Mechanism::kMx) {
      hosts.clear();
      const Answer* mx = source_->Find({*name, kTypeMx});
      if (LookupFailed(mx, note)) return kBad;
      for (const std::string& rdata : mx->rdata) {
        if (rdata.size() < 4) continue;  // null MX (RFC 7505)
        hosts.push_back(rdata.substr(2, rdata.size() - 3));
        dns::LowerName(&hosts.back());
      }
    }
    // A failing lookup of one exchange is an error for the whole mechanism, as the evaluator sees it.
    uint8_t result = kNo;
    for (const std::string& host : hosts) {
      const uint8_t here = Host(term, host, note);
      if (here == kBad) return kBad;
      if (here == kYes) result = kYes;
    }
    return result;
  }

  uint8_t Host(const Term& term, const std::string& host, std::string* note) {
    const bool v4 = client_.is_v4 || term.mechanism == Mechanism::kExists;  // exists is always an A lookup (section 5.7)
    const Answer* a = source_->Find({host, v4 ? kTypeA : kTypeAaaa});
    std::string why;
    if (LookupFailed(a, &why)) {
      *note = dns::NameText(host) + ": " + why;
      return kBad;
    }
    if (term.mechanism == Mechanism::kExists) return a->kind == Answer::kData ? kYes : kNo;
    for (const std::string& rdata : a->rdata) {
      const auto* octets = reinterpret_cast<const uint8_t*>(rdata.data());
      const bool hit = v4 ? rdata.size() == 4 && In4(LoadBe32(octets), term.prefix4)
                          : rdata.size() == 16 && In6(net::Ip6::FromBytes(octets), term.prefix6);
      if (!hit) continue;
      *note = dns::NameText(host) + " has " +
              (v4 ? net::ToString(LoadBe32(octets)) : net::ToString(net::Ip6::FromBytes(octets)));
      return kYes;
    }
    return kNo;
  }

  bool In4(net::Ip4 a, int length) const {
    const net::Range4 r = net::PrefixRange4(a, length);
    return r.first <= client_.v4 && client_.v4 <= r.last;
  }
  bool In6(const net::Ip6& a, int length) const {
    const net::Range6 r = net::PrefixRange6(a, length);
    return r.first <= client_.v6 && client_.v6 <= r.last;
  }

  const Options& options_;
  AnswerSource* source_;
  const ClientAddress& client_;
  const size_t limit_;
  Trace& out_;
  std::vector<std::string> stack_;
};

// The record at steps[begin], the steps below it up to `end`: the last of its own terms that decided, then the record
// that this one led to.
void MarkDeciding(std::vector<TraceStep>* steps, size_t begin, size_t end) {
  while (begin < end) {
    const int depth = (*steps)[begin].depth;
    size_t last = end;
    for (size_t i = begin + 1; i < end; i++) {
      const TraceStep& s = (*steps)[i];
      if (s.depth != depth) continue;
      if (s.outcome == TraceStep::kMatch || s.outcome == TraceStep::kError || s.outcome == TraceStep::kFollowed) last = i;
    }
    if (last == end) {
      if (!(*steps)[begin].ok) (*steps)[begin].decides = true;
      return;
    }
    (*steps)[last].decides = true;
    size_t below = last + 1;
    while (below < end && (*steps)[below].depth > depth) below++;
    begin = last + 1;
    end = below;
  }
}

}  // namespace

std::optional<ClientAddress> ParseClient(std::string_view text) {
  ClientAddress out;
  if (std::optional<net::Ip4> v4 = net::ParseIp4(text)) {
    out.v4 = *v4;
    return out;
  }
  std::optional<net::Ip6> v6 = net::ParseIp6(text);
  if (!v6) return std::nullopt;
  if (net::IsV4Mapped(*v6)) {
    out.v4 = static_cast<net::Ip4>(v6->low);
    return out;
  }
  out.is_v4 = false;
  out.v6 = *v6;
  return out;
}

Trace TraceClient(Evaluator* evaluator, AnswerSource* source, const RecordKey& key, const ClientAddress& client,
                  size_t limit) {
  Trace out;
  const Policy& policy = evaluator->Evaluate(key);
  out.program = client.is_v4 ? evaluator->partitions4().Find(policy.v4, client.v4)
                             : evaluator->partitions6().Find(policy.v6, client.v6);
  Tracer(evaluator->options(), source, client, limit, &out).Record(key, 0);
  MarkDeciding(&out.steps, 0, out.steps.size());
  return out;
}

}  // namespace mz::compiler::spf
