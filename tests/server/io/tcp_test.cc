// TCP through both backends: framing, pipelining, half-close, and clients that misbehave (RFC 7766).
#include "tests/server/io/running_backend.h"

namespace mz::io::test {
namespace {

class TcpTest : public testing::TestWithParam<BackendKind> {};
MZ_FOR_BOTH_BACKENDS(TcpTest);

std::string LargeCommand() { return Message(std::string(1, static_cast<char>(kLarge))); }

TEST_P(TcpTest, EchoesOverIpv4AndIpv6AndReusesTheConnection) {
  RunningBackend server(GetParam(), {"127.0.0.1", "::1"});
  ASSERT_TRUE(server.ok());
  for (size_t i = 0; i < 2; i++) {
    Client client = Client::Tcp(server.address(i));
    for (int n = 0; n < 100; n++) {
      const std::string query = Message("query number " + std::to_string(n));
      ASSERT_TRUE(client.Send(Framed(query)));
      ASSERT_EQ(client.ReceiveMessage(), query);
    }
  }
  server.Stop();
  EXPECT_EQ(server.counters.tcp_accepted, 2u);
  EXPECT_EQ(server.counters.tcp_messages, 200u);
  EXPECT_EQ(server.counters.tcp_errors, 0u);
  EXPECT_EQ(server.counters.tcp_open, 0u);
  EXPECT_EQ(server.handler.v6_messages, 100u);
}

TEST_P(TcpTest, MessageInPiecesOfOneOctet) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  const int one = 1;
  ::setsockopt(client.fd(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
  const std::string stream = Framed(Message("first")) + Framed(Message("a somewhat longer second message"));
  for (const char c : stream) {
    ASSERT_TRUE(client.Send(std::string(1, c)));
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  EXPECT_EQ(client.ReceiveMessage(), Message("first"));
  EXPECT_EQ(client.ReceiveMessage(), Message("a somewhat longer second message"));
}

TEST_P(TcpTest, EveryCutOfTwoMessagesIntoTwoSegments) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  const int one = 1;
  ::setsockopt(client.fd(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
  const std::string stream = Framed(Message("first")) + Framed(Message("the second"));
  for (size_t cut = 1; cut < stream.size(); cut++) {
    ASSERT_TRUE(client.Send(stream.substr(0, cut)));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_TRUE(client.Send(stream.substr(cut)));
    ASSERT_EQ(client.ReceiveMessage(), Message("first")) << cut;
    ASSERT_EQ(client.ReceiveMessage(), Message("the second")) << cut;
  }
}

TEST_P(TcpTest, MessagesOfEverySizeUpTo65535) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  for (size_t size : {12, 13, 1021, 1022, 1023, 1024, 1025, 4093, 4094, 4095, 4096, 4097, 5118, 5120, 20000, 65534, 65535}) {
    std::string message(size, 'm');
    message.back() = 'e';
    ASSERT_TRUE(client.Send(Framed(message)));
    ASSERT_EQ(client.ReceiveMessage(), message) << size;
  }
}

TEST_P(TcpTest, AThousandPipelinedQueriesAreAllAnsweredInOrder) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  std::string burst;
  for (int i = 0; i < 1000; i++) burst += Framed(Message("pipelined query " + std::to_string(i)));
  ASSERT_TRUE(client.Send(burst));
  EXPECT_EQ(client.ReceiveExactly(burst.size()), burst);
}

TEST_P(TcpTest, PipelinedQueriesWithRepliesThatOverflowTheBuffer) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.max_buffered_bytes = 5000});
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  std::string burst;
  for (int i = 0; i < 100; i++) burst += Framed(LargeCommand()) + Framed(Message("small " + std::to_string(i)));
  ASSERT_TRUE(client.Send(burst));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // let everything fill up
  for (int i = 0; i < 100; i++) {
    ASSERT_EQ(client.ReceiveMessage(), std::string(65535, 'L')) << i;
    ASSERT_EQ(client.ReceiveMessage(), Message("small " + std::to_string(i)));
  }
  ASSERT_TRUE(client.Send(Framed(Message("after"))));
  EXPECT_EQ(client.ReceiveMessage(), Message("after"));
}

TEST_P(TcpTest, HalfClosedClientGetsAllItsAnswersAndThenTheEnd) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  std::string burst;
  for (int i = 0; i < 1000; i++) burst += Framed(Message("half-closed " + std::to_string(i)));
  ASSERT_TRUE(client.Send(burst));
  ::shutdown(client.fd(), SHUT_WR);
  EXPECT_EQ(client.ReceiveExactly(burst.size()), burst);
  EXPECT_EQ(client.Receive(), "");
  EXPECT_TRUE(client.ended);
  EXPECT_TRUE(Eventually([&] { return server.counters.tcp_open == 0; }));
  EXPECT_EQ(server.counters.tcp_errors, 0u);
}

