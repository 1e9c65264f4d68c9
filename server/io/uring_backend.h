// The io_uring backend. One round of the worker is one io_uring_enter: it issues the replies of the last round and brings
// the next datagrams, which a standing (multishot) recvmsg per socket has put into provided buffers.
//
// Replies are sends that complete while they are issued (MSG_DONTWAIT) and are silent on success, so reply buffers and
// datagram buffers are free again after the enter that issued them; a send that would wait is dropped and counted.
// TCP is TcpServer, through a poll of its descriptor.
//
// The ring is made disabled by the thread that constructs the backend, so that refusals show up there, and is enabled by
// the thread that runs it, which becomes its single issuer.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "server/io/backend.h"
#include "server/io/reply_trains.h"
#include "server/io/ring.h"
#include "server/io/tcp_server.h"
#include "server/io/udp_reply.h"

namespace mz::io {

class UringBackend final : public Backend {
 public:
  // Takes the sockets only when it succeeds.
  static StatusOr<std::unique_ptr<Backend>> Create(std::vector<ListenSockets>& sockets, const TcpLimits& limits,
                                                   Handler& handler, IoCounters& counters);
  ~UringBackend() override;
  Status Run() override;
  void Stop() override;
  std::string_view name() const override { return "io_uring"; }

 private:
  // Datagrams handled between two enters: several groups of kMaxBatch, because one enter often brings hundreds.
  static constexpr size_t kRoundPackets = 4 * kMaxBatch;
  // What a worker needs that keeps up with its clients, and what several saturated sockets may; one takes about 256.
  static constexpr unsigned kFirstBuffers = kMaxBatch, kMostBuffers = 1024;

  struct UdpSocket {
    int fd = -1;                  // index of the registered file, or the descriptor
    int descriptor = -1;
    const msghdr* shape = nullptr;
    bool armed = false;
  };
  struct ReplySlot {
    msghdr message;
    iovec iov;
  };

  UringBackend(Handler& handler, IoCounters& counters);
  Status SetUp(std::vector<ListenSockets>& sockets, const TcpLimits& limits);
  Status Serve();
  void ArmReceive(size_t socket);
  void ArmPoll(int fd, uint64_t tag, bool& armed);
  io_uring_sqe* Prepare();
  void Reap();
  void OnReceived(const io_uring_cqe& cqe, size_t socket);
  void HandleGroup();
  void DelayReplies();
  Reply ReplyOf(const Packet& packet, size_t socket, unsigned buffer);
  void QueueReplies();
  void QueueReply(size_t reply);
  void QueueTrain(size_t first);
  void SendRefusedTrains();
  void RecycleIssued();
  void ShutDown();
  bool RoomForGroup() const { return slots_used_ + kMaxBatch <= kRoundPackets; }

  Handler& handler_;
  IoCounters& counters_;
  std::vector<ListenSockets> sockets_;
  UniqueFd stop_;
  std::unique_ptr<TcpServer> tcp_;
  BufferRing buffers_;  // outlives ring_, whose operations write to it
  Ring ring_;
  bool fixed_files_ = false, ran_ = false;
  int stop_fd_ = -1, tcp_fd_ = -1;  // as UdpSocket::fd
  std::vector<UdpSocket> udp_;
  msghdr shape_bound_{}, shape_wildcard_{};  // how a datagram's parts lie in a buffer
  bool stop_armed_ = false, tcp_armed_ = false;
  bool stopping_ = false, tcp_ready_ = false;
  int failures_in_a_row_ = 0, last_failure_ = 0;

  // The group being collected, and what the round has queued so far.
  size_t group_size_ = 0, slots_used_ = 0, slots_sent_ = 0, replies_used_ = 0;
  std::array<Packet, kMaxBatch> group_;
  std::array<unsigned, kMaxBatch> group_buffer_;
  std::array<size_t, kMaxBatch> group_socket_;
  std::array<ReplySlot, kRoundPackets> slots_{};
  std::array<unsigned, kRoundPackets> issued_buffers_;
  std::array<Reply, kRoundPackets> replies_;
  ReplyTrains trains_;
  size_t trains_used_ = 0, cars_used_ = 0;
  uint32_t round_ = 0;
  std::array<TrainMessage, kRoundPackets / kShortestTrain> train_messages_;
  std::array<uint16_t, kRoundPackets / kShortestTrain> train_sockets_;
  std::array<iovec, kRoundPackets> cars_;
  LazyMemory responses_;
};

}  // namespace mz::io
