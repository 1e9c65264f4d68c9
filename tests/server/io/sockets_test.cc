// Listening sockets: exclusive ports, shared between workers, wildcard addresses, passed-in sockets.
#include "server/io/sockets.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "tests/server/io/running_backend.h"

namespace mz::io::test {
namespace {

using testing::HasSubstr;

std::vector<ListenSpec> Specs(std::vector<std::string> hosts, const std::string& service) {
  std::vector<ListenSpec> out;
  for (auto& h : hosts) out.push_back({.host = h, .service = service});
  return out;
}

int Option(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(fd, level, option, &value, &size), 0);
  return value;
}

TEST(SocketsTest, EveryWorkerHasItsOwnSocketsOnTheSamePort) {
  auto opened = OpenListenSockets(Specs({"127.0.0.1", "::1"}, "0"), {.workers = 3});
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_EQ(opened->workers.size(), 3u);
  ASSERT_EQ(opened->bound.size(), 2u);
  for (auto& worker : opened->workers) {
    ASSERT_EQ(worker.size(), 2u);
    for (size_t i = 0; i < 2; i++) {
      for (int fd : {worker[i].udp.get(), worker[i].tcp.get()}) {
        sockaddr_storage name{};
        socklen_t size = sizeof name;
        ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size), 0);
        EXPECT_EQ(AddressText(name), opened->bound[i].Text());
        EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
        EXPECT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
      }
      EXPECT_FALSE(worker[i].wildcard);
      EXPECT_EQ(Option(worker[i].tcp.get(), SOL_SOCKET, SO_ACCEPTCONN), 1);
    }
  }
  EXPECT_EQ(opened->workers[0][0].family, AF_INET);
  EXPECT_EQ(opened->workers[0][1].family, AF_INET6);
}

TEST(SocketsTest, SecondDaemonOnAPortFails) {
  auto first = OpenListenSockets(Specs({"127.0.0.1"}, "0"), {.workers = 2});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string port = std::to_string(PortOf(first->bound[0].address));
  for (bool udp : {true, false}) {
    for (const char* host : {"127.0.0.1", "0.0.0.0"}) {
      auto second = OpenListenSockets(
          std::vector<ListenSpec>{{.host = host, .service = port, .udp = udp, .tcp = !udp}},
          {.workers = 2, .patience_ms = 20});
      ASSERT_FALSE(second.ok()) << host;
      EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
      EXPECT_EQ(mz::Message(second.status()),
                std::string("unable to bind to ") + host + "/" + port + ": Address already in use");
    }
  }
  auto elsewhere = OpenListenSockets(Specs({"127.0.0.2"}, port), {});
  EXPECT_TRUE(elsewhere.ok()) << elsewhere.status();
}

TEST(SocketsTest, PortOfAnotherProgramIsNotShared) {
  Client other(AF_INET, SOCK_DGRAM);  // bound as rbldnsd does it
  sockaddr_storage name = Address4("127.0.0.1", 0);
  ASSERT_EQ(::bind(other.fd(), reinterpret_cast<sockaddr*>(&name), SizeOf(name)), 0);
  socklen_t size = sizeof name;
  ::getsockname(other.fd(), reinterpret_cast<sockaddr*>(&name), &size);
  EXPECT_FALSE(OpenListenSockets(Specs({"127.0.0.1"}, std::to_string(PortOf(name))), {.patience_ms = 20}).ok());
  // And neither can it join us.
  auto ours = OpenListenSockets(Specs({"127.0.0.1"}, "0"), {.workers = 2});
  ASSERT_TRUE(ours.ok());
  Client late(AF_INET, SOCK_DGRAM);
  EXPECT_NE(::bind(late.fd(), reinterpret_cast<const sockaddr*>(&ours->bound[0].address),
                   SizeOf(ours->bound[0].address)), 0);
}

