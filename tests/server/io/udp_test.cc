// UDP through both backends: what goes in comes out, from the right address, in batches, without loss.
#include <fcntl.h>

#include <functional>
#include <set>

#include "tests/server/io/running_backend.h"

namespace mz::io::test {
namespace {

class UdpTest : public testing::TestWithParam<BackendKind> {};
MZ_FOR_BOTH_BACKENDS(UdpTest);

TEST_P(UdpTest, EchoesOverIpv4AndIpv6) {
  RunningBackend server(GetParam(), {"127.0.0.1", "::1"});
  ASSERT_TRUE(server.ok());
  EXPECT_EQ(server.backend().name(), GetParam() == BackendKind::kUring ? "io_uring" : "epoll");
  for (size_t i = 0; i < 2; i++) {
    Client client = Client::Udp(server.address(i));
    for (int n = 0; n < 100; n++) {
      const std::string query = "query " + std::to_string(n);
      ASSERT_TRUE(client.Send(query));
      ASSERT_EQ(client.Receive(), query);
    }
  }
  server.Stop();
  EXPECT_EQ(server.counters.udp_received, 200u);
  EXPECT_EQ(server.counters.udp_sent, 200u);
  EXPECT_EQ(server.counters.udp_send_failed, 0u);
  EXPECT_GT(server.counters.batches, 0u);
  EXPECT_EQ(server.handler.v6_messages, 100u);
}

TEST_P(UdpTest, ReplyOnWildcardSocketLeavesFromTheAddressAsked) {
  RunningBackend server(GetParam(), {"0.0.0.0"});
  ASSERT_TRUE(server.ok());
  for (const char* address : {"127.0.0.2", "127.0.0.1", "127.9.8.7"}) {
    Client client(AF_INET, SOCK_DGRAM);
    const sockaddr_storage to = Address4(address, server.port());
    ASSERT_EQ(::sendto(client.fd(), "hello", 5, 0, reinterpret_cast<const sockaddr*>(&to), SizeOf(to)), 5);
    ASSERT_TRUE(client.Readable(3000));
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    char buffer[16];
    ASSERT_EQ(::recvfrom(client.fd(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size), 5);
    EXPECT_EQ(AddressText(from), AddressText(to));
  }
}

TEST_P(UdpTest, WildcardIpv6AlsoServesIpv4WhenAskedTo) {
  RunningBackend server(GetParam(), {"::"}, {}, {.v6only = false});
  ASSERT_TRUE(server.ok());
  Client v6 = Client::Udp(Address6("::1", server.port()));
  ASSERT_TRUE(v6.Send("six"));
  EXPECT_EQ(v6.Receive(), "six");
  // A connected client only takes replies from the address it asked: v4-mapped 127.0.0.2 here.
  Client v4 = Client::Udp(Address4("127.0.0.2", server.port()));
  ASSERT_TRUE(v4.Send("four"));
  EXPECT_EQ(v4.Receive(), "four");
}

TEST_P(UdpTest, ConnectedClientsOfWildcardAddressesGetReplies) {
  RunningBackend server(GetParam(), {"0.0.0.0", "::"});
  ASSERT_TRUE(server.ok());
  Client v4 = Client::Udp(Address4("127.0.0.3", server.port(0)));
  ASSERT_TRUE(v4.Send("four"));
  EXPECT_EQ(v4.Receive(), "four");
  Client v6 = Client::Udp(Address6("::1", server.port(1)));
  ASSERT_TRUE(v6.Send("six"));
  EXPECT_EQ(v6.Receive(), "six");
}

TEST_P(UdpTest, SilenceSendsNothing) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Udp(server.address());
  ASSERT_TRUE(client.Send(std::string(1, static_cast<char>(kSilence))));
  ASSERT_TRUE(client.Send("after"));
  EXPECT_EQ(client.Receive(), "after");
  EXPECT_FALSE(client.Readable(50));
  server.Stop();
  EXPECT_EQ(server.counters.udp_received, 2u);
  EXPECT_EQ(server.counters.udp_sent, 1u);
}

TEST_P(UdpTest, DatagramsOfEverySizeAreEchoedUpToTheLimit) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Udp(server.address());
  for (size_t size : {1, 11, 12, 13, 511, 512, 1232, 1472, 4000, 4095, 4096}) {
    std::string query(size, 'q');
    query.back() = 'e';
    ASSERT_TRUE(client.Send(query));
    ASSERT_EQ(client.Receive(), query) << size;
  }
  // Longer ones are cut, and must not disturb their neighbours.
  ASSERT_TRUE(client.Send(std::string(60000, 'q')));
  EXPECT_EQ(client.Receive(), std::string(kUdpRequestBytes, 'q'));
  ASSERT_TRUE(client.Send(std::string(1, static_cast<char>(kLarge))));
  EXPECT_EQ(client.Receive(), std::string(kUdpResponseBytes, 'L'));
  // Empty datagrams exist.
  ASSERT_EQ(::send(client.fd(), "", 0, 0), 0);
  ASSERT_TRUE(client.Send("still here"));
  EXPECT_EQ(client.Receive(), "still here");
}

TEST_P(UdpTest, WaitingDatagramsComeInBatches) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {}, {}, /*start=*/false);
  ASSERT_TRUE(server.ok());
  Client client = Client::Udp(server.address());
  for (int i = 0; i < 200; i++) ASSERT_TRUE(client.Send("q" + std::to_string(i)));
  server.Start();
  std::set<std::string> replies;
  for (int i = 0; i < 200; i++) replies.insert(client.Receive());
  EXPECT_EQ(replies.size(), 200u);
  server.Stop();
  EXPECT_EQ(server.handler.largest_batch, kMaxBatch);
  EXPECT_LE(server.counters.batches, 8u);
}

