// UDP through io_uring; see udp_engine.h. One system call sends the queued trains and collects what has
// arrived: multishot receives into a ring of provided buffers, sends without completions unless they fail.
// Needs Linux 6.0.
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "load/query_pool.h"
#include "load/udp_engine.h"

namespace mz::load {

namespace {

constexpr unsigned kBuffers = 4096;  // datagrams that may wait in the completion queue
constexpr size_t kArenaBytes = size_t{1} << 20;
constexpr uint64_t kReceiveTag = 1ull << 63;

constexpr unsigned kModes[] = {
    // best first: deferred task work is Linux 6.1
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
};

Status Refused(int error, const char* call) {
  return MakeStatus(StatusCode::kFailedPrecondition,
                    std::string(call) + ": " + std::strerror(error) +
                        " (io_uring is too old or forbidden here; --engine mmsg works)");
}

class UringEngine final : public UdpEngine {
 public:
  explicit UringEngine(std::vector<UniqueFd> sockets)
      : sockets_(std::move(sockets)), arena_(kArenaBytes + kMaxTrainBytes), rearm_(sockets_.size()) {}
  ~UringEngine() override {
    if (valid_) io_uring_queue_exit(&ring_);
    if (buffer_ring_ != nullptr) ::munmap(buffer_ring_, kBuffers * sizeof(io_uring_buf));
    if (buffers_ != nullptr) ::munmap(buffers_, kBuffers * kDatagramBytes);
  }

  // Only asks whether it would work: the ring itself belongs to the thread that uses it (single issuer).
  static Status Try(size_t sockets) {
    UringEngine trial{std::vector<UniqueFd>(sockets)};
    return trial.Init();
  }

  uint8_t* Reserve(size_t) override { return arena_.data() + used_; }

  void Queue(uint32_t port, size_t bytes, size_t segment, uint64_t tag) override {
    Out& o = out_[queued_++];
    o.iov = {arena_.data() + used_, bytes};
    o.message = {};
    o.message.msg_iov = &o.iov;
    o.message.msg_iovlen = 1;
    if (bytes > segment) {
      o.message.msg_control = o.control;
      o.message.msg_controllen = sizeof o.control;
      cmsghdr* h = CMSG_FIRSTHDR(&o.message);
      h->cmsg_level = SOL_UDP;
      h->cmsg_type = UDP_SEGMENT;
      h->cmsg_len = CMSG_LEN(sizeof(uint16_t));
      const uint16_t size = static_cast<uint16_t>(segment);
      std::memcpy(CMSG_DATA(h), &size, sizeof size);
    }
    used_ += bytes;
    o.port = port;
    o.tag = tag;
  }

  bool full() const override { return queued_ == kMaxQueued || used_ >= kArenaBytes; }

  // Sends complete inside the submission (MSG_DONTWAIT), so that the arena is free when it returns.
  void Flush(std::vector<SendFailure>* failures) override {
    if (!valid_ && !Start()) return;
    for (unsigned i = 0; i < queued_; i++) {
      Out& o = out_[i];
      io_uring_sqe* sqe = Sqe();
      if (o.message.msg_control == nullptr)
        io_uring_prep_send(sqe, static_cast<int>(o.port), o.iov.iov_base, o.iov.iov_len, MSG_DONTWAIT);
      else
        io_uring_prep_sendmsg(sqe, static_cast<int>(o.port), &o.message, MSG_DONTWAIT);
      sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
      sqe->user_data = o.tag;
    }
    if (queued_ > 0) io_uring_submit(&ring_);
    queued_ = 0;
    used_ = 0;
    failures->insert(failures->end(), failed_.begin(), failed_.end());
    failed_.clear();
  }

  unsigned Receive(uint64_t wait_ns, unsigned want, std::vector<Datagram>* out) override {
    if (!valid_) return 0;
    Recycle();
    for (size_t i = 0; rearms_ > 0 && i < sockets_.size(); i++)
      if (rearm_[i]) Arm(i);
    if (wait_ns == 0) {
      if (io_uring_sq_ready(&ring_) > 0) io_uring_submit(&ring_);
      if (io_uring_cq_ready(&ring_) == 0) io_uring_get_events(&ring_);
    } else if (io_uring_cq_ready(&ring_) < want) {
      // First a nap that lets a batch gather. It cannot wait for the number wanted: a socket counts as one
      // wake-up until its work has run, however many datagrams it holds.
      if (want > 1) Wait(want, std::min(wait_ns, nap_.ns()));
      if (io_uring_cq_ready(&ring_) == 0) Wait(1, wait_ns);
    }
    const unsigned refused = Collect(out);
    if (wait_ns != 0 && !out->empty()) nap_.Learn(out->size(), want);
    return refused;
  }

 private:
  void Wait(unsigned want, uint64_t ns) {
    io_uring_cqe* cqe = nullptr;
    __kernel_timespec t{static_cast<int64_t>(ns / 1'000'000'000u),
                        static_cast<long long>(ns % 1'000'000'000u)};
    io_uring_submit_and_wait_timeout(&ring_, &cqe, want, &t, nullptr);
  }

  struct Out {
    iovec iov;
    msghdr message;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))];
    uint32_t port;
    uint64_t tag;
  };

