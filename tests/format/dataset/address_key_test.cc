// Keys of address entries, form by form, as observed with rbldnsd.
#include "format/dataset/address_key.h"

#include <gtest/gtest.h>

#include <string>

namespace mz::dataset {
namespace {

// "first-last", or why the key is refused. Includes the check of what follows the key.
std::string Ip4(std::string text, Ip4KeyForm form = Ip4KeyForm::kSet, bool mask = false) {
  const char* p = text.c_str();
  const char* end = p + text.size();
  net::Range4 range;
  KeyResult result = ParseIp4Key(&p, end, form, mask, &range);
  if (result == KeyResult::kInvalid || !IsKeyEnd(p, end)) return "invalid";
  if (result == KeyResult::kHostBits) return "host bits";
  return net::ToString(range.first) + "-" + net::ToString(range.last);
}

std::string Ip6(std::string text, bool mask = false) {
  const char* p = text.c_str();
  const char* end = p + text.size();
  net::Ip6 address;
  int bits;
  KeyResult result = ParseIp6Key(&p, end, mask, &address, &bits);
  if (result == KeyResult::kInvalid || !IsKeyEnd(p, end)) return "invalid";
  if (result == KeyResult::kHostBits) return "host bits";
  return net::ToString(address) + "/" + std::to_string(bits) + (p == end ? "" : "|" + std::string(p, end));
}

struct Case {
  const char* text;
  const char* expected;
};

TEST(Ip4KeyTest, ReadsPrefixes) {
  for (const Case& c : {Case{"1.2.3.4", "1.2.3.4-1.2.3.4"},
                        {"1.2.3", "1.2.3.0-1.2.3.255"},
                        {"1.2", "1.2.0.0-1.2.255.255"},
                        {"01.002.0003.4", "1.2.3.4-1.2.3.4"},
                        {"255.255.255.255", "255.255.255.255-255.255.255.255"},
                        {"5", "invalid"},
                        {"1.2.3.4.", "invalid"},
                        {"1.2.3.", "invalid"},
                        {"1.2.3.4.5", "invalid"},
                        {"1..2", "invalid"},
                        {".1.2", "invalid"},
                        {"999.1.1.1", "invalid"},
                        {"1.2.3.256", "invalid"},
                        {"1.2.3.4x", "invalid"},
                        {"", "invalid"},
                        {"-1", "invalid"}})
    EXPECT_EQ(Ip4(c.text), c.expected) << c.text;
}

TEST(Ip4KeyTest, EndsAtBlankCommentOrColon) {
  for (const char* tail : {" x", "\tx", "#x", ";x", ":5"}) EXPECT_EQ(Ip4("1.2.3.4" + std::string(tail)), "1.2.3.4-1.2.3.4");
  for (const char* tail : {"=x", "!", "\r", ","}) EXPECT_EQ(Ip4("1.2.3.4" + std::string(tail)), "invalid");
}

TEST(Ip4KeyTest, ReadsCidr) {
  for (const Case& c : {Case{"4/8", "4.0.0.0-4.255.255.255"},
                        {"4.0/8", "4.0.0.0-4.255.255.255"},
                        {"127.16/12", "127.16.0.0-127.31.255.255"},
                        {"1.2.3.4/032", "1.2.3.4-1.2.3.4"},
                        {"1.2.3/32", "1.2.3.0-1.2.3.0"},
                        {"128/1", "128.0.0.0-255.255.255.255"},
                        {"1.2.3.4/", "invalid"},
                        {"1.2.3.4/33", "invalid"},
                        {"1.2.3.4/4294967328", "invalid"},
                        {"1.2.3.5/31", "host bits"},
                        {"1.1/8", "host bits"}})
    EXPECT_EQ(Ip4(c.text), c.expected) << c.text;
}

TEST(Ip4KeyTest, MasksHostBitsOnRequest) {
  EXPECT_EQ(Ip4("1.1/8", Ip4KeyForm::kSet, true), "1.0.0.0-1.255.255.255");
  EXPECT_EQ(Ip4("1.2.3.5/31", Ip4KeyForm::kTrie, true), "1.2.3.4-1.2.3.5");
  EXPECT_EQ(Ip4("1.2.3.4/0", Ip4KeyForm::kTrie, true), "0.0.0.0-255.255.255.255");
}

TEST(Ip4KeyTest, OnlyTriesTakeSlashZero) {
  EXPECT_EQ(Ip4("0/0"), "invalid");
  EXPECT_EQ(Ip4("0.0.0.0/0", Ip4KeyForm::kSet, true), "invalid");
  EXPECT_EQ(Ip4("0/0", Ip4KeyForm::kTrie), "0.0.0.0-255.255.255.255");
  EXPECT_EQ(Ip4("0", Ip4KeyForm::kTrie), "invalid");
}

TEST(Ip4KeyTest, ReadsRanges) {
  for (const Case& c : {Case{"13.1-14.2", "13.1.0.0-14.2.255.255"},
                        {"6-7", "6.0.0.0-7.255.255.255"},
                        {"8.1-2", "8.1.0.0-8.2.255.255"},
                        {"9.1.1-2", "9.1.1.0-9.1.2.255"},
                        {"10.1.1.250-255", "10.1.1.250-10.1.1.255"},
                        {"0.0.0.0-255.255.255.255", "0.0.0.0-255.255.255.255"},
                        {"1.1.1.1-1.1.1.1", "1.1.1.1-1.1.1.1"},
                        {"12.1-12.1.2", "invalid"},
                        {"13-13.0.0", "invalid"},
                        {"32.1.2-3.4", "invalid"},
                        {"2-1", "invalid"},
                        {"1.2.3.4-1.2.3.3", "invalid"},
                        {"1.2.3.4-", "invalid"},
                        {"1.2.3.4-256", "invalid"},
                        {"1.2.3-4/24", "invalid"},
                        {"1.2.3/24-5", "invalid"},
                        {"1.2.3.4-5x", "invalid"}})
    EXPECT_EQ(Ip4(c.text), c.expected) << c.text;
  EXPECT_EQ(Ip4("1.2.3.4-5", Ip4KeyForm::kTrie), "invalid");
}

TEST(Ip6KeyTest, ReadsGroupsAndPrefixes) {
  for (const Case& c : {Case{"2001:db8", "2001:db8::/32"},
                        {"2001:21ab:c000/36", "2001:21ab:c000::/36"},
                        {"1/16", "1::/16"},
                        {"AbCd::EF", "abcd::ef/128"},
                        {"::", "::/128"},
                        {"::/0", "::/0"},
                        {"0/0", "::/0"},
                        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128"},
                        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0/128"},
                        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8/128"},
                        {"00001:1", "1:1::/32"},
                        {"1:2/032", "1:2::/32"},
                        {"1", "invalid"},
                        {"1:", "invalid"},
                        {"1:2:", "invalid"},
                        {"12345:1", "invalid"},
                        {"1:2/129", "invalid"},
                        {"1:2/", "invalid"},
                        {"1:2x", "invalid"},
                        {"g::1", "invalid"},
                        {"1:2:x", "invalid"},
                        {"::ffff:1.2.3.4", "invalid"},
                        {"1::%eth0", "invalid"},
                        {"1:2:3:4:5:6:7::8", "invalid"},
                        {"1::2:3:4:5:6:7:8", "invalid"},
                        {"::1:2:3:4:5:6:7:8", "invalid"},
                        {"1:2/31", "1:2::/31"},
                        {"1:3/31", "host bits"},
                        {"1/0", "host bits"}})
    EXPECT_EQ(Ip6(c.text), c.expected) << c.text;
  EXPECT_EQ(Ip6("1:3/31", true), "1:2::/31");
}

TEST(Ip6KeyTest, SecondGapOrNinthGroupStartsTheValue) {
  EXPECT_EQ(Ip6("1::2::3"), "1::2/128|:3");
  EXPECT_EQ(Ip6("1:::5"), "1::/128|:5");
  EXPECT_EQ(Ip6(":::5"), "::/128|:5");
  EXPECT_EQ(Ip6("1:2:3:4:5:6:7:8:9"), "1:2:3:4:5:6:7:8/128|:9");
  EXPECT_EQ(Ip6("1::2:3:4:5:6:7::5"), "1:0:2:3:4:5:6:7/128|:5");
  EXPECT_EQ(Ip6("1::2:"), "1::2/128");
  EXPECT_EQ(Ip6("1::2: x"), "1::2/128| x");
  EXPECT_EQ(Ip6("1::2/128:5"), "1::2/128|:5");
}

TEST(Ip6KeyTest, TsetCountsGroups) {
  auto groups = [](std::string text) {
    const char* p = text.c_str();
    net::Ip6 address;
    int count = 0;
    bool compressed;
    return ParseIp6Groups(&p, p + text.size(), &address, &count, &compressed) ? count : -1;
  };
  EXPECT_EQ(groups("1:2:3:4"), 4);
  EXPECT_EQ(groups("1:2:3:4::"), 8);
  EXPECT_EQ(groups("1"), 1);
  EXPECT_EQ(groups("1:2:"), -1);
  EXPECT_EQ(groups(":"), -1);
}

}  // namespace
}  // namespace mz::dataset
