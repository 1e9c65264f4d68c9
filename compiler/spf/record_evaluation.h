// One record while it is being evaluated: its terms from the last to the first, for both families in step. The inside of
// the evaluator, included by evaluator.cc only.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/spf/evaluator.h"
#include "compiler/spf/txt_records.h"
#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"
#include "format/spf/macro.h"

namespace mz::compiler::spf {

struct Evaluator::Node {
  RecordKey key;
  enum State : uint8_t { kUnknown, kRunning, kDone } state = kUnknown;
  Policy policy;
  std::optional<Included> included4, included6;
  std::vector<resolve::Question> questions;       // that it read itself
  std::vector<Node*> children;           // last term first, each once
  absl::flat_hash_set<Node*> parents;
  std::vector<Finding> findings;
  uint32_t tree_records = 1;             // with everything below, repeated ones counted again
  uint32_t height = 1;
  // Names met again while they were being evaluated: the result holds only below them, so it is not kept.
  std::vector<Node*> loops;
  bool stale = false;                    // forgotten since it was evaluated, and so is everything above it
  bool cyclic = false;                   // leads back to itself: evaluated anew below every other record
  uint32_t epoch = 0;
};

namespace internal {

inline constexpr uint16_t kA = 1, kMx = 15, kTxt = 16, kAaaa = 28;

inline std::string_view TypeName(uint16_t type) {
  return type == kA ? "A" : type == kMx ? "MX" : type == kTxt ? "TXT" : "AAAA";
}

template <typename T>
void PushUnique(std::vector<T>* list, const T& value) {
  if (std::find(list->begin(), list->end(), value) == list->end()) list->push_back(value);
}

}  // namespace internal

class Evaluator::RecordEvaluation {
 public:
  RecordEvaluation(Evaluator* e, Node* node) : e_(*e), node_(*node), domain_text_(RawText(node->key.domain)) {}

  void Run() {
    const resolve::Question question{node_.key.owner, internal::kTxt};
    const resolve::Answer* answer = e_.Ask(&node_, question);
    if (answer == nullptr || answer->kind == resolve::Answer::kFailed || answer->kind == resolve::Answer::kBogus) {
      if (answer != nullptr)
        Report(dataset::Severity::kError, 0, 0, "TXT lookup failed: " + answer->reason, "", "RFC 7208 section 4.4");
      return Everything(Default::kTemperror);
    }
    const std::vector<std::string> records = SpfRecordsOf(*answer);
    if (records.empty()) {
      Report(dataset::Severity::kError, 0, 0, answer->kind == resolve::Answer::kNxDomain ? "the name does not exist"
                                                                                : "no SPF record",
             "", "RFC 7208 section 4.5");
      return Everything(Default::kNone);
    }
    text_ = records.front();
    if (records.size() > 1) {
      Report(dataset::Severity::kError, 0, 0, std::to_string(records.size()) + " SPF records", "keep one of them",
             "RFC 7208 section 4.5");
      return Everything(Default::kPermerror);
    }
    if (text_.size() > e_.options_.limits.text_bytes) {
      Report(dataset::Severity::kError, 0, 0, "the record is longer than " +
             std::to_string(e_.options_.limits.text_bytes) + " octets", "", "");
      return Everything(Default::kPermerror);
    }
    mz::spf::SyntaxError error;
    if (!mz::spf::ParseRecord(text_, &record_, &error)) {
      Report(dataset::Severity::kError, error.column, error.length, error.message, error.hint, error.section);
      return Everything(Default::kPermerror);
    }
    node_.policy.has_record = true;
    Terms();
  }

 private:
  void Everything(Default d) { v4_.fallback = v6_.fallback = e_.programs_.Decided(d), v4_.entries.clear(),
                               v6_.entries.clear(), Store(); }
  void Store() {
    node_.policy.v4 = std::move(v4_);
    node_.policy.v6 = std::move(v6_);
  }

