// The published image: one pointer that workers read and the control thread replaces, without a lock or a reference
// count on the hot path, and without a pause.
//
//   worker:   { ReadGuard g(published, worker_index);  AnswerBatch(g->view, ...); }     // once per batch
//   control:  old = published.Publish(std::move(next));     // returns when no worker uses the old one any more
//
// Epochs: a worker marks its own cache line on entry and on exit of a batch; Publish() swaps the pointer and waits until
// every worker is outside or has re-entered since. Workers that sleep in the kernel are outside, so an idle server swaps
// at once. One thread publishes at a time; worker i is used by one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/file.h"
#include "format/image/view.h"
#include "server/swap/spare.h"

namespace mz::swap {

// An image in service: immutable once published.
struct Generation {
  ~Generation() {
    if (spare != nullptr) spare->Keep(std::move(bytes));
  }

  image::View view;            // verified (everything), points into `bytes`
  Mapping bytes;               // owns the memory; nothing outside this process can change it
  std::shared_ptr<SpareMemory> spare;  // where `bytes` goes at the end, or null
  uint64_t number = 0;         // 1, 2, ... in order of publication
  std::vector<uint32_t> zone_slots;  // statistics slot of every zone of the view
};

class Published {
 public:
  explicit Published(int workers);
  ~Published();
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  // Control thread. The first Publish must precede the first Enter. Returns the one that was in service, now the caller's
  // alone (null at the first): a large one takes milliseconds to free.
  std::unique_ptr<const Generation> Publish(std::unique_ptr<Generation> next);
  // Control thread: the one in service.
  const Generation* current() const { return current_.load(std::memory_order_relaxed); }

  // Worker `index`. Not nestable.
  const Generation* Enter(int index);
  void Leave(int index);

 private:
  struct alignas(64) Slot {
    std::atomic<uint64_t> entered{0};  // 0: outside; else the value of epoch_ at entry
  };
  std::atomic<const Generation*> current_{nullptr};
  std::atomic<uint64_t> epoch_{1};
  std::vector<Slot> slots_;
};

class ReadGuard {
 public:
  ReadGuard(Published& published, int worker)
      : published_(published), worker_(worker), generation_(published.Enter(worker)) {}
  ~ReadGuard() { published_.Leave(worker_); }
  ReadGuard(const ReadGuard&) = delete;
  ReadGuard& operator=(const ReadGuard&) = delete;
  const Generation* operator->() const { return generation_; }
  const Generation& operator*() const { return *generation_; }

 private:
  Published& published_;
  int worker_;
  const Generation* generation_;
};

}  // namespace mz::swap
