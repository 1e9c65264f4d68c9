// What the DNS said, kept: the last known good answer of every question, and what to do when the newest one is worse.
//
//   Store store(policy, judge);
//   store.Load(path);                              // a state from before, if there is one
//   while (const Question* q = store.NextDue(now)) resolver->Ask(*q, ...);
//   Store::Change c = store.Update(question, answer, now);   // c.changed: evaluate again what depends on it
//   store.Find(question)->usable                   // what evaluation works with
//
// A failure never replaces data before `max_stale` is over; data that suddenly vanishes or shrinks is believed only after
// it was confirmed (docs/SPF.md, failure policy). Not thread-safe. Times are seconds since 1970.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "compiler/resolve/resolver.h"

namespace mz::resolve {

struct StorePolicy {
  uint32_t min_refresh = 60, max_refresh = 3600;  // seconds: bounds of the TTL as refresh interval
  uint32_t retry_first = 30, retry_max = 900;     // after failures: retry_first * 2^n
  uint32_t max_stale = 7 * 86400;                 // a last known good answer may stand in for failures so long
  uint32_t confirmations = 3;                     // same surprising answer in a row before it is believed ...
  uint32_t confirm_seconds = 3600;                // ... over at least so long
  uint32_t confirm_retry = 300;                   // asked again after so long meanwhile
  uint32_t hold_max = 86400;                      // a held shrink is believed after so long
  uint64_t jitter_seed = 1;                       // refresh intervals are shortened by up to a tenth, at random
};

// What the judge thinks of new data for a question that had good data before.
enum class Verdict : uint8_t {
  kAccept,
  kConfirm,   // a disappearance: NXDOMAIN or NODATA where data was, an SPF record gone, doubled or broken
  kHold,      // believable only when it lasts or when the operator says so (a provider that shrank by half)
};
struct Judgement {
  Verdict verdict = Verdict::kAccept;
  std::string reason;   // "SPF record gone", "shrank from 40 to 3 addresses"
};
// Called only with kData/kNoData/kNxDomain for `now`, and kData for `before`.
using Judge = std::function<Judgement(const Question&, const Answer& before, const Answer& now)>;
// What a Store without a judge does: NXDOMAIN and NODATA wait for confirmation, other data is accepted.
Judgement JudgeDisappearance(const Question& question, const Answer& before, const Answer& now);

struct StoredNode {
  Question question;
  Answer usable;               // what evaluation works with: last known good, or a failure; kFailed before any answer
  bool asked = false;          // some answer has arrived
  int64_t good_at = 0;         // when `usable` was last confirmed
  int64_t first_good_at = 0;   // when this data was first seen
  int64_t next_due = 0;
  uint32_t failures = 0;       // in a row
  int64_t failing_since = 0;
  std::string last_error;
  uint32_t top_ttl = 0;        // largest TTL seen for this data: a resolver's cache counts down
  // An answer that waits for confirmation.
  std::unique_ptr<const Answer> held;
  uint32_t held_count = 0;
  int64_t held_since = 0;
  Verdict held_verdict = Verdict::kAccept;
  std::string held_reason;
};

struct StoreEvent {            // for logs, alerts and the change record
  enum Level : uint8_t { kInfo, kWarning, kError } level = kInfo;
  Question question;
  std::string text;
};

class Store {
 public:
  explicit Store(StorePolicy policy, Judge judge = {});
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // Registers interest; a new question is due at once. Returns the node; the address stays valid until a Sweep drops it.
  const StoredNode* Want(const Question& q);
  const StoredNode* Find(const Question& q) const;     // null: never wanted
  // Everything that was not wanted since the last Sweep is dropped by the next one (after a complete evaluation).
  void Sweep();

  // The next question to ask, marked as being asked until its Update; null: nothing is due.
  const Question* NextDue(int64_t now);
  int64_t NextDueTime() const;                         // seconds since 1970; max: nothing waits
  struct Change {
    bool changed = false;      // `usable` has other data than before, or this was the first answer of all
    Answer before;             // when changed
  };
  Change Update(const Question& q, Answer answer, int64_t now);
  // The operator's word: believe what is held. False: nothing was held. `usable` has changed then.
  bool Acknowledge(const Question& q, int64_t now);

  std::vector<StoreEvent> TakeEvents();
  size_t size() const;
  void ForEach(const std::function<void(const StoredNode&)>& visit) const;   // sorted by question

  // One JSON object a line, sorted; atomic. Load replaces nothing it already has. Errors: base/file.h; InvalidArgument
  // with file and line (the state is then empty, not half).
  Status Save(const std::string& path) const;
  // A loaded question is asked only when it is wanted.
  Status Load(const std::string& path, int64_t now);
  std::string SaveText() const;
  Status LoadText(std::string_view text, const std::string& name, int64_t now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mz::resolve
