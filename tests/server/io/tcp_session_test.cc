// One TCP session over a socket pair, against a model: random messages in random pieces with random pauses of the reader,
// seeded. What comes out must be what went in, whatever the pieces; and no buffer may be left over.
#include "server/io/tcp_session.h"

#include <fcntl.h>

#include <random>

#include "tests/server/io/running_backend.h"

namespace mz::io::test {
namespace {

using Verdict = TcpSession::Verdict;

struct Pair {
  explicit Pair(int send_buffer_bytes = 0) {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    if (send_buffer_bytes > 0)
      ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);
    session.Open(fds[0], Address4("127.0.0.1", 1));
    client.reset(fds[1]);
  }
  TcpSession session;
  UniqueFd client;
};

class TcpSessionTest : public testing::Test {
 protected:
  EchoHandler handler;
  IoCounters counters;
};

TEST_F(TcpSessionTest, IdleSessionOwnsNoBuffer) {
  TcpContext context(handler, counters, {});
  Pair p;
  const std::string frame = Framed(Message("query"));
  for (size_t cut = 0; cut <= frame.size(); cut++) {
    ASSERT_EQ(::send(p.client.get(), frame.data(), cut, 0), static_cast<ssize_t>(cut));
    EXPECT_EQ(p.session.OnReadable(context), Verdict::kOpen);
    EXPECT_EQ(context.pool.bytes_out() > 0, cut > 0 && cut < frame.size());
    EXPECT_EQ(p.session.message_begun(), cut > 0 && cut < frame.size());
    const size_t rest = frame.size() - cut;
    ASSERT_EQ(::send(p.client.get(), frame.data() + cut, rest, 0), static_cast<ssize_t>(rest));
    EXPECT_EQ(p.session.OnReadable(context), Verdict::kOpen);
    EXPECT_EQ(context.pool.bytes_out(), 0u);
    EXPECT_FALSE(p.session.message_begun());
    char reply[64];
    EXPECT_EQ(::recv(p.client.get(), reply, sizeof reply, 0), static_cast<ssize_t>(frame.size()));
  }
  p.session.Close(context.pool);
}

TEST_F(TcpSessionTest, InputBufferGrowsWithWhatHasCome) {
  TcpContext context(handler, counters, {});
  Pair p;
  const std::string frame = Framed(std::string(65535, 'm'));
  size_t sent = 0;
  while (sent < frame.size()) {
    const size_t piece = std::min<size_t>(777, frame.size() - sent);
    ASSERT_EQ(::send(p.client.get(), frame.data() + sent, piece, 0), static_cast<ssize_t>(piece));
    sent += piece;
    ASSERT_EQ(p.session.OnReadable(context), Verdict::kOpen);
    while (p.session.wants_read() && p.session.message_begun()) {  // growing may take a second read
      pollfd ready{.fd = p.session.fd(), .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 0) != 1) break;
      ASSERT_EQ(p.session.OnReadable(context), Verdict::kOpen);
    }
    EXPECT_LE(context.pool.bytes_out(), std::max<size_t>(2 * sent + 2048, 2048));
  }
  EXPECT_EQ(counters.tcp_messages, 1u);
  p.session.Close(context.pool);
  EXPECT_EQ(context.pool.bytes_out(), 0u);
}

