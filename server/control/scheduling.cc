// See scheduling.h.
#include "server/control/scheduling.h"

#include <dirent.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <vector>

namespace mz::control {
namespace {

constexpr int kNicer = 10, kNicest = 19;
constexpr char kTasks[] = "/proc/self/task";

// Argument of sched_setattr(2), which the C library of Debian 12 does not know.
struct Attributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t slice_ns, deadline_ns, period_ns;
};
static_assert(sizeof(Attributes) == 48);

// Thread 0 is the calling one.
bool Get(pid_t thread, Attributes& a) { return ::syscall(SYS_sched_getattr, thread, &a, sizeof a, 0) == 0; }
bool Set(pid_t thread, Attributes& a) { return ::syscall(SYS_sched_setattr, thread, &a, 0) == 0; }

bool SetPolicy(pid_t thread, uint32_t policy) {
  Attributes a{};
  if (!Get(thread, a)) return false;
  a.policy = policy;
  return Set(thread, a);
}

// Tried by a thread that ends at once: a way into SCHED_IDLE without a way out would be taken only once.
bool MayReturn() {
  bool returned = false;
  try {
    std::thread([&] { returned = SetPolicy(0, SCHED_IDLE) && SetPolicy(0, SCHED_BATCH); }).join();
  } catch (const std::system_error&) {
  }
  return returned && ::access(kTasks, R_OK | X_OK) == 0;
}

std::vector<pid_t> IdleThreads() {
  std::vector<pid_t> found;
  DIR* const tasks = ::opendir(kTasks);
  if (tasks == nullptr) return found;
  while (const dirent* entry = ::readdir(tasks)) {
    const pid_t thread = std::atoi(entry->d_name);
    if (thread > 0 && ::sched_getscheduler(thread) == SCHED_IDLE) found.push_back(thread);
  }
  ::closedir(tasks);
  return found;
}

int64_t Nanoseconds(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// The CPU time of a thread, as pthread_getcpuclockid() would name its clock; 0 when it is gone.
int64_t CpuNanoseconds(pid_t thread) {
  constexpr unsigned kPerThread = 4, kScheduled = 2;
  return Nanoseconds(static_cast<clockid_t>(~static_cast<unsigned>(thread) << 3 | kPerThread | kScheduled));
}

}  // namespace

void ComeFirst() {
  constexpr uint64_t kSliceNs = 100'000;  // the shortest that is allowed
  Attributes a{};
  if (!Get(0, a) || a.policy != SCHED_OTHER) return;
  a.slice_ns = kSliceNs;
  Set(0, a);
}

void StandBack() {
  Attributes a{};
  if (!Get(0, a) || (a.policy != SCHED_OTHER && a.policy != SCHED_BATCH)) return;
  a.policy = SCHED_BATCH;
  a.nice = std::min(a.nice + kNicer, kNicest);
  if (!Set(0, a)) return;
  if (MayReturn()) SetPolicy(0, SCHED_IDLE);
}

void AllowReturn() {
  const int nice = std::min(::getpriority(PRIO_PROCESS, 0) + kNicer, kNicest);
  const auto needed = static_cast<rlim_t>(20 - nice);  // getrlimit(2): the ceiling of the nice value is 20 - limit
  rlimit limit{};
  if (::getrlimit(RLIMIT_NICE, &limit) != 0 || limit.rlim_cur >= needed) return;
  limit.rlim_cur = needed;
  limit.rlim_max = std::max(limit.rlim_max, needed);
  ::setrlimit(RLIMIT_NICE, &limit);
}

void StarvationWatch::Check() {
  constexpr int64_t kShare = 20;
  const std::vector<pid_t> threads = IdleThreads();
  const int64_t now = Nanoseconds(CLOCK_MONOTONIC);
  int64_t cpu = 0;
  for (const pid_t thread : threads) cpu += CpuNanoseconds(thread);
  const int64_t since = checked_ns_;
  const int64_t got = cpu - cpu_ns_;  // negative when a thread has ended, which is progress
  checked_ns_ = threads.empty() ? 0 : now;
  cpu_ns_ = cpu;
  if (since == 0 || got < 0 || got >= (now - since) / kShare) return;
  for (const pid_t thread : threads) SetPolicy(thread, SCHED_BATCH);
}

}  // namespace mz::control
