// System calls per batch, counted from outside with ptrace: a thousand waiting datagrams are answered with a few dozen
// calls on the epoll backend and fewer on io_uring.
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <map>

#include "tests/server/io/running_backend.h"

namespace mz::io::test {
namespace {

constexpr int kDatagrams = 1000;

// Calls by number that a backend makes from Run() to its end, when kDatagrams wait at its start.
std::map<uint64_t, int> CountCalls(BackendKind kind) {
  std::map<uint64_t, int> calls;
  auto opened = OpenListenSockets(std::vector<ListenSpec>{{.host = "127.0.0.1", .service = "0"}}, {});
  EXPECT_TRUE(opened.ok());
  if (!opened.ok()) return calls;
  const int each = 50;
  std::vector<Client> clients;
  int queued = 0;
  for (int i = 0; i < kDatagrams / each; i++) {
    clients.push_back(Client::Udp(opened->bound[0].address));
    for (int k = 0; k < each; k++) queued += clients.back().Send("waiting query");
  }
  EXPECT_EQ(queued, kDatagrams);
  const pid_t child = ::fork();
  if (child == 0) {
    EchoHandler handler;
    IoCounters counters;
    Backend* running = nullptr;
    handler.hook = [&](std::span<Packet>) {
      if (handler.udp_messages == kDatagrams) running->Stop();
    };
    auto backend = MakeBackend(kind, std::move(opened->workers[0]), {}, handler, counters, nullptr);
    if (!backend.ok()) ::_exit(2);
    running = backend->get();
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::_exit((*backend)->Run().ok() && counters.udp_sent == kDatagrams ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSTOPPED(status));
  EXPECT_EQ(::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
  for (;;) {
    if (::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0) break;
    if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) break;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) > 0 &&
        info.op == PTRACE_SYSCALL_INFO_ENTRY)
      calls[info.entry.nr]++;
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  for (auto& c : clients)
    for (int k = 0; k < each; k++) EXPECT_EQ(c.Receive(), "waiting query");
  return calls;
}

int Sum(const std::map<uint64_t, int>& calls) {
  int sum = 0;
  for (const auto& [nr, n] : calls) sum += n;
  return sum;
}

TEST(SyscallsTest, UringEntersTheKernelOncePerRound) {
  auto calls = CountCalls(BackendKind::kUring);
  EXPECT_GT(calls[__NR_io_uring_enter], 0);
  // Rounds of up to 256 datagrams; the kernel may deliver them in smaller runs of 32.
  EXPECT_LE(calls[__NR_io_uring_enter], kDatagrams / 32 + 10);
  for (const auto nr : {__NR_sendto, __NR_sendmsg, __NR_sendmmsg, __NR_recvfrom, __NR_recvmsg, __NR_recvmmsg})
    EXPECT_EQ(calls[static_cast<uint64_t>(nr)], 0) << nr;
  EXPECT_LE(Sum(calls), kDatagrams / 32 + 30);
}

TEST(SyscallsTest, EpollNeedsTwoCallsPerFullBatch) {
  auto calls = CountCalls(BackendKind::kEpoll);
  const int batches = (kDatagrams + static_cast<int>(kMaxBatch) - 1) / static_cast<int>(kMaxBatch);
  EXPECT_GT(calls[__NR_recvmmsg], 0);
  EXPECT_LE(calls[__NR_recvmmsg], batches + 2);
  EXPECT_LE(calls[__NR_sendmmsg], batches + 2);
  for (const auto nr : {__NR_sendto, __NR_sendmsg, __NR_recvfrom, __NR_recvmsg})
    EXPECT_EQ(calls[static_cast<uint64_t>(nr)], 0) << nr;
  EXPECT_LE(Sum(calls), 2 * batches + 30);
}

}  // namespace
}  // namespace mz::io::test
