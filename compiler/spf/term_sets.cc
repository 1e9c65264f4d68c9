// See term_sets.h.
#include "compiler/spf/term_sets.h"

#include "compiler/spf/read_record.h"
#include "compiler/spf/wire_names.h"
#include "format/dns/name.h"
#include "format/spf/macro.h"

namespace mz::compiler::spf {

using mz::spf::Mechanism;
using mz::spf::Term;
using resolve::Answer;

namespace {

const uint8_t* Octets(const std::string& s) { return reinterpret_cast<const uint8_t*>(s.data()); }

// Where an include of this policy matches for certain.
template <typename F>
SetId PassSet(Evaluator* e, SetPool<F>* sets, Partitions<F>* partitions, const Partition& policy, bool* complete) {
  SetId out = kEmptySet;
  for (const Entry& region : partitions->AsIncluded(policy).regions) {
    const Program& p = e->programs().program(region.program);
    if (p.clauses.empty() && p.fallback == Default::kPass)
      out = sets->Union(out, region.set);
    else
      *complete = false;
  }
  return out;
}

}  // namespace

TermSets::TermSets(Evaluator* evaluator, AnswerSource* source, const std::string& domain)
    : e_(*evaluator), source_(source), domain_text_(RawText(domain)) {}

std::optional<std::string> TermSets::Name(const Term& term, bool v4) const {
  if (!term.domain) return WireName(domain_text_);
  return WireName(mz::spf::ExpandStatic(*term.domain, {.domain = domain_text_, .is_v4 = v4}).text);
}

TermSet TermSets::Of(const Term& term) {
  TermSet out;
  if (term.mechanism == Mechanism::kPtr || (term.domain && mz::spf::IsDynamic(*term.domain))) {
    out.complete = false;
    return out;
  }
  switch (term.mechanism) {
    case Mechanism::kAll:
      return {kAllAddresses, kAllAddresses, true};
    case Mechanism::kIp4:
      out.v4 = e_.sets4().FromRanges({V4::Prefix(term.ip4, term.prefix4)});
      return out;
    case Mechanism::kIp6:
      out.v6 = e_.sets6().FromRanges({V6::Prefix(term.ip6, term.prefix6)});
      return out;
    case Mechanism::kInclude:
      return OfInclude(term);
    default:
      return OfHosts(term);
  }
}

TermSet TermSets::OfInclude(const Term& term) {
  TermSet out;
  const std::optional<std::string> name4 = Name(term, true), name6 = Name(term, false);
  if (!name4 || !name6) return {kEmptySet, kEmptySet, false};
  out.v4 = PassSet<V4>(&e_, &e_.sets4(), &e_.partitions4(), e_.Evaluate({*name4, *name4}).v4, &out.complete);
  out.v6 = PassSet<V6>(&e_, &e_.sets6(), &e_.partitions6(), e_.Evaluate({*name6, *name6}).v6, &out.complete);
  return out;
}

TermSet TermSets::OfHosts(const Term& term) {
  TermSet out;
  std::vector<net::Range4> four;
  std::vector<net::Range6> six;
  std::string unused;
  for (const bool v4 : {true, false}) {
    const std::optional<std::string> name = Name(term, v4);
    if (!name) continue;
    std::vector<std::string> hosts{*name};
    if (term.mechanism == Mechanism::kMx) {
      hosts.clear();
      const Answer* mx = source_->Find({*name, kTypeMx});
      if (LookupFailed(mx, &unused)) return {kEmptySet, kEmptySet, false};
      for (const std::string& rdata : mx->rdata) {
        if (rdata.size() < 4) continue;
        hosts.push_back(rdata.substr(2, rdata.size() - 3));
        dns::LowerName(&hosts.back());
      }
    }
    for (const std::string& host : hosts) {
      const Answer* a = source_->Find({host, v4 || term.mechanism == Mechanism::kExists ? kTypeA : kTypeAaaa});
      if (LookupFailed(a, &unused)) return {kEmptySet, kEmptySet, false};
      if (term.mechanism == Mechanism::kExists && a->kind == Answer::kData) (v4 ? out.v4 : out.v6) = kAllAddresses;
      if (term.mechanism == Mechanism::kExists) continue;
      for (const std::string& rdata : a->rdata) {
        if (rdata.size() == 4 && v4) four.push_back(V4::Prefix(LoadBe32(Octets(rdata)), term.prefix4));
        if (rdata.size() == 16 && !v4) six.push_back(V6::Prefix(net::Ip6::FromBytes(Octets(rdata)), term.prefix6));
      }
    }
  }
  if (term.mechanism == Mechanism::kExists) return out;
  out.v4 = e_.sets4().FromRanges(std::move(four));
  out.v6 = e_.sets6().FromRanges(std::move(six));
  return out;
}

}  // namespace mz::compiler::spf
