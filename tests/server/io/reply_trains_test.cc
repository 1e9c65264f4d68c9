// Which replies leave together, what such a train looks like to the kernel, and that one which is refused loses nothing.
#include "server/io/reply_trains.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <map>
#include <random>
#include <set>

#include "tests/server/io/running_backend.h"

namespace mz::io::test {
namespace {

// Owns what replies point to.
class Replies {
 public:
  void Add(const sockaddr_storage& peer, size_t bytes, uint16_t socket = 0, std::string control = "") {
    auto p = std::make_unique<Parts>(Parts{peer, std::string(bytes, 'r'), std::move(control)});
    list.push_back({.data = {p->data.data(), bytes},
                    .peer = &p->peer,
                    .peer_bytes = SizeOf(p->peer),
                    .control_bytes = static_cast<uint16_t>(p->control.size()),
                    .socket = socket,
                    .control = reinterpret_cast<uint8_t*>(p->control.data())});
    parts_.push_back(std::move(p));
  }
  std::vector<Reply> list;

 private:
  struct Parts {
    sockaddr_storage peer;
    std::string data, control;
  };
  std::vector<std::unique_ptr<Parts>> parts_;
};

using Departures = std::vector<std::vector<size_t>>;

Departures Depart(ReplyTrains& trains, std::span<const Reply> replies) {
  Departures out;
  trains.Group(replies);
  trains.Depart([&](size_t i) { out.push_back({i}); },
                [&](size_t first) {
                  std::vector<size_t> train{first};
                  while (train.size() < trains.cars(first)) train.push_back(trains.next(train.back()));
                  out.push_back(train);
                });
  return out;
}

sockaddr_storage Peer(int n) {
  return Address4(("127.0.0." + std::to_string(1 + n % 200)).c_str(), static_cast<uint16_t>(1000 + n));
}

TEST(ReplyTrainsTest, SamePeerAndLengthGoTogetherInOrder) {
  ReplyTrains trains;
  Replies r;
  for (const size_t bytes : {100, 90, 100, 90, 100, 80}) r.Add(Peer(1), bytes);
  EXPECT_EQ(Depart(trains, r.list), (Departures{{0, 2, 4}, {1}, {3}, {5}}));
  EXPECT_EQ(Depart(trains, {}), Departures{});
}

TEST(ReplyTrainsTest, WhatDiffersGoesApart) {
  struct Variant {
    sockaddr_storage peer;
    uint16_t socket;
    std::string control;
  };
  sockaddr_storage scoped = Address6("fe80::1", 53);
  reinterpret_cast<sockaddr_in6&>(scoped).sin6_scope_id = 2;
  const Variant variants[] = {
      {Address4("127.0.0.1", 53), 0, ""},         {Address4("127.0.0.1", 54), 0, ""},
      {Address4("127.0.0.2", 53), 0, ""},         {Address4("127.0.0.1", 53), 1, ""},
      {Address4("127.0.0.1", 53), 0, "source a"}, {Address4("127.0.0.1", 53), 0, "source b"},
      {Address6("::1", 53), 0, ""},               {Address6("::2", 53), 0, ""},
      {Address6("fe80::1", 53), 0, ""},           {scoped, 0, ""},
  };
  ReplyTrains trains;
  Replies r;
  for (int copies = 0; copies < 3; copies++)
    for (const Variant& v : variants) r.Add(v.peer, 70, v.socket, v.control);
  const size_t n = std::size(variants);
  Departures each;
  for (size_t i = 0; i < n; i++) each.push_back({i, i + n, i + 2 * n});
  EXPECT_EQ(Depart(trains, r.list), each);
}

TEST(ReplyTrainsTest, NoMoreCarsThanTheKernelTakesAndNoLongOnes) {
  ReplyTrains trains;
  Replies r;
  for (size_t i = 0; i < kMostCars + 10; i++) r.Add(Peer(1), 60);
  for (size_t i = 0; i < 10; i++) r.Add(Peer(1), kLongestCar + 1);
  const Departures d = Depart(trains, r.list);
  ASSERT_EQ(d.size(), 2u + 10);
  EXPECT_EQ(d[0].size(), kMostCars);
  EXPECT_EQ(d[1].size(), 10u);
}

TEST(ReplyTrainsTest, EveryReplyDepartsOnceWithItsLike) {
  std::mt19937 random(5);
  ReplyTrains trains;
  for (int round = 0; round < 500; round++) {
    Replies r;
    const size_t count = random() % (kMostReplies + 1);
    const int peers = 1 + static_cast<int>(random() % 20);
    const size_t lengths = 1 + random() % 10;
    for (size_t i = 0; i < count; i++)
      r.Add(Peer(static_cast<int>(random() % static_cast<unsigned>(peers))), 50 + random() % lengths);
    std::vector<int> departed(count);
    std::map<std::pair<std::string, size_t>, size_t> alike, together;
    auto key = [&](size_t i) {
      return std::pair(AddressText(*static_cast<sockaddr_storage*>(r.list[i].peer)), r.list[i].data.iov_len);
    };
    for (size_t i = 0; i < count; i++) alike[key(i)]++;
    for (const auto& train : Depart(trains, r.list)) {
      ASSERT_TRUE(train.size() == 1 || (train.size() >= kShortestTrain && train.size() <= kMostCars));
      for (const size_t i : train) {
        departed[i]++;
        ASSERT_EQ(key(i), key(train[0]));
        if (train.size() > 1) together[key(i)]++;
      }
    }
    for (size_t i = 0; i < count; i++) ASSERT_EQ(departed[i], 1) << i;
    // Where hashes collide replies go alone; that must be rare.
    if (count == 0 || alike.size() > 3) continue;
    for (const auto& [k, n] : alike) {
      if (n < 20 || n % kMostCars < kShortestTrain) continue;
      EXPECT_EQ(together[k], n) << k.first << " " << k.second << " of " << alike.size();
    }
  }
}

TEST(ReplyTrainsTest, MessageOfATrain) {
  ReplyTrains trains;
  Replies r;
  const std::string pktinfo(CMSG_SPACE(sizeof(in_pktinfo)), 'c');
  for (int i = 0; i < 3; i++) r.Add(Peer(7), 60, 0, pktinfo);
  trains.Group(r.list);
  TrainMessage message;
  iovec cars[3];
  message.Compose(r.list, trains, 0, cars);
  const msghdr& h = message.header();
  EXPECT_EQ(h.msg_name, r.list[0].peer);
  EXPECT_EQ(h.msg_iovlen, 3u);
  for (size_t i = 0; i < 3; i++) EXPECT_EQ(h.msg_iov[i].iov_base, r.list[i].data.iov_base);
  ASSERT_EQ(h.msg_controllen, pktinfo.size() + CMSG_SPACE(sizeof(uint16_t)));
  EXPECT_EQ(std::memcmp(h.msg_control, pktinfo.data(), pktinfo.size()), 0);
  const auto* c = reinterpret_cast<const cmsghdr*>(static_cast<const uint8_t*>(h.msg_control) + pktinfo.size());
  uint16_t segment = 0;
  std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
  EXPECT_EQ(c->cmsg_level, SOL_UDP);
  EXPECT_EQ(c->cmsg_type, UDP_SEGMENT);
  EXPECT_EQ(segment, 60);
}

TEST(ReplyTrainsTest, AfterARefusalTheyRestForAWhile) {
  ReplyTrains trains;
  Replies r;
  for (int i = 0; i < 3; i++) r.Add(Peer(7), 60);
  EXPECT_EQ(Depart(trains, r.list).size(), 1u);
  trains.Refused();
  for (unsigned i = 0; i < ReplyTrains::kPause; i++) ASSERT_EQ(Depart(trains, r.list), (Departures{{0}, {1}, {2}}));
  EXPECT_EQ(Depart(trains, r.list).size(), 1u);
}

TEST(ReplyTrainsTest, NoneWhereTheKernelDoesNotCut) {
  EXPECT_TRUE(ReplyTrains::KernelCuts());  // Linux 4.18 and later
  ReplyTrains trains(false);
  Replies r;
  for (int i = 0; i < 3; i++) r.Add(Peer(7), 60);
  EXPECT_EQ(Depart(trains, r.list), (Departures{{0}, {1}, {2}}));
}

class TrainTest : public testing::TestWithParam<BackendKind> {};
MZ_FOR_BOTH_BACKENDS(TrainTest);

// Queries that wait when the backend starts: several clients with several lengths.
void AskAll(RunningBackend& server, std::vector<Client>& clients, int each, size_t padding) {
  for (int i = 0; i < each; i++)
    for (size_t c = 0; c < clients.size(); c++) {
      std::string q = "client " + std::to_string(c) + " query " + std::to_string(i) + " ";
      q.resize(padding + static_cast<size_t>(i % 3), '.');
      ASSERT_TRUE(clients[c].Send(q));
    }
  server.Start();
  for (size_t c = 0; c < clients.size(); c++) {
    std::set<std::string> seen;
    for (int i = 0; i < each; i++) {
      const std::string reply = clients[c].Receive();
      ASSERT_EQ(reply.substr(0, 9), "client " + std::to_string(c) + " ");
      EXPECT_TRUE(seen.insert(reply).second) << reply;
    }
    EXPECT_FALSE(clients[c].Readable(0));
  }
  server.Stop();
  const auto all = clients.size() * static_cast<size_t>(each);
  EXPECT_EQ(server.counters.udp_received, all);
  EXPECT_EQ(server.counters.udp_sent, all);
  EXPECT_EQ(server.counters.udp_send_failed, 0u);
}

TEST_P(TrainTest, EveryClientGetsItsReplies) {
  for (const char* host : {"127.0.0.1", "::1", "0.0.0.0", "::"}) {
    SCOPED_TRACE(host);
    RunningBackend server(GetParam(), {host}, {}, {}, /*start=*/false);
    ASSERT_TRUE(server.ok());
    const bool v6 = std::string_view(host).find(':') != std::string_view::npos;
    std::vector<Client> clients;
    // Connected, on the wildcard address to different ones: a reply from another address would not arrive.
    for (int c = 0; c < 6; c++) {
      const std::string to = host == std::string_view("0.0.0.0") ? "127.0.0." + std::to_string(1 + c) : "127.0.0.1";
      clients.push_back(Client::Udp(v6 ? Address6("::1", server.port()) : Address4(to.c_str(), server.port())));
    }
    AskAll(server, clients, 40, 40);
  }
}

// The kernel hands a train over in one piece to a client that can take one (UDP_GRO): seen, not only believed.
TEST_P(TrainTest, RepliesTravelTogether) {
  RunningBackend server(GetParam(), {"127.0.0.1"}, {}, {}, /*start=*/false);
  ASSERT_TRUE(server.ok());
  Client client = Client::Udp(server.address());
  constexpr int kUdpGro = 104;
  const int on = 1;
  ASSERT_EQ(::setsockopt(client.fd(), SOL_UDP, kUdpGro, &on, sizeof on), 0);
  for (int i = 10; i < 60; i++) ASSERT_TRUE(client.Send("query " + std::to_string(i)));
  server.Start();
  std::string replies, first = client.Receive();
  EXPECT_GE(first.size(), kShortestTrain * 8);
  for (replies = first; replies.size() < 50 * 8;) {
    const std::string more = client.Receive();
    ASSERT_NE(more, "");
    replies += more;
  }
  for (int i = 10; i < 60; i++) EXPECT_EQ(replies.substr(static_cast<size_t>(i - 10) * 8, 8), "query " + std::to_string(i));
}

// On a path that is too narrow for the replies of a train the kernel refuses it, and cuts single ones into fragments.
TEST_P(TrainTest, RefusedTrainLeavesOneByOne) {
  bool allowed = true;
  std::thread([&] {  // a network namespace of this thread alone
    if (::unshare(CLONE_NEWNET) != 0) {
      allowed = false;
      return;
    }
    const UniqueFd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq lo{};
    std::strcpy(lo.ifr_name, "lo");
    lo.ifr_mtu = 600;
    ASSERT_EQ(::ioctl(control.get(), SIOCSIFMTU, &lo), 0);
    lo.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK;
    ASSERT_EQ(::ioctl(control.get(), SIOCSIFFLAGS, &lo), 0);
    RunningBackend server(GetParam(), {"127.0.0.1", "0.0.0.0"}, {}, {}, /*start=*/false);
    ASSERT_TRUE(server.ok());
    std::vector<Client> clients;
    for (size_t c = 0; c < 6; c++) clients.push_back(Client::Udp(Address4("127.0.0.1", server.port(c % 2))));
    AskAll(server, clients, 40, 700);
  }).join();
  if (!allowed) GTEST_SKIP() << "network namespaces are not allowed here";
}

}  // namespace
}  // namespace mz::io::test
