// UDP through sendmmsg and recvmmsg; see udp_engine.h.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "load/query_pool.h"
#include "load/udp_engine.h"

namespace mz::load {

namespace {

constexpr unsigned kReceiveBatch = 64;
constexpr size_t kArenaBytes = size_t{1} << 20;
// Up to so many sockets are simply asked in turn, which costs the server's kernel path nothing; more are
// watched by epoll.
constexpr size_t kMaxPolled = 16;

class MmsgEngine final : public UdpEngine {
 public:
  explicit MmsgEngine(std::vector<UniqueFd> sockets)
      : sockets_(std::move(sockets)),
        arena_(kArenaBytes + kMaxTrainBytes),
        buffers_(size_t{kRounds} * kReceiveBatch * kDatagramBytes) {
    for (unsigned i = 0; i < kReceiveBatch * kRounds; i++) {
      receive_iov_[i] = {buffers_.data() + size_t{i} * kDatagramBytes, kDatagramBytes};
      receive_[i].msg_hdr = {};
      receive_[i].msg_hdr.msg_iov = &receive_iov_[i];
      receive_[i].msg_hdr.msg_iovlen = 1;
    }
    if (sockets_.size() > kMaxPolled) {
      epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
      for (uint32_t i = 0; i < sockets_.size(); i++) {
        epoll_event e{.events = EPOLLIN, .data = {.u32 = i}};
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, sockets_[i].get(), &e);
      }
    } else {
      for (const UniqueFd& s : sockets_) poll_.push_back({s.get(), POLLIN, 0});
    }
  }

  uint8_t* Reserve(size_t) override { return arena_.data() + used_; }

  void Queue(uint32_t port, size_t bytes, size_t segment, uint64_t tag) override {
    Out& o = out_[queued_];
    o.port = port;
    o.tag = tag;
    iov_[queued_] = {arena_.data() + used_, bytes};
    msghdr& m = send_[queued_].msg_hdr;
    m = {};
    m.msg_iov = &iov_[queued_];
    m.msg_iovlen = 1;
    if (bytes > segment) {
      m.msg_control = o.control;
      m.msg_controllen = sizeof o.control;
      cmsghdr* h = CMSG_FIRSTHDR(&m);
      h->cmsg_level = SOL_UDP;
      h->cmsg_type = UDP_SEGMENT;
      h->cmsg_len = CMSG_LEN(sizeof(uint16_t));
      const uint16_t size = static_cast<uint16_t>(segment);
      std::memcpy(CMSG_DATA(h), &size, sizeof size);
    }
    used_ += bytes;
    queued_++;
  }

  bool full() const override { return queued_ == kMaxQueued || used_ >= kArenaBytes; }

  void Flush(std::vector<SendFailure>* failures) override {
    for (unsigned i = 0; i < queued_;) {
      unsigned n = 1;  // neighbours on one socket leave together
      while (i + n < queued_ && out_[i + n].port == out_[i].port) n++;
      const int fd = sockets_[out_[i].port].get();
      const int sent = n == 1 ? SendOne(fd, &send_[i].msg_hdr) : ::sendmmsg(fd, &send_[i], n, MSG_DONTWAIT);
      if (sent > 0) {
        i += static_cast<unsigned>(sent);
        continue;
      }
      failures->push_back({out_[i].tag, errno});
      i++;
    }
    queued_ = 0;
    used_ = 0;
  }

  unsigned Receive(uint64_t wait_ns, unsigned want, std::vector<Datagram>* out) override {
    if (wait_ns == 0) return Sweep(out, false);
    if (want > 1 && flowing_) {
      const timespec nap{0, static_cast<long>(std::min(wait_ns, nap_.ns()))};
      ::nanosleep(&nap, nullptr);
    }
    WaitReadable(wait_ns);
    const unsigned refused = Sweep(out, true);
    flowing_ = !out->empty();
    if (flowing_) nap_.Learn(out->size(), want);
    return refused;
  }

