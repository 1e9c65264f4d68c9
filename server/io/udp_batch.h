// One batch of datagrams through recvmmsg and sendmmsg: the memory that both calls point into, laid out once.
//
//   int n = batch.Receive(fd, wildcard);        // up to kMaxBatch; 0: nothing there
//   handler.Handle(batch.packets());
//   batch.Send(fd, counters);                   // replies of size 0 are not sent
//
// Not thread-safe; no allocation after construction.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/lazy_memory.h"
#include "server/io/backend.h"
#include "server/io/delay_queue.h"
#include "server/io/reply_trains.h"
#include "server/io/udp_reply.h"

namespace mz::io {

// Buffers lie an odd number of cache lines apart: at a distance of 4096 they would all fall into the same cache sets.
constexpr size_t OddLines(size_t bytes) {
  const size_t lines = (bytes + 63) / 64;
  return (lines | 1) * 64;
}
inline constexpr size_t kUdpRequestStride = OddLines(kUdpRequestBytes);
inline constexpr size_t kUdpResponseStride = OddLines(kUdpResponseBytes);

class UdpBatch {
 public:
  UdpBatch();
  UdpBatch(const UdpBatch&) = delete;
  UdpBatch& operator=(const UdpBatch&) = delete;

  // Number of datagrams; 0 when none waits or the socket reports an error (which it does once: the next call goes on).
  size_t Receive(int fd, bool wildcard);
  std::span<Packet> packets() { return {packets_.data(), size_}; }
  void Send(int fd, IoCounters& counters);
  // Takes the replies that have a delay out of the batch.
  void Delay(int fd, DelayQueue& delays, IoCounters& counters);

 private:
  size_t Compose();
  struct Slot {
    sockaddr_storage peer;
    alignas(cmsghdr) uint8_t control[kControlBytes];
  };
  size_t size_ = 0;
  std::array<Packet, kMaxBatch> packets_;
  std::array<mmsghdr, kMaxBatch> received_{}, messages_{};
  std::array<iovec, kMaxBatch> request_iov_{}, reply_iov_{};
  std::array<Reply, kMaxBatch> replies_;
  ReplyTrains trains_;
  std::array<TrainMessage, kMaxBatch / kShortestTrain> train_messages_;
  std::array<Slot, kMaxBatch> slots_{};
  LazyMemory requests_, responses_;
};

}  // namespace mz::io
