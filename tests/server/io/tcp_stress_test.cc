// TCP under attack, for both backends: thousands of idle or slow connections, no file descriptors left. New clients are
// answered, UDP is not disturbed, memory stays bounded, and nobody spins.
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdio>

#include "tests/server/io/running_backend.h"

namespace mz::io::test {
namespace {

class TcpStressTest : public testing::TestWithParam<BackendKind> {
 protected:
  static void SetUpTestSuite() {
    rlimit limit;
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 20000);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_GE(limit.rlim_cur, 11000u) << "raise the hard limit of open files";
  }
};
MZ_FOR_BOTH_BACKENDS(TcpStressTest);

// Resident memory of this process; sanitizers blow it up for reasons of their own, so it stands still under them.
long ResidentKiB() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;
#else
  long total = 0, resident = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%ld %ld", &total, &resident) != 2) resident = 0;
    std::fclose(f);
  }
  return resident * 4;
#endif
}

bool AskTcp(Client& c, const std::string& what, int patience_ms = 5000) {
  return c.Send(Framed(Message(what))) && c.ReceiveMessage(patience_ms) == Message(what);
}

// The longest of 200 UDP round trips in milliseconds; -1 when one is lost.
int WorstUdpMs(const sockaddr_storage& to) {
  Client client = Client::Udp(to);
  int worst = 0;
  for (int i = 0; i < 200; i++) {
    const auto start = std::chrono::steady_clock::now();
    const std::string query = "udp meanwhile " + std::to_string(i);
    if (!client.Send(query) || client.Receive(5000) != query) return -1;
    const auto took = std::chrono::steady_clock::now() - start;
    worst = std::max(worst, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  }
  return worst;
}

TEST_P(TcpStressTest, FiveThousandIdleConnectionsTakeLittleMemory) {
  constexpr int kIdle = 5000;
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.idle_timeout_ms = 60000});
  ASSERT_TRUE(server.ok());
  const long before = ResidentKiB();
  std::vector<Client> idle;
  idle.reserve(kIdle);
  for (int i = 0; i < kIdle; i++) {
    idle.push_back(Client::Tcp(server.address()));
    // Half of them have asked before; that must leave nothing behind.
    if (i % 2 == 0) {
      ASSERT_TRUE(AskTcp(idle.back(), "and now idle"));
    }
  }
  ASSERT_TRUE(Eventually([&] { return server.counters.tcp_open == kIdle; }));
  EXPECT_LT(ResidentKiB() - before, 5 * 1024) << "more than 1 KiB per idle connection";
  Client newcomer = Client::Tcp(server.address());
  EXPECT_TRUE(AskTcp(newcomer, "newcomer", 1000));
  const int worst = WorstUdpMs(server.address());
  EXPECT_GE(worst, 0);
  EXPECT_LT(worst, 1000);
  EXPECT_TRUE(AskTcp(idle.front(), "still here"));
  EXPECT_EQ(server.counters.tcp_evicted, 0u);
}

TEST_P(TcpStressTest, AtTheLimitTheLongestIdleOfFiveThousandAreEvictedInOrder) {
  constexpr int kClients = 5000, kLimit = 1000;
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.max_connections = kLimit, .idle_timeout_ms = 60000});
  ASSERT_TRUE(server.ok());
  std::vector<Client> clients;
  clients.reserve(kClients);
  for (int i = 0; i < kClients; i++) clients.push_back(Client::Tcp(server.address()));
  ASSERT_TRUE(Eventually([&] { return server.counters.tcp_accepted == kClients; }));
  EXPECT_EQ(server.counters.tcp_evicted, static_cast<uint64_t>(kClients - kLimit));
  EXPECT_EQ(server.counters.tcp_open, static_cast<uint64_t>(kLimit));
  for (int i : {0, 1, 1000, 2500, kClients - kLimit - 1})
    EXPECT_TRUE(clients[static_cast<size_t>(i)].ClosedByServer()) << i;
  for (int i : {kClients - kLimit, kClients - 500, kClients - 1})
    EXPECT_TRUE(AskTcp(clients[static_cast<size_t>(i)], "kept")) << i;
}

TEST_P(TcpStressTest, SlowSendersDisturbNobody) {
  constexpr int kSlow = 2000;
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.message_timeout_ms = 30000});
  ASSERT_TRUE(server.ok());
  const long before = ResidentKiB();
  std::vector<Client> slow;
  slow.reserve(kSlow);
  const std::string frame = Framed(std::string(65535, 's'));  // announces a lot, sends little
  for (int i = 0; i < kSlow; i++) {
    slow.push_back(Client::Tcp(server.address()));
    ASSERT_TRUE(slow.back().Send(frame.substr(0, 1)));
  }
  std::atomic<bool> done{false};
  std::thread trickle([&] {
    for (size_t octet = 1; !done; octet++)
      for (Client& c : slow) {
        if (done) break;
        c.Send(frame.substr(octet, 1));
      }
  });
  const int worst = WorstUdpMs(server.address());
  EXPECT_GE(worst, 0);
  EXPECT_LT(worst, 1000);
  for (int i = 0; i < 20; i++) {
    Client newcomer = Client::Tcp(server.address());
    EXPECT_TRUE(AskTcp(newcomer, "newcomer", 1000));
  }
  done = true;
  trickle.join();
  EXPECT_LT(ResidentKiB() - before, 8 * 1024) << "an announced length must not be allocated";
}

