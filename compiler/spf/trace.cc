// See trace.h.
#include "compiler/spf/trace.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "compiler/spf/txt_records.h"
#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"
#include "format/spf/macro.h"

namespace mz::compiler::spf {
namespace {

using resolve::Answer;

constexpr uint16_t kA = 1, kMx = 15, kTxt = 16, kAaaa = 28;

// The one well-formed SPF record at a name, or why there is none.
struct ReadRecord {
  std::string text, problem;
  mz::spf::Record record;
  bool ok = false;
};

ReadRecord Read(AnswerSource* source, const std::string& owner) {
  ReadRecord out;
  const Answer* answer = source->Find({owner, kTxt});
  if (answer == nullptr || answer->kind == Answer::kFailed || answer->kind == Answer::kBogus) {
    out.problem = "temperror: " + (answer == nullptr ? std::string("not asked yet") : answer->reason);
    return out;
  }
  std::vector<std::string> records = SpfRecordsOf(*answer);
  if (records.size() != 1) {
    out.problem = records.empty() ? answer->kind == Answer::kNxDomain ? "the name does not exist" : "no SPF record"
                                  : "permerror: " + std::to_string(records.size()) + " SPF records";
    return out;
  }
  out.text = records[0];
  mz::spf::SyntaxError error;
  if (!mz::spf::ParseRecord(out.text, &out.record, &error)) {
    out.problem = "permerror: " + error.message + " (octet " + std::to_string(error.column) + ")";
    return out;
  }
  out.ok = true;
  return out;
}

class Tracer {
 public:
  Tracer(Evaluator* evaluator, AnswerSource* source, const ClientAddress& client, size_t limit, Trace* out)
      : evaluator_(*evaluator), source_(source), client_(client), limit_(limit), out_(*out) {}

  // What a receiver would conclude, as far as it is decided: nothing when it depends on the message.
  enum Result { kPass, kOther, kError, kUnknown };

  Result Record(const RecordKey& key, int depth) {
    const ReadRecord read = Read(source_, key.owner);
    Step(TraceStep::kRecord, depth, key, 0, read.ok ? read.text : read.problem, "");
    if (!read.ok) return kError;
    if (depth > static_cast<int>(evaluator_.options().limits.depth)) return kError;
    const std::string domain = RawText(key.domain);
    bool unknown = false;
    for (const mz::spf::Term& term : read.record.terms) {
      if (out_.steps.size() >= limit_) return kUnknown;
      std::string note;
      const TraceStep::Outcome outcome = Evaluate(term, domain, depth, read.text, key, &note);
      if (term.mechanism != mz::spf::Mechanism::kInclude || mz::spf::IsDynamic(*term.domain))
        Step(outcome, depth, key, term.column, read.text.substr(term.column - 1, term.length), note);
      if (outcome == TraceStep::kReceiver) unknown = true;
      if (outcome == TraceStep::kError) return kError;
      if (outcome == TraceStep::kMatch)
        return unknown ? kUnknown : term.qualifier == Qualifier::kPass ? kPass : kOther;
    }
    if (read.record.redirect) {
      const mz::spf::Modifier& m = *read.record.redirect;
      const std::string text = read.text.substr(m.column - 1, m.length);
      const mz::spf::Expansion target = Expand(m.value, domain);
      const std::optional<std::string> wire = WireName(target.text);
      Step(target.dynamic ? TraceStep::kReceiver : TraceStep::kNoMatch, depth, key, m.column, text, "");
      if (target.dynamic || !wire) return kUnknown;
      if (Entered(*wire)) return kError;
      const Result r = Record({*wire, *wire}, depth + 1);
      stack_.pop_back();
      return unknown ? kUnknown : r;
    }
    return unknown ? kUnknown : kOther;
  }

 private:
  void Step(TraceStep::Outcome outcome, int depth, const RecordKey& key, uint32_t column, std::string term,
            std::string note) {
    if (out_.steps.size() >= limit_) return;
    out_.steps.push_back({outcome, depth, dns::NameText(key.owner), column, std::move(term), std::move(note)});
  }
  mz::spf::Expansion Expand(const mz::spf::MacroString& s, const std::string& domain) const {
    return mz::spf::ExpandStatic(s, {.domain = domain, .is_v4 = client_.is_v4});
  }
  // True: it is being followed already.
  bool Entered(const std::string& name) {
    if (std::find(stack_.begin(), stack_.end(), name) != stack_.end()) return true;
    stack_.push_back(name);
    return false;
  }

  TraceStep::Outcome Evaluate(const mz::spf::Term& term, const std::string& domain, int depth, const std::string& text,
                              const RecordKey& key, std::string* note) {
    if (term.domain && mz::spf::IsDynamic(*term.domain)) return TraceStep::kReceiver;
    switch (term.mechanism) {
      case mz::spf::Mechanism::kAll:
        return TraceStep::kMatch;
      case mz::spf::Mechanism::kPtr:
        return TraceStep::kReceiver;
      case mz::spf::Mechanism::kIp4:
        return client_.is_v4 && In4(term.ip4, term.prefix4) ? TraceStep::kMatch : TraceStep::kNoMatch;
      case mz::spf::Mechanism::kIp6:
        return !client_.is_v4 && In6(term.ip6, term.prefix6) ? TraceStep::kMatch : TraceStep::kNoMatch;
      default:
        break;
    }
    const std::string name_text = term.domain ? Expand(*term.domain, domain).text : domain;
    const std::optional<std::string> name = WireName(name_text);
    if (!name) {
      *note = "not a domain name";
      return term.mechanism == mz::spf::Mechanism::kInclude ? TraceStep::kError : TraceStep::kNoMatch;
    }
    if (term.mechanism == mz::spf::Mechanism::kInclude) {
      Step(TraceStep::kNoMatch, depth, key, term.column, text.substr(term.column - 1, term.length), "");
      if (Entered(*name)) return TraceStep::kError;
      const Result r = Record({*name, *name}, depth + 1);
      stack_.pop_back();
      return r == kPass    ? TraceStep::kMatch
             : r == kOther ? TraceStep::kNoMatch
             : r == kError ? TraceStep::kError
                           : TraceStep::kReceiver;
    }
    return Lookup(term, *name, note);
  }

