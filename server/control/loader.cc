// See loader.h.
#include "server/control/loader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <system_error>

#include "server/control/scheduling.h"

namespace mz::control {
namespace {

double Seconds(clockid_t clock) {
  timespec t;
  ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

Loader::~Loader() {
  if (thread_.joinable()) thread_.join();
  if (freer_.joinable()) freer_.join();
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
    if (current != nullptr) StandBack();  // else nothing is served yet: the sooner the better
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

void Loader::Free(std::unique_ptr<const swap::Generation> old) {
  if (freer_.joinable()) freer_.join();
  if (old == nullptr) return;
  freeing_.store(true, std::memory_order_relaxed);
  const swap::Generation* const victim = old.get();
  auto free = [this, victim] {
    delete victim;
    freeing_.store(false, std::memory_order_relaxed);
  };
  try {
    freer_ = std::thread([free] {
      StandBack();
      free();
    });
  } catch (const std::system_error&) {
    free();
  }
  (void)old.release();
}

void Loader::Watch() {
  if (working()) watch_.Check();
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
