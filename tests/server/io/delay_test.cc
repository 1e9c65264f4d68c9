// Replies that are sent later: in time, in order of their deadlines, from the right address, over UDP and TCP; bounded, and in
// nobody's way.
#include <sys/timerfd.h>

#include <set>

#include "server/io/delay_queue.h"
#include "tests/server/io/running_backend.h"

namespace mz::io::test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

std::span<const uint8_t> Octets(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(DelayQueueTest, EarliestFirstAndBounded) {
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  DelayQueue queue;
  queue.SetTimer(timer.get());
  EXPECT_EQ(queue.NextDue(MonotonicMs()), nullptr);
  const int64_t begin = MonotonicMs();
  size_t added = 0;
  for (size_t i = 0; i < DelayQueue::kMaxDelayed + 10; i++)
    added += queue.AddTcp(i, Octets("reply " + std::to_string(i)), static_cast<uint16_t>(1 + i * 7919 % 5000));
  EXPECT_EQ(added, DelayQueue::kMaxDelayed);
  EXPECT_EQ(queue.size(), DelayQueue::kMaxDelayed);
  EXPECT_FALSE(queue.AddTcp(1, Octets("full"), 1));
  int64_t last = 0;
  std::set<uint64_t> seen;
  while (const DelayQueue::Entry* e = queue.NextDue(begin + 100000)) {
    EXPECT_GE(e->due_ms, last);
    last = e->due_ms;
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(e->reply), e->bytes), "reply " + std::to_string(e->connection));
    EXPECT_TRUE(seen.insert(e->connection).second);
    queue.Pop();
  }
  EXPECT_EQ(seen.size(), DelayQueue::kMaxDelayed);
  EXPECT_EQ(queue.size(), 0u);
  // Places are used again, and replies that do not fit are refused.
  EXPECT_TRUE(queue.AddTcp(1, Octets("again"), 1));
  EXPECT_FALSE(queue.AddTcp(1, Octets(std::string(DelayQueue::kMaxDelayedBytes + 1, 'x')), 1));
  EXPECT_FALSE(queue.AddTcp(1, {}, 1));
  queue.ArmTimer(MonotonicMs());
  pollfd p{.fd = timer.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&p, 1, 2000), 1);
}

class DelayTest : public testing::TestWithParam<BackendKind> {};
MZ_FOR_BOTH_BACKENDS(DelayTest);

// A request "d<tenths>..." is answered so much later.
void DelayBySecondOctet(RunningBackend& server) {
  server.handler.hook = [](std::span<Packet> packets) {
    for (Packet& p : packets)
      if (p.request.size() > 1 && p.request[0] == 'd') p.delay_ms = static_cast<uint16_t>((p.request[1] - '0') * 100);
  };
}

TEST_P(DelayTest, UdpRepliesComeWhenTheyAreDue) {
  RunningBackend server(GetParam(), {"0.0.0.0", "::1"}, {}, {}, /*start=*/false);
  ASSERT_TRUE(server.ok());
  DelayBySecondOctet(server);
  server.Start();
  for (const sockaddr_storage& to : {Address4("127.0.0.3", server.port(0)), server.address(1)}) {
    Client client = Client::Udp(to);  // connected: replies from another address do not arrive
    const auto begin = Clock::now();
    for (const char* request : {"d5 last", "d2 second", "d1 first", "plain"}) ASSERT_TRUE(client.Send(request));
    EXPECT_EQ(client.Receive(), "plain");
    EXPECT_LT(Clock::now() - begin, milliseconds(95));
    EXPECT_EQ(client.Receive(), "d1 first");
    EXPECT_GE(Clock::now() - begin, milliseconds(99));
    EXPECT_EQ(client.Receive(), "d2 second");
    EXPECT_GE(Clock::now() - begin, milliseconds(199));
    EXPECT_EQ(client.Receive(), "d5 last");
    EXPECT_GE(Clock::now() - begin, milliseconds(499));
    EXPECT_LT(Clock::now() - begin, milliseconds(3000));
  }
  server.Stop();
  EXPECT_EQ(server.counters.udp_sent, 8u);
  EXPECT_EQ(server.counters.udp_send_failed, 0u);
}

TEST_P(DelayTest, TcpRepliesOvertakeEachOther) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {}, {}, /*start=*/false);
  ASSERT_TRUE(server.ok());
  DelayBySecondOctet(server);
  server.Start();
  Client client = Client::Tcp(server.address());
  Client gone = Client::Tcp(server.address());
  ASSERT_TRUE(gone.Send(Framed(Message("d1 to nobody"))));
  ASSERT_TRUE(client.Send(Framed(Message("d3 slow")) + Framed(Message("d1 fast")) + Framed(Message("plain"))));
  gone.Close();
  EXPECT_EQ(client.ReceiveMessage(), Message("plain"));
  EXPECT_EQ(client.ReceiveMessage(), Message("d1 fast"));
  EXPECT_EQ(client.ReceiveMessage(), Message("d3 slow"));
  ASSERT_TRUE(client.Send(Framed(Message("and on it goes"))));
  EXPECT_EQ(client.ReceiveMessage(), Message("and on it goes"));
}

TEST_P(DelayTest, WhatDoesNotFitIsDroppedAndCounted) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {}, {}, /*start=*/false);
  ASSERT_TRUE(server.ok());
  DelayBySecondOctet(server);
  server.Start();
  Client client = Client::Udp(server.address());
  size_t sent = 0;
  while (server.counters.udp_send_failed < 5 && sent < 20 * DelayQueue::kMaxDelayed) {
    ASSERT_TRUE(client.Send("d9 many"));
    if (++sent % 64 == 0) std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_GE(server.counters.udp_send_failed, 5u);
  EXPECT_GT(sent, DelayQueue::kMaxDelayed);
  ASSERT_TRUE(client.Send("plain"));
  EXPECT_EQ(client.Receive(), "plain");
}

}  // namespace
}  // namespace mz::io::test
