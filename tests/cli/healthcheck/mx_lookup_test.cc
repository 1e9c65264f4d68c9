// Where mail goes: RFC 5321 section 5.1 and RFC 7505, with recorded answers of the DNS.
#include "cli/healthcheck/mx_lookup.h"

#include <gtest/gtest.h>

namespace mz::cli {
namespace {

constexpr char kAnswers[] =
    R"({"name":"two.example","type":"MX","kind":"data","ttl":60,"rdata":["20 b.example","10 A.example","30 none.example"]})"
    "\n"
    R"({"name":"a.example","type":"A","kind":"data","ttl":60,"rdata":["192.0.2.1","192.0.2.2"]})"
    "\n"
    R"({"name":"a.example","type":"AAAA","kind":"data","ttl":60,"rdata":["2001:db8::1"]})"
    "\n"
    R"({"name":"b.example","type":"A","kind":"data","ttl":60,"rdata":["192.0.2.3"]})"
    "\n"
    R"({"name":"b.example","type":"AAAA","kind":"nodata","ttl":60})"
    "\n"
    R"({"name":"none.example","type":"A","kind":"nxdomain","ttl":60})"
    "\n"
    R"({"name":"none.example","type":"AAAA","kind":"nxdomain","ttl":60})"
    "\n"
    R"({"name":"b.example","type":"MX","kind":"nodata","ttl":60})"
    "\n"
    R"({"name":"gone.example","type":"MX","kind":"nxdomain","ttl":60})"
    "\n"
    R"({"name":"null.example","type":"MX","kind":"data","ttl":60,"rdata":["\\# 3 000000"]})"
    "\n"
    R"({"name":"dead.example","type":"MX","kind":"data","ttl":60,"rdata":["10 none.example"]})"
    "\n"
    R"({"name":"broken.example","type":"MX","kind":"failed","ttl":0,"reason":"SERVFAIL"})"
    "\n"
    R"({"name":"lost.example","type":"MX","kind":"data","ttl":60,"rdata":["10 unasked.example"]})"
    "\n";

class MxLookupTest : public testing::Test {
 protected:
  void SetUp() override {
    StatusOr<std::unique_ptr<resolve::Resolver>> r = resolve::MakeReplayResolverFromText(kAnswers, "test");
    ASSERT_TRUE(r.ok()) << r.status();
    resolver_ = *std::move(r);
  }
  StatusCode CodeOf(std::string_view domain) { return FindExchangers(domain, resolver_.get()).status().code(); }
  std::unique_ptr<resolve::Resolver> resolver_;
};

TEST_F(MxLookupTest, BestFirstAndOnlyThoseWithAddresses) {
  const std::vector<Exchanger> found = FindExchangers("Two.example", resolver_.get()).value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].host, "a.example");
  EXPECT_EQ(found[0].addresses, (std::vector<std::string>{"2001:db8::1", "192.0.2.1", "192.0.2.2"}));
  EXPECT_EQ(found[1].host, "b.example");
  EXPECT_EQ(found[1].preference, 20);
}

TEST_F(MxLookupTest, ADomainWithoutMxIsItsOwnExchanger) {
  const std::vector<Exchanger> found = FindExchangers("b.example", resolver_.get()).value();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].addresses, std::vector<std::string>{"192.0.2.3"});
}

TEST_F(MxLookupTest, WhatTakesNoMailIsToldFromWhatDoesNotAnswer) {
  EXPECT_EQ(CodeOf("gone.example"), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("null.example"), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("dead.example"), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("broken.example"), StatusCode::kUnavailable);
  EXPECT_EQ(CodeOf("lost.example"), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace mz::cli