TEST(SocketsTest, RestartIsNotHeldUpByOldConnections) {
  auto opened = OpenListenSockets(Specs({"127.0.0.1"}, "0"), {});
  ASSERT_TRUE(opened.ok());
  const sockaddr_storage address = opened->bound[0].address;
  Client client = Client::Tcp(address);
  pollfd p{.fd = opened->workers[0][0].tcp.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&p, 1, 3000), 1);
  UniqueFd accepted(::accept(opened->workers[0][0].tcp.get(), nullptr, nullptr));
  accepted.reset();  // the server closes first: TIME_WAIT is on our port
  client.Close();
  opened->workers.clear();
  auto again = OpenListenSockets(Specs({"127.0.0.1"}, std::to_string(PortOf(address))), {});
  EXPECT_TRUE(again.ok()) << again.status();
}

TEST(SocketsTest, AddressesGivenTwiceAreOpenedOnce) {
  auto first = OpenListenSockets(Specs({"127.0.0.1"}, "0"), {});
  ASSERT_TRUE(first.ok());
  const std::string port = std::to_string(PortOf(first->bound[0].address));
  first->workers.clear();
  auto opened = OpenListenSockets(
      std::vector<ListenSpec>{{.host = "127.0.0.1", .service = port, .tcp = false},
                              {.host = "127.1", .service = port},
                              {.host = "127.0.0.1", .service = port, .udp = false}},
      {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_EQ(opened->bound.size(), 1u);
  EXPECT_TRUE(opened->bound[0].udp);
  EXPECT_TRUE(opened->bound[0].tcp);
}

TEST(SocketsTest, BothWildcardsAtOnePort) {
  for (bool v6only : {true, false}) {
    for (bool six_first : {false, true}) {
      auto probe = OpenListenSockets(Specs({"0.0.0.0"}, "0"), {});
      ASSERT_TRUE(probe.ok());
      const std::string port = std::to_string(PortOf(probe->bound[0].address));
      probe->workers.clear();
      auto opened = OpenListenSockets(
          six_first ? Specs({"::", "0.0.0.0"}, port) : Specs({"0.0.0.0", "::"}, port), {.v6only = v6only});
      ASSERT_TRUE(opened.ok()) << opened.status();
      for (auto& s : opened->workers[0]) EXPECT_TRUE(s.wildcard);
    }
  }
}

TEST(SocketsTest, V6OnlyIsAChoice) {
  for (bool v6only : {true, false}) {
    auto opened = OpenListenSockets(Specs({"::"}, "0"), {.v6only = v6only});
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(Option(opened->workers[0][0].udp.get(), IPPROTO_IPV6, IPV6_V6ONLY), v6only);
    EXPECT_EQ(Option(opened->workers[0][0].tcp.get(), IPPROTO_IPV6, IPV6_V6ONLY), v6only);
  }
}

TEST(SocketsTest, DestinationIsAskedForOnWildcardsOnly) {
  auto opened = OpenListenSockets(Specs({"127.0.0.1", "0.0.0.0", "::1", "::"}, "0"), {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  auto& s = opened->workers[0];
  EXPECT_EQ(Option(s[0].udp.get(), IPPROTO_IP, IP_PKTINFO), 0);
  EXPECT_EQ(Option(s[1].udp.get(), IPPROTO_IP, IP_PKTINFO), 1);
  EXPECT_EQ(Option(s[2].udp.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO), 0);
  EXPECT_EQ(Option(s[3].udp.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
  EXPECT_EQ(Option(s[0].udp.get(), IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
}

TEST(SocketsTest, HostsAndServicesResolve) {
  auto opened = OpenListenSockets(std::vector<ListenSpec>{{.host = "localhost", .service = "0", .family = AF_INET}}, {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->bound[0].Text().substr(0, 10), "127.0.0.1/");
  EXPECT_THAT(mz::Message(OpenListenSockets(Specs({""}, "53"), {}).status()), HasSubstr("empty host"));
  auto bad = OpenListenSockets(Specs({"127.0.0.1"}, "no-such-service"), {});
  EXPECT_EQ(bad.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(mz::Message(bad.status()), HasSubstr("127.0.0.1/no-such-service"));
  EXPECT_FALSE(OpenListenSockets(std::vector<ListenSpec>{{.host = "::1", .service = "0", .family = AF_INET}}, {}).ok());
  EXPECT_THAT(mz::Message(OpenListenSockets(Specs({"192.0.2.1"}, "0"), {}).status()),
              HasSubstr("unable to bind to 192.0.2.1/0: Cannot assign requested address"));
}

TEST(SocketsTest, PassedInSocketsAreTakenOverByType) {
  // At descriptors of our choice, as after an exec by systemd.
  auto made = OpenListenSockets(Specs({"0.0.0.0"}, "0"), {});
  ASSERT_TRUE(made.ok());
  constexpr int kFirst = 500;
  ASSERT_EQ(::dup2(made->workers[0][0].udp.get(), kFirst), kFirst);
  ASSERT_EQ(::dup2(made->workers[0][0].tcp.get(), kFirst + 1), kFirst + 1);
  const sockaddr_storage address = Address4("127.0.0.5", PortOf(made->bound[0].address));
  made->workers.clear();
  auto adopted = AdoptSockets(kFirst, 2, {.workers = 2});
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  ASSERT_EQ(adopted->bound.size(), 2u);
  EXPECT_TRUE(adopted->bound[0].udp);
  EXPECT_TRUE(adopted->bound[1].tcp);
  EXPECT_EQ(adopted->bound[0].fd, kFirst);
  for (BackendKind kind : {BackendKind::kUring, BackendKind::kEpoll}) {
    auto& sockets = adopted->workers[kind == BackendKind::kUring];
    ASSERT_EQ(sockets.size(), 2u);
    EXPECT_TRUE(sockets[0].wildcard);
    EchoHandler handler;
    IoCounters counters;
    auto backend = MakeBackend(kind, std::move(sockets), {}, handler, counters, nullptr);
    ASSERT_TRUE(backend.ok()) << backend.status();
    std::thread worker([&] { EXPECT_TRUE((*backend)->Run().ok()); });
    Client udp = Client::Udp(address), tcp = Client::Tcp(address);
    ASSERT_TRUE(udp.Send("passed in"));
    EXPECT_EQ(udp.Receive(), "passed in");
    ASSERT_TRUE(tcp.Send(Framed(Message("passed in"))));
    EXPECT_EQ(tcp.ReceiveMessage(), Message("passed in"));
    (*backend)->Stop();
    worker.join();
  }
}

TEST(SocketsTest, StrangePassedInSocketsAreRefused) {
  constexpr int kFirst = 500;
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
  ASSERT_EQ(::dup2(pair[0], kFirst), kFirst);
  auto adopted = AdoptSockets(kFirst, 1, {});
  EXPECT_EQ(adopted.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(::fcntl(kFirst, F_GETFD), -1) << "still open";
  Client unconnected(AF_INET, SOCK_STREAM);
  ASSERT_EQ(::dup2(unconnected.fd(), kFirst), kFirst);
  EXPECT_FALSE(AdoptSockets(kFirst, 1, {}).ok());
  EXPECT_FALSE(AdoptSockets(kFirst, 1, {}).ok());  // not open at all
  ::close(pair[0]);
  ::close(pair[1]);
}

// A server that is killed must be able to start again at once, whatever its ring was doing.
TEST(SocketsTest, PortIsFreeAfterAKill) {
  for (BackendKind kind : {BackendKind::kUring, BackendKind::kEpoll}) {
    for (int round = 0; round < 10; round++) {
      auto opened = OpenListenSockets(Specs({"127.0.0.1"}, "0"), {});
      ASSERT_TRUE(opened.ok());
      const sockaddr_storage address = opened->bound[0].address;
      const pid_t child = ::fork();
      if (child == 0) {
        EchoHandler handler;
        IoCounters counters;
        auto backend = MakeBackend(kind, std::move(opened->workers[0]), {}, handler, counters, nullptr);
        if (backend.ok()) (void)(*backend)->Run();
        ::_exit(1);
      }
      opened->workers.clear();
      Client client = Client::Udp(address);
      ASSERT_TRUE(client.Send("up"));
      ASSERT_EQ(client.Receive(), "up");
      ::kill(child, SIGKILL);
      int status = 0;
      ::waitpid(child, &status, 0);
      auto again = OpenListenSockets(Specs({"127.0.0.1"}, std::to_string(PortOf(address))), {});
      EXPECT_TRUE(again.ok()) << again.status() << " round " << round;
    }
  }
}

}  // namespace
}  // namespace mz::io::test
