// MakeUnboundResolver against a real server on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "compiler/resolve/resolver.h"
#include "format/dns/message.h"
#include "format/dns/name.h"
#include "tests/compiler/resolve/dns_server.h"

namespace mz::resolve {
namespace {

using dns::kTypeA;
using dns::kTypeMx;
using dns::kTypeTxt;
using testing::ElementsAre;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;
using Query = DnsServer::Query;
using Reply = DnsServer::Reply;

std::string Wire(std::string_view text) { return dns::ParseName(text).value(); }
std::string Txt(const std::string& text) { return std::string(1, static_cast<char>(text.size())) + text; }
double Seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

std::unique_ptr<Resolver> Make(const ResolverOptions& options) {
  auto r = MakeUnboundResolver(options);
  EXPECT_TRUE(r.ok()) << r.status();
  return r.ok() ? *std::move(r) : nullptr;
}
ResolverOptions Forward(const DnsServer& server) {
  ResolverOptions o;
  o.forwarders = {server.address()};
  return o;
}
void RunAll(Resolver* r, double limit_seconds = 30) {
  const Clock::time_point start = Clock::now();
  while (r->pending() > 0) {
    ASSERT_LT(Seconds(start), limit_seconds);
    r->Process(100);
  }
}
Answer AskOne(Resolver* r, const std::string& wire, uint16_t type) {
  Answer got;
  int calls = 0;
  r->Ask({wire, type}, [&](const Question& q, Answer a) {
    EXPECT_EQ(q.name, wire);
    EXPECT_EQ(q.type, type);
    got = std::move(a);
    calls++;
  });
  EXPECT_EQ(calls, 0) << "never from inside Ask()";
  RunAll(r);
  EXPECT_EQ(calls, 1);
  return got;
}

// What every test may ask for, by the first label.
Reply Standard(const Query& q) {
  Reply r;
  const std::string label = q.text.substr(0, q.text.find('.'));
  auto say = [&](uint16_t type, uint32_t ttl, std::string rdata) { r.answers.push_back({q.name, type, ttl, rdata}); };
  if (label == "nx") {
    r.rcode = dns::kNxDomain;
    r.soa_ttl = 77;
  } else if (label == "nodata") {
    r.soa_ttl = 66;
  } else if (label == "servfail") {
    r.rcode = dns::kServFail;
  } else if (label == "refused") {
    r.rcode = dns::kRefused;
  } else if (label == "silent") {
    r.silent = true;
  } else if (label == "big") {
    r.truncated = !q.tcp;
    std::string rdata;
    for (int i = 0; i < 20; i++) rdata += Txt(std::string(255, static_cast<char>('a' + i)));
    if (q.tcp) say(kTypeTxt, 300, rdata);
  } else if (label == "mx") {
    say(kTypeMx, 300, std::string("\0\x14\1b\xc0\x0c", 6));
    say(kTypeMx, 300, std::string("\0\x0a\1A\xc0\x0c", 6));
  } else if (label == "double") {
    say(kTypeTxt, 300, Txt("zz"));
    say(kTypeTxt, 300, Txt("aa"));
    say(kTypeTxt, 300, Txt("zz"));
  } else if (label == "whole") {  // as a recursive server says it: the chain in one message
    say(5, 30, Wire("end.t") + '\0');
    r.answers.push_back({Wire("end.t"), kTypeTxt, 300, Txt("end")});
  } else if (label == "one") {    // as an authority says it: one step
    say(5, 300, Wire("two.t") + '\0');
  } else if (label == "two") {
    say(5, 300, Wire("three.t") + '\0');
  } else if (label == "empty-end") {
    say(5, 300, Wire("nodata.t") + '\0');
    r.soa_ttl = 66;
  } else if (label == "nx-end") {
    say(5, 300, Wire("nx.t") + '\0');
    r.rcode = dns::kNxDomain;
    r.soa_ttl = 77;
  } else if (q.type == kTypeTxt) {
    say(kTypeTxt, 300, Txt("you asked " + q.text.substr(0, 200)));
  } else {
    r.soa_ttl = 66;
  }
  return r;
}

TEST(UnboundResolverTest, TellsTheKindsOfAnswersApart) {
  DnsServer server(Standard);
  auto r = Make(Forward(server));
  Answer a = AskOne(r.get(), Wire("plain.t"), kTypeTxt);
  EXPECT_EQ(a.kind, Answer::kData);
  EXPECT_EQ(a.ttl, 300u);
  EXPECT_FALSE(a.secure);
  EXPECT_THAT(a.rdata, ElementsAre(Txt("you asked plain.t")));
  a = AskOne(r.get(), Wire("nx.t"), kTypeTxt);
  EXPECT_EQ(a.kind, Answer::kNxDomain);
  EXPECT_EQ(a.ttl, 77u);
  a = AskOne(r.get(), Wire("nodata.t"), kTypeTxt);
  EXPECT_EQ(a.kind, Answer::kNoData);
  EXPECT_EQ(a.ttl, 66u);
  a = AskOne(r.get(), Wire("refused.t"), kTypeTxt);
  EXPECT_EQ(a.kind, Answer::kFailed);
  EXPECT_THAT(a.reason, HasSubstr("SERVFAIL"));
}

TEST(UnboundResolverTest, AnswersAreSetsWithNamesUncompressed) {
  DnsServer server(Standard);
  auto r = Make(Forward(server));
  EXPECT_THAT(AskOne(r.get(), Wire("double.t"), kTypeTxt).rdata, ElementsAre(Txt("aa"), Txt("zz")));
  EXPECT_THAT(AskOne(r.get(), Wire("mx.t"), kTypeMx).rdata,
              ElementsAre(std::string("\0\x0a", 2) + Wire("A.mx.t") + '\0', std::string("\0\x14", 2) + Wire("b.mx.t") + '\0'));
}

TEST(UnboundResolverTest, FollowsCnames) {
  DnsServer server(Standard);
  auto r = Make(Forward(server));
  Answer a = AskOne(r.get(), Wire("whole.t"), kTypeTxt);
  ASSERT_EQ(a.rdata.size(), 1u);
  EXPECT_THAT(a.rdata[0], HasSubstr("end"));  // libunbound asks for the end of the chain itself, whatever the message says
  EXPECT_EQ(a.ttl, 30u);
  EXPECT_THAT(AskOne(r.get(), Wire("one.t"), kTypeTxt).rdata, ElementsAre(Txt("you asked three.t")));
  EXPECT_EQ(AskOne(r.get(), Wire("empty-end.t"), kTypeTxt).kind, Answer::kNoData);
  EXPECT_EQ(AskOne(r.get(), Wire("nx-end.t"), kTypeTxt).kind, Answer::kNxDomain);
}

TEST(UnboundResolverTest, LongAnswersComeByTcp) {
  DnsServer server(Standard);
  auto r = Make(Forward(server));
  const Answer a = AskOne(r.get(), Wire("big.t"), kTypeTxt);
  ASSERT_EQ(a.kind, Answer::kData) << a.reason;
  ASSERT_EQ(a.rdata.size(), 1u);
  EXPECT_EQ(a.rdata[0].size(), 20u * 256);
  const auto queries = server.queries();
  ASSERT_EQ(queries.size(), 2u);
  EXPECT_FALSE(queries[0].tcp);
  EXPECT_EQ(queries[0].edns_bytes, 1232);
  EXPECT_TRUE(queries[1].tcp);
}

TEST(UnboundResolverTest, TcpOnlySendsNoDatagram) {
  DnsServer server(Standard);
  ResolverOptions o = Forward(server);
  o.tcp_only = true;
  auto r = Make(o);
  EXPECT_EQ(AskOne(r.get(), Wire("plain.t"), kTypeTxt).kind, Answer::kData);
  for (const Query& q : server.queries()) EXPECT_TRUE(q.tcp);
}

TEST(UnboundResolverTest, AsksForEveryOctetAName) {
  DnsServer server(Standard);
  auto r = Make(Forward(server));
  std::vector<std::string> names = {Wire("a\\.b.t"), Wire("\\\\.\\\"x\\000y\\255\\032\\@\\$\\;.t"), Wire("_spf.t"), ""};
  std::string all;
  for (int c = 0; c < 256; c++)
    if (c < 'A' || c > 'Z') all += static_cast<char>(c);
  for (size_t i = 0; i < all.size(); i += 60) {
    const std::string label = all.substr(i, 60);
    names.push_back(static_cast<char>(label.size()) + label + "\1t");
  }
  names.push_back(std::string("\x3f") + std::string(63, 'm') + "\x3f" + std::string(63, '\x07') + "\x3f" +
                  std::string(63, '.') + "\x3d" + std::string(61, '\xff'));   // 255 octets with the root
  for (const std::string& name : names) EXPECT_EQ(AskOne(r.get(), name, kTypeTxt).kind, Answer::kData) << dns::NameText(name);
  const auto queries = server.queries();
  ASSERT_EQ(queries.size(), names.size());
  for (size_t i = 0; i < names.size(); i++) EXPECT_EQ(queries[i].name, names[i]);
}

TEST(UnboundResolverTest, AnImpossibleNameFailsInsteadOfStalling) {
  DnsServer server(Standard);
  auto r = Make(Forward(server));
  std::string name;
  for (int i = 0; i < 5; i++) name += "\x3f" + std::string(63, 'x');
  const Answer a = AskOne(r.get(), name, kTypeTxt);
  EXPECT_EQ(a.kind, Answer::kFailed);
  EXPECT_THAT(a.reason, HasSubstr("cannot ask"));
}

TEST(UnboundResolverTest, AsksExactlyOncePerQuestionAndNothingElse) {
  DnsServer server(Standard);
  auto r = Make(Forward(server));
  for (int i = 0; i < 50; i++) {
    EXPECT_EQ(AskOne(r.get(), Wire("n" + std::to_string(i) + ".deep.er.t"), kTypeTxt).kind, Answer::kData);
    EXPECT_EQ(AskOne(r.get(), Wire("nx.n" + std::to_string(i) + ".t"), kTypeTxt).kind, Answer::kNxDomain);
  }
  EXPECT_EQ(server.queries().size(), 100u);
  // Asked again means asked upstream again: nothing is answered from a cache in between.
  EXPECT_EQ(AskOne(r.get(), Wire("n1.deep.er.t"), kTypeTxt).kind, Answer::kData);
  EXPECT_EQ(AskOne(r.get(), Wire("nx.n1.t"), kTypeTxt).kind, Answer::kNxDomain);
  EXPECT_EQ(server.queries().size(), 102u);
}

TEST(UnboundResolverTest, ZonesOfItsOwnAreNotAnsweredLocally) {
  DnsServer server(Standard);
  auto r = Make(Forward(server));
  for (const char* name : {"a.test", "localhost", "a.invalid", "a.onion", "1.10.in-addr.arpa", "a.home.arpa"})
    EXPECT_EQ(AskOne(r.get(), Wire(name), kTypeTxt).kind, Answer::kData) << name;
}

TEST(UnboundResolverTest, ServfailIsTriedAgain) {
  int left = 3;
  DnsServer server([&](const Query& q) {
    Reply r = Standard(q);
    if (q.text == "later.t" && left-- > 0) r = {.rcode = dns::kServFail};
    return r;
  });
  auto r = Make(Forward(server));
  EXPECT_EQ(AskOne(r.get(), Wire("later.t"), kTypeTxt).kind, Answer::kData);
  const Answer a = AskOne(r.get(), Wire("servfail.t"), kTypeTxt);
  EXPECT_EQ(a.kind, Answer::kFailed);
  EXPECT_THAT(a.reason, HasSubstr("SERVFAIL"));
}

TEST(UnboundResolverTest, SilenceEndsAtTheDeadline) {
  DnsServer server(Standard);
  ResolverOptions o = Forward(server);
  o.deadline_ms = 700;
  auto r = Make(o);
  EXPECT_EQ(AskOne(r.get(), Wire("plain.t"), kTypeTxt).kind, Answer::kData);
  const Clock::time_point start = Clock::now();
  const Answer a = AskOne(r.get(), Wire("silent.t"), kTypeTxt);
  EXPECT_EQ(a.kind, Answer::kFailed);
  EXPECT_THAT(a.reason, HasSubstr("timeout"));
  EXPECT_GT(Seconds(start), 0.69);
  EXPECT_LT(Seconds(start), 1.5);
  EXPECT_EQ(r->pending(), 0u);
  EXPECT_EQ(r->NextDeadlineMs(), -1);
}

TEST(UnboundResolverTest, UnreachableForwarderFailsWithinTheDeadline) {
  std::string address;
  {
    DnsServer server(Standard);
    address = server.address();  // nobody listens there afterwards
  }
  ResolverOptions o;
  o.forwarders = {address};
  o.deadline_ms = 2000;
  auto r = Make(o);
  const Clock::time_point start = Clock::now();
  int failed = 0;
  for (int i = 0; i < 300; i++)
    r->Ask({Wire("q" + std::to_string(i) + ".t"), kTypeTxt}, [&](const Question&, Answer a) {
      EXPECT_EQ(a.kind, Answer::kFailed);
      EXPECT_FALSE(a.reason.empty());
      failed++;
    });
  RunAll(r.get());
  EXPECT_EQ(failed, 300);
  EXPECT_LT(Seconds(start), 3 * 2.0 + 3);   // 300 in flights of 128
}

TEST(UnboundResolverTest, RecoversSoonAfterAnOutage) {
  std::atomic<bool> down{true};
  DnsServer server([&](const Query& q) {
    Reply r = Standard(q);
    r.silent = down;
    return r;
  });
  ResolverOptions o = Forward(server);
  o.deadline_ms = 3000;
  auto r = Make(o);
  int failed = 0;
  for (int i = 0; i < 100; i++)
    r->Ask({Wire("d" + std::to_string(i) + ".t"), kTypeTxt}, [&](const Question&, Answer a) { failed += a.kind == Answer::kFailed; });
  RunAll(r.get());
  EXPECT_EQ(failed, 100);
  down = false;
  int good = 0;
  for (int i = 0; i < 100; i++)
    r->Ask({Wire("u" + std::to_string(i) + ".t"), kTypeTxt}, [&](const Question&, Answer a) { good += a.kind == Answer::kData; });
  RunAll(r.get());
  EXPECT_EQ(good, 100);
}

TEST(UnboundResolverTest, LostPacketsAreAskedAgain) {
  std::set<std::string> seen;
  DnsServer server([&](const Query& q) {
    Reply r = Standard(q);
    r.silent = seen.insert(q.text).second && q.text.starts_with("lost");
    return r;
  });
  auto r = Make(Forward(server));
  int good = 0;
  for (int i = 0; i < 20; i++)
    r->Ask({Wire((i % 4 == 0 ? "lost" : "got") + std::to_string(i) + ".t"), kTypeTxt},
           [&](const Question&, Answer a) { good += a.kind == Answer::kData; });
  RunAll(r.get());
  EXPECT_EQ(good, 20);
}

TEST(UnboundResolverTest, KeepsAtMostMaxInFlightOnTheWay) {
  DnsServer server([](const Query& q) {
    Reply r = Standard(q);
    r.delay_ms = 20;
    return r;
  });
  ResolverOptions o = Forward(server);
  o.max_in_flight = 64;
  auto r = Make(o);
  std::vector<std::string> order;
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < 2000; i++)
    r->Ask({Wire("q" + std::to_string(i) + ".t"), kTypeTxt}, [&](const Question& q, Answer a) {
      EXPECT_EQ(a.kind, Answer::kData) << a.reason;
      order.push_back(q.name);
    });
  EXPECT_EQ(r->pending(), 2000u);
  RunAll(r.get());
  EXPECT_EQ(order.size(), 2000u);
  EXPECT_EQ(std::set<std::string>(order.begin(), order.end()).size(), 2000u);
  EXPECT_LE(server.max_concurrent(), 64);
  EXPECT_GE(server.max_concurrent(), 40);
  EXPECT_LT(Seconds(start), 10);
}

TEST(UnboundResolverTest, CallbacksMayAskMore) {
  DnsServer server(Standard);
  ResolverOptions o = Forward(server);
  o.max_in_flight = 1;
  auto r = Make(o);
  int left = 30;
  Resolver::Done next = [&](const Question&, Answer) {
    if (--left > 0) r->Ask({Wire("q" + std::to_string(left) + ".t"), kTypeTxt}, next);
  };
  r->Ask({Wire("first.t"), kTypeTxt}, next);
  RunAll(r.get());
  EXPECT_EQ(left, 0);
}

TEST(UnboundResolverTest, StubZonesGoToTheirServerWithoutRecursion) {
  DnsServer forwarder(Standard), stub(Standard);
  ResolverOptions o = Forward(forwarder);
  o.stubs = {{"stub.test", stub.address()}};
  auto r = Make(o);
  EXPECT_EQ(AskOne(r.get(), Wire("a.stub.test"), kTypeTxt).kind, Answer::kData);
  EXPECT_EQ(AskOne(r.get(), Wire("nx.stub.test"), kTypeTxt).kind, Answer::kNxDomain);
  EXPECT_EQ(AskOne(r.get(), Wire("a.other.test"), kTypeTxt).kind, Answer::kData);
  ASSERT_EQ(stub.queries().size(), 2u);
  EXPECT_FALSE(stub.queries()[0].recursion_desired);
  ASSERT_EQ(forwarder.queries().size(), 1u);
  EXPECT_TRUE(forwarder.queries()[0].recursion_desired);
}

TEST(UnboundResolverTest, EndsWithQuestionsOnTheWay) {
  DnsServer server(Standard);
  for (int round = 0; round < 3; round++) {
    auto r = Make(Forward(server));
    for (int i = 0; i < 200; i++)
      r->Ask({Wire((i % 2 ? "silent" : "q") + std::string(".") + std::to_string(i) + ".t"), kTypeTxt},
             [](const Question&, Answer) {});
    if (round > 0) r->Process(20);
  }
}

// An unsigned answer where a trust anchor promises signatures is bogus, whatever data it carries.
TEST(UnboundResolverTest, UnsignedDataBelowATrustAnchorIsBogus) {
  DnsServer server(Standard);
  const std::string file = testing::TempDir() + "/mz_anchor_" + std::to_string(getpid());
  std::ofstream(file) << "t. IN DS 1 13 2 " << std::string(64, 'a') << "\n";
  ResolverOptions o = Forward(server);
  o.validate = true;
  o.trust_anchor_file = file;
  auto r = Make(o);
  const Answer a = AskOne(r.get(), Wire("plain.t"), kTypeTxt);
  EXPECT_EQ(a.kind, Answer::kBogus);
  EXPECT_THAT(a.reason, HasSubstr("bogus"));
  EXPECT_TRUE(a.rdata.empty());
  EXPECT_EQ(AskOne(r.get(), Wire("plain.unsigned"), kTypeTxt).kind, Answer::kData);
  unlink(file.c_str());
}

TEST(UnboundResolverTest, RefusesSettingsThatAreNone) {
  for (const char* address : {"localhost", "1.2.3", "1.2.3.4@0", "1.2.3.4@65536", "1.2.3.4@", "1.2.3.4:53", ""}) {
    ResolverOptions o;
    o.forwarders = {address};
    EXPECT_EQ(MakeUnboundResolver(o).status().code(), StatusCode::kInvalidArgument) << address;
  }
  ResolverOptions o;
  o.forwarders = {"127.0.0.1"};
  o.stubs = {{"example", "nonsense"}};
  EXPECT_EQ(MakeUnboundResolver(o).status().code(), StatusCode::kInvalidArgument);
  o.stubs = {{std::string(64, 'x'), "127.0.0.1"}};
  EXPECT_EQ(MakeUnboundResolver(o).status().code(), StatusCode::kInvalidArgument);
  o.stubs.clear();
  o.validate = true;
  EXPECT_EQ(MakeUnboundResolver(o).status().code(), StatusCode::kInvalidArgument);
  o.trust_anchor_file = "/does/not/exist";
  EXPECT_EQ(MakeUnboundResolver(o).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace mz::resolve
