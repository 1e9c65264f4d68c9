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

// The messages that carry the batch's replies. Returns their number.
size_t UdpBatch::Compose() {
  size_t count = 0;
  for (size_t i = 0; i < size_; i++) {
    const size_t bytes = std::min(packets_[i].response_size, kUdpResponseBytes);
    if (bytes == 0) continue;
    msghdr& in = received_[i].msg_hdr;
    const size_t control_bytes = in.msg_control == nullptr ? 0 : TurnControlRound(in.msg_control, in.msg_controllen);
    replies_[count++] = {.data = {.iov_base = packets_[i].response.data(), .iov_len = bytes},
                         .peer = in.msg_name,
                         .peer_bytes = in.msg_namelen,
                         .control_bytes = static_cast<uint16_t>(control_bytes),
                         .socket = 0,
                         .control = slots_[i].control};
  }
  const std::span<const Reply> replies{replies_.data(), count};
  trains_.Group(replies);
  size_t messages = 0, trains = 0;
  iovec* iov = reply_iov_.data();
  trains_.Depart(
      [&](size_t i) {
        const Reply& r = replies[i];
        *iov = r.data;
        messages_[messages++].msg_hdr = {.msg_name = r.peer,
                                         .msg_namelen = r.peer_bytes,
                                         .msg_iov = iov++,
                                         .msg_iovlen = 1,
                                         .msg_control = r.control_bytes == 0 ? nullptr : r.control,
                                         .msg_controllen = r.control_bytes,
                                         .msg_flags = 0};
      },
      [&](size_t i) {
        TrainMessage& train = train_messages_[trains++];
        train.Compose(replies, trains_, i, iov);
        iov += trains_.cars(i);
        messages_[messages++].msg_hdr = train.header();
      });
  return messages;
}

void UdpBatch::Send(int fd, IoCounters& counters) {
  const size_t count = Compose();
  for (size_t done = 0; done < count;) {
    const int n = ::sendmmsg(fd, messages_.data() + done, static_cast<unsigned>(count - done), MSG_DONTWAIT);
    if (n > 0) {
      for (const size_t end = done + static_cast<size_t>(n); done < end; done++)
        counters.udp_sent += messages_[done].msg_hdr.msg_iovlen;
      continue;
    }
    if (errno == EINTR) continue;
    // A full send buffer will not drain while we wait here: what does not fit is dropped, as any router would. Other
    // errors (port 0, unreachable network) belong to this one client.
    const size_t end = errno == EAGAIN || errno == ENOBUFS ? count : done + 1;
    const msghdr& refused = messages_[done].msg_hdr;
    if (refused.msg_iovlen > 1 && WorthSendingOneByOne(errno)) {
      const size_t sent = SendOneByOne(fd, refused);
      counters.udp_sent += sent;
      counters.udp_send_failed += refused.msg_iovlen - sent;
      if (sent > 0) trains_.Refused();
      done++;
      continue;
    }
    for (; done < end; done++) counters.udp_send_failed += messages_[done].msg_hdr.msg_iovlen;
  }
}

}  // namespace mz::io
