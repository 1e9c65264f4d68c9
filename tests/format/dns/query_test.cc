// The query parser: everything it reads, and every way to be malformed. The answers to it are tested with the
// answer engine.
#include "format/dns/query.h"

#include <gtest/gtest.h>

#include <random>

#include "format/dns/name.h"
#include "format/dns/query_builder.h"

namespace mz::dns {
namespace {

using std::string_literals::operator""s;

QueryError Parse(const std::string& packet, Query* q) {
  // An exact copy on the heap: a sanitizer sees every octet read too many.
  const std::vector<uint8_t> copy(packet.begin(), packet.end());
  return ParseQuery(copy, q);
}

TEST(QueryTest, ReadsHeaderQuestionAndLabels) {
  Query q;
  const std::string packet =
      BuildQuery(*ParseName("Ab.c.example"), kTypeTxt, kClassCh, {.id = 0x1234, .flags = kFlagRd | 4 << 11});
  ASSERT_EQ(Parse(packet, &q), QueryError::kNone);
  EXPECT_EQ(q.id, 0x1234);
  EXPECT_EQ(q.opcode(), 4);
  EXPECT_TRUE(q.flags & kFlagRd);
  EXPECT_EQ(q.qtype, kTypeTxt);
  EXPECT_EQ(q.qclass, kClassCh);
  EXPECT_EQ(q.labels, 3);
  EXPECT_EQ(q.label[0], 0);
  EXPECT_EQ(q.label[1], 3);
  EXPECT_EQ(q.label[2], 5);
  EXPECT_EQ(q.label[3], 13);
  EXPECT_EQ(q.qname_bytes, 14);
  EXPECT_EQ(q.question_end, 30);
  EXPECT_FALSE(q.edns.present);
}

TEST(QueryTest, ReadsTheRootAndTheLargestNames) {
  Query q;
  ASSERT_EQ(Parse(BuildQuery("", 1, 1, {}), &q), QueryError::kNone);
  EXPECT_EQ(q.labels, 0);
  EXPECT_EQ(q.qname_bytes, 1);
  std::string name;
  for (int i = 0; i < 127; i++) name += "\1a";
  ASSERT_EQ(Parse(BuildQuery(name, 1, 1, {}), &q), QueryError::kNone);
  EXPECT_EQ(q.labels, kMaxLabels);
  EXPECT_EQ(q.qname_bytes, kMaxNameBytes);
  EXPECT_EQ(Parse(BuildQuery(name + "\1a", 1, 1, {}), &q), QueryError::kBadQuestion);
}

TEST(QueryTest, ReadsEdns) {
  Query q;
  const EdnsQuery edns{.udp_bytes = 4000, .version = 3, .flags = kEdnsDnssecOk | 7, .options = {{9, "x"}}};
  ASSERT_EQ(Parse(BuildQuery("\1a", 1, 1, {.edns = edns}), &q), QueryError::kNone);
  EXPECT_TRUE(q.edns.present);
  EXPECT_TRUE(q.edns.dnssec_ok);
  EXPECT_FALSE(q.edns.wants_nsid);
  EXPECT_EQ(q.edns.udp_bytes, 4000);
  EXPECT_EQ(q.edns.version, 3);
  ASSERT_EQ(Parse(BuildQuery("\1a", 1, 1, {.edns = EdnsQuery{.options = {{9, "x"}, {3, ""}}}}), &q),
            QueryError::kNone);
  EXPECT_TRUE(q.edns.wants_nsid);
}

TEST(QueryTest, NamesEveryError) {
  Query q;
  const std::string good = BuildQuery("\1a", 1, 1, {.edns = EdnsQuery{}});
  EXPECT_EQ(Parse("", &q), QueryError::kShort);
  EXPECT_EQ(Parse(good.substr(0, 11), &q), QueryError::kShort);
  auto with = [&](size_t at, char c) {
    std::string p = good;
    p[at] = c;
    return p;
  };
  EXPECT_EQ(Parse(with(2, '\x80'), &q), QueryError::kResponse);
  EXPECT_EQ(Parse(with(5, 2), &q), QueryError::kManyQuestions);
  EXPECT_EQ(Parse(with(12, '\xc0'), &q), QueryError::kBadQuestion);
  EXPECT_EQ(q.question_end, 0);
  EXPECT_EQ(Parse(with(11, 2), &q), QueryError::kBadRecords);
  EXPECT_NE(q.question_end, 0);
  EXPECT_TRUE(q.edns.present);  // as far as it was read
  EXPECT_EQ(Parse(with(11, 2) + BuildOpt({}), &q), QueryError::kBadOpt);
  EXPECT_EQ(Parse(std::string("\0\0\0\0\0\0\0\0\0\0\0\1", 12) + BuildOpt({}), &q), QueryError::kNoQuestion);
  EXPECT_TRUE(q.edns.present);
}

TEST(QueryTest, LeavesNothingOfTheQueryBefore) {
  Query q;
  Parse(BuildQuery("\1a", 5, 6, {.edns = EdnsQuery{.flags = kEdnsDnssecOk}}), &q);
  Parse("\0\1\0\0\0\0\0\0\0\0\0\0"s, &q);
  EXPECT_EQ(q.qtype | q.qclass | q.labels | q.qname_bytes | q.question_end, 0);
  EXPECT_FALSE(q.edns.present);
}

TEST(QueryTest, RandomOctetsAreSafe) {
  std::mt19937 random(1);
  Query q;
  for (int i = 0; i < 200000; i++) {
    std::string packet = BuildQuery("\3abc\2de", 1, 1, {.edns = EdnsQuery{.options = {{3, "abcd"}}}});
    for (int flips = static_cast<int>(random() % 6); flips >= 0; flips--)
      packet[random() % packet.size()] = static_cast<char>(random());
    packet.resize(random() % (packet.size() + 1));
    if (Parse(packet, &q) == QueryError::kNone) {
      ASSERT_LE(q.question_end, packet.size());
      ASSERT_EQ(packet[kHeaderBytes + q.label[q.labels]], '\0');
    }
  }
}

}  // namespace
}  // namespace mz::dns
