// See server/control/scheduling.h. Policies are read back from the kernel; nothing here is timed.
#include "server/control/scheduling.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

namespace mz::control {
namespace {

constexpr uid_t kNobody = 65534;

int Nice() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid))); }

// What `check` returns in a process of its own, on a thread beside its main one.
int InChild(const std::function<int()>& check) {
  const pid_t child = ::fork();
  if (child == 0) {
    int result = 99;
    std::thread([&] { result = check(); }).join();
    ::_exit(result);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool Unprivileged() {
  const rlimit none{0, 0};
  return ::setrlimit(RLIMIT_NICE, &none) == 0 && (::geteuid() != 0 || ::setuid(kNobody) == 0);
}

TEST(SchedulingTest, LoadTakesWhatIsIdleWhenItMayComeBack) {
  EXPECT_EQ(InChild([] {
              const int nice = Nice() + 10;
              rlimit before{}, limit{};
              if (::getrlimit(RLIMIT_NICE, &before) != 0) return 2;
              AllowReturn();  // takes CAP_SYS_RESOURCE, which a container's root has not got
              if (::getrlimit(RLIMIT_NICE, &limit) != 0) return 2;
              // No more than it takes.
              if (limit.rlim_cur > before.rlim_cur && limit.rlim_cur != static_cast<rlim_t>(20 - (nice < 19 ? nice : 19))) return 5;
              if (::geteuid() == 0 && ::setuid(kNobody) != 0) return 3;
              StandBack();
              const bool may = limit.rlim_cur >= static_cast<rlim_t>(20 - (nice < 19 ? nice : 19));
              return ::sched_getscheduler(0) == (may ? SCHED_IDLE : SCHED_BATCH) ? 0 : 4;
            }),
            0);
}

TEST(SchedulingTest, LoadIsNeverStuckBehindAllOthers) {
  EXPECT_EQ(InChild([] {
              if (!Unprivileged()) return 2;
              const int before = Nice();
              StandBack();
              if (::sched_getscheduler(0) != SCHED_BATCH) return 3;
              return Nice() > before || before == 19 ? 0 : 4;
            }),
            0);
}

TEST(SchedulingTest, AllowReturnGivesNoBetterNiceValue) {
  EXPECT_EQ(InChild([] {
              if (!Unprivileged()) return 2;
              AllowReturn();
              return ::setpriority(PRIO_PROCESS, 0, Nice() - 1) == 0 ? 3 : 0;
            }),
            0);
}

TEST(SchedulingTest, OperatorsPolicyStays) {
  EXPECT_EQ(InChild([] {
              const sched_param none{};
              if (::sched_setscheduler(0, SCHED_IDLE, &none) != 0) return 2;
              const int nice = Nice();
              StandBack();
              ComeFirst();
              return ::sched_getscheduler(0) == SCHED_IDLE && Nice() == nice ? 0 : 3;
            }),
            0);
}

TEST(SchedulingTest, ComingFirstKeepsTheNiceValue) {
  EXPECT_EQ(InChild([] {
              if (::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 7) != 0) return 2;
              ComeFirst();
              return Nice() == 7 && ::sched_getscheduler(0) == SCHED_OTHER ? 0 : 3;
            }),
            0);
}

TEST(SchedulingTest, ComingFirstAsksForShortSlices) {
  EXPECT_EQ(InChild([] {
              ComeFirst();
              struct {
                uint32_t size, policy;
                uint64_t flags;
                int32_t nice;
                uint32_t priority;
                uint64_t slice_ns, deadline_ns, period_ns;
              } a{};
              if (::syscall(SYS_sched_getattr, 0, &a, sizeof a, 0) != 0) return 2;
              return a.slice_ns == 0 || a.slice_ns == 100'000 ? 0 : 3;  // 0: a kernel without slices (before 6.12)
            }),
            0);
}

// A thread that sleeps gets as little as one that starves: at the second look it is given a share.
TEST(SchedulingTest, StarvingThreadsComeBack) {
  EXPECT_EQ(InChild([] {
              if (::geteuid() != 0) return 0;  // nothing that could be taken back
              StarvationWatch watch;
              watch.Check();  // nobody to look at yet
              std::atomic<pid_t> loader{0};
              std::atomic<bool> done{false};
              std::thread thread([&] {
                StandBack();
                loader = static_cast<pid_t>(::syscall(SYS_gettid));
                loader.notify_one();
                done.wait(false);
              });
              loader.wait(0);
              const int before = ::sched_getscheduler(loader);
              watch.Check();
              const int first = ::sched_getscheduler(loader);
              const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
              ::nanosleep(&pause, nullptr);
              watch.Check();
              const int second = ::sched_getscheduler(loader);
              done = true;
              done.notify_one();
              thread.join();
              if (before != SCHED_IDLE) return 2;
              if (first != SCHED_IDLE) return 3;  // one look tells nothing
              return second == SCHED_BATCH ? 0 : 4;
            }),
            0);
}

}  // namespace
}  // namespace mz::control
