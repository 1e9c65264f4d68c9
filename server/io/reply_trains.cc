// See reply_trains.h.
#include "server/io/reply_trains.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mz::io {

namespace {

// Of the table, at most half full; a reply that finds neither its like nor room goes alone.
constexpr size_t kProbes = 8;

uint64_t Word(const void* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Family, port and an IPv4 address are the first eight octets of a socket address; an IPv6 address is in the next sixteen.
// The highest bits are the best.
uint64_t Hash(const Reply& r) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  const auto* peer = static_cast<const uint8_t*>(r.peer);
  uint64_t h = Word(peer) ^ uint64_t{r.data.iov_len} << 40 ^ uint64_t{r.socket} << 56;
  if (r.peer_bytes != sizeof(sockaddr_in)) h ^= (Word(peer + 8) ^ Word(peer + 16)) * kOdd;
  return h * kOdd;
}

bool GoTogether(const Reply& a, const Reply& b) {
  return a.data.iov_len == b.data.iov_len && a.socket == b.socket && a.peer_bytes == b.peer_bytes &&
         a.control_bytes == b.control_bytes && std::memcmp(a.peer, b.peer, a.peer_bytes) == 0 &&
         std::memcmp(a.control, b.control, a.control_bytes) == 0;
}

}  // namespace

bool ReplyTrains::KernelCuts() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  int bytes;
  socklen_t size = sizeof bytes;
  return socket.valid() && ::getsockopt(socket.get(), SOL_UDP, UDP_SEGMENT, &bytes, &size) == 0;
}

void ReplyTrains::Group(std::span<const Reply> replies) {
  size_ = replies.size();
  std::fill_n(cars_.begin(), size_, uint16_t{1});
  if (size_ < kShortestTrain || !possible_) return;
  if (pause_ > 0) {
    pause_--;
    return;
  }
  const int bits = std::bit_width(2 * size_ - 1);
  const size_t mask = (size_t{1} << bits) - 1;
  std::fill_n(first_.begin(), mask + 1, uint16_t{0});
  for (size_t i = 0; i < size_; i++) {
    const Reply& r = replies[i];
    last_[i] = next_[i] = static_cast<uint16_t>(i);
    if (r.data.iov_len > kLongestCar || r.peer_bytes < sizeof(sockaddr_in)) continue;
    const uint64_t hash = Hash(r) >> (64 - bits);
    for (size_t probe = 0; probe < kProbes; probe++) {
      uint16_t& slot = first_[(hash + probe) & mask];
      const size_t first = slot - 1u;
      if (slot != 0 && !GoTogether(replies[first], r)) continue;
      if (slot == 0 || cars_[first] == kMostCars) {
        slot = static_cast<uint16_t>(i + 1);
        break;
      }
      next_[last_[first]] = static_cast<uint16_t>(i);
      last_[first] = static_cast<uint16_t>(i);
      cars_[first]++;
      cars_[i] = 0;
      break;
    }
  }
}

void TrainMessage::Compose(std::span<const Reply> replies, const ReplyTrains& trains, size_t first, iovec* iov) {
  const Reply& r = replies[first];
  const size_t cars = trains.cars(first);
  for (size_t k = 0, i = first;; i = trains.next(i)) {
    iov[k] = replies[i].data;
    if (++k == cars) break;
  }
  std::memcpy(control_, r.control, r.control_bytes);
  cmsghdr* const c = reinterpret_cast<cmsghdr*>(control_ + r.control_bytes);
  const uint16_t car_bytes = static_cast<uint16_t>(r.data.iov_len);
  c->cmsg_level = SOL_UDP;
  c->cmsg_type = UDP_SEGMENT;
  c->cmsg_len = CMSG_LEN(sizeof car_bytes);
  std::memcpy(CMSG_DATA(c), &car_bytes, sizeof car_bytes);
  header_ = {.msg_name = r.peer,
             .msg_namelen = r.peer_bytes,
             .msg_iov = iov,
             .msg_iovlen = cars,
             .msg_control = control_,
             .msg_controllen = r.control_bytes + CMSG_SPACE(sizeof car_bytes),
             .msg_flags = 0};
}

size_t SendOneByOne(int fd, const msghdr& train) {
  size_t sent = 0;
  msghdr one = train;
  one.msg_iovlen = 1;
  one.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
  if (one.msg_controllen == 0) one.msg_control = nullptr;
  for (size_t k = 0; k < train.msg_iovlen; k++) {
    one.msg_iov = train.msg_iov + k;
    sent += ::sendmsg(fd, &one, MSG_DONTWAIT) >= 0;
  }
  return sent;
}

}  // namespace mz::io