 private:
  static constexpr unsigned kRounds = 8;  // receive calls whose data are valid at the same time
  struct Out {
    uint32_t port;
    uint64_t tag;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))];
  };

  static int SendOne(int fd, const msghdr* m) { return ::sendmsg(fd, m, MSG_DONTWAIT) >= 0 ? 1 : -1; }

  void WaitReadable(uint64_t wait_ns) {
    if (epoll_.valid()) {
      epoll_event e;
      ::epoll_wait(epoll_.get(), &e, 1, static_cast<int>((wait_ns + 999'999) / 1'000'000));
      return;
    }
    const timespec t{static_cast<time_t>(wait_ns / 1'000'000'000u),
                     static_cast<long>(wait_ns % 1'000'000'000u)};
    ::ppoll(poll_.data(), poll_.size(), &t, nullptr);
  }

  // Takes what is there, as far as there are buffers. `polled`: WaitReadable() has just said where.
  unsigned Sweep(std::vector<Datagram>* out, bool polled) {
    unsigned refused = 0, round = 0;
    if (epoll_.valid()) {
      epoll_event ready[kRounds];
      const int n = ::epoll_wait(epoll_.get(), ready, kRounds, 0);
      for (int i = 0; i < n; i++) refused += Take(ready[i].data.u32, &round, out);
      return refused;
    }
    for (size_t i = 0; i < sockets_.size() && round < kRounds; i++) {
      if (!polled || poll_[turn_].revents != 0) refused += Take(turn_, &round, out);
      if (++turn_ == sockets_.size()) turn_ = 0;
    }
    return refused;
  }

  unsigned Take(uint32_t port, unsigned* round, std::vector<Datagram>* out) {
    const unsigned base = *round * kReceiveBatch;
    const int n = ::recvmmsg(sockets_[port].get(), &receive_[base], kReceiveBatch, MSG_DONTWAIT, nullptr);
    if (n <= 0) return n < 0 && errno == ECONNREFUSED;
    (*round)++;
    for (unsigned i = base; i < base + static_cast<unsigned>(n); i++)
      out->push_back({port, buffers_.data() + size_t{i} * kDatagramBytes, receive_[i].msg_len});
    return 0;
  }

  std::vector<UniqueFd> sockets_;
  UniqueFd epoll_;
  std::vector<pollfd> poll_;
  std::vector<uint8_t> arena_;
  size_t used_ = 0;
  unsigned queued_ = 0;
  uint32_t turn_ = 0;
  bool flowing_ = false;  // the last wait brought something
  Nap nap_;
  std::array<Out, kMaxQueued> out_;
  std::array<mmsghdr, kMaxQueued> send_{};
  std::array<iovec, kMaxQueued> iov_{};
  std::vector<uint8_t> buffers_;
  std::array<mmsghdr, kReceiveBatch * kRounds> receive_{};
  std::array<iovec, kReceiveBatch * kRounds> receive_iov_{};
};

}  // namespace

StatusOr<std::vector<UniqueFd>> OpenUdpSockets(const Settings& settings, unsigned ports) {
  std::vector<UniqueFd> out;
  for (unsigned i = 0; i < ports; i++) {
    UniqueFd fd(::socket(settings.target.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) {
      if (errno == EMFILE || errno == ENFILE)
        return MakeStatus(StatusCode::kFailedPrecondition, "too many open files at source port " +
                                                               std::to_string(i + 1) + "; raise `ulimit -n`");
      return ErrnoStatus(errno, "socket");
    }
    const int size = 8 << 20;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
      ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (settings.source && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&settings.source->storage),
                                  settings.source->bytes) != 0)
      return ErrnoStatus(errno, "source address");
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&settings.target.storage),
                  settings.target.bytes) != 0)
      return ErrnoStatus(errno, "connect");
    out.push_back(std::move(fd));
  }
  return out;
}

StatusOr<std::unique_ptr<UdpEngine>> MakeMmsgEngine(std::vector<UniqueFd> sockets) {
  return std::unique_ptr<UdpEngine>(new MmsgEngine(std::move(sockets)));
}

}  // namespace mz::load