  void Report(dataset::Severity severity, uint32_t column, uint32_t length, std::string message, std::string hint,
              std::string_view section) {
    if (node_.findings.size() >= 20) return;
    node_.findings.push_back(MakeFinding(severity, node_.key.owner, text_, column, length, std::move(message),
                                         std::move(hint), section));
  }
  void ReportTerm(const mz::spf::Term& term, dataset::Severity severity, std::string message, std::string_view section) {
    Report(severity, term.column, term.length, std::move(message), "", section);
  }

  void Terms() {
    explanation_ = record_.explanation ? Explanation(*record_.explanation) : 0;
    size_t count = record_.terms.size();
    for (size_t i = 0; i < count; i++) {
      if (record_.terms[i].mechanism != mz::spf::Mechanism::kAll) continue;
      if (i + 1 < count)
        Report(dataset::Severity::kWarning, record_.terms[i + 1].column, record_.terms[i + 1].length,
               "terms behind \"all\" are never reached", "", "RFC 7208 section 5.1");
      count = i;
      v4_.fallback = v6_.fallback = e_.programs_.Decided(DefaultOf(record_.terms[i].qualifier), explanation_);
      return Backwards(count);
    }
    if (record_.redirect) {
      Redirect(*record_.redirect);
    } else {
      v4_.fallback = v6_.fallback = e_.programs_.Decided(Default::kNeutral);
    }
    Backwards(count);
  }

  // From the last term to the first: each is put in front of what follows it.
  void Backwards(size_t count) {
    for (size_t i = count; i-- > 0 && !too_complex_;) {
      if (v4_.entries.size() > kManyEntries * 2 || v6_.entries.size() > kManyEntries * 2) Compact();
      const mz::spf::Term& term = record_.terms[i];
      switch (term.mechanism) {
        case mz::spf::Mechanism::kAll:
          break;
        case mz::spf::Mechanism::kIp4:
          own4_.push_back(V4::Prefix(term.ip4, term.prefix4));
          Gather(term.qualifier, i);
          break;
        case mz::spf::Mechanism::kIp6:
          // A mapped client is an IPv4 client: nothing ever matches such a prefix (section 5).
          own6_.push_back(V6::Prefix(term.ip6, term.prefix6));
          Gather(term.qualifier, i);
          break;
        case mz::spf::Mechanism::kPtr:
          Dynamic(term, term.domain ? Expand(*term.domain, true).text : domain_text_,
                  term.domain ? Expand(*term.domain, false).text : domain_text_);
          break;
        case mz::spf::Mechanism::kInclude:
          IncludeTerm(term);
          break;
        case mz::spf::Mechanism::kExists:
        case mz::spf::Mechanism::kA:
        case mz::spf::Mechanism::kMx:
          if (NamedByReceiver(term)) {
            Dynamic(term, Expand(*term.domain, true).text, Expand(*term.domain, false).text);
          } else {
            Lookup(term, i);
          }
          break;
      }
    }
    Compact();
    if (too_complex_) Both(e_.programs_.Decided(Default::kPermerror));
    Store();
  }

  mz::spf::Expansion Expand(const mz::spf::MacroString& spec, bool v4) const {
    return mz::spf::ExpandStatic(spec, {.domain = domain_text_, .is_v4 = v4});
  }
  static bool NamedByReceiver(const mz::spf::Term& term) { return term.domain && mz::spf::IsDynamic(*term.domain); }

  // Own addresses with one result form one set, as long as nothing else stands between them.
  void Gather(Qualifier q, size_t i) {
    const bool more = i > 0 && record_.terms[i - 1].qualifier == q &&
                      (record_.terms[i - 1].mechanism == mz::spf::Mechanism::kIp4 ||
                       record_.terms[i - 1].mechanism == mz::spf::Mechanism::kIp6);
    if (!more) Flush(q);
  }
  void Flush(Qualifier q) {
    const ProgramId program = e_.programs_.Decided(DefaultOf(q), explanation_);
    e_.partitions4_.Decide(e_.sets4_.FromRanges(std::move(own4_)), program, &v4_);
    e_.partitions6_.Decide(e_.sets6_.FromRanges(std::move(own6_)), program, &v6_);
    own4_.clear();
    own6_.clear();
  }

