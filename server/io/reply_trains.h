// Replies that leave together. What a batch sends to the same client in the same length can travel through the kernel as one
// buffer, a train, that is cut into datagrams at the end of its way (UDP_SEGMENT, Linux 4.18; a network card that can, does it).
// Clients that ask from few ports get most of their replies so: a front end such as dnsdist, a resolver that forwards, a load
// tester. Resolvers with random ports get none, which costs one look into a small table for each reply.
//
//   trains.Group(replies);
//   trains.Depart([&](size_t i) { alone }, [&](size_t i) { message.Compose(replies, trains, i, iov); });
//
// Not thread-safe; no allocation.
#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "server/io/backend.h"
#include "server/io/udp_reply.h"

namespace mz::io {

// A shorter train costs the kernel more to cut than it saves.
inline constexpr size_t kShortestTrain = 3;
// Replies that may be grouped at once: what a round of io_uring sends.
inline constexpr size_t kMostReplies = 4 * kMaxBatch;
// Of a train, by the kernel (UDP_MAX_SEGMENTS before Linux 6.9).
inline constexpr size_t kMostCars = 64;
// Octets: fits every path of IPv6 with its headers, and kMostCars of them fit a datagram.
inline constexpr size_t kLongestCar = 1000;
static_assert(kLongestCar * kMostCars < 65000);

// A reply on its way. Points into the batch's memory; nothing is owned.
struct Reply {
  iovec data;
  void* peer;                // as the kernel gave it
  socklen_t peer_bytes;
  uint16_t control_bytes;    // of a turned control message (udp_reply.h), or 0
  uint16_t socket;           // only equal ones go together
  uint8_t* control;
};

class ReplyTrains {
 public:
  ReplyTrains() : ReplyTrains(KernelCuts()) {}
  // False: every reply goes alone.
  explicit ReplyTrains(bool possible) : possible_(possible) {}
  // Whether this kernel knows UDP_SEGMENT. One that does not (before 4.18; some that imitate Linux) may send a train as one
  // datagram instead of refusing it.
  static bool KernelCuts();
  // At most kMostReplies.
  void Group(std::span<const Reply> replies);
  // Each reply of the group: alone(index), or with others train(index of the first).
  template <typename Alone, typename Train>
  void Depart(Alone alone, Train train) const {
    for (size_t i = 0; i < size_; i++) {
      if (cars_[i] >= kShortestTrain)
        train(i);
      else
        for (size_t k = 0, j = i; k < cars_[i]; k++, j = next_[j]) alone(j);
    }
  }
  // Replies in the train that begins with this one; 0: it is in an earlier one.
  size_t cars(size_t reply) const { return cars_[reply]; }
  // The next in the same train, in the batch's order; itself for the last.
  size_t next(size_t reply) const { return next_[reply]; }
  // A train was refused whose replies could be sent one by one (IPsec, or a card without checksums before Linux 6.11; a narrow
  // path): there will be none for the next kPause batches.
  void Refused() { pause_ = kPause; }

  static constexpr unsigned kPause = 10'000;

 private:
  const bool possible_;
  size_t size_ = 0;
  unsigned pause_ = 0;
  std::array<uint16_t, 2 * kMostReplies> first_;   // by hash: a reply and 1
  std::array<uint16_t, kMostReplies> cars_, next_{}, last_;
};

// What sendmsg(2) takes for a train.
class TrainMessage {
 public:
  // `iov`: room for the train's replies, which has to live as long as the message is used.
  void Compose(std::span<const Reply> replies, const ReplyTrains& trains, size_t first, iovec* iov);
  const msghdr& header() const { return header_; }

 private:
  msghdr header_;
  alignas(cmsghdr) uint8_t control_[kControlBytes + CMSG_SPACE(sizeof(uint16_t))];
};

// For a train that the kernel has refused. Returns how many of its replies were sent.
size_t SendOneByOne(int fd, const msghdr& train);
// Whether the error of a train may be its own, and not its replies'.
inline bool WorthSendingOneByOne(int error) { return error != EAGAIN && error != ENOBUFS && error != ENOMEM; }

}  // namespace mz::io
