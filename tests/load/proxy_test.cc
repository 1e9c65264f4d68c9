#include "load/proxy.h"

#include <gtest/gtest.h>

namespace mz::load {
namespace {

TEST(ProxyTest, HeadersAreThoseOfTheSpecification) {
  const std::string v4 = ProxyHeader({true, 0xc0000201, {}}, 0x1234, false);
  EXPECT_EQ(v4, std::string("\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c\xc0\0\2\1\xc0\0\2\x35\x12\x34\0\x35", 28));
  const std::string v6 = ProxyHeader({false, 0, {0x20010db800000000, 1}}, 7, true);
  ASSERT_EQ(v6.size(), 52u);
  EXPECT_EQ(v6[13], '\x21');
  EXPECT_EQ(static_cast<uint8_t>(v6[15]), 36);
  EXPECT_EQ(static_cast<uint8_t>(v6[16]), 0x20);
  EXPECT_EQ(static_cast<uint8_t>(v6[31]), 1);
}

TEST(ProxyTest, ClientsLieInTheirSubnets) {
  const auto subnets = ParseSubnets("192.0.2.0/25,2001:db8::/33,198.51.100.7");
  ASSERT_TRUE(subnets.ok());
  Random random(3);
  int four = 0, six = 0, one = 0;
  for (int i = 0; i < 3000; i++) {
    const Address a = DrawAddress(*subnets, random);
    if (!a.is_v4) {
      six++;
      ASSERT_EQ(a.v6.high >> 31, 0x20010db8ull << 1);
    } else if (a.v4 == 0xc6336407) {
      one++;
    } else {
      four++;
      ASSERT_EQ(a.v4 >> 7, 0xc0000200u >> 7);
    }
  }
  for (const int n : {four, six, one}) EXPECT_NEAR(n, 1000, 150);
}

TEST(ProxyTest, BadSubnetsAreNamed) {
  for (const char* bad :
       {"", "x", "1.2.3.4/33", "1.2.3.4/", "::/129", "1.2.3.4/-1", "1.2.3.4,,::", "1.2.3.4/8x"})
    EXPECT_FALSE(ParseSubnets(bad).ok()) << bad;
}

}  // namespace
}  // namespace mz::load
