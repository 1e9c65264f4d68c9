// See store.h. The rules are those of docs/SPF.md, failure policy; each stands at the line that applies it.
#include "compiler/resolve/store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "compiler/resolve/store_impl.h"

namespace mz::resolve {
namespace {

constexpr uint32_t kWarnAfterFailures = 3;
constexpr int64_t kWarnAfterSeconds = 15 * 60;

std::string Duration(int64_t seconds) {
  if (seconds >= 2 * 86400) return std::to_string(seconds / 86400) + " d";
  if (seconds >= 2 * 3600) return std::to_string(seconds / 3600) + " h";
  if (seconds >= 2 * 60) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds) + " s";
}

// SplitMix64: a step of a seeded sequence.
uint64_t NextRandom(uint64_t* state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

bool IsFailure(const Answer& answer) { return answer.kind == Answer::kFailed || answer.kind == Answer::kBogus; }

}  // namespace

Judgement JudgeDisappearance(const Question&, const Answer&, const Answer& now) {
  if (now.kind == Answer::kNxDomain) return {Verdict::kConfirm, "NXDOMAIN where data was"};
  if (now.kind == Answer::kNoData) return {Verdict::kConfirm, "NODATA where data was"};
  return {};
}

void Store::Impl::Event(const Node& node, StoreEvent::Level level, std::string text) {
  events.push_back({level, node.question, std::move(text)});
}

void Store::Impl::Schedule(Node* node, int64_t due) {
  node->next_due = due;
  node->ticket = ++last_ticket;
  heap.push_back({due, node->ticket, node});
  std::push_heap(heap.begin(), heap.end(), LaterFirst);
  // Updates nobody asked for leave dead entries behind.
  if (heap.size() > 2 * nodes.size() + 64) RebuildHeap();
}

void Store::Impl::RebuildHeap() {
  heap.clear();
  for (const auto& node : nodes)
    if (node->ticket != 0) heap.push_back({node->next_due, node->ticket, node.get()});
  std::make_heap(heap.begin(), heap.end(), LaterFirst);
}

void Store::Impl::DropDead() {
  while (!heap.empty() && heap.front().node->ticket != heap.front().ticket) {
    std::pop_heap(heap.begin(), heap.end(), LaterFirst);
    heap.pop_back();
  }
}

int64_t Store::Impl::RefreshAt(const Node& node, int64_t now) {
  const uint32_t low = policy.min_refresh, high = std::max(policy.min_refresh, policy.max_refresh);
  const uint64_t interval = std::clamp(node.top_ttl, low, high);
  // 0.9 to 1.0 of it, so that questions of one moment spread.
  const uint64_t cut = interval * (NextRandom(&random) % 1024) / 10240;
  return now + static_cast<int64_t>(std::max<uint64_t>(1, interval - cut));
}

void Store::Impl::Release(Node* node) {
  node->held.reset();
  node->held_count = 0;
  node->held_since = 0;
  node->held_verdict = Verdict::kAccept;
  node->held_reason.clear();
}

Store::Change Store::Impl::Replace(Node* node, Answer answer, int64_t now) {
  Release(node);
  Change change{true, std::exchange(node->usable, std::move(answer))};
  node->asked = true;
  if (!IsFailure(node->usable)) {
    node->good_at = node->first_good_at = now;
    node->top_ttl = node->usable.ttl;
  }
  return change;
}

Store::Change Store::Impl::TakeFailure(Node* node, Answer answer, int64_t now) {
  if (node->failures++ == 0) node->failing_since = now;
  node->last_error = std::move(answer.reason);
  const uint32_t doublings = std::min(node->failures - 1, 20u);
  const uint64_t pause = std::min<uint64_t>(uint64_t{policy.retry_first} << doublings, policy.retry_max);
  Schedule(node, now + static_cast<int64_t>(std::max<uint64_t>(1, pause)));

  if (!node->asked) {
    Event(*node, StoreEvent::kError, "never had an answer: " + node->last_error);
    node->alarms |= kAlarmWarned | kAlarmHalf | kAlarmStale;
    answer.reason = node->last_error;
    answer.rdata.clear();
    return Replace(node, std::move(answer), now);
  }
  if (IsFailure(node->usable)) {
    node->usable.reason = node->last_error;
    return {};
  }
  const int64_t age = now - node->good_at;
  if (age >= policy.max_stale) {
    // Last known good data that is older than max_stale is no data.
    Event(*node, StoreEvent::kError,
          "no good answer for " + Duration(age) + "; its last known good data is dropped: " + node->last_error);
    node->alarms |= kAlarmWarned | kAlarmHalf | kAlarmStale;
    answer.reason = "no good answer for " + Duration(age) + ": " + node->last_error;
    answer.rdata.clear();
    return Replace(node, std::move(answer), now);
  }
  if ((node->alarms & kAlarmHalf) == 0 && age >= policy.max_stale / 2) {
    Event(*node, StoreEvent::kError,
          "no good answer for " + Duration(age) + ", half of what is allowed: " + node->last_error);
    node->alarms |= kAlarmHalf | kAlarmWarned;
  } else if ((node->alarms & kAlarmWarned) == 0 &&
             (node->failures >= kWarnAfterFailures || now - node->failing_since >= kWarnAfterSeconds)) {
    Event(*node, StoreEvent::kWarning, std::to_string(node->failures) + " failures in a row, last known good data is used: " +
                                           node->last_error);
    node->alarms |= kAlarmWarned;
  }
  return {};
}

Store::Change Store::Impl::TakeGood(Node* node, Answer answer, int64_t now) {
  if (node->alarms != 0) Event(*node, StoreEvent::kInfo, "answers again");
  node->alarms = 0;
  node->failures = 0;
  node->failing_since = 0;
  node->last_error.clear();

  if (node->asked && node->usable.SameData(answer)) {
    if (node->held) Event(*node, StoreEvent::kInfo, "the data is as before again; dropped what was held: " + node->held_reason);
    Release(node);
    node->good_at = now;
    node->top_ttl = std::max(node->top_ttl, answer.ttl);
    node->usable.ttl = answer.ttl;
    node->usable.secure = answer.secure;
    Schedule(node, RefreshAt(*node, now));
    return {};
  }
  Judgement judgement;
  if (node->asked && node->usable.kind == Answer::kData)
    judgement = judge ? judge(node->question, node->usable, answer) : JudgeDisappearance(node->question, node->usable, answer);
  if (judgement.verdict != Verdict::kAccept) return Hold(node, std::move(answer), std::move(judgement), now);
  Change change = Replace(node, std::move(answer), now);
  Schedule(node, RefreshAt(*node, now));
  return change;
}

// A surprise: last known good data stays until the surprise was confirmed, lasted long enough, or is older than
// max_stale itself.
Store::Change Store::Impl::Hold(Node* node, Answer answer, Judgement judgement, int64_t now) {
  const bool confirm = judgement.verdict == Verdict::kConfirm;
  const bool first = node->held == nullptr || node->held_verdict != judgement.verdict;
  const bool same = !first && node->held->SameData(answer);
  // Confirmation is the same answer again. A shrunk provider may go on changing while it is held.
  if (first || (confirm && !same)) {
    node->held_count = 0;
    node->held_since = now;
  }
  if (first || node->held_reason != judgement.reason)
    Event(*node, confirm ? StoreEvent::kError : StoreEvent::kWarning,
          judgement.reason + "; the data from before is used until this is " + (confirm ? "confirmed" : "acknowledged or lasts"));
  node->held_count++;
  node->held_verdict = judgement.verdict;
  node->held_reason = std::move(judgement.reason);

  const int64_t lasted = now - node->held_since;
  const bool believed = confirm ? node->held_count >= policy.confirmations && lasted >= policy.confirm_seconds
                                : lasted >= policy.hold_max;
  if (believed || now - node->good_at >= policy.max_stale) {
    Event(*node, confirm ? StoreEvent::kError : StoreEvent::kWarning,
          "believed after " + std::to_string(node->held_count) + " answers within " + Duration(lasted) + ": " +
              node->held_reason);
    Change change = Replace(node, std::move(answer), now);
    Schedule(node, RefreshAt(*node, now));
    return change;
  }
  node->held = std::make_unique<const Answer>(std::move(answer));
  int64_t due = now + std::max<int64_t>(1, policy.confirm_retry);
  if (!confirm && node->held_count > policy.confirmations)
    due = std::min(RefreshAt(*node, now), node->held_since + policy.hold_max);
  Schedule(node, due);
  return {};
}

Store::Store(StorePolicy policy, Judge judge) : impl_(std::make_unique<Impl>()) {
  impl_->policy = policy;
  impl_->judge = std::move(judge);
  impl_->random = policy.jitter_seed;
}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

const StoredNode* Store::Want(const Question& q) {
  auto it = impl_->nodes.find(q);
  if (it == impl_->nodes.end()) {
    auto node = std::make_unique<Node>();
    node->question = q;
    it = impl_->nodes.insert(std::move(node)).first;
  }
  Node* node = it->get();
  node->wanted = true;
  if (!node->scheduled) {
    node->scheduled = true;
    impl_->Schedule(node, node->next_due);
  }
  return node;
}

const StoredNode* Store::Find(const Question& q) const {
  auto it = impl_->nodes.find(q);
  return it == impl_->nodes.end() ? nullptr : it->get();
}

void Store::Sweep() {
  // The heap holds pointers to nodes: it goes first and comes back without the dropped ones.
  impl_->heap.clear();
  for (auto it = impl_->nodes.begin(); it != impl_->nodes.end();) {
    if (!(*it)->wanted) {
      impl_->nodes.erase(it++);
    } else {
      (*it)->wanted = false;
      ++it;
    }
  }
  impl_->RebuildHeap();
}

const Question* Store::NextDue(int64_t now) {
  impl_->DropDead();
  if (impl_->heap.empty() || impl_->heap.front().due > now) return nullptr;
  Node* node = impl_->heap.front().node;
  std::pop_heap(impl_->heap.begin(), impl_->heap.end(), LaterFirst);
  impl_->heap.pop_back();
  node->ticket = 0;
  return &node->question;
}

int64_t Store::NextDueTime() const {
  impl_->DropDead();
  return impl_->heap.empty() ? std::numeric_limits<int64_t>::max() : impl_->heap.front().due;
}

Store::Change Store::Update(const Question& q, Answer answer, int64_t now) {
  auto it = impl_->nodes.find(q);
  if (it == impl_->nodes.end()) return {};  // swept meanwhile
  Node* node = it->get();
  node->scheduled = true;
  return IsFailure(answer) ? impl_->TakeFailure(node, std::move(answer), now)
                           : impl_->TakeGood(node, std::move(answer), now);
}

bool Store::Acknowledge(const Question& q, int64_t now) {
  auto it = impl_->nodes.find(q);
  if (it == impl_->nodes.end() || (*it)->held == nullptr) return false;
  Node* node = it->get();
  impl_->Event(*node, StoreEvent::kInfo, "acknowledged by the operator: " + node->held_reason);
  impl_->Replace(node, *node->held, now);
  return true;
}

std::vector<StoreEvent> Store::TakeEvents() { return std::exchange(impl_->events, {}); }
size_t Store::size() const { return impl_->nodes.size(); }

void Store::ForEach(const std::function<void(const StoredNode&)>& visit) const {
  for (const Node* node : impl_->Sorted()) visit(*node);
}

std::vector<const Node*> Store::Impl::Sorted() const {
  std::vector<const Node*> sorted;
  sorted.reserve(nodes.size());
  for (const auto& node : nodes) sorted.push_back(node.get());
  std::sort(sorted.begin(), sorted.end(), [](const Node* a, const Node* b) { return a->question < b->question; });
  return sorted;
}

}  // namespace mz::resolve
