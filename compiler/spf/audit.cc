// See audit.h.
#include "compiler/spf/audit.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "compiler/spf/read_record.h"
#include "compiler/spf/reserved_space.h"
#include "compiler/spf/term_sets.h"
#include "compiler/spf/tree.h"
#include "compiler/spf/txt_records.h"
#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"
#include "format/spf/macro.h"

namespace mz::compiler::spf {
namespace {

using dataset::Severity;
using mz::spf::Mechanism;
using mz::spf::Term;
using resolve::Answer;

constexpr std::string_view kLimits = "RFC 7208 section 4.6.4";
constexpr std::string_view kIncludes = "RFC 7208 section 5.2";
constexpr int kWide4 = 8, kWide6 = 16;  // prefixes so short or shorter are hardly meant
constexpr size_t kMaxFindings = 200;

class Auditor {
 public:
  Auditor(Evaluator* evaluator, AnswerSource* source, const RecordKey& key, const AuditOptions& options, Audit* out)
      : e_(*evaluator), source_(source), key_(key), options_(options), out_(*out) {}

  void Run() {
    const RecordRead read = ReadRecord(source_, key_.owner);
    out_.text = read.text;
    Sizes();
    if (!read.ok) return NoUsableRecord(read);
    for (const mz::spf::SyntaxError& w : mz::spf::FindWarnings(read.text))
      Find(Severity::kWarning, w.column, w.length, w.message, w.hint, w.section);
    out_.count = CountLookups(source_, key_, e_.options().limits, {.domain_known = options_.domain_known});
    Ending(read.record);
    Limits();
    Terms(read.record);
    Repeated();
    Below();
    Passing();
    Judge();
    std::stable_sort(out_.findings.begin(), out_.findings.begin() + static_cast<ptrdiff_t>(own_),
                     [](const Finding& a, const Finding& b) { return a.diagnostic.column < b.diagnostic.column; });
  }

 private:
  void Find(Severity severity, uint32_t column, uint32_t length, std::string message, std::string hint,
            std::string_view section) {
    if (out_.findings.size() >= kMaxFindings) return;
    out_.findings.push_back(
        MakeFinding(severity, key_.owner, out_.text, column, length, std::move(message), std::move(hint), section));
    own_ = out_.findings.size();
  }
  void FindAt(Severity severity, const Term& t, std::string message, std::string hint, std::string_view section) {
    Find(severity, t.column, t.length, std::move(message), std::move(hint), section);
  }

  void NoUsableRecord(const RecordRead& read) {
    const std::vector<mz::spf::SyntaxError> errors =
        read.text.empty() ? std::vector<mz::spf::SyntaxError>{} : mz::spf::FindErrors(read.text);
    for (const mz::spf::SyntaxError& e : errors) Find(Severity::kError, e.column, e.length, e.message, e.hint, e.section);
    out_.reason = read.problem;
    if (read.temporary) {
      out_.verdict = Audit::kTemporary;
    } else if (!errors.empty()) {
      out_.verdict = Audit::kAlways;
      out_.reason = errors.size() == 1 ? "a syntax error" : std::to_string(errors.size()) + " syntax errors";
    } else if (read.problem.starts_with("permerror: ")) {
      out_.verdict = Audit::kAlways;
      out_.reason = read.problem.substr(11);
    } else {
      out_.verdict = Audit::kNoRecord;
    }
    if (errors.empty()) Find(Severity::kError, 0, 0, out_.reason, "", "RFC 7208 section 4.5");
  }

  void Sizes() {
    const Answer* answer = source_->Find({key_.owner, kTypeTxt});
    if (answer == nullptr || answer->kind != Answer::kData) return;
    constexpr size_t kHeader = 12, kQuestionRest = 5, kRecordFixed = 12;  // root octet, type, class; a compressed owner
    out_.answer_octets = kHeader + key_.owner.size() + kQuestionRest;
    std::string text;
    for (const std::string& rdata : answer->rdata) {
      out_.answer_octets += kRecordFixed + rdata.size();
      if (!JoinStrings(rdata, &text) || text != out_.text || text.empty()) continue;
      out_.record_octets = text.size();
      for (size_t i = 0; i < rdata.size(); i += 1 + static_cast<uint8_t>(rdata[i])) out_.txt_strings++;
    }
    if (out_.answer_octets > kUdpOctets)
      Find(Severity::kWarning, 0, 0,
           "the TXT answer has " + std::to_string(out_.answer_octets) + " octets, more than 512: it needs EDNS or TCP",
           answer->rdata.size() > 1 ? "all TXT records of the name count together" : "", "RFC 7208 section 3.4");
    else if (out_.record_octets > kAdvisedOctets)
      Find(Severity::kWarning, 0, 0, "the record has " + std::to_string(out_.record_octets) + " octets, more than 450", "",
           "RFC 7208 section 3.4");
  }