TEST_P(TcpStressTest, NeverReadingClientsAreBounded) {
  constexpr int kGreedy = 100;
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.message_timeout_ms = 30000});
  ASSERT_TRUE(server.ok());
  const long before = ResidentKiB();
  std::string burst;
  for (int i = 0; i < 2000; i++) burst += Framed(Message(std::string(1, static_cast<char>(kLarge))));
  std::vector<Client> greedy;
  for (int i = 0; i < kGreedy; i++) {
    greedy.push_back(Client::Tcp(server.address(), 4096));
    ::send(greedy.back().fd(), burst.data(), burst.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  const int worst = WorstUdpMs(server.address());
  EXPECT_GE(worst, 0);
  EXPECT_LT(worst, 1000);
  Client newcomer = Client::Tcp(server.address());
  EXPECT_TRUE(AskTcp(newcomer, "newcomer", 1000));
  // 64 KiB and one message of output, one buffer of input, rounded up to buffer sizes.
  EXPECT_LT(ResidentKiB() - before, kGreedy * (128 + 8 + 8));
}

TEST_P(TcpStressTest, ConnectionChurnLeavesNothingBehind) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.max_connections = 100});
  ASSERT_TRUE(server.ok());
  for (int i = 0; i < 3000; i++) {
    Client client = Client::Tcp(server.address());
    if (i % 3 == 0) {
      ASSERT_TRUE(AskTcp(client, "churn"));
    }
    if (i % 3 == 1) client.Send("\x01");
  }
  EXPECT_TRUE(Eventually([&] { return server.counters.tcp_accepted == 3000 && server.counters.tcp_open == 0; }));
}

TEST_P(TcpStressTest, OutOfFileDescriptorsEvictsOrWaitsButNeverSpins) {
  // The server is a process of its own, so that its limit is its own. It reports its port through a pipe.
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    RunningBackend server(GetParam(), {"127.0.0.1"}, {}, {}, /*start=*/false);
    if (!server.ok()) ::_exit(1);
    auto limit_to = [](rlim_t n) {
      rlimit limit;
      ::getrlimit(RLIMIT_NOFILE, &limit);
      limit.rlim_cur = n;
      ::setrlimit(RLIMIT_NOFILE, &limit);
    };
    UniqueFd next_free(::dup(0));
    const int used = next_free.get();
    next_free.reset();
    server.handler.hook = [&](std::span<Packet> packets) {
      if (packets[0].tcp) return;
      switch (packets[0].request[0]) {
        case 'n': limit_to(static_cast<rlim_t>(used)); break;       // no connection at all
        case 's': limit_to(static_cast<rlim_t>(used) + 10); break;  // ten
        case 'q': server.backend().Stop(); break;
      }
    };
    const uint16_t port = server.port();
    if (::write(pipe_fds[1], &port, sizeof port) != sizeof port) ::_exit(1);
    ::_exit(server.backend().Run().ok() ? 0 : 1);
  }
  uint16_t port = 0;
  ASSERT_EQ(::read(pipe_fds[0], &port, sizeof port), static_cast<ssize_t>(sizeof port));
  const sockaddr_storage to = Address4("127.0.0.1", port);
  Client udp = Client::Udp(to);
  auto command = [&](const char* what) { return udp.Send(what) && udp.Receive() == what; };

  // Room for ten: the eleventh gets the place of the longest idle.
  ASSERT_TRUE(command("s"));
  std::vector<Client> clients;
  for (int i = 0; i < 50; i++) {
    clients.push_back(Client::Tcp(to));
    ASSERT_TRUE(AskTcp(clients.back(), "few descriptors")) << i;
  }
  EXPECT_TRUE(clients[0].ClosedByServer());
  clients.clear();

  // No room: the connection waits in the backlog, UDP goes on, and the server sleeps.
  ASSERT_TRUE(command("n"));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  Client waiting = Client::Tcp(to);
  ASSERT_TRUE(waiting.Send(Framed(Message("patience"))));
  for (int i = 0; i < 20; i++) {
    ASSERT_TRUE(command("udp"));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_FALSE(waiting.Readable(0));
  ASSERT_TRUE(command("s"));
  EXPECT_EQ(waiting.ReceiveMessage(1000), Message("patience"));
  ASSERT_TRUE(command("q"));
  int status = 0;
  rusage usage{};
  ASSERT_EQ(::wait4(child, &status, 0, &usage), child);
  EXPECT_EQ(status, 0);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  EXPECT_LT(cpu, 0.1) << "a second without descriptors must be slept through";
  ::close(pipe_fds[0]);
  ::close(pipe_fds[1]);
}

}  // namespace
}  // namespace mz::io::test