  void Both(ProgramId program) {
    v4_ = Partition{{}, program};
    v6_ = Partition{{}, program};
  }

  bool PointsHome(std::string_view name) const {
    std::string lower(name);
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    while (!lower.empty() && lower.back() == '.') lower.pop_back();
    for (const std::string& zone : e_.options_.own_zones) {
      const std::string text = RawText(zone);
      if (!text.empty() && lower.size() >= text.size() && lower.ends_with(text) &&
          (lower.size() == text.size() || lower[lower.size() - text.size() - 1] == '.'))
        return true;
    }
    return false;
  }

  void Dynamic(const mz::spf::Term& term, const std::string& name4, const std::string& name6) {
    std::string text(mz::spf::MechanismName(term.mechanism));
    text += ':';
    if (PointsHome(name4)) {
      ReportTerm(term, dataset::Severity::kError, "points to a record that we publish: the source must not lead back to it",
                 "");
      return Both(e_.programs_.Decided(Default::kPermerror));
    }
    const bool ranged = term.mechanism == mz::spf::Mechanism::kA || term.mechanism == mz::spf::Mechanism::kMx;
    std::string text4 = text + name4, text6 = text + name6;
    if (ranged && term.prefix4 != 32) text4 += "/" + std::to_string(term.prefix4);
    if (ranged && term.prefix6 != 128) text6 += "//" + std::to_string(term.prefix6);
    if (term.domain && mz::spf::Uses(*term.domain, 'p'))
      ReportTerm(term, dataset::Severity::kWarning, "%{p} may be read differently behind the published record",
                 "RFC 7208 section 7.2");
    const AtomId atom4 = e_.programs_.MechanismAtom(text4), atom6 = e_.programs_.MechanismAtom(text6);
    e_.partitions4_.Map([&](ProgramId p) { return e_.programs_.Cons(term.qualifier, atom4, p, explanation_); }, &v4_);
    e_.partitions6_.Map([&](ProgramId p) { return e_.programs_.Cons(term.qualifier, atom6, p, explanation_); }, &v6_);
  }

  void Lookup(const mz::spf::Term& term, size_t) {
    const std::string text4 = term.domain ? Expand(*term.domain, true).text : domain_text_;
    const std::string text6 = term.domain ? Expand(*term.domain, false).text : domain_text_;
    const std::optional<std::string> name4 = WireName(text4), name6 = WireName(text6);
    if (term.mechanism == mz::spf::Mechanism::kExists) {
      // Always an A lookup, whatever the client is (section 5.7).
      Exists(term, name4, &v4_);
      Exists(term, name6, &v6_, /*told=*/name4 == name6);
      return;
    }
    if (!name4 || !name6) {
      ReportTerm(term, dataset::Severity::kWarning, "not a domain name: never matches", "RFC 7208 section 4.8");
      return;
    }
    bool failed4 = false, failed6 = false;
    std::vector<net::Range4> ranges4;
    std::vector<net::Range6> ranges6;
    if (term.mechanism == mz::spf::Mechanism::kA) {
      failed4 = !Addresses4(term, *name4, &ranges4);
      failed6 = !Addresses6(term, *name6, &ranges6);
    } else {
      failed4 = !Exchanges(term, *name4, true, &ranges4, &ranges6);
      failed6 = !Exchanges(term, *name6, false, &ranges4, &ranges6);
    }
    if (ranges4.size() > e_.options_.limits.addresses || ranges6.size() > e_.options_.limits.addresses) {
      ReportTerm(term, dataset::Severity::kError,
                 "more than " + std::to_string(e_.options_.limits.addresses) + " addresses", "");
      return Both(e_.programs_.Decided(Default::kPermerror));
    }
    if (ranges4.empty() && ranges6.empty() && !failed4 && !failed6)
      ReportTerm(term, dataset::Severity::kWarning, "no address: never matches", "");
    const ProgramId program = e_.programs_.Decided(DefaultOf(term.qualifier), explanation_);
    const ProgramId temperror = e_.programs_.Decided(Default::kTemperror);
    if (failed4)
      v4_ = Partition{{}, temperror};
    else
      e_.partitions4_.Decide(e_.sets4_.FromRanges(std::move(ranges4)), program, &v4_);
    if (failed6)
      v6_ = Partition{{}, temperror};
    else
      e_.partitions6_.Decide(e_.sets6_.FromRanges(std::move(ranges6)), program, &v6_);
  }

