// Keeps what the domains rest on fresh: asks every question when it is due, and knows whose policy may have changed.
//
//   Refresher r(resolver, &store, options);
//   r.SetDomains(keys);
//   while (!r.settled()) r.Step(now, 100);       // first time: until everything was asked once
//   for (;;) { r.Step(now, r.WaitMs(now)); if (!r.dirty().empty() && r.settled()) build; }
//
// Discovery is pipelined: an answer is read at once for the questions that follow from it, so a chain of includes costs its
// length in round trips, and all domains are fetched side by side. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "compiler/resolve/resolver.h"
#include "compiler/resolve/store.h"
#include "compiler/spf/evaluator.h"

namespace mz::compiler::spf {

// What to think of a new answer: an SPF record that is gone, doubled or broken, and addresses that vanish, are believed only
// when confirmed; a record that names less than `max_shrink_percent` of the addresses it named is held. A source record
// (`is_source`) is treated like any other.
resolve::Judge SpfJudge(uint32_t max_shrink_percent);

class Refresher : private AnswerSource {
 public:
  Refresher(resolve::Resolver* resolver, resolve::Store* store, Options options);
  ~Refresher() override;

  Evaluator& evaluator() { return evaluator_; }

  // Replaces the domains. New ones are asked for at once; what no domain needs any more is forgotten.
  void SetDomains(std::vector<RecordKey> domains);

  // Asks what is due, waits up to timeout_ms for answers, and takes them in.
  void Step(int64_t now, int timeout_ms);
  // How long Step() may wait without missing anything: until the next due question or deadline; at most `most`.
  int WaitMs(int64_t now, int most) const;
  // The operator's word: what the failure policy holds back for this question is believed. False: nothing is held.
  bool Acknowledge(const resolve::Question& question, int64_t now);

  // Nothing is on its way, and everything that is due has been asked.
  bool settled() const;
  // Some question has never been answered yet: a policy may still be incomplete.
  bool discovering() const { return !unanswered_.empty(); }

  struct Change {
    resolve::Question question;
    resolve::Answer before, after;   // before: kFailed with reason "" when it was the first answer
    int64_t at = 0;
    bool first = false;
  };
  std::vector<Change> TakeChanges();
  // Domains whose policy may differ from what it was at the last ClearDirty().
  const absl::flat_hash_set<RecordKey>& dirty() const { return dirty_; }
  void ClearDirty() { dirty_.clear(); }

  struct Counters {
    uint64_t asked = 0, answered = 0, failed = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  const resolve::Answer* Find(const resolve::Question& question) override;
  void AskDue(int64_t now);
  void Answered(const resolve::Question& question, resolve::Answer answer);
  void Changed(const resolve::Question& question, resolve::Answer before, bool first);
  void WantExchanges(const resolve::Answer& mx);

  resolve::Resolver* resolver_;
  resolve::Store* store_;
  Evaluator evaluator_;
  std::vector<RecordKey> domains_;
  absl::flat_hash_set<RecordKey> domain_set_, dirty_;
  std::vector<Change> changes_;
  absl::flat_hash_set<resolve::Question> unanswered_;  // asked for the first time
  Counters counters_;
  int64_t now_ = 0;
};

}  // namespace mz::compiler::spf
