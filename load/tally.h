// Keeps the books of one worker: every query is sent, and then answered or lost, exactly once. Not
// thread-safe, except for `live`.
#pragma once

#include <cstdint>
#include <span>

#include "load/pending.h"
#include "load/query_pool.h"
#include "load/result.h"

namespace mz::load {

class Tally {
 public:
  // Counted are queries due from begin_ns to before end_ns.
  Tally(const QueryPool& pool, Live& live) : pool_(pool), live_(live) {}
  void SetWindow(uint64_t begin_ns, uint64_t end_ns) {
    begin_ns_ = begin_ns;
    end_ns_ = end_ns;
  }
  bool Counted(uint64_t due_ns) const { return due_ns >= begin_ns_ && due_ns < end_ns_; }

  void Sent(uint64_t due_ns, uint64_t queries, uint64_t bytes);
  // Takes Sent() back.
  void Unsent(uint64_t due_ns, uint64_t queries, uint64_t bytes);
  void Lag(uint64_t due_ns, uint64_t now_ns) {
    if (Counted(due_ns)) result_.send_lag.Add(now_ns > due_ns ? now_ns - due_ns : 0);
  }
  void Lost(const PendingQuery& q, bool early);
  // A whole DNS message with the header's 12 octets, QR set. Returns true when it is truncated and over UDP.
  bool Answered(const PendingQuery& q, std::span<const uint8_t> message, uint64_t now_ns);
  // What did not match a waiting query.
  void Stray(PendingTable::Match match, uint64_t now_ns);
  void Gap(uint64_t from_ns, uint64_t ns) {
    if (ns > result_.largest_gap_ns && Counted(from_ns)) result_.largest_gap_ns = ns;
  }
  // Puts the numbers where others see them.
  void Publish();

  Result& result() { return result_; }
  Counters& counters() { return result_.counters; }
  uint64_t last_answer_ns() const { return last_answer_ns_; }
  uint64_t all_answered() const { return shown_.answered; }

 private:
  Second& SecondOf(uint64_t due_ns);
  void Verify(const PendingQuery& q, std::span<const uint8_t> message);

  const QueryPool& pool_;
  Live& live_;
  Result result_;
  uint64_t begin_ns_ = 0, end_ns_ = ~0ull, last_answer_ns_ = 0;
  struct {
    uint64_t sent = 0, answered = 0, lost = 0;
  } shown_;  // warm-up included
};

}  // namespace mz::load