  // The answer, or null when it failed or is not there yet.
  const resolve::Answer* Get(const mz::spf::Term& term, const std::string& name, uint16_t type) {
    const resolve::Answer* a = e_.Ask(&node_, {name, type});
    if (a == nullptr) return nullptr;
    if (a->kind != resolve::Answer::kFailed && a->kind != resolve::Answer::kBogus) return a;
    ReportTerm(term, dataset::Severity::kError,
               std::string(internal::TypeName(type)) + " lookup of " + dns::NameText(name) + " failed: " + a->reason,
               "RFC 7208 section 5");
    return nullptr;
  }

  bool Addresses4(const mz::spf::Term& term, const std::string& name, std::vector<net::Range4>* out) {
    const resolve::Answer* a = Get(term, name, internal::kA);
    if (a == nullptr) return false;
    for (const std::string& rdata : a->rdata)
      if (rdata.size() == 4) out->push_back(V4::Prefix(LoadBe32(Octets(rdata)), term.prefix4));
    return true;
  }
  bool Addresses6(const mz::spf::Term& term, const std::string& name, std::vector<net::Range6>* out) {
    const resolve::Answer* a = Get(term, name, internal::kAaaa);
    if (a == nullptr) return false;
    for (const std::string& rdata : a->rdata)
      if (rdata.size() == 16) out->push_back(V6::Prefix(net::Ip6::FromBytes(Octets(rdata)), term.prefix6));
    return true;
  }
  bool Exchanges(const mz::spf::Term& term, const std::string& name, bool v4, std::vector<net::Range4>* out4,
                 std::vector<net::Range6>* out6) {
    const resolve::Answer* a = Get(term, name, internal::kMx);
    if (a == nullptr) return false;
    bool ok = true;
    for (const std::string& rdata : a->rdata) {
      if (rdata.size() < 4) continue;  // preference and the root: a null MX (RFC 7505)
      std::string exchange = rdata.substr(2, rdata.size() - 3);
      dns::LowerName(&exchange);
      ok &= v4 ? Addresses4(term, exchange, out4) : Addresses6(term, exchange, out6);
      if (out4->size() > e_.options_.limits.addresses || out6->size() > e_.options_.limits.addresses) break;
    }
    return ok;
  }
  static const uint8_t* Octets(const std::string& s) { return reinterpret_cast<const uint8_t*>(s.data()); }

  void Exists(const mz::spf::Term& term, const std::optional<std::string>& name, Partition* p, bool told = false) {
    if (!name) return;  // not a name: no such A record
    const resolve::Answer* a = told ? e_.Ask(&node_, {*name, internal::kA}) : Get(term, *name, internal::kA);
    if (a == nullptr || a->kind == resolve::Answer::kFailed || a->kind == resolve::Answer::kBogus) {
      *p = Partition{{}, e_.programs_.Decided(Default::kTemperror)};
    } else if (a->kind == resolve::Answer::kData) {
      *p = Partition{{}, e_.programs_.Decided(DefaultOf(term.qualifier), explanation_)};
    }
  }