TEST_P(TcpTest, HalfClosedClientThatReadsLateGetsAllItsAnswers) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address(), 4096);
  std::string burst;
  for (int i = 0; i < 50; i++) burst += Framed(LargeCommand());
  ASSERT_TRUE(client.Send(burst));
  ::shutdown(client.fd(), SHUT_WR);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  for (int i = 0; i < 50; i++) ASSERT_EQ(client.ReceiveMessage().size(), 65535u) << i;
  EXPECT_EQ(client.Receive(), "");
  EXPECT_TRUE(client.ended);
}

TEST_P(TcpTest, ClosedClientIsForgotten) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  for (int i = 0; i < 20; i++) {
    Client client = Client::Tcp(server.address());
    ASSERT_TRUE(client.Send(Framed(Message("gone"))));
  }
  EXPECT_TRUE(Eventually([&] { return server.counters.tcp_accepted == 20 && server.counters.tcp_open == 0; }));
}

TEST_P(TcpTest, ResetInTheMiddleDropsOnlyThatConnection) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client other = Client::Tcp(server.address());
  for (int i = 0; i < 20; i++) {
    Client client = Client::Tcp(server.address());
    ASSERT_TRUE(client.Send(Framed(Message("asked")) + "\x01"));
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  EXPECT_TRUE(Eventually([&] { return server.counters.tcp_accepted == 21 && server.counters.tcp_open == 1; }));
  ASSERT_TRUE(other.Send(Framed(Message("alive"))));
  EXPECT_EQ(other.ReceiveMessage(), Message("alive"));
}

TEST_P(TcpTest, LengthBelowAHeaderEndsTheConnectionAfterWhatWasAsked) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  for (int length = 0; length < 12; length++) {
    Client client = Client::Tcp(server.address());
    std::string lie(2, '\0');
    lie[1] = static_cast<char>(length);
    ASSERT_TRUE(client.Send(lie));
    EXPECT_TRUE(client.ClosedByServer()) << length;
  }
  EXPECT_EQ(server.counters.tcp_errors, 12u);
  Client client = Client::Tcp(server.address());
  ASSERT_TRUE(client.Send(Framed(Message("proper")) + std::string(2, '\0')));
  EXPECT_EQ(client.ReceiveMessage(), Message("proper"));
  EXPECT_TRUE(client.ClosedByServer());
}

TEST_P(TcpTest, LengthThatIsNeverFilledEndsWithTheConnection) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  ASSERT_TRUE(client.Send(Framed(Message("proper")) + Framed(std::string(3000, 'x')).substr(0, 2000)));
  ::shutdown(client.fd(), SHUT_WR);
  EXPECT_EQ(client.ReceiveMessage(), Message("proper"));
  EXPECT_TRUE(client.ClosedByServer());
  EXPECT_TRUE(Eventually([&] { return server.counters.tcp_errors == 1; }));
  server.Stop();
  EXPECT_EQ(server.counters.tcp_messages, 1u);
}

TEST_P(TcpTest, SilenceSendsNothing) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  ASSERT_TRUE(client.Send(Framed(Message(std::string(1, static_cast<char>(kSilence)))) + Framed(Message("after"))));
  EXPECT_EQ(client.ReceiveMessage(), Message("after"));
  EXPECT_FALSE(client.Readable(50));
}

TEST_P(TcpTest, IdleConnectionIsClosed) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.idle_timeout_ms = 150, .message_timeout_ms = 10000});
  ASSERT_TRUE(server.ok());
  Client silent = Client::Tcp(server.address());
  Client client = Client::Tcp(server.address());
  for (int i = 0; i < 5; i++) {  // a query now and then keeps it open
    ASSERT_TRUE(client.Send(Framed(Message("awake"))));
    ASSERT_EQ(client.ReceiveMessage(), Message("awake"));
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
  }
  EXPECT_TRUE(silent.ClosedByServer(10));
  EXPECT_FALSE(client.ClosedByServer(1));
  EXPECT_TRUE(client.ClosedByServer());
  server.Stop();
  EXPECT_EQ(server.counters.tcp_timeouts, 2u);
}

TEST_P(TcpTest, SlowMessageIsCutOffHoweverItTrickles) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.idle_timeout_ms = 10000, .message_timeout_ms = 200});
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  ASSERT_TRUE(client.Send(Framed(Message("quick"))));
  EXPECT_EQ(client.ReceiveMessage(), Message("quick"));
  const std::string slow = Framed(std::string(5000, 's'));
  const auto start = std::chrono::steady_clock::now();
  bool closed = false;
  for (size_t i = 0; i < slow.size() && !closed; i++) {
    closed = !client.Send(slow.substr(i, 1)) || (client.Readable(10) && client.Receive(0).empty() && client.ended);
  }
  EXPECT_TRUE(closed);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, std::chrono::milliseconds(150));
  EXPECT_LT(took, std::chrono::milliseconds(3000));
  server.Stop();
  EXPECT_EQ(server.counters.tcp_timeouts, 1u);
}

