// See refresher.h.
#include "compiler/spf/refresher.h"

#include <algorithm>
#include <limits>

#include "compiler/spf/txt_records.h"
#include "format/dns/name.h"
#include "format/spf/record.h"

namespace mz::compiler::spf {

using resolve::Answer;
using resolve::Judgement;
using resolve::Question;
using resolve::Verdict;

namespace {

constexpr uint16_t kA = 1, kMx = 15, kTxt = 16, kAaaa = 28;
constexpr uint32_t kSmallRecord = 8;  // of so few addresses a loss of half says nothing

struct RecordState {
  enum { kNone, kGood, kDoubled, kBroken } state = kNone;
  double addresses = 0;  // named by ip4 and ip6 (in /64) terms
  size_t terms = 0;
};

RecordState StateOf(const Answer& answer) {
  RecordState out;
  const std::vector<std::string> records = SpfRecordsOf(answer);
  if (records.size() > 1) out.state = RecordState::kDoubled;
  if (records.size() != 1) return out;
  for (const std::string& text : records) {
    mz::spf::Record record;
    mz::spf::SyntaxError error;
    if (!mz::spf::ParseRecord(text, &record, &error)) {
      out.state = RecordState::kBroken;
      continue;
    }
    out.state = RecordState::kGood;
    for (const mz::spf::Term& t : record.terms) {
      if (t.mechanism == mz::spf::Mechanism::kIp4) {
        out.terms++;
        out.addresses += static_cast<double>(uint64_t{1} << (32 - t.prefix4));
      } else if (t.mechanism == mz::spf::Mechanism::kIp6) {
        out.terms++;
        out.addresses += t.prefix6 < 64 ? static_cast<double>(uint64_t{1} << (63 - t.prefix6)) * 2 : 1;
      }
    }
  }
  return out;
}

}  // namespace

resolve::Judge SpfJudge(uint32_t max_shrink_percent) {
  return [max_shrink_percent](const Question& question, const Answer& before, const Answer& now) -> Judgement {
    if (question.type != kTxt) {
      if (now.kind != Answer::kData) return {Verdict::kConfirm, "the addresses are gone"};
      return {};
    }
    const RecordState was = StateOf(before), is = StateOf(now);
    if (was.state != RecordState::kGood) return {};
    switch (is.state) {
      case RecordState::kNone:
        return {Verdict::kConfirm, now.kind == Answer::kNxDomain ? "the name is gone" : "the SPF record is gone"};
      case RecordState::kDoubled:
        return {Verdict::kConfirm, "there are several SPF records now"};
      case RecordState::kBroken:
        return {Verdict::kConfirm, "the SPF record has a syntax error now"};
      case RecordState::kGood:
        break;
    }
    if (was.terms >= kSmallRecord && is.addresses * 100 < was.addresses * (100 - max_shrink_percent))
      return {Verdict::kHold, "the record names " + std::to_string(is.terms) + " prefixes, " +
                                  std::to_string(was.terms) + " before, and less than " +
                                  std::to_string(100 - max_shrink_percent) + " % of the addresses"};
    return {};
  };
}

Refresher::Refresher(resolve::Resolver* resolver, resolve::Store* store, Options options)
    : resolver_(resolver), store_(store), evaluator_(this, std::move(options)) {}

Refresher::~Refresher() = default;

const Answer* Refresher::Find(const Question& question) {
  const resolve::StoredNode* node = store_->Want(question);
  return node->asked ? &node->usable : nullptr;
}

void Refresher::SetDomains(std::vector<RecordKey> domains) {
  absl::flat_hash_set<RecordKey> wanted(domains.begin(), domains.end());
  for (const RecordKey& key : domains)
    if (!domain_set_.contains(key)) dirty_.insert(key);
  for (const RecordKey& key : domain_set_)
    if (!wanted.contains(key)) dirty_.erase(key);
  const bool some_left = std::any_of(domain_set_.begin(), domain_set_.end(),
                                     [&](const RecordKey& key) { return !wanted.contains(key); });
  domains_ = std::move(domains);
  domain_set_ = std::move(wanted);
  for (const RecordKey& key : domains_) evaluator_.Evaluate(key);
  if (some_left) {
    evaluator_.Keep(domains_);  // wants everything that is still needed
    store_->Sweep();
  }
}

void Refresher::AskDue(int64_t now) {
  while (const Question* question = store_->NextDue(now)) {
    counters_.asked++;
    if (const resolve::StoredNode* node = store_->Find(*question); node != nullptr && !node->asked)
      unanswered_.insert(*question);
    resolver_->Ask(*question, [this](const Question& q, Answer a) { Answered(q, std::move(a)); });
  }
}

void Refresher::Answered(const Question& question, Answer answer) {
  unanswered_.erase(question);
  const resolve::StoredNode* node = store_->Find(question);
  if (node == nullptr) return;  // not wanted any more
  counters_.answered++;
  if (answer.kind == Answer::kFailed) counters_.failed++;
  const bool first = !node->asked;
  resolve::Store::Change change = store_->Update(question, std::move(answer), now_);
  if (!change.changed && !first) return;
  Changed(question, std::move(change.before), first);
}

void Refresher::Changed(const Question& question, Answer before, bool first) {
  const resolve::StoredNode* node = store_->Find(question);
  changes_.push_back({question, std::move(before), node->usable, now_, first});
  evaluator_.Forget(question, [this](const RecordKey& key) {
    if (domain_set_.contains(key)) dirty_.insert(key);
  });
  // What follows from an answer is asked at once. Addresses lead to nothing, mail exchangers to their addresses.
  if (question.type == kTxt) evaluator_.Discover(question);
  if (question.type == kMx) WantExchanges(node->usable);
}

void Refresher::WantExchanges(const Answer& mx) {
  for (const std::string& rdata : mx.rdata) {
    if (rdata.size() < 4) continue;  // preference and the root: a null MX (RFC 7505)
    std::string exchange = rdata.substr(2, rdata.size() - 3);
    dns::LowerName(&exchange);
    for (uint16_t type : {kA, kAaaa}) store_->Want({exchange, type});
  }
}

bool Refresher::Acknowledge(const Question& question, int64_t now) {
  const resolve::StoredNode* node = store_->Find(question);
  if (node == nullptr) return false;
  now_ = now;
  Answer before = node->usable;
  if (!store_->Acknowledge(question, now)) return false;
  Changed(question, std::move(before), false);
  return true;
}

void Refresher::Step(int64_t now, int timeout_ms) {
  now_ = now;
  AskDue(now);
  if (resolver_->pending() > 0 || timeout_ms > 0) resolver_->Process(resolver_->pending() > 0 ? timeout_ms : 0);
  AskDue(now);
}

int Refresher::WaitMs(int64_t now, int most) const {
  int64_t wait = most;
  const int64_t due = store_->NextDueTime();
  if (due != std::numeric_limits<int64_t>::max()) wait = std::min(wait, std::max<int64_t>(0, (due - now) * 1000));
  if (const int deadline = resolver_->NextDeadlineMs(); deadline >= 0) wait = std::min<int64_t>(wait, deadline);
  return static_cast<int>(wait);
}

bool Refresher::settled() const { return resolver_->pending() == 0 && store_->NextDueTime() > now_; }

std::vector<Refresher::Change> Refresher::TakeChanges() { return std::exchange(changes_, {}); }

}  // namespace mz::compiler::spf