  // The record at `name` as a child, or null with the reason told: it may not be followed.
  Node* Child(const std::string& text, uint32_t column, uint32_t length) {
    const std::optional<std::string> name = WireName(text);
    if (!name || dns::CountLabels(*name) < 2) {
      Report(dataset::Severity::kError, column, length, "\"" + text.substr(0, 80) + "\" is not a domain name", "",
             "RFC 7208 section 4.3");
      return nullptr;
    }
    if (PointsHome(text)) {
      Report(dataset::Severity::kError, column, length,
             "points to a record that we publish: the source must not lead back to it", "", "");
      return nullptr;
    }
    // Also a child that is not followed from here: the same record, reached another way, rests on it.
    Node* child = e_.NodeOf({*name, *name});
    internal::PushUnique(&node_.children, child);
    child->parents.insert(&node_);
    if (e_.stack_.size() >= e_.options_.limits.depth) {
      Report(dataset::Severity::kError, column, length,
             "more than " + std::to_string(e_.options_.limits.depth) + " records in a row", "", "");
      for (Node* n : e_.stack_) internal::PushUnique(&node_.loops, n);  // depends on where it was reached from
      return nullptr;
    }
    const bool loop = child->state == Node::kRunning ||
                      std::any_of(e_.stack_.begin(), e_.stack_.end(), [&](Node* n) { return n->key.domain == *name; });
    if (loop) {
      Report(dataset::Severity::kError, column, length, dns::NameText(*name) + " leads back to itself", "",
             "RFC 7208 section 4.6.4");
      for (Node* n : e_.stack_)
        if (n->key.domain == *name) internal::PushUnique(&node_.loops, n);
      return nullptr;
    }
    if (child->state != Node::kDone || child->cyclic) {
      if (++e_.evaluations_ > e_.options_.limits.records) {
        TooMany(column, length);
        for (Node* n : e_.stack_) internal::PushUnique(&node_.loops, n);
        return nullptr;
      }
      e_.EvaluateNode(child);
    }
    node_.tree_records = static_cast<uint32_t>(
        std::min<uint64_t>(uint64_t{node_.tree_records} + child->tree_records, 1u << 30));
    node_.height = std::max(node_.height, child->height + 1);
    for (Node* n : child->loops)
      if (n != child) internal::PushUnique(&node_.loops, n);
    node_.policy.ttl = std::min(node_.policy.ttl, child->policy.ttl);
    node_.policy.complete &= child->policy.complete;
    if (node_.tree_records > e_.options_.limits.records) {
      TooMany(column, length);
      return nullptr;
    }
    return child;
  }
  void TooMany(uint32_t column, uint32_t length) {
    Report(dataset::Severity::kError, column, length,
           "leads to more than " + std::to_string(e_.options_.limits.records) + " records", "", "");
  }

  void IncludeTerm(const mz::spf::Term& term) {
    if (mz::spf::IsDynamic(*term.domain))
      return Dynamic(term, Expand(*term.domain, true).text, Expand(*term.domain, false).text);
    const std::string text4 = Expand(*term.domain, true).text, text6 = Expand(*term.domain, false).text;
    Node* child4 = Child(text4, term.column, term.length);
    Node* child6 = text4 == text6 ? child4 : Child(text6, term.column, term.length);
    for (Node* child : {child4, child4 == child6 ? nullptr : child6}) {
      if (child == nullptr || child->policy.has_record) continue;
      ReportTerm(term, dataset::Severity::kError, "the included name has no usable record",
                 "RFC 7208 section 5.2");
    }
    const ProgramId permerror = e_.programs_.Decided(Default::kPermerror);
    if (child4 == nullptr)
      v4_ = Partition{{}, permerror};
    else
      e_.partitions4_.Include(term.qualifier, View4(child4), explanation_, &v4_);
    if (child6 == nullptr)
      v6_ = Partition{{}, permerror};
    else
      e_.partitions6_.Include(term.qualifier, View6(child6), explanation_, &v6_);
    if (v4_.entries.size() > kManyEntries || v6_.entries.size() > kManyEntries) Compact();
  }
  const Included& View4(Node* n) {
    if (!n->included4) n->included4 = e_.partitions4_.AsIncluded(n->policy.v4);
    return *n->included4;
  }
  const Included& View6(Node* n) {
    if (!n->included6) n->included6 = e_.partitions6_.AsIncluded(n->policy.v6);
    return *n->included6;
  }

