// See uring_backend.h.
#include "server/io/uring_backend.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "server/io/udp_batch.h"

namespace mz::io {

namespace {

constexpr unsigned kCqEntries = 2048;  // more than buffers and polls: the completion queue cannot overflow
constexpr uint16_t kGroup = 0;
// A socket that only ever fails must end the worker with a message, not spin.
constexpr int kMaxFailuresInARow = 1000;

enum Tag : uint64_t { kReceiveTag = 1ull << 56, kReplyTag = 2ull << 56, kStopTag = 3ull << 56, kTcpTag = 4ull << 56,
                      kCancelTag = 5ull << 56, kTrainTag = 6ull << 56 };
constexpr uint64_t kTagMask = 0xffull << 56;
constexpr uint16_t kDone = 0xffff;  // in place of a train's socket

// A buffer holds io_uring_recvmsg_out, the peer's address, control data, the datagram.
constexpr size_t kBufferBytes =
    OddLines(sizeof(io_uring_recvmsg_out) + sizeof(sockaddr_storage) + kControlBytes + kUdpRequestBytes);
static_assert(sizeof(io_uring_recvmsg_out) % alignof(sockaddr_storage) == 0);
static_assert((sizeof(io_uring_recvmsg_out) + sizeof(sockaddr_storage)) % alignof(cmsghdr) == 0);

// liburing's accessors are declared for a mutable msghdr but only read it.
msghdr* Mutable(const msghdr* m) { return const_cast<msghdr*>(m); }

}  // namespace

UringBackend::UringBackend(Handler& handler, IoCounters& counters)
    : handler_(handler), counters_(counters), responses_(kRoundPackets * kUdpResponseStride) {
  shape_bound_.msg_namelen = sizeof(sockaddr_storage);
  shape_wildcard_.msg_namelen = sizeof(sockaddr_storage);
  shape_wildcard_.msg_controllen = kControlBytes;
}

StatusOr<std::unique_ptr<Backend>> UringBackend::Create(std::vector<ListenSockets>& sockets, const TcpLimits& limits,
                                                        Handler& handler, IoCounters& counters) {
  MZ_RETURN_IF_ERROR(TryUring());
  std::unique_ptr<UringBackend> b(new UringBackend(handler, counters));
  MZ_RETURN_IF_ERROR(b->SetUp(sockets, limits));
  b->sockets_ = std::move(sockets);
  return b;
}

Status UringBackend::SetUp(std::vector<ListenSockets>& sockets, const TcpLimits& limits) {
  stop_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_.valid()) return ErrnoStatus(errno, "eventfd");
  std::vector<int> listeners;
  for (const ListenSockets& s : sockets) {
    if (s.tcp.valid()) listeners.push_back(s.tcp.get());
    if (s.udp.valid()) udp_.push_back({s.udp.get(), s.udp.get(), s.wildcard ? &shape_wildcard_ : &shape_bound_, false});
  }
  MZ_ASSIGN_OR_RETURN(tcp_, TcpServer::Create(std::move(listeners), limits, handler_, counters_));

  const auto sq_entries = static_cast<unsigned>(kRoundPackets + udp_.size() + 8);
  MZ_RETURN_IF_ERROR(ring_.Init(sq_entries, std::max(kCqEntries, 2 * sq_entries), true));
  MZ_RETURN_IF_ERROR(buffers_.Register(ring_, kGroup, kFirstBuffers, kMostBuffers, kBufferBytes));
  stop_fd_ = stop_.get();
  tcp_fd_ = tcp_->fd();
  std::vector<int> files = {stop_fd_, tcp_fd_};
  for (const UdpSocket& s : udp_) files.push_back(s.fd);
  // Registered files save a reference count per operation; without them all works the same.
  fixed_files_ = io_uring_register_files(ring_.get(), files.data(), static_cast<unsigned>(files.size())) == 0;
  if (fixed_files_) {
    stop_fd_ = 0;
    tcp_fd_ = 1;
    for (size_t i = 0; i < udp_.size(); i++) udp_[i].fd = static_cast<int>(i) + 2;
  }
  return absl::OkStatus();
}

UringBackend::~UringBackend() {
  // A closed ring lets go of its files at its own leisure: take them back first, so that the ports are free at once.
  if (!ran_ && fixed_files_) io_uring_unregister_files(ring_.get());
}

void UringBackend::Stop() {
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t n = ::write(stop_.get(), &one, sizeof one);  // fails only when it is already set
}