  void Ending(const mz::spf::Record& record) {
    const bool all = std::any_of(record.terms.begin(), record.terms.end(),
                                 [](const Term& t) { return t.mechanism == Mechanism::kAll; });
    if (!all && !record.redirect)
      Find(Severity::kWarning, 0, 0, "no \"all\" and no redirect= at the end: everybody else is neutral", "-all or ~all",
           "RFC 7208 section 4.7");
  }

  std::string Where(const LookupCount::Place& p) const {
    return p.owner == dns::NameText(key_.owner) ? p.term : p.term + " (in " + p.owner + ")";
  }

  void Limits() {
    const LookupCount& c = out_.count;
    const std::string lookups = (c.cut ? "over " : "") + std::to_string(c.lookups) + " lookups";
    if (c.over)
      Find(Severity::kError, c.over->root_column, c.over->root_length,
           lookups + ", more than 10: permerror for clients that nothing before " + Where(*c.over) + " matches", "", kLimits);
    else if (c.lookups >= kReceiverLookups - 1)
      Find(Severity::kWarning, 0, 0,
           lookups + " of 10: " + (c.lookups == kReceiverLookups ? "one more" : "two more") +
               " in any included record, and receivers say permerror",
           "", kLimits);
    Voids();
    for (const LookupCount::Place& p : c.many_exchanges)
      Find(Severity::kError, p.root_column, p.root_length,
           Where(p) + " has " + std::to_string(p.exchanges) + " exchanges, more than 10: permerror", "", kLimits);
  }

  void Voids() {
    const LookupCount& c = out_.count;
    const bool six = c.void6.size() > c.void4.size();
    const std::vector<LookupCount::Place>& voids = six ? c.void6 : c.void4;
    if (voids.size() > kReceiverVoids) {
      std::string list;
      for (const LookupCount::Place& p : voids) list += (list.empty() ? "" : ", ") + Where(p);
      const LookupCount::Place& third = voids[kReceiverVoids];
      Find(Severity::kError, third.root_column, third.root_length,
           std::to_string(voids.size()) + " void lookups" + (six ? " for IPv6 clients" : "") +
               ", more than 2: permerror for clients that nothing before the third one matches",
           list, kLimits);
    } else if (voids.size() + c.exists_by_receiver > kReceiverVoids) {
      Find(Severity::kWarning, 0, 0,
           std::to_string(c.exists_by_receiver) + " exists with names that depend on the message: each miss is a void lookup," +
               " of which receivers allow 2",
           "", kLimits);
    }
  }

  // Term by term: what is decided already, and what is odd about the addresses.
  void Terms(const mz::spf::Record& record) {
    TermSets sets(&e_, source_, key_.domain);
    SetId before4 = kEmptySet, before6 = kEmptySet;
    for (const Term& t : record.terms) {
      if (t.mechanism == Mechanism::kAll) break;
      if (!options_.domain_known && (!t.domain || mz::spf::Uses(*t.domain, 'd')) && t.mechanism != Mechanism::kIp4 &&
          t.mechanism != Mechanism::kIp6) {
        FindAt(Severity::kWarning, t, "not looked up: it means the domain that publishes the record", "--domain NAME", "");
        unnamed_ = true;
        continue;
      }
      const TermSet s = sets.Of(t);
      Broken(t);
      Redundant(t, s, before4, before6);
      Space(t);
      before4 = e_.sets4().Union(before4, s.v4);
      before6 = e_.sets6().Union(before6, s.v6);
    }
  }

  // An include without a usable record is an error for whoever comes so far (RFC 7208 section 5.2).
  void Broken(const Term& t) {
    if (t.mechanism != Mechanism::kInclude || mz::spf::IsDynamic(*t.domain)) return;
    const std::string text = mz::spf::ExpandStatic(*t.domain, {.domain = RawText(key_.domain), .is_v4 = true}).text;
    const std::optional<std::string> name = WireName(text);
    const std::string problem = name ? ReadRecord(source_, *name).problem : "not a domain name";
    if (!problem.empty()) FindAt(Severity::kError, t, "include:" + text.substr(0, 100) + ": " + problem, "", kIncludes);
  }

  void Redundant(const Term& t, const TermSet& s, SetId before4, SetId before6) {
    if (s.v4 == kAllAddresses || (s.v6 == kAllAddresses && t.mechanism != Mechanism::kIp6))
      FindAt(Severity::kError, t, "matches every address", "", "");
    if (!s.complete || (s.v4 == kEmptySet && s.v6 == kEmptySet)) return;
    if (e_.sets4().Subtract(s.v4, before4) != kEmptySet || e_.sets6().Subtract(s.v6, before6) != kEmptySet) return;
    FindAt(Severity::kWarning, t, "everything it matches is matched by terms before it", "leave it out", "");
  }

