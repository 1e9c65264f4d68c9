#include "cli/mailzoned/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace mz::cli {
namespace {

using testing::HasSubstr;

TEST(ListenAddressTest, AllForms) {
  struct Case {
    const char *text, *host, *port;
  };
  for (const Case& c : {Case{"127.0.0.1:5353", "127.0.0.1", "5353"}, Case{"[::1]:5353", "::1", "5353"},
                        Case{"127.0.0.1/5353", "127.0.0.1", "5353"}, Case{"::1/5353", "::1", "5353"},
                        Case{"[::1]/5353", "::1", "5353"}, Case{"192.0.2.1", "192.0.2.1", "53"},
                        Case{"2001:db8::1", "2001:db8::1", "53"}, Case{"[::]", "::", "53"},
                        Case{"localhost:domain", "localhost", "domain"}}) {
    StatusOr<control::ListenAddress> a = ParseListenAddress(c.text);
    ASSERT_TRUE(a.ok()) << c.text;
    EXPECT_EQ(a->host, c.host);
    EXPECT_EQ(a->service, c.port);
  }
  for (const char* text : {"", ":53", "127.0.0.1:", "[::1", "[::1]x", "[::1]:", "/53", "host/", "[]:53"})
    EXPECT_FALSE(ParseListenAddress(text).ok()) << text;
}

class MailzonedArgumentsTest : public testing::Test {
 protected:
  std::optional<int> Parse(const std::vector<std::string>& words) {
    Terminal terminal{out_, err_};
    arguments_ = {};
    return ParseMailzonedArguments(words, terminal, &arguments_);
  }
  std::ostringstream out_, err_;
  MailzonedArguments arguments_;
};

TEST_F(MailzonedArgumentsTest, ImageAndAddressAreEnough) {
  ASSERT_EQ(Parse({"--image", "zone.mzi", "--listen", "127.0.0.1:53"}), std::nullopt) << err_.str();
  EXPECT_EQ(arguments_.image, "zone.mzi");
  EXPECT_EQ(arguments_.daemon.stats_page, "zone.mzi.stats");
  EXPECT_TRUE(arguments_.daemon.stats_page_optional);
  EXPECT_EQ(arguments_.daemon.max_udp_bytes, 1232);
  EXPECT_EQ(arguments_.daemon.check_interval_seconds, 60);
  EXPECT_TRUE(arguments_.daemon.foreground && arguments_.daemon.tcp && arguments_.daemon.udp);
}

TEST_F(MailzonedArgumentsTest, EverythingElse) {
  ASSERT_EQ(Parse({"-i", "z", "-l", "a:1", "-l", "[::1]:2", "--io=epoll", "--workers", "3", "--pin", "--max-udp", "4096",
                   "--user", "nobody", "--group", "nogroup", "--daemon", "--query-log", "+q", "--stats-file", "+s",
                   "--no-stats-page", "--tcp-idle-timeout", "7", "--check-interval", "0"}),
            std::nullopt)
      << err_.str();
  const control::DaemonOptions& d = arguments_.daemon;
  ASSERT_EQ(d.listen.size(), 2u);
  EXPECT_EQ(d.listen[1].host, "::1");
  EXPECT_EQ(d.io, io::BackendKind::kEpoll);
  EXPECT_EQ(d.workers, 3);
  EXPECT_EQ(d.user, "nobody:nogroup");
  EXPECT_FALSE(d.foreground);
  EXPECT_TRUE(arguments_.syslog);
  EXPECT_EQ(d.query_log, "q");
  EXPECT_TRUE(d.query_log_unbuffered);
  EXPECT_EQ(d.stats_file, "s");
  EXPECT_TRUE(d.stats_file_deltas);
  EXPECT_EQ(d.stats_page, "");
  EXPECT_EQ(d.tcp_limits.idle_timeout_ms, 7000);
  EXPECT_EQ(d.check_interval_seconds, 0);
}

TEST_F(MailzonedArgumentsTest, UsageErrorsAreTwoAndHelp) {
  EXPECT_EQ(Parse({"--image", "z"}), 2);
  EXPECT_EQ(Parse({"--listen", "a:1"}), 2);
  EXPECT_EQ(Parse({"--image", "z", "--listen", ":1"}), 2);
  EXPECT_EQ(Parse({"--image", "z", "--listen", "a:1", "--max-udp", "5000"}), 2);
  EXPECT_EQ(Parse({"--image", "z", "--listen", "a:1", "--group", "g"}), 2);
  err_.str("");
  EXPECT_EQ(Parse({"--image", "z", "--lisen", "a:1"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean '--listen'?"));
  EXPECT_THAT(err_.str(), testing::StartsWith("mailzoned: "));
}

TEST_F(MailzonedArgumentsTest, HelpBeginsWithExamples) {
  EXPECT_EQ(Parse({"--help"}), 0);
  EXPECT_THAT(out_.str(), testing::StartsWith("Examples:\n  mailzoned --image zone.mzi --listen 127.0.0.1:5353\n"));
  EXPECT_THAT(out_.str(), HasSubstr("Usage: mailzoned [OPTION...]\n"));
  out_.str("");
  EXPECT_EQ(Parse({"--version"}), 0);
  EXPECT_THAT(out_.str(), testing::StartsWith("mailzoned "));
}

}  // namespace
}  // namespace mz::cli