// The submission queue has room for everything that one round can queue.
io_uring_sqe* UringBackend::Prepare() {
  io_uring_sqe* sqe = io_uring_get_sqe(ring_.get());
  MZ_CHECK(sqe != nullptr);
  return sqe;
}

void UringBackend::ArmReceive(size_t socket) {
  UdpSocket& s = udp_[socket];
  io_uring_sqe* sqe = Prepare();
  io_uring_prep_recvmsg_multishot(sqe, s.fd, Mutable(s.shape), 0);
  sqe->flags |= IOSQE_BUFFER_SELECT | (fixed_files_ ? IOSQE_FIXED_FILE : 0);
  sqe->buf_group = kGroup;
  sqe->user_data = kReceiveTag | socket;
  s.armed = true;
}

void UringBackend::ArmPoll(int fd, uint64_t tag, bool& armed) {
  io_uring_sqe* sqe = Prepare();
  io_uring_prep_poll_add(sqe, fd, POLLIN);
  if (fixed_files_) sqe->flags |= IOSQE_FIXED_FILE;
  sqe->user_data = tag;
  armed = true;
}

Status UringBackend::Run() {
  MZ_CHECK(!ran_);
  ran_ = true;
  MZ_RETURN_IF_ERROR(ring_.Enable());
  io_uring_register_ring_fd(ring_.get());  // saves a descriptor look-up per enter; optional
  ArmPoll(stop_fd_, kStopTag, stop_armed_);
  ArmPoll(tcp_fd_, kTcpTag, tcp_armed_);
  for (size_t i = 0; i < udp_.size(); i++) ArmReceive(i);
  Status result = Serve();
  ShutDown();
  tcp_->CloseAll();
  return result;
}

Status UringBackend::Serve() {
  for (;;) {
    const int n = io_uring_submit_and_wait(ring_.get(), 1);
    // EAGAIN, EBUSY: the kernel is short of memory, or wants completions to be taken first. What was not submitted stays
    // queued, and its buffers stay ours.
    if (n < 0 && n != -EINTR && n != -EAGAIN && n != -EBUSY) return ErrnoStatus(-n, "io_uring_enter");
    if (trains_used_ > 0) SendRefusedTrains();
    if (io_uring_sq_ready(ring_.get()) == 0) RecycleIssued();
    Reap();
    if (stopping_) return absl::OkStatus();
    if (failures_in_a_row_ > kMaxFailuresInARow) return ErrnoStatus(last_failure_, "cannot receive");
    if (tcp_ready_ && io_uring_sq_space_left(ring_.get()) > udp_.size()) {
      tcp_ready_ = false;
      tcp_->Work();
      ArmPoll(tcp_fd_, kTcpTag, tcp_armed_);
    }
    for (size_t i = 0; i < udp_.size(); i++)
      if (!udp_[i].armed && io_uring_sq_space_left(ring_.get()) > 0) ArmReceive(i);
  }
}

// Takes completions as long as there is room for their replies; the rest stays in the queue for the next round.
void UringBackend::Reap() {
  unsigned head, taken = 0;
  io_uring_cqe* cqe;
  io_uring_for_each_cqe(ring_.get(), head, cqe) {
    if (group_size_ == 0 && !RoomForGroup()) break;
    taken++;
    switch (cqe->user_data & kTagMask) {
      case kReceiveTag:
        OnReceived(*cqe, static_cast<size_t>(cqe->user_data & ~kTagMask));
        if (group_size_ == kMaxBatch) HandleGroup();
        break;
      case kReplyTag:  // only failures complete visibly
        if (cqe->res < 0) {
          counters_.udp_sent--;
          counters_.udp_send_failed++;
        }
        break;
      case kStopTag:
        stop_armed_ = false;
        stopping_ = true;
        break;
      case kTcpTag:
        tcp_armed_ = false;
        tcp_ready_ = true;
        break;
      default:
        break;
    }
  }
  io_uring_cq_advance(ring_.get(), taken);
  if (group_size_ > 0) HandleGroup();
  QueueReplies();
}