  void Space(const Term& t) {
    std::string_view what;
    bool wide = false;
    if (t.mechanism == Mechanism::kIp4)
      what = ReservedSpace(t.ip4, t.prefix4), wide = t.prefix4 <= kWide4;
    else if (t.mechanism == Mechanism::kIp6)
      what = ReservedSpace(t.ip6, t.prefix6), wide = t.prefix6 <= kWide6;
    if (!what.empty()) FindAt(Severity::kWarning, t, "address for " + std::string(what), "", "");
    if (wide)
      FindAt(Severity::kWarning, t, "a very large block: everybody in it may send for this domain", "", "");
    if (t.mechanism != Mechanism::kA && t.mechanism != Mechanism::kMx) return;
    if (t.prefix4 <= kWide4 || t.prefix6 <= kWide6)
      FindAt(Severity::kWarning, t, "a very large block around each address", "", "");
  }

  // Records that are read more than once, and each time cost their lookups.
  void Repeated() {
    absl::flat_hash_map<RecordKey, std::vector<const TreeLine*>> by_key;
    const std::vector<TreeLine> tree = Tree(source_, key_, e_.options().limits);
    std::vector<RecordKey> order;
    for (const TreeLine& line : tree) {
      if (line.kind != TreeLine::kRecord || line.depth == 0 || line.key.owner.empty()) continue;
      std::vector<const TreeLine*>& list = by_key[line.key];
      if (list.size() == 1) order.push_back(line.key);
      list.push_back(&line);
    }
    for (const RecordKey& key : order) {
      const std::vector<const TreeLine*>& list = by_key[key];
      const uint32_t cost = list.front()->total_lookups + 1;
      Find(Severity::kWarning, 0, 0,
           dns::NameText(key.owner) + " is read " + std::to_string(list.size()) + " times, " + std::to_string(cost) +
               (cost == 1 ? " lookup" : " lookups") + " each time",
           "", "");
    }
  }

  // What the evaluator noticed; what was said about the record itself is not repeated.
  void Below() {
    for (const Evaluator::Visited& v : e_.Walk({key_})) {
      for (const Finding& f : *v.findings) {
        if (out_.findings.size() >= kMaxFindings) return;
        const bool root = v.key == key_;
        if (root && f.diagnostic.severity == Severity::kWarning && f.section == "RFC 7208 section 5.1") continue;
        if (root && f.section == kIncludes) continue;
        // What is below a name that nobody knows says nothing.
        if (!options_.domain_known && (root ? f.diagnostic.column != 0 : v.key.domain.find(key_.domain) != std::string::npos))
          continue;
        if (root) {
          out_.findings.insert(out_.findings.begin() + static_cast<ptrdiff_t>(own_++), f);
        } else {
          out_.findings.push_back(f);
        }
      }
    }
  }

  void Passing() {
    const Policy& policy = e_.Evaluate(key_);
    for (const Entry& region : e_.partitions4().Regions(policy.v4)) {
      const Program& p = e_.programs().program(region.program);
      if (!p.clauses.empty() || p.fallback != Default::kPass) continue;
      for (const net::Range4& r : e_.sets4().Get(region.set))
        out_.pass4 += static_cast<double>(r.last) - static_cast<double>(r.first) + 1;
    }
  }

  // The rest of the address space: those that nothing matches meet every mistake.
  void Judge() {
    const LookupCount& c = out_.count;
    const Policy& policy = e_.Evaluate(key_);
    const Program& last = e_.programs().program(policy.v4.fallback);
    const bool always = policy.v4.entries.empty() && policy.v6.entries.empty() && last.clauses.empty();
    if (c.over) {
      out_.verdict = Audit::kSometimes;
      out_.reason = (c.cut ? "over " : "") + std::to_string(c.lookups) + " lookups, more than 10";
    } else if (!unnamed_ && (last.fallback == Default::kPermerror || last.fallback == Default::kTemperror)) {
      out_.verdict = always && last.fallback == Default::kPermerror ? Audit::kAlways : Audit::kSometimes;
      out_.transient = last.fallback == Default::kTemperror;
      out_.reason = last.fallback == Default::kPermerror ? "a record that it leads to is missing or broken"
                                                         : "a lookup that it leads to fails";
    } else if (std::max(c.void4.size(), c.void6.size()) > kReceiverVoids) {
      out_.verdict = Audit::kSometimes;
      out_.reason = std::to_string(std::max(c.void4.size(), c.void6.size())) + " void lookups, more than 2";
    } else if (!c.many_exchanges.empty()) {
      out_.verdict = Audit::kSometimes;
      out_.reason = "an mx with more than 10 exchanges";
    }
  }

  Evaluator& e_;
  AnswerSource* source_;
  const RecordKey& key_;
  const AuditOptions& options_;
  Audit& out_;
  bool unnamed_ = false;  // some term could not be looked up for lack of a domain
  size_t own_ = 0;  // findings of the record itself; they come first
};

}  // namespace

Audit AuditRecord(Evaluator* evaluator, AnswerSource* source, const RecordKey& key, const AuditOptions& options) {
  Audit out;
  evaluator->Evaluate(key);
  Auditor(evaluator, source, key, options, &out).Run();
  return out;
}

}  // namespace mz::compiler::spf
