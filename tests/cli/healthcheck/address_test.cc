// What is an address and what is not: RFC 5321 sections 4.1.2 and 4.5.3.1, and attempts to inject commands or
// fields.
#include "cli/healthcheck/address.h"

#include <gtest/gtest.h>

namespace mz::mail {
namespace {

std::string Text(std::string_view s) {
  StatusOr<MailAddress> a = ParseMailAddress(s);
  return a.ok() ? a->Text() : "error: " + std::string(Message(a.status()));
}

TEST(AddressTest, Good) {
  EXPECT_EQ(Text("a@b.example"), "a@b.example");
  EXPECT_EQ(Text("User+tag.x_y@B.Example."), "User+tag.x_y@b.example");
  EXPECT_EQ(Text("\"two words\"@b.example"), "\"two words\"@b.example");
  EXPECT_EQ(Text("\"a@b\\\"c\"@b.example"), "\"a@b\\\"c\"@b.example");
  EXPECT_EQ(Text("\"\"@b.example"), "\"\"@b.example");
  EXPECT_EQ(Text("x@[192.0.2.1]"), "x@[192.0.2.1]");
  EXPECT_EQ(Text("x@[IPv6:2001:DB8:0::1]"), "x@[IPv6:2001:db8::1]");
  EXPECT_EQ(Text("postmaster@m\xc3\xbcller.example"), "postmaster@xn--mller-kva.example");
  EXPECT_EQ(Text("x@localhost"), "x@localhost");
  EXPECT_EQ(Text(std::string(64, 'a') + "@b.example"), std::string(64, 'a') + "@b.example");
}

TEST(AddressTest, Bad) {
  const std::string_view kBad[] = {"",
                                   "@",
                                   "a",
                                   "a@",
                                   "@b.example",
                                   "a b@c.example",
                                   "a@b c.example",
                                   ".a@b.example",
                                   "a.@b.example",
                                   "a..b@c.example",
                                   "a,b@c.example",
                                   "a<b@c.example",
                                   "a>@b.example",
                                   "<a@b.example>",
                                   "a@b.example>",
                                   "a@b..example",
                                   "a@.example",
                                   "a@-b.example",
                                   "a@b-.example",
                                   "a@b_c.example",
                                   "a@b.example a@c.example",
                                   "\"a\"b@c.example",
                                   "\"a@b.example",
                                   "\"a\\\"@b.example",
                                   "\"a\"b\"@c.example",
                                   "a@[1.2.3]",
                                   "a@[192.0.2.1",
                                   "a@[192.0.2.1]x",
                                   "a@[IPv6:192.0.2.1]",
                                   "a@[x.example]",
                                   "a@b@c.example",
                                   "\xc3\xbc@b.example",
                                   "a@\xff.example",
                                   "a@xn--\xc3\xbc.example"};
  for (std::string_view bad : kBad) EXPECT_TRUE(Text(bad).starts_with("error: ")) << bad << " -> " << Text(bad);
  EXPECT_TRUE(Text(std::string(65, 'a') + "@b.example").starts_with("error: "));
  EXPECT_TRUE(Text("a@" + std::string(64, 'b') + ".example").starts_with("error: "));
  std::string domain;
  for (int k = 0; k < 5; ++k) domain += std::string(50, 'd') + ".";
  EXPECT_TRUE(Text("abc@" + domain).starts_with("error: "));  // 254 octets of domain
}

TEST(AddressTest, Injection) {
  using namespace std::string_view_literals;
  const std::string_view kBad[] = {"a@b.example\r\nRCPT TO:<x@y.example>"sv,
                                   "a@b.example\nDATA"sv,
                                   "a\r\n@b.example"sv,
                                   "\"a\r\nDATA\"@b.example"sv,
                                   "\"a\\\r\"@b.example"sv,
                                   "a@b.example\0"sv,
                                   "a\0b@c.example"sv,
                                   "\"a\0\"@b.example"sv,
                                   "a@b.exam\0ple"sv,
                                   "a@b.example SIZE=1"sv,
                                   "a@b.example\tx"sv,
                                   "a@[192.0.2.1]\r\n"sv,
                                   "a@m\xc3\xbc\0ller.example"sv,
                                   "a@b.example\x85"sv};
  for (std::string_view bad : kBad) EXPECT_TRUE(Text(bad).starts_with("error: ")) << bad;
}

std::string Server(std::string_view s) {
  StatusOr<HostPort> h = ParseHostPort(s, 25);
  return h.ok() ? h->Text() : "error: " + std::string(Message(h.status()));
}

TEST(AddressTest, Servers) {
  EXPECT_EQ(Server("mx.example"), "mx.example:25");
  EXPECT_EQ(Server("MX.example.:2525"), "mx.example:2525");
  EXPECT_EQ(Server("192.0.2.1"), "192.0.2.1:25");
  EXPECT_EQ(Server("192.0.2.1:587"), "192.0.2.1:587");
  EXPECT_EQ(Server("2001:db8::1"), "[2001:db8::1]:25");
  EXPECT_EQ(Server("[2001:db8::1]"), "[2001:db8::1]:25");
  EXPECT_EQ(Server("[2001:db8::1]:587"), "[2001:db8::1]:587");
  for (std::string_view bad :
       {"", ":25", "mx.example:", "mx.example:0", "mx.example:65536", "mx.example:25x", "mx.example:-1",
        "mx example", "[2001:db8::1", "[2001:db8::1]25", "[192.0.2.1]:25", "a:b:c", "[]:25", "mx/x:25",
        "mx.example\r\n:25", "user@mx.example", "mx.example?x"})
    EXPECT_TRUE(Server(bad).starts_with("error: ")) << bad << " -> " << Server(bad);
}

}  // namespace
}  // namespace mz::mail
