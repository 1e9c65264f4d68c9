// See ring.h.
#include "server/io/ring.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/fd.h"
#include "base/file.h"

namespace mz::io {

namespace {

// Best first. EINVAL means that the kernel does not know a flag (deferred task work: 6.1; single issuer: 6.0).
constexpr unsigned kModes[] = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
    0,
};

Status Refused(int error, std::string_view call) {
  std::string why = std::string(call) + ": " + std::strerror(error);
  if (error == ENOSYS) {
    why += " (the kernel is built without it, or a seccomp profile hides it)";
  } else if (error == EPERM || error == EACCES) {
    const StatusOr<std::string> setting = ReadFile("/proc/sys/kernel/io_uring_disabled");
    if (setting.ok() && !setting->empty() && (*setting)[0] != '0')
      why += std::string(" (sysctl kernel.io_uring_disabled is ") + (*setting)[0] + ")";
    else
      why += " (a seccomp profile, as of a container runtime, or a security module forbids it)";
  }
  return MakeStatus(StatusCode::kFailedPrecondition, why);
}

Status TooOld(std::string_view what) {
  return MakeStatus(StatusCode::kFailedPrecondition, std::string(what) + " (needs Linux 6.0)");
}

}  // namespace

Ring::~Ring() {
  if (valid_) io_uring_queue_exit(&ring_);
}

Status Ring::Init(unsigned sq_entries, unsigned cq_entries, bool disabled) {
  int error = EINVAL;
  for (const unsigned mode : kModes) {
    io_uring_params params{};
    params.flags = mode | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | (disabled ? IORING_SETUP_R_DISABLED : 0u);
    params.cq_entries = cq_entries;
    error = -io_uring_queue_init_params(sq_entries, &ring_, &params);
    if (error == 0) {
      flags_ = mode;
      valid_ = true;
      return absl::OkStatus();
    }
    if (error != EINVAL) break;
  }
  if (error == ENOMEM || error == EMFILE || error == ENFILE) return ErrnoStatus(error, "io_uring_setup");
  return Refused(error, "io_uring_setup");
}

Status Ring::Enable() {
  // By hand: liburing 2.3 declares io_uring_enable_rings but does not export it.
  const long result = ::syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  if (result < 0) return ErrnoStatus(errno, "io_uring_register");
  return absl::OkStatus();
}

Status BufferRing::Register(Ring& ring, uint16_t group, unsigned count, unsigned most, size_t buffer_bytes) {
  step_ = count;
  most_ = most;
  buffer_bytes_ = buffer_bytes;
  try {
    ring_memory_ = LazyMemory(most * sizeof(io_uring_buf));
    buffers_ = LazyMemory(most * buffer_bytes);
  } catch (const std::bad_alloc&) {
    return ErrnoStatus(ENOMEM, "io_uring buffers");
  }
  ring_ = reinterpret_cast<io_uring_buf_ring*>(ring_memory_.data());
  io_uring_buf_reg reg{};
  reg.ring_addr = reinterpret_cast<uintptr_t>(ring_);
  reg.ring_entries = most;
  reg.bgid = group;
  if (const int error = io_uring_register_buf_ring(ring.get(), &reg, 0); error != 0) {
    if (error == -EINVAL) return TooOld("io_uring has no provided-buffer rings");
    return Refused(-error, "io_uring_register");
  }
  io_uring_buf_ring_init(ring_);
  Add(count);
  return absl::OkStatus();
}

void BufferRing::Grow() { Add(std::min(count_ + step_, most_)); }

// Populated: the first touch of a page would otherwise cost microseconds in the middle of a batch.
void BufferRing::Add(unsigned end) {
  buffers_.Populate(count_ * buffer_bytes_, end * buffer_bytes_);
  while (count_ < end) Recycle(count_++);
  Publish();
}

void BufferRing::Recycle(unsigned id) {
  io_uring_buf_ring_add(ring_, buffer(id), static_cast<unsigned>(buffer_bytes_), static_cast<unsigned short>(id),
                        io_uring_buf_ring_mask(most_), pending_++);
}

void BufferRing::Publish() {
  if (pending_ > 0) io_uring_buf_ring_advance(ring_, pending_);
  pending_ = 0;
}

Status TryUring() {
  Ring ring;
  MZ_RETURN_IF_ERROR(ring.Init(4, 8, false));
  BufferRing buffers;
  MZ_RETURN_IF_ERROR(buffers.Register(ring, 0, 2, 2, 512));
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
    return ErrnoStatus(errno, "socketpair");
  const UniqueFd receiver(pair[0]), sender(pair[1]);
  if (::send(sender.get(), "x", 1, 0) != 1) return ErrnoStatus(errno, "send");
  msghdr message{};
  io_uring_sqe* sqe = io_uring_get_sqe(ring.get());
  io_uring_prep_recvmsg_multishot(sqe, receiver.get(), &message, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = 0;
  __kernel_timespec second{.tv_sec = 1, .tv_nsec = 0};
  io_uring_cqe* cqe = nullptr;
  const int submitted = io_uring_submit_and_wait_timeout(ring.get(), &cqe, 1, &second, nullptr);
  if (submitted < 0 && submitted != -ETIME) return Refused(-submitted, "io_uring_enter");
  if (io_uring_peek_cqe(ring.get(), &cqe) != 0)
    return MakeStatus(StatusCode::kFailedPrecondition, "io_uring does not complete a receive");
  if (cqe->res < 0) {
    if (cqe->res == -EINVAL) return TooOld("io_uring has no multishot recvmsg");
    return Refused(-cqe->res, "io_uring recvmsg");
  }
  return absl::OkStatus();
}

}  // namespace mz::io
