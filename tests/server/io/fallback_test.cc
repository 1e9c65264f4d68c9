// Which backend runs where: io_uring is refused by container runtimes (seccomp: EPERM), by old or hardened kernels
// (ENOSYS), and the server must then say so and answer all the same.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/server/io/running_backend.h"

namespace mz::io::test {
namespace {

// From now on this process gets `error` from `call`.
bool Refuse(int call, int error) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = sizeof filter / sizeof *filter, .filter = filter};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

StatusOr<std::vector<ListenSockets>> LoopbackSockets(sockaddr_storage* address = nullptr) {
  auto opened = OpenListenSockets(std::vector<ListenSpec>{{.host = "127.0.0.1", .service = "0"}}, {});
  if (!opened.ok()) return opened.status();
  if (address != nullptr) *address = opened->bound[0].address;
  return std::move(opened->workers[0]);
}

// What a process under the filter reports: "NAME|REASON|ERROR of kUring|served or not".
std::string ReportUnder(int call, int error) {
  int pipe_fds[2];
  if (::pipe(pipe_fds) != 0) return "pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string report;
    EchoHandler handler;
    IoCounters counters;
    sockaddr_storage address{};
    if (!Refuse(call, error)) {
      report = "cannot install the filter";
    } else {
      std::string because;
      auto backend = MakeBackend(BackendKind::kAuto, *LoopbackSockets(&address), {}, handler, counters, &because);
      report = backend.ok() ? std::string((*backend)->name()) : backend.status().ToString();
      report += "|" + because;
      auto uring = MakeBackend(BackendKind::kUring, *LoopbackSockets(), {}, handler, counters, nullptr);
      report += "|" + uring.status().ToString();
      if (backend.ok()) {
        std::thread worker([&] { (void)(*backend)->Run(); });
        Client udp = Client::Udp(address), tcp = Client::Tcp(address);
        udp.Send("query");
        tcp.Send(Framed(Message("query")));
        report += udp.Receive() == "query" && tcp.ReceiveMessage() == Message("query") ? "|served" : "|mute";
        (*backend)->Stop();
        worker.join();
      }
    }
    ::_exit(::write(pipe_fds[1], report.data(), report.size()) < 0);
  }
  ::close(pipe_fds[1]);
  std::string report(4096, '\0');
  const ssize_t n = ::read(pipe_fds[0], report.data(), report.size());
  report.resize(n > 0 ? static_cast<size_t>(n) : 0);
  ::close(pipe_fds[0]);
  ::waitpid(child, nullptr, 0);
  return report;
}

using testing::HasSubstr;
using testing::StartsWith;

TEST(FallbackTest, AutoPicksUringWhereTheKernelAllowsIt) {
  EchoHandler handler;
  IoCounters counters;
  std::string because;
  auto backend = MakeBackend(BackendKind::kAuto, *LoopbackSockets(), {}, handler, counters, &because);
  ASSERT_TRUE(backend.ok());
  EXPECT_EQ((*backend)->name(), "io_uring") << because;
  EXPECT_THAT(because, StartsWith("io_uring"));
}

TEST(FallbackTest, EpollAsAskedFor) {
  EchoHandler handler;
  IoCounters counters;
  std::string because;
  auto backend = MakeBackend(BackendKind::kEpoll, *LoopbackSockets(), {}, handler, counters, &because);
  ASSERT_TRUE(backend.ok());
  EXPECT_EQ((*backend)->name(), "epoll");
  EXPECT_EQ(because, "epoll, as asked for");
}

TEST(FallbackTest, SetupRefusedWithEperm) {
  const std::string report = ReportUnder(__NR_io_uring_setup, EPERM);
  EXPECT_THAT(report, StartsWith("epoll|epoll, because io_uring is refused: io_uring_setup: Operation not permitted ("));
  EXPECT_THAT(report, HasSubstr("|FAILED_PRECONDITION: io_uring: io_uring_setup: Operation not permitted ("));
  EXPECT_THAT(report, HasSubstr("|served"));
}

TEST(FallbackTest, SetupRefusedWithEnosys) {
  const std::string report = ReportUnder(__NR_io_uring_setup, ENOSYS);
  EXPECT_THAT(report,
              StartsWith("epoll|epoll, because io_uring is refused: io_uring_setup: Function not implemented ("));
  EXPECT_THAT(report, HasSubstr("|served"));
}

TEST(FallbackTest, RegisterOrEnterRefusedFallsBackToo) {
  for (const int call : {__NR_io_uring_register, __NR_io_uring_enter}) {
    const std::string report = ReportUnder(call, EPERM);
    EXPECT_THAT(report, StartsWith("epoll|epoll, because io_uring is refused: io_uring_"));
    EXPECT_THAT(report, HasSubstr("|served"));
  }
}

}  // namespace
}  // namespace mz::io::test
