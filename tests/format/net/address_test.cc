// Address text against the C library, prefix arithmetic against its definition.
#include "format/net/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>

namespace mz::net {
namespace {

TEST(AddressTest, FormatsIp4LikeInetNtop) {
  std::mt19937 random(1);
  for (int i = 0; i < 100000; i++) {
    Ip4 a = i < 70000 ? random() : static_cast<Ip4>((random() % 3) * 0x01010101u + (random() % 256));
    uint8_t bytes[4];
    StoreBe32(bytes, a);
    char expected[INET_ADDRSTRLEN];
    ::inet_ntop(AF_INET, bytes, expected, sizeof expected);
    ASSERT_EQ(ToString(a), expected);
    ASSERT_EQ(ParseIp4(expected), a);
  }
}

// RFC 5952: the C library writes ::ffff:a.b.c.d and ::a.b.c.d with a dotted tail, we never do.
TEST(AddressTest, FormatsIp6Canonically) {
  EXPECT_EQ(ToString(Ip6{0, 0}), "::");
  EXPECT_EQ(ToString(Ip6{0, 1}), "::1");
  EXPECT_EQ(ToString(Ip6{0, 0xffff01020304ull}), "::ffff:102:304");
  EXPECT_EQ(ToString(Ip6{0x20010db800000000ull, 0x0000000000010000ull}), "2001:db8::1:0");
  EXPECT_EQ(ToString(Ip6{0x20010db800000001ull, 0x0001000100010001ull}), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(ToString(Ip6{0x2001000000000001ull, 0x0000000000000001ull}), "2001:0:0:1::1");
  std::mt19937_64 random(2);
  for (int i = 0; i < 100000; i++) {
    Ip6 a{random(), random()};
    for (int g = 0; g < 8; g++)  // many zero groups
      if (random() % 2) (g < 4 ? a.high : a.low) &= ~(0xffffull << (16 * (g % 4)));
    if (a.high == 0) continue;
    uint8_t bytes[16];
    for (int b = 0; b < 8; b++) {
      bytes[b] = static_cast<uint8_t>(a.high >> (56 - 8 * b));
      bytes[8 + b] = static_cast<uint8_t>(a.low >> (56 - 8 * b));
    }
    char expected[INET6_ADDRSTRLEN];
    ::inet_ntop(AF_INET6, bytes, expected, sizeof expected);
    ASSERT_EQ(ToString(a), expected);
    ASSERT_EQ(ParseIp6(expected), a);
  }
}

TEST(AddressTest, PrefixRangesCoverExactlyTheirAddresses) {
  EXPECT_EQ(PrefixRange4(0x01020304, 0), (Range4{0, 0xffffffff}));
  EXPECT_EQ(PrefixRange4(0x01020304, 24), (Range4{0x01020300, 0x010203ff}));
  EXPECT_EQ(PrefixRange4(0x01020304, 32), (Range4{0x01020304, 0x01020304}));
  EXPECT_EQ(PrefixRange6({1, 2}, 0), (Range6{{0, 0}, kIp6Last}));
  EXPECT_EQ(PrefixRange6({1, 2}, 64), (Range6{{1, 0}, {1, ~0ull}}));
  EXPECT_EQ(PrefixRange6({1, 2}, 128), (Range6{{1, 2}, {1, 2}}));
  EXPECT_EQ(PrefixRange6({0xff, 2}, 60), (Range6{{0xf0, 0}, {0xff, ~0ull}}));
}

TEST(AddressTest, RangeTextIsAPrefixWhereItIsOne) {
  EXPECT_EQ(RangeText(Range4{0x01020300, 0x010203ff}), "1.2.3.0/24");
  EXPECT_EQ(RangeText(Range4{0x01020300, 0x010203fe}), "1.2.3.0-1.2.3.254");
  EXPECT_EQ(RangeText(Range4{5, 5}), "0.0.0.5");
  EXPECT_EQ(RangeText(Range6{{0x20010db800000000ull, 0}, {0x20010db8ffffffffull, ~0ull}}), "2001:db8::/32");
}

TEST(AddressTest, NextAndPreviousCarryAcrossTheHalves) {
  EXPECT_EQ((Ip6{1, ~0ull}.Next()), (Ip6{2, 0}));
  EXPECT_EQ((Ip6{2, 0}.Previous()), (Ip6{1, ~0ull}));
  EXPECT_EQ(kIp6Last.Next(), (Ip6{}));
}

}  // namespace
}  // namespace mz::net