TEST_P(UdpTest, BurstOfThousandsLosesNothing) {
  RunningBackend server(GetParam(), {"127.0.0.1", "0.0.0.0"});
  ASSERT_TRUE(server.ok());
  // A client's default buffer holds the replies to about 250 queries; the server's holds thousands, if it may.
  Client probe(AF_INET, SOCK_DGRAM);
  const int bytes = 4 << 20;
  const bool large_buffers = ::setsockopt(probe.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) == 0;
  constexpr int kClients = 30;
  const int each = large_buffers ? 150 : 15;
  for (size_t target = 0; target < 2; target++) {
    std::vector<Client> clients;
    for (int c = 0; c < kClients; c++) clients.push_back(Client::Udp(Address4("127.0.0.1", server.port(target))));
    for (int i = 0; i < each; i++)
      for (auto& c : clients) ASSERT_TRUE(c.Send("query number " + std::to_string(i)));
    for (auto& c : clients) {
      std::set<std::string> seen;
      for (int i = 0; i < each; i++) seen.insert(c.Receive());
      EXPECT_EQ(seen.size(), static_cast<size_t>(each));
      EXPECT_FALSE(seen.contains(""));
    }
  }
  server.Stop();
  EXPECT_EQ(server.counters.udp_received, static_cast<uint64_t>(2 * kClients * each));
  EXPECT_EQ(server.counters.udp_sent, static_cast<uint64_t>(2 * kClients * each));
}

TEST_P(UdpTest, PeerIsTheClient) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {}, {}, /*start=*/false);
  ASSERT_TRUE(server.ok());
  std::string seen;
  server.handler.hook = [&](std::span<Packet> packets) { seen = AddressText(*packets[0].peer); };
  server.Start();
  Client client(AF_INET, SOCK_DGRAM);
  const sockaddr_storage own = Address4("127.0.0.77", 0);
  ASSERT_EQ(::bind(client.fd(), reinterpret_cast<const sockaddr*>(&own), SizeOf(own)), 0);
  ASSERT_TRUE(client.Connect(server.address()));
  ASSERT_TRUE(client.Send("who am I"));
  EXPECT_EQ(client.Receive(), "who am I");
  server.Stop();
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  ::getsockname(client.fd(), reinterpret_cast<sockaddr*>(&name), &size);
  EXPECT_EQ(seen, AddressText(name));
}

TEST_P(UdpTest, UnansweredPeersDoNotStopTheOthers) {
  RunningBackend server(GetParam(), {"0.0.0.0"});
  ASSERT_TRUE(server.ok());
  for (int i = 0; i < 50; i++) {
    Client gone = Client::Udp(Address4("127.0.0.1", server.port()));
    ASSERT_TRUE(gone.Send("never read"));
  }
  Client client = Client::Udp(Address4("127.0.0.1", server.port()));
  for (int i = 0; i < 50; i++) {
    ASSERT_TRUE(client.Send("read"));
    ASSERT_EQ(client.Receive(), "read");
  }
}

TEST_P(UdpTest, StopBeforeRunAndPortIsFreeAfterwards) {
  for (int round = 0; round < 20; round++) {
    RunningBackend server(GetParam(), {"127.0.0.1"}, {}, {}, /*start=*/false);
    ASSERT_TRUE(server.ok());
    const std::string port = std::to_string(server.port());
    if (round % 2 == 0) server.backend().Stop();
    server.Start();
    server.Destroy();
    auto again = OpenListenSockets(std::vector<ListenSpec>{{.host = "127.0.0.1", .service = port}}, {});
    ASSERT_TRUE(again.ok()) << again.status();
  }
}

TEST_P(UdpTest, BackendThatNeverRanFreesItsPort) {
  for (int round = 0; round < 20; round++) {
    RunningBackend server(GetParam(), {"127.0.0.1"}, {}, {}, /*start=*/false);
    ASSERT_TRUE(server.ok());
    const std::string port = std::to_string(server.port());
    server.Destroy();
    auto again = OpenListenSockets(std::vector<ListenSpec>{{.host = "127.0.0.1", .service = port}}, {});
    ASSERT_TRUE(again.ok()) << again.status();
  }
}

TEST_P(UdpTest, WorkersShareAPort) {
  SocketOptions options{.workers = 2};
  auto opened = OpenListenSockets(std::vector<ListenSpec>{{.host = "127.0.0.1", .service = "0"}}, options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EchoHandler handlers[2];
  IoCounters counters[2];
  std::unique_ptr<Backend> backends[2];
  std::thread threads[2];
  for (size_t i = 0; i < 2; i++) {
    auto made = MakeBackend(GetParam(), std::move(opened->workers[i]), {}, handlers[i], counters[i], nullptr);
    ASSERT_TRUE(made.ok()) << made.status();
    backends[i] = std::move(*made);
    threads[i] = std::thread([b = backends[i].get()] { EXPECT_TRUE(b->Run().ok()); });
  }
  for (int i = 0; i < 64; i++) {  // the kernel spreads clients by port
    Client udp = Client::Udp(opened->bound[0].address);
    ASSERT_TRUE(udp.Send("spread"));
    ASSERT_EQ(udp.Receive(), "spread");
    Client tcp = Client::Tcp(opened->bound[0].address);
    ASSERT_TRUE(tcp.Send(Framed(Message("spread"))));
    ASSERT_EQ(tcp.ReceiveMessage(), Message("spread"));
  }
  for (size_t i = 0; i < 2; i++) {
    backends[i]->Stop();
    threads[i].join();
    EXPECT_GT(handlers[i].udp_messages, 0u);
    EXPECT_GT(handlers[i].tcp_messages, 0u);
  }
}

}  // namespace
}  // namespace mz::io::test
