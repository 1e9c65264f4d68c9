// Replies that are to be sent later: what healthcheck zones do to show how long others wait. Few, and never in the way of
// the rest: one branch per batch where there are none.
//
//   DelayQueue delays(timer_fd);
//   delays.AddUdp(fd, message, reply, delay_ms, now_ms);      // false: full, the reply is dropped
//   delays.AddTcp(connection, reply, delay_ms, now_ms);
//   when timer_fd is readable: while (const DelayQueue::Entry* e = delays.NextDue(now_ms)) { ...; delays.Pop(); }
//   delays.ArmTimer(now_ms);
//
// Bounded: kMaxDelayed replies of at most kMaxDelayedBytes; the memory (about 5 MB) is taken at the first use and kept. Used
// by the worker's thread only.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "server/io/udp_reply.h"

namespace mz::io {

class DelayQueue {
 public:
  // At 500 queries a second for the slowest fault the queue of one worker is full: enough for tests, useless for an attack.
  static constexpr size_t kMaxDelayed = 1024;
  static constexpr size_t kMaxDelayedBytes = 4096;

  struct Entry {
    int64_t due_ms = 0;
    int fd = -1;              // UDP; -1: TCP
    uint64_t connection = 0;  // TCP: as the server of connections names it
    socklen_t peer_bytes = 0;
    uint16_t bytes = 0;
    uint16_t control_bytes = 0;
    sockaddr_storage peer;
    alignas(cmsghdr) uint8_t control[kControlBytes];
    uint8_t reply[kMaxDelayedBytes];
  };

  // `timer`: a timerfd of CLOCK_MONOTONIC that the caller owns.
  void SetTimer(int timer) { timer_ = timer; }

  // `control`: to be sent with the reply, as it is.
  bool AddUdp(int fd, const void* peer, socklen_t peer_bytes, std::span<const uint8_t> control,
              std::span<const uint8_t> reply, uint16_t delay_ms);
  bool AddTcp(uint64_t connection, std::span<const uint8_t> reply, uint16_t delay_ms);

  // The entry that is due, or null. Valid until Pop().
  const Entry* NextDue(int64_t now_ms) const;
  void Pop();
  // Sets the timer to the next deadline. Call it after Pop().
  void ArmTimer(int64_t now_ms);

  size_t size() const { return heap_.size(); }

 private:
  Entry* Take(std::span<const uint8_t> reply, uint16_t delay_ms);
  void Push(Entry* entry);

  int timer_ = -1;
  int64_t armed_ms_ = 0;  // when the timer fires; 0: not armed
  std::unique_ptr<Entry[]> entries_;
  std::vector<uint16_t> free_, heap_;  // indexes of entries_; heap_: the earliest first
};

// Milliseconds of CLOCK_MONOTONIC.
int64_t MonotonicMs();

}  // namespace mz::io
