// See lookup_count.h.
#include "compiler/spf/lookup_count.h"

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

constexpr uint32_t kGiveUp = 1000;  // lookups; includes that repeat includes grow exponentially

bool Empty(const Answer* a) { return a != nullptr && (a->kind == Answer::kNoData || a->kind == Answer::kNxDomain); }

class Counter {
 public:
  Counter(AnswerSource* source, const Limits& limits, const CountOptions& options)
      : source_(source), limits_(limits), options_(options) {}

  void Record(const RecordKey& key) {
    const RecordRead read = ReadRecord(source_, key.owner);
    out_.records++;
    if (!read.ok || running_.size() >= limits_.depth) return;
    running_.push_back(key.domain);
    Terms(read, key);
    running_.pop_back();
  }
  LookupCount Take() { return std::move(out_); }

 private:
  void Terms(const RecordRead& read, const RecordKey& key) {
    const std::string domain = RawText(key.domain);
    for (const Term& t : read.record.terms) {
      if (t.mechanism == Mechanism::kAll) return;
      if (t.mechanism == Mechanism::kIp4 || t.mechanism == Mechanism::kIp6) continue;
      if (!Begin(key, read.text, t.column, t.length)) return;
      LookUp(t, domain);
    }
    const auto& redirect = read.record.redirect;
    if (redirect && Begin(key, read.text, redirect->column, redirect->length)) Follow(redirect->value, domain);
  }

  // Counts one lookup. False: enough.
  bool Begin(const RecordKey& key, const std::string& text, uint32_t column, uint32_t length) {
    if (out_.lookups >= kGiveUp) return !(out_.cut = true);
    out_.lookups++;
    if (running_.size() == 1) root_column_ = column, root_length_ = length;
    place_ = {dns::NameText(key.owner), text.substr(column - 1, length), root_column_, root_length_, 0};
    if (out_.lookups == kReceiverLookups + 1) out_.over = place_;
    return true;
  }

  // Means the domain of a record of which nobody said where it is published.
  bool Unnamed(const std::optional<mz::spf::MacroString>& name) const {
    return !options_.domain_known && running_.size() == 1 && (!name || mz::spf::Uses(*name, 'd'));
  }

  void LookUp(const Term& t, const std::string& domain) {
    const bool dynamic = t.mechanism == Mechanism::kPtr || (t.domain && mz::spf::IsDynamic(*t.domain));
    if (dynamic) {
      out_.by_receiver++;
      out_.exists_by_receiver += t.mechanism == Mechanism::kExists;
    } else if (!Unnamed(t.domain)) {
      if (t.mechanism == Mechanism::kInclude)
        Follow(*t.domain, domain);
      else
        Addresses(t, domain);
    }
  }

  void Follow(const mz::spf::MacroString& spec, const std::string& domain) {
    if (Unnamed(spec)) return;
    const mz::spf::Expansion e = mz::spf::ExpandStatic(spec, {.domain = domain, .is_v4 = true});
    if (e.dynamic) {
      out_.by_receiver++;
      return;
    }
    const std::optional<std::string> name = WireName(e.text);
    if (!name || std::find(running_.begin(), running_.end(), *name) != running_.end()) return;  // permerror
    if (Empty(source_->Find({*name, kTypeTxt}))) Void(true, true);
    Record({*name, *name});
  }

  void Addresses(const Term& t, const std::string& domain) {
    bool empty[2];
    for (const bool v6 : {false, true}) {
      const std::string text =
          t.domain ? mz::spf::ExpandStatic(*t.domain, {.domain = domain, .is_v4 = !v6}).text : domain;
      const std::optional<std::string> name = WireName(text);
      const uint16_t type = v6 && t.mechanism != Mechanism::kExists ? kTypeAaaa : kTypeA;
      empty[v6] = name && (t.mechanism == Mechanism::kMx ? NoExchange(*name, type, !v6) : Empty(source_->Find({*name, type})));
    }
    Void(empty[0], empty[1]);
  }

  // The MX lookup itself, or every address lookup that follows from it, finds nothing.
  bool NoExchange(const std::string& name, uint16_t type, bool tell) {
    const Answer* mx = source_->Find({name, kTypeMx});
    if (Empty(mx)) return true;
    if (mx == nullptr || mx->kind != Answer::kData) return false;
    if (tell && mx->rdata.size() > kReceiverExchanges) {
      place_.exchanges = static_cast<uint32_t>(mx->rdata.size());
      out_.many_exchanges.push_back(place_);
    }
    bool all_empty = true;
    for (const std::string& rdata : mx->rdata) {
      if (rdata.size() < 4) return false;  // null MX (RFC 7505): nothing more is asked
      std::string host = rdata.substr(2, rdata.size() - 3);
      dns::LowerName(&host);
      all_empty &= Empty(source_->Find({host, type}));
    }
    return all_empty;
  }

  void Void(bool four, bool six) {
    if (four) out_.void4.push_back(place_);
    if (six) out_.void6.push_back(place_);
  }

  AnswerSource* source_;
  const Limits& limits_;
  const CountOptions& options_;
  LookupCount out_;
  LookupCount::Place place_;
  uint32_t root_column_ = 0, root_length_ = 0;
  std::vector<std::string> running_;
};

}  // namespace

LookupCount CountLookups(AnswerSource* source, const RecordKey& key, const Limits& limits, const CountOptions& options) {
  Counter counter(source, limits, options);
  counter.Record(key);
  return counter.Take();
}

}  // namespace mz::compiler::spf