void UringBackend::OnReceived(const io_uring_cqe& cqe, size_t socket) {
  UdpSocket& s = udp_[socket];
  if (!(cqe.flags & IORING_CQE_F_MORE)) s.armed = false;
  if (cqe.res < 0) {
    // All buffers are in use: armed again when there are more, or some are back.
    if (cqe.res == -ENOBUFS) return buffers_.Grow();
    failures_in_a_row_++;
    last_failure_ = -cqe.res;
    return;
  }
  if (!(cqe.flags & IORING_CQE_F_BUFFER)) return;
  failures_in_a_row_ = 0;
  const unsigned id = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
  io_uring_recvmsg_out* out = io_uring_recvmsg_validate(buffers_.buffer(id), cqe.res, Mutable(s.shape));
  if (out == nullptr) {
    buffers_.Recycle(id);
    return;
  }
  const auto* payload = static_cast<const uint8_t*>(io_uring_recvmsg_payload(out, Mutable(s.shape)));
  const size_t bytes = io_uring_recvmsg_payload_length(out, cqe.res, Mutable(s.shape));
  group_[group_size_] = {
      .request = {payload, std::min(bytes, kUdpRequestBytes)},
      .response = {responses_.data() + (slots_used_ + group_size_) * kUdpResponseStride, kUdpResponseBytes},
      .response_size = 0,
      .peer = static_cast<const sockaddr_storage*>(io_uring_recvmsg_name(out)),
      .tcp = false};
  group_buffer_[group_size_] = id;
  group_socket_[group_size_] = socket;
  group_size_++;
}

void UringBackend::HandleGroup() {
  counters_.udp_received += group_size_;
  counters_.batches++;
  handler_.Handle({group_.data(), group_size_});
  if (handler_.delayed()) [[unlikely]] DelayReplies();
  for (size_t i = 0; i < group_size_; i++) {
    issued_buffers_[slots_used_++] = group_buffer_[i];
    if (group_[i].response_size > 0) replies_[replies_used_++] = ReplyOf(group_[i], group_socket_[i], group_buffer_[i]);
  }
  group_size_ = 0;
}

void UringBackend::QueueReplies() {
  if (replies_used_ == 0) return;
  counters_.udp_sent += replies_used_;
  trains_.Group({replies_.data(), replies_used_});
  trains_.Depart([&](size_t i) { QueueReply(i); }, [&](size_t i) { QueueTrain(i); });
  replies_used_ = 0;
}

// Replies that are to be sent later go out by plain calls (TcpServer::Work): the round's buffers are free again.
void UringBackend::DelayReplies() {
  for (size_t i = 0; i < group_size_; i++) {
    Packet& p = group_[i];
    if (p.delay_ms == 0 || p.response_size == 0) continue;
    const UdpSocket& s = udp_[group_socket_[i]];
    auto* out = reinterpret_cast<io_uring_recvmsg_out*>(buffers_.buffer(group_buffer_[i]));
    auto* name = static_cast<uint8_t*>(io_uring_recvmsg_name(out));
    uint8_t* control = name + s.shape->msg_namelen;
    const size_t control_bytes =
        TurnControlRound(control, std::min<size_t>(out->controllen, s.shape->msg_controllen));
    if (!tcp_->delays().AddUdp(s.descriptor, name, out->namelen, {control, control_bytes},
                               p.response.first(std::min(p.response_size, kUdpResponseBytes)), p.delay_ms))
      counters_.udp_send_failed++;
    p.response_size = 0;
  }
}

Reply UringBackend::ReplyOf(const Packet& packet, size_t socket, unsigned buffer) {
  const UdpSocket& s = udp_[socket];
  auto* out = reinterpret_cast<io_uring_recvmsg_out*>(buffers_.buffer(buffer));
  auto* name = static_cast<uint8_t*>(io_uring_recvmsg_name(out));
  uint8_t* control = name + s.shape->msg_namelen;
  return {.data = {.iov_base = packet.response.data(), .iov_len = std::min(packet.response_size, kUdpResponseBytes)},
          .peer = name,
          .peer_bytes = out->namelen,
          .control_bytes = s.shape == &shape_bound_
                               ? uint16_t{0}
                               : static_cast<uint16_t>(TurnControlRound(
                                     control, std::min<size_t>(out->controllen, s.shape->msg_controllen))),
          .socket = static_cast<uint16_t>(socket),
          .control = control};
}

