// Query log records on their way from a worker to the control thread: one byte ring per worker, one producer, one consumer,
// no lock, no allocation. A full ring loses records and counts them; a worker never waits for a disk.
//
//   worker:   ring.Push(record);  ...  ring.Wake();            // once per batch
//   control:  ring.Drain([](const QueryRecord& r) { ... });
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/lazy_memory.h"
#include "server/answer/answer.h"

namespace mz::control {

// What a line of the query log is made of.
struct QueryRecord {
  uint32_t when_unix = 0;
  uint16_t qtype = 0, qclass = 0, rcode = 0, answer_count = 0;
  uint32_t reply_bytes = 0;
  bool client_is_v4 = true;
  bool client_is_mapped = false;  // an IPv4 client on an IPv6 socket
  net::Ip4 client4 = 0;
  net::Ip6 client6;
  uint8_t qname_bytes = 0;    // wire form with root octet; 0: unknown
  uint8_t qname[255];
};

class QueryRing {
 public:
  // A ring of `capacity` bytes, a power of two (a record takes about 70). `wake_fd` is an eventfd that Wake() writes when
  // the consumer has announced that it sleeps.
  QueryRing(size_t capacity, int wake_fd);
  QueryRing(const QueryRing&) = delete;
  QueryRing& operator=(const QueryRing&) = delete;

  // Producer.
  void Push(const QueryRecord& record);
  // Producer: wakes the consumer if it sleeps; a system call at most once per Sleep() of the consumer.
  void Wake();

  // Consumer. Visits every record in order.
  template <typename Visit>
  void Drain(Visit visit);
  // Consumer: asks to be woken by the next Wake(). False when records have arrived meanwhile: drain again.
  bool Sleep();
  // Any thread.
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kFixedBytes = offsetof(QueryRecord, qname);
  void CopyIn(uint64_t position, const void* from, size_t bytes);
  void CopyOut(uint64_t position, void* to, size_t bytes) const;

  const size_t mask_;
  const int wake_fd_;
  LazyMemory bytes_;
  alignas(64) std::atomic<uint64_t> head_{0};      // written by the producer: bytes ever pushed
  uint64_t seen_tail_ = 0;                         // the producer's last look at tail_
  std::atomic<uint64_t> lost_{0};
  alignas(64) std::atomic<uint64_t> tail_{0};      // written by the consumer: bytes ever drained
  alignas(64) std::atomic<bool> asleep_{false};
};

template <typename Visit>
void QueryRing::Drain(Visit visit) {
  uint64_t tail = tail_.load(std::memory_order_relaxed);
  const uint64_t head = head_.load(std::memory_order_acquire);
  QueryRecord record;
  while (tail != head) {
    CopyOut(tail, &record, kFixedBytes);
    CopyOut(tail + kFixedBytes, record.qname, record.qname_bytes);
    tail += kFixedBytes + record.qname_bytes;
    visit(record);
    tail_.store(tail, std::memory_order_release);
  }
}

}  // namespace mz::control