  Status Init() {
    int error = EINVAL;
    for (const unsigned mode : kModes) {
      io_uring_params params{};
      params.flags = mode | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
      params.cq_entries = 2 * kBuffers;
      error = -io_uring_queue_init_params(512, &ring_, &params);
      if (error != EINVAL) break;
    }
    if (error != 0) return Refused(error, "io_uring_setup");
    valid_ = true;
    void* entries = ::mmap(nullptr, kBuffers * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (entries == MAP_FAILED) return ErrnoStatus(errno, "io_uring buffers");
    buffer_ring_ = static_cast<io_uring_buf_ring*>(entries);
    void* buffers = ::mmap(nullptr, kBuffers * kDatagramBytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (buffers == MAP_FAILED) return ErrnoStatus(errno, "io_uring buffers");
    buffers_ = static_cast<uint8_t*>(buffers);
    io_uring_buf_reg reg{};
    reg.ring_addr = reinterpret_cast<uintptr_t>(buffer_ring_);
    reg.ring_entries = kBuffers;
    if (const int e = io_uring_register_buf_ring(&ring_, &reg, 0); e != 0)
      return Refused(-e, "io_uring_register");
    io_uring_buf_ring_init(buffer_ring_);
    for (unsigned i = 0; i < kBuffers; i++) Give(i);
    Recycle();
    std::vector<int> fds;
    for (const UniqueFd& s : sockets_) fds.push_back(s.get());  // -1 in a trial: an empty place
    if (const int e = io_uring_register_files(&ring_, fds.data(), static_cast<unsigned>(fds.size())); e != 0)
      return Refused(-e, "io_uring_register");
    return absl::OkStatus();
  }

  bool Start() {
    if (!Init().ok()) return false;
    for (size_t i = 0; i < sockets_.size(); i++) Arm(i);
    io_uring_submit(&ring_);
    return true;
  }

  io_uring_sqe* Sqe() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe != nullptr) return sqe;
    io_uring_submit(&ring_);
    return io_uring_get_sqe(&ring_);
  }

  void Arm(size_t port) {
    io_uring_sqe* sqe = Sqe();
    io_uring_prep_recv_multishot(sqe, static_cast<int>(port), nullptr, 0, 0);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    sqe->user_data = kReceiveTag | port;
    rearms_ -= rearm_[port];
    rearm_[port] = 0;
  }

  void Give(unsigned id) {
    io_uring_buf_ring_add(buffer_ring_, buffers_ + size_t{id} * kDatagramBytes, kDatagramBytes,
                          static_cast<unsigned short>(id), io_uring_buf_ring_mask(kBuffers), given_++);
  }
  // What the last Receive() showed goes back to the kernel.
  void Recycle() {
    for (const unsigned id : held_) Give(id);
    held_.clear();
    if (given_ > 0) io_uring_buf_ring_advance(buffer_ring_, given_);
    given_ = 0;
  }

  unsigned Collect(std::vector<Datagram>* out) {
    unsigned refused = 0, seen = 0, head;
    io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      seen++;
      if ((cqe->user_data & kReceiveTag) == 0) {
        if (cqe->res < 0) failed_.push_back({cqe->user_data, -cqe->res});
        continue;
      }
      const uint32_t port = static_cast<uint32_t>(cqe->user_data);
      if ((cqe->flags & IORING_CQE_F_MORE) == 0 && !rearm_[port]) {
        rearm_[port] = 1;
        rearms_++;
      }
      if (cqe->res == -ECONNREFUSED) refused++;
      if ((cqe->flags & IORING_CQE_F_BUFFER) == 0) continue;
      const unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
      held_.push_back(id);
      if (cqe->res >= 0)
        out->push_back({port, buffers_ + size_t{id} * kDatagramBytes, static_cast<size_t>(cqe->res)});
      if (out->size() >= kBuffers / 2) break;
    }
    io_uring_cq_advance(&ring_, seen);
    return refused;
  }

  std::vector<UniqueFd> sockets_;
  io_uring ring_{};
  bool valid_ = false;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  uint8_t* buffers_ = nullptr;
  int given_ = 0;
  std::vector<unsigned> held_;
  std::vector<uint8_t> arena_;
  size_t used_ = 0;
  unsigned queued_ = 0;
  std::array<Out, kMaxQueued> out_;
  std::vector<SendFailure> failed_;
  std::vector<char> rearm_;
  int rearms_ = 0;
  Nap nap_;
};

}  // namespace

Status UringWorks() { return UringEngine::Try(1); }

StatusOr<std::unique_ptr<UdpEngine>> MakeUringEngine(std::vector<UniqueFd> sockets) {
  MZ_RETURN_IF_ERROR(UringEngine::Try(sockets.size()));
  return std::unique_ptr<UdpEngine>(new UringEngine(std::move(sockets)));
}

}  // namespace mz::load