  TraceStep::Outcome Lookup(const mz::spf::Term& term, const std::string& name, std::string* note) {
    std::vector<std::string> hosts{name};
    if (term.mechanism == mz::spf::Mechanism::kMx) {
      hosts.clear();
      const Answer* mx = source_->Find({name, kMx});
      if (Failed(mx, note)) return TraceStep::kError;
      for (const std::string& rdata : mx->rdata) {
        if (rdata.size() < 4) continue;
        hosts.push_back(rdata.substr(2, rdata.size() - 3));
        dns::LowerName(&hosts.back());
      }
    }
    const bool v4 = client_.is_v4 || term.mechanism == mz::spf::Mechanism::kExists;
    for (const std::string& host : hosts) {
      const Answer* a = source_->Find({host, v4 ? kA : kAaaa});
      if (Failed(a, note)) return TraceStep::kError;
      if (term.mechanism == mz::spf::Mechanism::kExists)
        return a->kind == Answer::kData ? TraceStep::kMatch : TraceStep::kNoMatch;
      for (const std::string& rdata : a->rdata) {
        const auto* octets = reinterpret_cast<const uint8_t*>(rdata.data());
        const bool hit = v4 ? rdata.size() == 4 && In4(LoadBe32(octets), term.prefix4)
                            : rdata.size() == 16 && In6(net::Ip6::FromBytes(octets), term.prefix6);
        if (!hit) continue;
        *note = dns::NameText(host) + " has " +
                (v4 ? net::ToString(LoadBe32(octets)) : net::ToString(net::Ip6::FromBytes(octets)));
        return TraceStep::kMatch;
      }
    }
    return TraceStep::kNoMatch;
  }
  static bool Failed(const Answer* a, std::string* note) {
    if (a != nullptr && a->kind != Answer::kFailed && a->kind != Answer::kBogus) return false;
    *note = "lookup failed: " + (a == nullptr ? std::string("not asked yet") : a->reason);
    return true;
  }
  bool In4(net::Ip4 a, int length) const {
    const net::Range4 r = net::PrefixRange4(a, length);
    return r.first <= client_.v4 && client_.v4 <= r.last;
  }
  bool In6(const net::Ip6& a, int length) const {
    const net::Range6 r = net::PrefixRange6(a, length);
    return r.first <= client_.v6 && client_.v6 <= r.last;
  }

  Evaluator& evaluator_;
  AnswerSource* source_;
  const ClientAddress& client_;
  const size_t limit_;
  Trace& out_;
  std::vector<std::string> stack_;
};

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
  Tracer(evaluator, source, client, limit, &out).Record(key, 0);
  return out;
}

std::vector<TreeLine> Tree(Evaluator* evaluator, AnswerSource* source, const RecordKey& key, size_t limit) {
  std::vector<TreeLine> out;
  absl::flat_hash_set<RecordKey> seen;
  struct Todo {
    int depth;
    RecordKey key;
    std::string via;
  };
  std::vector<Todo> todo{{0, key, ""}};
  while (!todo.empty() && out.size() < limit) {
    Todo next = std::move(todo.back());
    todo.pop_back();
    TreeLine line{.depth = next.depth, .key = next.key, .via = next.via, .text = {}, .problem = {}};
    line.repeated = !seen.insert(next.key).second;
    const ReadRecord read = Read(source, next.key.owner);
    line.text = read.text;
    line.problem = read.problem;
    std::vector<Todo> children;
    const std::string domain = RawText(next.key.domain);
    const auto add = [&](const mz::spf::MacroString& s, uint32_t column, uint32_t length) {
      const mz::spf::Expansion e = mz::spf::ExpandStatic(s, {.domain = domain, .is_v4 = true});
      const std::optional<std::string> name = WireName(e.text);
      if (e.dynamic || !name) return;
      children.push_back({next.depth + 1, {*name, *name}, read.text.substr(column - 1, length)});
    };
    if (read.ok) {
      for (const mz::spf::Term& t : read.record.terms) {
        switch (t.mechanism) {
          case mz::spf::Mechanism::kAll:
            break;
          case mz::spf::Mechanism::kIp4:
          case mz::spf::Mechanism::kIp6:
            line.prefixes++;
            break;
          default:
            line.lookups++;
            break;
        }
        if (t.mechanism == mz::spf::Mechanism::kAll) break;
        if (t.mechanism == mz::spf::Mechanism::kInclude) add(*t.domain, t.column, t.length);
      }
      const bool has_all = std::any_of(read.record.terms.begin(), read.record.terms.end(),
                                       [](const mz::spf::Term& t) { return t.mechanism == mz::spf::Mechanism::kAll; });
      if (read.record.redirect && !has_all) {
        line.lookups++;
        add(read.record.redirect->value, read.record.redirect->column, read.record.redirect->length);
      }
    }
    if (!line.repeated && next.depth < static_cast<int>(evaluator->options().limits.depth))
      for (auto child = children.rbegin(); child != children.rend(); ++child) todo.push_back(std::move(*child));
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace mz::compiler::spf
