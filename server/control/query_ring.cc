// See query_ring.h.
#include "server/control/query_ring.h"

#include <unistd.h>

#include <algorithm>

#include "base/status.h"

namespace mz::control {

static_assert(std::is_trivially_copyable_v<net::Ip6>);

QueryRing::QueryRing(size_t capacity, int wake_fd)
    : mask_(capacity - 1), wake_fd_(wake_fd), bytes_(capacity) {
  MZ_CHECK(capacity >= 1024 && (capacity & mask_) == 0);
}

void QueryRing::CopyIn(uint64_t position, const void* from, size_t bytes) {
  const size_t at = position & mask_;
  const size_t first = std::min(bytes, mask_ + 1 - at);
  std::memcpy(bytes_.data() + at, from, first);
  std::memcpy(bytes_.data(), static_cast<const uint8_t*>(from) + first, bytes - first);
}

void QueryRing::CopyOut(uint64_t position, void* to, size_t bytes) const {
  const size_t at = position & mask_;
  const size_t first = std::min(bytes, mask_ + 1 - at);
  std::memcpy(to, bytes_.data() + at, first);
  std::memcpy(static_cast<uint8_t*>(to) + first, bytes_.data(), bytes - first);
}

void QueryRing::Push(const QueryRecord& record) {
  const size_t bytes = kFixedBytes + record.qname_bytes;
  const uint64_t head = head_.load(std::memory_order_relaxed);
  if (head + bytes - seen_tail_ > mask_ + 1) {
    seen_tail_ = tail_.load(std::memory_order_acquire);
    if (head + bytes - seen_tail_ > mask_ + 1) {
      lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return;
    }
  }
  CopyIn(head, &record, kFixedBytes);
  CopyIn(head + kFixedBytes, record.qname, record.qname_bytes);
  // Sequentially consistent, like the other three operations that decide who sees whom: either the producer sees that the
  // consumer sleeps, or the consumer sees the record.
  head_.store(head + bytes, std::memory_order_seq_cst);
}

void QueryRing::Wake() {
  if (!asleep_.load(std::memory_order_seq_cst)) return;
  asleep_.store(false, std::memory_order_relaxed);
  const uint64_t one = 1;
  (void)!::write(wake_fd_, &one, sizeof one);
}

bool QueryRing::Sleep() {
  asleep_.store(true, std::memory_order_seq_cst);
  if (head_.load(std::memory_order_seq_cst) == tail_.load(std::memory_order_relaxed)) return true;
  asleep_.store(false, std::memory_order_relaxed);
  return false;
}

}  // namespace mz::control
