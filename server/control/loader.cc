// See loader.h.
#include "server/control/loader.h"

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace mz::control {
namespace {

double Seconds(clockid_t clock) {
  timespec t;
  ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// Argument of sched_setattr(2), which the C library of Debian 12 does not know.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime_ns, deadline_ns, period_ns;
};
static_assert(sizeof(SchedulingAttributes) == 48);

// Copying and verifying a large image takes seconds of CPU; the workers must not wait for it. A short slice matters more
// than the weight: the scheduler lets a thread finish its slice of some milliseconds before a worker that wakes up on the
// same core gets it back (Linux 6.12 and later take a slice from us; older ones ignore it). The threads that help this one
// inherit all of it. Failing changes nothing but latency.
void YieldToWorkers() {
  constexpr int kNice = 10;
  constexpr uint64_t kSliceNs = 100'000;  // the shortest that is allowed
  const SchedulingAttributes attributes{.size = sizeof attributes,
                                        .policy = SCHED_BATCH,
                                        .flags = 0,
                                        .nice = kNice,
                                        .priority = 0,
                                        .runtime_ns = kSliceNs,
                                        .deadline_ns = 0,
                                        .period_ns = 0};
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace

Loader::~Loader() {
  if (thread_.joinable()) thread_.join();
}

Status Loader::Open() {
  event_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_.valid()) return ErrnoStatus(errno, "eventfd");
  return absl::OkStatus();
}

void Loader::Start(LoadReason reason, const swap::Generation* current) {
  MZ_CHECK(!busy_);
  busy_ = true;
  done_.store(false, std::memory_order_relaxed);
  thread_ = std::thread([this, reason, current] {
    if (current != nullptr) YieldToWorkers();  // else nothing is served yet: the sooner the better
    const double wall = Seconds(CLOCK_MONOTONIC), cpu = Seconds(CLOCK_THREAD_CPUTIME_ID);
    result_ = {};
    result_.reason = reason;
    result_.outcome = source_.Load(reason, current, log_);
    result_.elapsed_seconds = Seconds(CLOCK_MONOTONIC) - wall;
    result_.cpu_seconds = Seconds(CLOCK_THREAD_CPUTIME_ID) - cpu + result_.outcome.cpu_seconds;
    done_.store(true, std::memory_order_release);
    const uint64_t one = 1;
    (void)!::write(event_.get(), &one, sizeof one);
  });
}

std::optional<LoadDone> Loader::Take() {
  uint64_t count;
  (void)!::read(event_.get(), &count, sizeof count);
  if (!busy_ || !done_.load(std::memory_order_acquire)) return std::nullopt;
  thread_.join();
  busy_ = false;
  return std::move(result_);
}

bool Loader::Stop(int timeout_ms) {
  source_.Cancel();
  if (!busy_) return true;
  pollfd p{event_.get(), POLLIN, 0};
  if (!done_.load(std::memory_order_acquire)) ::poll(&p, 1, timeout_ms);
  if (!done_.load(std::memory_order_acquire)) {
    thread_.detach();
    return false;
  }
  Take();
  return true;
}

}  // namespace mz::control