TEST_P(TcpTest, ClientThatNeverReadsIsPausedAndThenClosed) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.idle_timeout_ms = 10000, .message_timeout_ms = 300});
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address(), 4096);
  const std::string burst = [] {
    std::string out;
    for (int i = 0; i < 1000; i++) out += Framed(LargeCommand());
    return out;
  }();
  ::send(client.fd(), burst.data(), burst.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  // What is in flight: two socket buffers, our buffer and one reply. 1,000 answers would be 65 MB.
  EXPECT_GT(server.counters.tcp_messages, 0u);
  EXPECT_LT(server.counters.tcp_messages, 30u);
  Client other = Client::Tcp(server.address());
  ASSERT_TRUE(other.Send(Framed(Message("meanwhile"))));
  EXPECT_EQ(other.ReceiveMessage(), Message("meanwhile"));
  EXPECT_TRUE(Eventually([&] { return server.counters.tcp_timeouts == 1 && server.counters.tcp_open == 1; }));
}

TEST_P(TcpTest, ReaderThatMakesProgressIsNotCutOff) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.idle_timeout_ms = 10000, .message_timeout_ms = 250});
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address(), 4096);
  std::string burst;
  for (int i = 0; i < 10; i++) burst += Framed(LargeCommand());
  ASSERT_TRUE(client.Send(burst));
  for (int i = 0; i < 10; i++) {  // altogether far longer than the timeout
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    ASSERT_EQ(client.ReceiveMessage().size(), 65535u) << i;
  }
}

TEST_P(TcpTest, LongestIdleConnectionMakesRoomForANewcomer) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.max_connections = 3});
  ASSERT_TRUE(server.ok());
  auto ask = [](Client& c, const char* what) {
    return c.Send(Framed(Message(what))) && c.ReceiveMessage() == Message(what);
  };
  Client a = Client::Tcp(server.address()), b = Client::Tcp(server.address()), c = Client::Tcp(server.address());
  ASSERT_TRUE(ask(a, "a"));
  ASSERT_TRUE(ask(b, "b"));
  ASSERT_TRUE(ask(c, "c"));
  ASSERT_TRUE(ask(a, "a again"));  // now b is the longest idle
  Client d = Client::Tcp(server.address());
  ASSERT_TRUE(ask(d, "d"));
  EXPECT_TRUE(b.ClosedByServer());
  EXPECT_TRUE(ask(a, "a still"));
  EXPECT_TRUE(ask(c, "c still"));
  EXPECT_EQ(server.counters.tcp_evicted, 1u);
  EXPECT_EQ(server.counters.tcp_open, 3u);
}

TEST_P(TcpTest, NewcomerIsServedAlsoWhenNoneIsIdle) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.max_connections = 3});
  ASSERT_TRUE(server.ok());
  std::vector<Client> slow;
  for (int i = 0; i < 3; i++) {
    slow.push_back(Client::Tcp(server.address()));
    ASSERT_TRUE(slow.back().Send(std::string("\x10", 1)));
  }
  ASSERT_TRUE(Eventually([&] { return server.counters.tcp_accepted == 3; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  Client client = Client::Tcp(server.address());
  ASSERT_TRUE(client.Send(Framed(Message("newcomer"))));
  EXPECT_EQ(client.ReceiveMessage(), Message("newcomer"));
  EXPECT_TRUE(slow[0].ClosedByServer());
}

TEST_P(TcpTest, StopDropsPendingConnections) {
  RunningBackend server(GetParam());
  ASSERT_TRUE(server.ok());
  Client client = Client::Tcp(server.address());
  ASSERT_TRUE(client.Send("\x01"));
  ASSERT_TRUE(Eventually([&] { return server.counters.tcp_open == 1; }));
  server.Stop();
  EXPECT_TRUE(client.ClosedByServer());
  EXPECT_EQ(server.counters.tcp_open, 0u);
}

TEST_P(TcpTest, TotalBufferMemoryIsBounded) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {.max_total_bytes = 100 << 10});
  ASSERT_TRUE(server.ok());
  std::vector<Client> hoarders;
  for (int i = 0; i < 40; i++) {  // 8 KiB each of a message that never ends
    hoarders.push_back(Client::Tcp(server.address()));
    hoarders.back().Send(Framed(std::string(60000, 'h')).substr(0, 7000));
  }
  EXPECT_TRUE(Eventually([&] { return server.counters.tcp_accepted == 40 && server.counters.tcp_errors >= 20; }));
  Client client = Client::Tcp(server.address());  // whoever needs no buffer is served
  ASSERT_TRUE(client.Send(Framed(Message("modest"))));
  EXPECT_EQ(client.ReceiveMessage(), Message("modest"));
}

}  // namespace
}  // namespace mz::io::test
