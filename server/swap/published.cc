// See published.h. The memory orders are the whole of this file, so they are argued here once.
//
//   Enter:   e = epoch_ (acquire)        A      Publish:  old = current_.exchange(next)  (seq_cst)    P
//            entered = e (seq_cst)       B                E = ++epoch_                   (seq_cst)    Q
//            p = current_ (seq_cst)      C                wait: entered == 0 or >= E     (seq_cst)    R
//   Leave:   entered = 0 (release)       D
//
// Claim: when Publish() has waited, no worker holds `old`. Suppose a worker's C returned `old`. Then C precedes P in the
// one total order of sequentially consistent operations, so B precedes P, and R, which follows P, sees B or a later
// store of that worker. Three cases:
//   - R sees B itself. Had A read E or more, it would have synchronised with Q (release), P would happen before C, and C
//     could not have returned `old`. So e < E, and Publish() goes on waiting.
//   - R sees D or a later entry: everything that the worker read through `old` is sequenced before D; D and B are release
//     stores and R is an acquire load, so the reads happen before the delete.
// Conversely, when R sees a 0 that precedes B, then R precedes B and P precedes C: the worker gets `next`.
//
// B and C need the store-load order that only a full fence gives (one xchg on x86, about 7 ns), paid once per batch. A
// fence on the publisher's side only (membarrier) would make it free, but it is refused by many seccomp profiles, and
// quiescent states without a fence need every sleeping worker to be parked and unparked explicitly: 0.2 ns per query are
// not worth either.
#include "server/swap/published.h"

#include <time.h>

#include <thread>

namespace mz::swap {

namespace {

// A batch takes some ten microseconds: spin for about one, then sleep in steps, in case the worker lost its core.
void Backoff(int round) {
  if (round < 64) {
    std::this_thread::yield();
    return;
  }
  const timespec pause{.tv_sec = 0, .tv_nsec = round < 256 ? 20'000 : 500'000};
  ::nanosleep(&pause, nullptr);
}

}  // namespace

Published::Published(int workers) : slots_(static_cast<size_t>(workers)) {}

Published::~Published() { delete current_.load(std::memory_order_relaxed); }

std::unique_ptr<const Generation> Published::Publish(std::unique_ptr<Generation> next) {
  MZ_CHECK(next != nullptr);
  const Generation* previous = current_.load(std::memory_order_relaxed);
  next->number = previous == nullptr ? 1 : previous->number + 1;
  std::unique_ptr<const Generation> old(current_.exchange(next.release(), std::memory_order_seq_cst));  // P
  const uint64_t epoch = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;                            // Q
  if (old == nullptr) return old;
  for (const Slot& slot : slots_) {
    for (int round = 0;; round++) {
      const uint64_t entered = slot.entered.load(std::memory_order_seq_cst);  // R
      if (entered == 0 || entered >= epoch) break;
      Backoff(round);
    }
  }
  return old;
}

const Generation* Published::Enter(int index) {
  Slot& slot = slots_[static_cast<size_t>(index)];
  const uint64_t epoch = epoch_.load(std::memory_order_acquire);  // A
  slot.entered.store(epoch, std::memory_order_seq_cst);           // B
  return current_.load(std::memory_order_seq_cst);                // C
}

void Published::Leave(int index) {
  slots_[static_cast<size_t>(index)].entered.store(0, std::memory_order_release);  // D
}

}  // namespace mz::swap