void UringBackend::QueueReply(size_t reply) {
  const Reply& r = replies_[reply];
  const UdpSocket& s = udp_[r.socket];
  io_uring_sqe* sqe = Prepare();
  if (s.shape == &shape_bound_ && ring_.deferred()) {
    // OP_SEND with an address: no msghdr to copy in.
    io_uring_prep_send(sqe, s.fd, r.data.iov_base, r.data.iov_len, MSG_DONTWAIT);
    sqe->addr2 = reinterpret_cast<uintptr_t>(r.peer);
    sqe->addr_len = static_cast<__u16>(r.peer_bytes);
  } else {
    ReplySlot& slot = slots_[slots_sent_++];
    slot.iov = r.data;
    slot.message = {.msg_name = r.peer,
                    .msg_namelen = r.peer_bytes,
                    .msg_iov = &slot.iov,
                    .msg_iovlen = 1,
                    .msg_control = r.control_bytes == 0 ? nullptr : r.control,
                    .msg_controllen = r.control_bytes,
                    .msg_flags = 0};
    io_uring_prep_sendmsg(sqe, s.fd, &slot.message, MSG_DONTWAIT);
  }
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS | (fixed_files_ ? IOSQE_FIXED_FILE : 0);
  sqe->user_data = kReplyTag;
}

void UringBackend::QueueTrain(size_t first) {
  const size_t socket = replies_[first].socket, cars = trains_.cars(first), train = trains_used_++;
  train_messages_[train].Compose(replies_, trains_, first, cars_.data() + cars_used_);
  train_sockets_[train] = static_cast<uint16_t>(socket);
  cars_used_ += cars;
  io_uring_sqe* sqe = Prepare();
  io_uring_prep_sendmsg(sqe, udp_[socket].fd, &train_messages_[train].header(), MSG_DONTWAIT);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS | (fixed_files_ ? IOSQE_FIXED_FILE : 0);
  sqe->user_data = kTrainTag | uint64_t{round_} << 16 | train;
}

// While the replies are still there. Failures stand in the completion queue since the enter that issued them.
void UringBackend::SendRefusedTrains() {
  unsigned head;
  io_uring_cqe* cqe;
  io_uring_for_each_cqe(ring_.get(), head, cqe) {
    const uint64_t train = cqe->user_data & 0xffff;
    if (cqe->user_data != (kTrainTag | uint64_t{round_} << 16 | train) || cqe->res >= 0) continue;
    const uint16_t socket = std::exchange(train_sockets_[train], kDone);
    if (socket == kDone) continue;
    const msghdr& message = train_messages_[train].header();
    size_t sent = 0;
    if (WorthSendingOneByOne(-cqe->res)) sent = SendOneByOne(udp_[socket].descriptor, message);
    if (sent > 0) trains_.Refused();
    counters_.udp_sent -= message.msg_iovlen - sent;
    counters_.udp_send_failed += message.msg_iovlen - sent;
  }
}

void UringBackend::RecycleIssued() {
  for (size_t i = 0; i < slots_used_; i++) buffers_.Recycle(issued_buffers_[i]);
  buffers_.Publish();
  slots_used_ = slots_sent_ = trains_used_ = cars_used_ = 0;
  round_++;
}

// Ends every operation before the ring is closed: a ring that is closed with operations under way keeps their sockets
// open for a while, and the next process would find the port in use.
void UringBackend::ShutDown() {
  io_uring_submit(ring_.get());  // the last replies
  if (io_uring_sqe* sqe = io_uring_get_sqe(ring_.get()); sqe != nullptr) {
    io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    sqe->user_data = kCancelTag;
  }
  auto armed = [&] {
    return stop_armed_ || tcp_armed_ || std::any_of(udp_.begin(), udp_.end(), [](const UdpSocket& s) { return s.armed; });
  };
  constexpr int kMaxRounds = 2 * kMostBuffers;  // datagrams that came in meanwhile complete one by one
  for (int round = 0; round < kMaxRounds && armed(); round++) {
    __kernel_timespec patience{.tv_sec = 0, .tv_nsec = 100'000'000};
    io_uring_cqe* cqe = nullptr;
    const int n = io_uring_submit_and_wait_timeout(ring_.get(), &cqe, 1, &patience, nullptr);
    if (n == -ETIME) break;
    unsigned head, taken = 0;
    io_uring_for_each_cqe(ring_.get(), head, cqe) {
      taken++;
      const uint64_t tag = cqe->user_data & kTagMask;
      if (tag == kStopTag) stop_armed_ = false;
      if (tag == kTcpTag) tcp_armed_ = false;
      if (tag == kReceiveTag && !(cqe->flags & IORING_CQE_F_MORE)) udp_[cqe->user_data & ~kTagMask].armed = false;
    }
    io_uring_cq_advance(ring_.get(), taken);
  }
  if (fixed_files_) io_uring_unregister_files(ring_.get());
  io_uring_unregister_ring_fd(ring_.get());
}

}  // namespace mz::io
