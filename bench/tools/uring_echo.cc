// The other floor of the benchmarks: receives datagrams and sends them back with the QR bit set, io_uring with the settings
// that measured best, no other work. Usage: uring_echo PORT   (127.0.0.1, until killed)
//
// DEFER_TASKRUN, multishot recvmsg into provided buffers, OP_SEND with an address and without a completion, registered
// file and ring, one io_uring_enter a round. When the last round was a large one it waits for many completions or a little
// time (min-wait, kernel 6.12): larger rounds cost less, and an idle server is not kept waiting.
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr unsigned kBuffers = 1024;  // power of two, below the submission queue's size
constexpr size_t kBufferBytes = 1024;
constexpr unsigned kEntries = 2048;
constexpr unsigned kSaturated = 32;         // completions of the last round from which waiting pays
constexpr unsigned kWaitFor = 128;          // completions
constexpr unsigned kMinWaitMicros = 100;    // or this long
constexpr unsigned kFeatureMinWait = 1u << 15;  // IORING_FEAT_MIN_TIMEOUT; younger than liburing 2.3
constexpr uint64_t kReceive = 1;

[[noreturn]] void Fail(const char* what, int error) {
  std::fprintf(stderr, "uring_echo: %s: %s\n", what, std::strerror(error));
  std::exit(1);
}

int Listen(const char* port) {
  int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  int size = 8 << 20;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) Fail("bind", errno);
  return fd;
}

class Echo {
 public:
  explicit Echo(int fd) : pool_(kBuffers * kBufferBytes) {
    io_uring_params p{};
    p.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_DEFER_TASKRUN;
    p.cq_entries = 8192;
    if (int e = io_uring_queue_init_params(kEntries, &ring_, &p); e != 0) Fail("io_uring_setup", -e);
    min_wait_ = (p.features & kFeatureMinWait) != 0;
    io_uring_register_files(&ring_, &fd, 1);
    io_uring_register_ring_fd(&ring_);
    // Submission entry i always stands at place i: publishing is then one store.
    for (unsigned i = 0; i < *ring_.sq.kring_entries; i++) ring_.sq.array[i] = i;
    if (posix_memalign(reinterpret_cast<void**>(&buffers_), 4096, kBuffers * sizeof(io_uring_buf)) != 0)
      Fail("memory", ENOMEM);
    io_uring_buf_reg reg{};
    reg.ring_addr = reinterpret_cast<uintptr_t>(buffers_);
    reg.ring_entries = kBuffers;
    if (int e = io_uring_register_buf_ring(&ring_, &reg, 0); e != 0) Fail("buffer ring", -e);
    io_uring_buf_ring_init(buffers_);
    for (unsigned i = 0; i < kBuffers; i++) used_.push_back(i);
    GiveBack();
    shape_.msg_namelen = sizeof(sockaddr_in);
  }

  [[noreturn]] void Run() {
    for (unsigned last = 0;;) {
      if (!armed_) Arm();
      Enter(last >= kSaturated);
      GiveBack();  // MSG_DONTWAIT: the replies of the round before were sent inline by this enter
      last = Reap();
    }
  }

 private:
  uint8_t* Buffer(unsigned id) { return pool_.data() + id * kBufferBytes; }

  void Arm() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    io_uring_prep_recvmsg_multishot(sqe, 0, &shape_, 0);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    sqe->user_data = kReceive;
    armed_ = true;
  }

  void Enter(bool saturated) {
    const unsigned queued = ring_.sq.sqe_tail - ring_.sq.sqe_head;
    ring_.sq.sqe_head = ring_.sq.sqe_tail;
    io_uring_smp_store_release(ring_.sq.ktail, ring_.sq.sqe_tail);
    __kernel_timespec second{.tv_sec = 1, .tv_nsec = 0};
    io_uring_getevents_arg arg{};
    arg.ts = reinterpret_cast<uintptr_t>(&second);
    if (saturated && min_wait_) arg.pad = kMinWaitMicros;  // named min_wait_usec by younger headers
    const unsigned wait = saturated && min_wait_ ? kWaitFor : 1;
    const int n = io_uring_enter2(static_cast<unsigned>(ring_.enter_ring_fd), queued, wait,
                                  IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING,
                                  reinterpret_cast<sigset_t*>(&arg), sizeof arg);
    if (n < 0 && n != -ETIME && n != -EINTR && n != -EAGAIN && n != -EBUSY) Fail("io_uring_enter", -n);
  }

  void GiveBack() {
    int n = 0;
    for (unsigned id : used_)
      io_uring_buf_ring_add(buffers_, Buffer(id), kBufferBytes, static_cast<unsigned short>(id),
                            io_uring_buf_ring_mask(kBuffers), n++);
    if (n > 0) io_uring_buf_ring_advance(buffers_, n);
    used_.clear();
  }

  unsigned Reap() {
    unsigned head, n = 0;
    io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      n++;
      if (cqe->user_data != kReceive) continue;  // a reply that could not be sent
      if (!(cqe->flags & IORING_CQE_F_MORE)) armed_ = false;
      if (cqe->res < 0 || !(cqe->flags & IORING_CQE_F_BUFFER)) continue;
      const unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
      used_.push_back(id);
      io_uring_recvmsg_out* out = io_uring_recvmsg_validate(Buffer(id), cqe->res, &shape_);
      if (out == nullptr) continue;
      auto* payload = static_cast<uint8_t*>(io_uring_recvmsg_payload(out, &shape_));
      const unsigned bytes = io_uring_recvmsg_payload_length(out, cqe->res, &shape_);
      if (bytes < 12) continue;
      payload[2] |= 0x80;
      io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
      io_uring_prep_send(sqe, 0, payload, bytes, MSG_DONTWAIT);
      sqe->addr2 = reinterpret_cast<uintptr_t>(io_uring_recvmsg_name(out));
      sqe->addr_len = static_cast<__u16>(shape_.msg_namelen);
      sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
    }
    io_uring_cq_advance(&ring_, n);
    return n;
  }

  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  std::vector<uint8_t> pool_;
  std::vector<unsigned> used_;  // buffers whose replies the next enter sends
  msghdr shape_{};
  bool armed_ = false, min_wait_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: uring_echo PORT\n");
    return 2;
  }
  Echo(Listen(argv[1])).Run();
}
