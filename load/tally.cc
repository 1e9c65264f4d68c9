// See tally.h.
#include "load/tally.h"

#include "base/endian.h"
#include "format/dns/message.h"
#include "load/answer_hash.h"

namespace mz::load {

void Counters::Merge(const Counters& o) {
  sent += o.sent;
  answered += o.answered;
  answered_in_window += o.answered_in_window;
  lost += o.lost;
  lost_early += o.lost_early;
  late += o.late;
  duplicate += o.duplicate;
  unexpected += o.unexpected;
  mismatched += o.mismatched;
  verified += o.verified;
  truncated += o.truncated;
  with_records += o.with_records;
  send_failed += o.send_failed;
  refused += o.refused;
  bytes_sent += o.bytes_sent;
  bytes_received += o.bytes_received;
  tcp_retried += o.tcp_retried;
  tcp_retry_answered += o.tcp_retry_answered;
  connections += o.connections;
  connect_failed += o.connect_failed;
  closed_early += o.closed_early;
  for (size_t i = 0; i < rcode.size(); i++) rcode[i] += o.rcode[i];
}

Second& Tally::SecondOf(uint64_t due_ns) {
  const size_t index = (due_ns - begin_ns_) / 1'000'000'000u;
  while (result_.seconds.size() <= index) result_.seconds.emplace_back();
  return result_.seconds[index];
}

void Tally::Sent(uint64_t due_ns, uint64_t queries, uint64_t bytes) {
  shown_.sent += queries;
  if (!Counted(due_ns)) return;
  result_.counters.sent += queries;
  result_.counters.bytes_sent += bytes;
  SecondOf(due_ns).sent += queries;
}

void Tally::Unsent(uint64_t due_ns, uint64_t queries, uint64_t bytes) {
  shown_.sent -= queries;
  if (!Counted(due_ns)) return;
  result_.counters.sent -= queries;
  result_.counters.bytes_sent -= bytes;
  result_.counters.send_failed += queries;
  SecondOf(due_ns).sent -= queries;
}

void Tally::Lost(const PendingQuery& q, bool early) {
  shown_.lost++;
  if (!Counted(q.due_ns)) return;
  result_.counters.lost++;
  result_.counters.lost_early += early;
  SecondOf(q.due_ns).lost++;
}

bool Tally::Answered(const PendingQuery& q, std::span<const uint8_t> message, uint64_t now_ns) {
  shown_.answered++;
  last_answer_ns_ = now_ns;
  const uint16_t flags = LoadBe16(&message[2]);
  const bool truncated = (flags & dns::kFlagTc) != 0;
  Counters& c = result_.counters;
  if (now_ns >= begin_ns_ && now_ns < end_ns_) c.answered_in_window++;
  if (!Counted(q.due_ns)) return truncated;
  const uint64_t latency = now_ns > q.due_ns ? now_ns - q.due_ns : 0;
  c.answered++;
  c.bytes_received += message.size();
  c.truncated += truncated;
  c.with_records += LoadBe16(&message[6]) != 0;
  c.rcode[flags & dns::kRcodeMask]++;
  result_.latency.Add(latency);
  result_.sizes.Add(message.size());
  Second& second = SecondOf(q.due_ns);
  second.answered++;
  second.latency.Add(latency);
  if (pool_.expected(q.query) != QueryPool::kNoExpectation) Verify(q, message);
  return truncated;
}

void Tally::Verify(const PendingQuery& q, std::span<const uint8_t> message) {
  result_.counters.verified++;
  if (AnswerHash(message) == pool_.expected(q.query)) return;
  result_.counters.mismatched++;
  if (result_.mismatches.size() < kMismatchesKept)
    result_.mismatches.push_back({q.query, std::string(message.begin(), message.end())});
}

void Tally::Stray(PendingTable::Match match, uint64_t now_ns) {
  if (now_ns < begin_ns_) return;
  Counters& c = result_.counters;
  if (match == PendingTable::kDuplicate)
    c.duplicate++;
  else if (match == PendingTable::kLate)
    c.late++;
  else
    c.unexpected++;
}

void Tally::Publish() {
  live_.sent.store(shown_.sent, std::memory_order_relaxed);
  live_.answered.store(shown_.answered, std::memory_order_relaxed);
  live_.lost.store(shown_.lost, std::memory_order_relaxed);
  live_.refused.store(result_.counters.refused, std::memory_order_relaxed);
}

}  // namespace mz::load
