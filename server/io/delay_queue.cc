// See delay_queue.h.
#include "server/io/delay_queue.h"

#include <sys/timerfd.h>
#include <time.h>

#include <algorithm>
#include <cstring>

namespace mz::io {

int64_t MonotonicMs() {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

DelayQueue::Entry* DelayQueue::Take(std::span<const uint8_t> reply, uint16_t delay_ms) {
  if (entries_ == nullptr) {
    // Default-initialized: pages that are never written are never there.
    entries_.reset(new Entry[kMaxDelayed]);
    free_.reserve(kMaxDelayed);
    heap_.reserve(kMaxDelayed);
    for (size_t i = kMaxDelayed; i > 0; i--) free_.push_back(static_cast<uint16_t>(i - 1));
  }
  if (free_.empty() || reply.empty() || reply.size() > kMaxDelayedBytes) return nullptr;
  Entry* e = &entries_[free_.back()];
  e->due_ms = MonotonicMs() + delay_ms;
  e->bytes = static_cast<uint16_t>(reply.size());
  std::memcpy(e->reply, reply.data(), reply.size());
  return e;
}

void DelayQueue::Push(Entry* entry) {
  const int64_t due = entry->due_ms;
  heap_.push_back(free_.back());
  free_.pop_back();
  std::push_heap(heap_.begin(), heap_.end(),
                 [this](uint16_t a, uint16_t b) { return entries_[a].due_ms > entries_[b].due_ms; });
  if (armed_ms_ == 0 || due < armed_ms_) ArmTimer(MonotonicMs());
}

bool DelayQueue::AddUdp(int fd, const void* peer, socklen_t peer_bytes, std::span<const uint8_t> control,
                        std::span<const uint8_t> reply, uint16_t delay_ms) {
  if (peer_bytes > sizeof(sockaddr_storage) || control.size() > kControlBytes) return false;
  Entry* e = Take(reply, delay_ms);
  if (e == nullptr) return false;
  e->fd = fd;
  e->peer_bytes = peer_bytes;
  std::memcpy(&e->peer, peer, peer_bytes);
  e->control_bytes = static_cast<uint16_t>(control.size());
  if (!control.empty()) std::memcpy(e->control, control.data(), control.size());
  Push(e);
  return true;
}

bool DelayQueue::AddTcp(uint64_t connection, std::span<const uint8_t> reply, uint16_t delay_ms) {
  Entry* e = Take(reply, delay_ms);
  if (e == nullptr) return false;
  e->fd = -1;
  e->connection = connection;
  Push(e);
  return true;
}

const DelayQueue::Entry* DelayQueue::NextDue(int64_t now_ms) const {
  if (heap_.empty() || entries_[heap_[0]].due_ms > now_ms) return nullptr;
  return &entries_[heap_[0]];
}

void DelayQueue::Pop() {
  free_.push_back(heap_[0]);
  std::pop_heap(heap_.begin(), heap_.end(),
                [this](uint16_t a, uint16_t b) { return entries_[a].due_ms > entries_[b].due_ms; });
  heap_.pop_back();
}

void DelayQueue::ArmTimer(int64_t now_ms) {
  armed_ms_ = heap_.empty() ? 0 : entries_[heap_[0]].due_ms;
  const int64_t wait = armed_ms_ == 0 ? 0 : std::max<int64_t>(armed_ms_ - now_ms, 1);
  const itimerspec when{.it_interval = {}, .it_value = {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1'000'000}};
  ::timerfd_settime(timer_, 0, &when, nullptr);
}

}  // namespace mz::io