  void Redirect(const mz::spf::Modifier& redirect) {
    if (mz::spf::IsDynamic(redirect.value)) {
      const std::string text4 = Expand(redirect.value, true).text, text6 = Expand(redirect.value, false).text;
      if (PointsHome(text4)) {
        Report(dataset::Severity::kError, redirect.column, redirect.length,
               "points to a record that we publish: the source must not lead back to it", "", "");
        return Both(e_.programs_.Decided(Default::kPermerror));
      }
      v4_.fallback = e_.programs_.Redirect(text4);
      v6_.fallback = e_.programs_.Redirect(text6);
      return;
    }
    const std::string text4 = Expand(redirect.value, true).text, text6 = Expand(redirect.value, false).text;
    Node* child4 = Child(text4, redirect.column, redirect.length);
    Node* child6 = text4 == text6 ? child4 : Child(text6, redirect.column, redirect.length);
    const ProgramId permerror = e_.programs_.Decided(Default::kPermerror);
    v4_ = child4 != nullptr ? child4->policy.v4 : Partition{{}, permerror};
    v6_ = child6 != nullptr ? child6->policy.v6 : Partition{{}, permerror};
    const auto none = [&](ProgramId p) { return e_.programs_.NoneToPermerror(p); };
    e_.partitions4_.Map(none, &v4_);
    e_.partitions6_.Map(none, &v6_);
  }

  // Many entries: one set per program is fewer.
  void Compact() {
    CompactOne(&e_.partitions4_, &v4_);
    CompactOne(&e_.partitions6_, &v6_);
  }
  template <typename F>
  void CompactOne(Partitions<F>* partitions, Partition* p) {
    if (p->entries.size() <= kManyEntries) return;
    std::vector<Entry> regions = partitions->Regions(*p);
    if (regions.size() > e_.options_.limits.regions) {
      Report(dataset::Severity::kError, 0, 0, "more than " + std::to_string(e_.options_.limits.regions) +
             " classes of addresses that differ in what the receiver must look up", "", "");
      too_complex_ = true;
      return;
    }
    p->fallback = regions.back().program;
    regions.pop_back();
    p->entries = std::move(regions);
  }

  // The macro-string a receiver shows for a fail, with %{d} filled in; 0: none (section 6.2: trouble with it is ignored).
  TextRef Explanation(const mz::spf::Modifier& modifier) {
    const auto drop = [&](std::string why) {
      Report(dataset::Severity::kWarning, modifier.column, modifier.length, "no explanation: " + std::move(why), "",
             "RFC 7208 section 6.2");
      return TextRef{0};
    };
    const mz::spf::Expansion name = Expand(modifier.value, true);
    if (name.dynamic) return drop("its name depends on the message");
    const std::optional<std::string> wire = WireName(name.text);
    if (!wire) return drop("not a domain name");
    const resolve::Answer* a = e_.Ask(&node_, {*wire, internal::kTxt});
    if (a == nullptr) return 0;
    if (a->kind != resolve::Answer::kData || a->rdata.size() != 1) return drop("it must be exactly one TXT record");
    std::string text;
    if (!JoinStrings(a->rdata[0], &text)) return drop("broken TXT record");
    mz::spf::MacroString parts;
    size_t error_at = 0;
    if (!mz::spf::ParseMacroString(text, true, &parts, &error_at))
      return drop("mistake at octet " + std::to_string(error_at + 1) + " of its text");
    // %{v} stays: the explanation serves both families.
    for (mz::spf::MacroPart& part : parts)
      if (part.letter == 'd') part.literal = Expand({part}, true).text, part.letter = 0;
    const std::string out = mz::spf::ExplanationText(parts);
    if (out.size() > kMaxExplanation) return drop("longer than " + std::to_string(kMaxExplanation) + " octets");
    return e_.programs_.InternText(out);
  }

  static constexpr size_t kManyEntries = 128;
  static constexpr size_t kMaxExplanation = 450;

  Evaluator& e_;
  Node& node_;
  const std::string domain_text_;
  std::string text_;
  mz::spf::Record record_;
  TextRef explanation_ = 0;
  bool too_complex_ = false;
  Partition v4_, v6_;
  std::vector<net::Range4> own4_;
  std::vector<net::Range6> own6_;
};

}  // namespace mz::compiler::spf
