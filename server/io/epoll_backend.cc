// See epoll_backend.h.
#include "server/io/epoll_backend.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace mz::io {

namespace {

constexpr int kEvents = 64;
// Full batches taken from one socket before the others, TCP and Stop() have their turn.
constexpr int kBatchesPerRound = 4;
constexpr uint64_t kStopTag = ~0ull, kTcpTag = ~0ull - 1;  // other tags are indexes of sockets_

Status Watch(int epoll, int fd, uint64_t tag) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = tag}};
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) return ErrnoStatus(errno, "epoll_ctl");
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Backend>> EpollBackend::Create(std::vector<ListenSockets>& sockets, const TcpLimits& limits,
                                                        Handler& handler, IoCounters& counters) {
  std::unique_ptr<EpollBackend> b(new EpollBackend(handler, counters));
  b->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!b->epoll_.valid()) return ErrnoStatus(errno, "epoll_create1");
  b->stop_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!b->stop_.valid()) return ErrnoStatus(errno, "eventfd");
  MZ_RETURN_IF_ERROR(Watch(b->epoll_.get(), b->stop_.get(), kStopTag));
  std::vector<int> listeners;
  for (size_t i = 0; i < sockets.size(); i++) {
    if (sockets[i].udp.valid()) MZ_RETURN_IF_ERROR(Watch(b->epoll_.get(), sockets[i].udp.get(), i));
    if (sockets[i].tcp.valid()) listeners.push_back(sockets[i].tcp.get());
  }
  MZ_ASSIGN_OR_RETURN(b->tcp_, TcpServer::Create(std::move(listeners), limits, handler, counters));
  MZ_RETURN_IF_ERROR(Watch(b->epoll_.get(), b->tcp_->fd(), kTcpTag));
  b->sockets_ = std::move(sockets);
  return b;
}

void EpollBackend::Stop() {
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t n = ::write(stop_.get(), &one, sizeof one);  // fails only when it is already set
}

void EpollBackend::ServeUdp(const ListenSockets& socket) {
  for (int i = 0; i < kBatchesPerRound; i++) {
    const size_t n = batch_.Receive(socket.udp.get(), socket.wildcard);
    if (n == 0) return;
    counters_.udp_received += n;
    counters_.batches++;
    handler_.Handle(batch_.packets());
    if (handler_.delayed()) [[unlikely]] batch_.Delay(socket.udp.get(), tcp_->delays(), counters_);
    batch_.Send(socket.udp.get(), counters_);
    if (n < kMaxBatch) return;
  }
}

Status EpollBackend::Run() {
  epoll_event events[kEvents];
  for (;;) {
    const int n = ::epoll_wait(epoll_.get(), events, kEvents, -1);
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, "epoll_wait");
    }
    for (int i = 0; i < n; i++) {
      const uint64_t tag = events[i].data.u64;
      if (tag == kStopTag) {
        tcp_->CloseAll();
        return absl::OkStatus();
      }
      if (tag == kTcpTag)
        tcp_->Work();
      else
        ServeUdp(sockets_[tag]);
    }
  }
}

}  // namespace mz::io
