// See udp_batch.h.
#include "server/io/udp_batch.h"

#include <algorithm>
#include <cerrno>

namespace mz::io {

UdpBatch::UdpBatch()
    : requests_(kMaxBatch * kUdpRequestStride),
      responses_(kMaxBatch * kUdpResponseStride) {
  for (size_t i = 0; i < kMaxBatch; i++)
    request_iov_[i] = {.iov_base = requests_.data() + i * kUdpRequestStride, .iov_len = kUdpRequestBytes};
}

size_t UdpBatch::Receive(int fd, bool wildcard) {
  for (size_t i = 0; i < kMaxBatch; i++) {
    received_[i].msg_hdr = {.msg_name = &slots_[i].peer,
                            .msg_namelen = sizeof slots_[i].peer,
                            .msg_iov = &request_iov_[i],
                            .msg_iovlen = 1,
                            .msg_control = wildcard ? slots_[i].control : nullptr,
                            .msg_controllen = wildcard ? kControlBytes : 0,
                            .msg_flags = 0};
  }
  const int n = ::recvmmsg(fd, received_.data(), kMaxBatch, MSG_DONTWAIT, nullptr);
  size_ = n > 0 ? static_cast<size_t>(n) : 0;
  for (size_t i = 0; i < size_; i++) {
    packets_[i] = {.request = {requests_.data() + i * kUdpRequestStride, received_[i].msg_len},
                   .response = {responses_.data() + i * kUdpResponseStride, kUdpResponseBytes},
                   .response_size = 0,
                   .peer = &slots_[i].peer,
                   .tcp = false};
  }
  return size_;
}

void UdpBatch::Delay(int fd, DelayQueue& delays, IoCounters& counters) {
  for (size_t i = 0; i < size_; i++) {
    Packet& p = packets_[i];
    if (p.delay_ms == 0 || p.response_size == 0) continue;
    msghdr& in = received_[i].msg_hdr;
    const size_t control_bytes = in.msg_control == nullptr ? 0 : TurnControlRound(in.msg_control, in.msg_controllen);
    if (!delays.AddUdp(fd, in.msg_name, in.msg_namelen, {static_cast<const uint8_t*>(in.msg_control), control_bytes},
                       p.response.first(std::min(p.response_size, kUdpResponseBytes)), p.delay_ms))
      counters.udp_send_failed++;
    p.response_size = 0;
  }
}

void UdpBatch::Send(int fd, IoCounters& counters) {
  size_t count = 0;
  for (size_t i = 0; i < size_; i++) {
    const size_t bytes = std::min(packets_[i].response_size, kUdpResponseBytes);
    if (bytes == 0) continue;
    msghdr& in = received_[i].msg_hdr;
    reply_iov_[count] = {.iov_base = packets_[i].response.data(), .iov_len = bytes};
    const size_t control_bytes = in.msg_control == nullptr ? 0 : TurnControlRound(in.msg_control, in.msg_controllen);
    replies_[count].msg_hdr = {.msg_name = in.msg_name,
                               .msg_namelen = in.msg_namelen,
                               .msg_iov = &reply_iov_[count],
                               .msg_iovlen = 1,
                               .msg_control = control_bytes == 0 ? nullptr : in.msg_control,
                               .msg_controllen = control_bytes,
                               .msg_flags = 0};
    count++;
  }
  for (size_t done = 0; done < count;) {
    const int n = ::sendmmsg(fd, replies_.data() + done, static_cast<unsigned>(count - done), MSG_DONTWAIT);
    if (n > 0) {
      counters.udp_sent += static_cast<uint64_t>(n);
      done += static_cast<size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    // A full send buffer will not drain while we wait here: what does not fit is dropped, as any router would. Other
    // errors (port 0, unreachable network) belong to this one client.
    const size_t lost = errno == EAGAIN || errno == ENOBUFS ? count - done : 1;
    counters.udp_send_failed += lost;
    done += lost;
  }
}

}  // namespace mz::io