TEST_F(TcpSessionTest, RandomPiecesAndPausesLoseNothing) {
  std::mt19937 random(20240517);
  auto up_to = [&](size_t n) { return static_cast<size_t>(random() % (n + 1)); };
  for (int round = 0; round < 150; round++) {
    const TcpLimits limits{.max_buffered_bytes = 1 + up_to(random() % 2 ? 300 : 70000)};
    TcpContext context(handler, counters, limits);
    Pair p(random() % 2 ? 4096 : 0);
    std::string input, expected;
    const size_t messages = 1 + up_to(200);
    for (size_t m = 0; m < messages; m++) {
      size_t bytes = 12 + up_to(60);
      if (random() % 20 == 0) bytes = 12 + up_to(20000);
      if (random() % 200 == 0) bytes = 65535;
      std::string message(bytes, static_cast<char>('a' + random() % 26));
      const auto command = random() % 100;
      if (command == 0) message[0] = static_cast<char>(kLarge);
      if (command == 1) message[0] = static_cast<char>(kSilence);
      input += Framed(message);
      if (command == 0) expected += Framed(std::string(65535, 'L'));
      if (command > 1) expected += Framed(message);
    }
    const size_t most_out = limits.max_buffered_bytes + kTcpFrameBytes;
    std::string output;
    size_t sent = 0;
    bool shut = false;
    auto verdict = Verdict::kOpen;
    for (int step = 0; verdict == Verdict::kOpen; step++) {
      ASSERT_LT(step, 2'000'000);
      if (sent < input.size()) {
        const size_t piece = random() % 3 == 0 ? 1 + up_to(3) : 1 + up_to(5000);
        const ssize_t n = ::send(p.client.get(), input.data() + sent, std::min(piece, input.size() - sent), 0);
        if (n > 0) sent += static_cast<size_t>(n);
      } else if (!shut) {
        ::shutdown(p.client.get(), SHUT_WR);
        shut = true;
      }
      if (p.session.wants_read()) verdict = p.session.OnReadable(context);
      if (verdict == Verdict::kOpen && p.session.wants_write()) verdict = p.session.OnWritable(context);
      ASSERT_NE(verdict, Verdict::kBroken) << "round " << round;
      // Input: one message; output: the bound; both rounded up to a buffer size.
      ASSERT_LE(context.pool.bytes_out(), BufferCapacity(6) + 2 * most_out + 2048);
      if (random() % 4 == 0) {
        char piece[30000];
        const ssize_t n = ::recv(p.client.get(), piece, 1 + up_to(sizeof piece - 1), 0);
        if (n > 0) output.append(piece, static_cast<size_t>(n));
      }
    }
    EXPECT_EQ(verdict, Verdict::kFinished);
    p.session.Close(context.pool);
    EXPECT_EQ(context.pool.bytes_out(), 0u);
    char piece[30000];
    for (ssize_t n; (n = ::recv(p.client.get(), piece, sizeof piece, 0)) > 0;) output.append(piece, static_cast<size_t>(n));
    ASSERT_EQ(output.size(), expected.size()) << "round " << round;
    ASSERT_TRUE(output == expected) << "round " << round;
  }
}

TEST_F(TcpSessionTest, BlockedSessionDoesNotRead) {
  TcpContext context(handler, counters, {.max_buffered_bytes = 1000});
  Pair p(4096);
  std::string burst;
  for (int i = 0; i < 20; i++) burst += Framed(Message(std::string(1, static_cast<char>(kLarge))));
  ASSERT_EQ(::send(p.client.get(), burst.data(), burst.size(), 0), static_cast<ssize_t>(burst.size()));
  EXPECT_EQ(p.session.OnReadable(context), Verdict::kOpen);
  EXPECT_FALSE(p.session.wants_read());
  EXPECT_TRUE(p.session.wants_write());
  EXPECT_LT(counters.tcp_messages, 5u);
  p.session.Close(context.pool);
}

TEST_F(TcpSessionTest, BrokenPipeEndsTheSession) {
  TcpContext context(handler, counters, {});
  Pair p;
  const std::string frame = Framed(Message("query"));
  ASSERT_GT(::send(p.client.get(), frame.data(), frame.size(), 0), 0);
  p.client.reset();
  EXPECT_EQ(p.session.OnReadable(context), Verdict::kBroken);
  p.session.Close(context.pool);
}

TEST_F(TcpSessionTest, RandomBytesNeverCrash) {
  std::mt19937 random(77);
  TcpContext context(handler, counters, {.max_buffered_bytes = 2000});
  for (int round = 0; round < 300; round++) {
    Pair p(random() % 2 ? 4096 : 0);
    auto verdict = Verdict::kOpen;
    for (int step = 0; step < 60 && verdict == Verdict::kOpen; step++) {
      std::string bytes(random() % 400, '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      if (random() % 2) std::fill(bytes.begin(), bytes.begin() + static_cast<long>(bytes.size() / 2), '\0');
      ::send(p.client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      verdict = p.session.OnReadable(context);
      if (verdict == Verdict::kOpen) verdict = p.session.OnWritable(context);
    }
    p.session.Close(context.pool);
    ASSERT_EQ(context.pool.bytes_out(), 0u);
  }
}

}  // namespace
}  // namespace mz::io::test
