// The general reader, its text form, and the query builder.
#include "format/dns/message_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "format/dns/name.h"
#include "format/dns/query_builder.h"

namespace mz::dns {
namespace {

using std::string_literals::operator""s;

StatusOr<Message> Read(const std::string& packet) {
  const std::vector<uint8_t> copy(packet.begin(), packet.end());
  return ReadMessage(copy);
}

// A reply with compressed names in every section.
std::string Sample() {
  std::string p = "\x12\x34\x85\x00\0\1\0\4\0\1\0\2"s;
  p += "\1a\2bl\4test\0\0\xff\0\1"s;                          // 12: a.bl.test ANY
  p += "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\2"s;           // A
  p += "\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\6\1x\3y\"z"s;          // TXT "x" "y\"z"
  p += "\xc0\x0c\0\x0f\0\1\0\0\0\x3c\0\7\0\12\2mx\xc0\x0e"s;  // MX 10 mx.bl.test
  p += "\xc0\x0c\xff\x01\0\1\0\0\0\x3c\0\2\xab\xcd"s;         // TYPE65281
  p += "\xc0\x0e\0\6\0\1\0\0\0\x3c\0\x1d\2ns\xc0\x0e\1h\xc0\x0e"s +
       "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"s;
  p += "\0\0\x29\x04\xd0\0\0\x80\0\0\6\0\3\0\2id"s;
  p += "\2ns\xc0\x0e\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"s;
  return p;
}

TEST(MessageReaderTest, ReadsAllSections) {
  auto m = Read(Sample());
  ASSERT_TRUE(m.ok()) << m.status().ToString();
  EXPECT_EQ(m->id, 0x1234);
  ASSERT_EQ(m->answer.size(), 4u);
  EXPECT_EQ(RecordText(m->answer[0]), "a.bl.test. 60 IN A 127.0.0.2");
  EXPECT_EQ(RecordText(m->answer[1]), "a.bl.test. 60 IN TXT \"x\" \"y\\\"z\"");
  EXPECT_EQ(RecordText(m->answer[2]), "a.bl.test. 60 IN MX 10 mx.bl.test.");
  EXPECT_EQ(RecordText(m->answer[3]), "a.bl.test. 60 IN TYPE65281 \\# 2 abcd");  // RFC 3597 section 5
  ASSERT_EQ(m->authority.size(), 1u);
  EXPECT_EQ(RecordText(m->authority[0]), "bl.test. 60 IN SOA ns.bl.test. h.bl.test. 1 2 3 4 5");
  ASSERT_EQ(m->additional.size(), 1u);
  EXPECT_EQ(RecordText(m->additional[0]), "ns.bl.test. 60 IN A 10.0.0.1");
  ASSERT_TRUE(m->edns.has_value());
  EXPECT_EQ(m->edns->udp_bytes, 1232);
  EXPECT_EQ(m->trailing_bytes, 0u);
  EXPECT_EQ(MessageText(*m),
            ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 4660\n"
            ";; flags: qr aa rd; QUERY: 1, ANSWER: 4, AUTHORITY: 1, ADDITIONAL: 2\n"
            "\n;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags: do; udp: 1232\n; NSID: 6964 (\"id\")\n"
            "\n;; QUESTION SECTION:\n;a.bl.test. IN ANY\n"
            "\n;; ANSWER SECTION:\na.bl.test. 60 IN A 127.0.0.2\na.bl.test. 60 IN TXT \"x\" \"y\\\"z\"\n"
            "a.bl.test. 60 IN MX 10 mx.bl.test.\na.bl.test. 60 IN TYPE65281 \\# 2 abcd\n"
            "\n;; AUTHORITY SECTION:\nbl.test. 60 IN SOA ns.bl.test. h.bl.test. 1 2 3 4 5\n"
            "\n;; ADDITIONAL SECTION:\nns.bl.test. 60 IN A 10.0.0.1\n"
            "\n;; MSG SIZE: " +
                std::to_string(Sample().size()) + "\n");
}

TEST(MessageReaderTest, EveryCutIsRefused) {
  const std::string sample = Sample();
  for (size_t n = 0; n < sample.size(); n++)
    EXPECT_EQ(Read(sample.substr(0, n)).status().code(), StatusCode::kDataLoss) << n;
  EXPECT_EQ(Read(sample + "xyz")->trailing_bytes, 3u);
}

TEST(MessageReaderTest, PointersMustLeadBackward) {
  const std::string header = "\0\0\x80\0\0\1\0\0\0\0\0\0"s;
  EXPECT_FALSE(Read(header + "\xc0\x0c\0\1\0\1"s).ok());       // to itself
  EXPECT_FALSE(Read(header + "\xc0\x0e\0\1\0\1"s).ok());       // forward
  EXPECT_FALSE(Read(header + "\1a\xc0\x0c\0\1\0\1"s).ok());    // a loop through its own start
  EXPECT_FALSE(Read(header + "\x41"s + "a\0\0\1\0\1"s).ok());  // extended label type
}

TEST(MessageReaderTest, LongPointerChainsAreRefused) {
  // A question of pointers, each to the one before: legal step by step, pointless as a whole.
  std::string p = "\0\0\x80\0\0\1\0\1\0\0\0\0"s + "\0\0\1\0\1"s;
  size_t target = 12;
  p += "\0\0\x0a\0\1\0\0\0\0"s;
  std::string chain;
  const size_t start = p.size() + 2;
  for (int i = 0; i < 400; i++) {
    chain += static_cast<char>(0xc0 | target >> 8);
    chain += static_cast<char>(target);
    target = start + 2 * static_cast<size_t>(i);
  }
  p += static_cast<char>(chain.size() >> 8);
  p += static_cast<char>(chain.size());
  p += chain;
  ASSERT_TRUE(Read(p).ok());
  p[7] = 2;
  p += static_cast<char>(0xc0 | target >> 8);
  p += static_cast<char>(target);
  p += "\0\x0a\0\1\0\0\0\0\0\0"s;
  EXPECT_FALSE(Read(p).ok());
}

TEST(MessageReaderTest, NamesMustEndInsideTheirRdata) {
  const std::string head = "\0\0\x80\0\0\0\0\1\0\0\0\0"s + "\0\0\2\0\1\0\0\0\1"s;
  EXPECT_TRUE(Read(head + "\0\3\1a\0"s).ok());
  EXPECT_FALSE(Read(head + "\0\2\1a\0"s).ok());
  EXPECT_FALSE(Read(head + "\0\4\1a\0x"s).ok());
}

TEST(MessageReaderTest, RandomDamageIsSafe) {
  std::mt19937 random(2);
  for (int i = 0; i < 100000; i++) {
    std::string p = Sample();
    for (int flips = static_cast<int>(random() % 8); flips >= 0; flips--)
      p[random() % p.size()] = static_cast<char>(random());
    if (random() % 4 == 0) p.resize(random() % (p.size() + 1));
    auto m = Read(p);
    if (m.ok()) MessageText(*m);
  }
}

TEST(QueryBuilderTest, WhatIsBuiltCanBeRead) {
  const EdnsQuery edns{
      .udp_bytes = 900, .version = 1, .flags = kEdnsDnssecOk, .options = {{3, ""}, {10, "12345678"}}};
  auto m =
      Read(BuildQuery("\3www\4test", 257, kClassCh, {.id = 9, .flags = kFlagRd | kFlagCd, .edns = edns}));
  ASSERT_TRUE(m.ok());
  EXPECT_EQ(m->id, 9);
  EXPECT_EQ(m->flags, kFlagRd | kFlagCd);
  EXPECT_EQ(NameText(m->question.at(0).name), "www.test");
  EXPECT_EQ(m->question[0].type, 257);
  EXPECT_EQ(m->question[0].qclass, kClassCh);
  ASSERT_TRUE(m->edns.has_value());
  EXPECT_EQ(m->edns->version, 1);
  EXPECT_EQ(m->edns->options, edns.options);
}

TEST(QueryBuilderTest, ParsesTypesAndClasses) {
  for (auto [text, value] : {std::pair{"A", 1},
                             {"txt", 16},
                             {"TYPE257", 257},
                             {"type65280", 65280},
                             {"99", 99},
                             {"ANY", 255},
                             {"CAA", 257},
                             {"https", 65},
                             {"AXFR", 252},
                             {"TYPE0", 0},
                             {"URI", 256}})
    EXPECT_EQ(*ParseType(text), value) << text;
  for (const char* text : {"", "NOPE", "TYPE", "TYPE65536", "TYPE-1", "1x"})
    EXPECT_FALSE(ParseType(text).ok()) << text;
  EXPECT_EQ(*ParseClass("in"), 1);
  EXPECT_EQ(*ParseClass("CH"), 3);
  EXPECT_EQ(*ParseClass("CLASS9"), 9);
  EXPECT_FALSE(ParseClass("INTERNET").ok());
}

}  // namespace
}  // namespace mz::dns
