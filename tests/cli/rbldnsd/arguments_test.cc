#include "cli/rbldnsd/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <syslog.h>

namespace mz::cli {
namespace {

struct Parsed {
  std::optional<RbldnsdExit> stop;
  RbldnsdArguments arguments;
};

Parsed Parse(std::vector<std::string> words, bool root = false, bool sockets = false) {
  words.insert(words.begin(), "/usr/sbin/rbldnsd");
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  Parsed p;
  p.stop = ParseRbldnsdArguments(static_cast<int>(words.size()), argv.data(), root, sockets, &p.arguments);
  return p;
}

std::string Error(std::vector<std::string> words) {
  Parsed p = Parse(std::move(words));
  if (!p.stop) return "";
  EXPECT_EQ(p.stop->code, 1);
  EXPECT_EQ(p.stop->out, "");
  return p.stop->err;
}

TEST(RbldnsdArgumentsTest, ErrorTextsAreRbldnsds) {
  const std::string zone = "a:ip4set:d";
  EXPECT_EQ(Error({"-n", "-b", "127.0.0.1/53"}), "rbldnsd: no zone(s) to service specified (-h for help)\n");
  EXPECT_EQ(Error({"-d"}), "rbldnsd: no zone(s) to service specified (-h for help)\n");
  EXPECT_EQ(Error({"-n", zone}), "rbldnsd: no address to listen on (-b option) specified\n");
  EXPECT_EQ(Error({"-b", "/53", zone}), "rbldnsd: missing host part in bind address `/53'\n");
  EXPECT_EQ(Error({"-b", "h", "-c", "5x", zone}), "rbldnsd: invalid check interval (-c) value `5x'\n");
  EXPECT_EQ(Error({"-b", "h", "-c", "", zone}), "rbldnsd: invalid check interval (-c) value `'\n");
  EXPECT_EQ(Error({"-b", "h", "-F", "nosuch", zone}), "rbldnsd: log facility nosuch is not valid\n");
  EXPECT_EQ(Error({"-x", "e", zone}), "rbldnsd: extension support is not compiled in\n");
  EXPECT_EQ(Error({"-X", "e", zone}), "rbldnsd: extension support is not compiled in\n");
}

TEST(RbldnsdArgumentsTest, UnknownOptionsGetGetoptsWords) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Error({"-Z", "a"}), "rbldnsd: type `rbldnsd -h' for help\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "rbldnsd: invalid option -- 'Z'\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(Error({"-b"}), "rbldnsd: type `rbldnsd -h' for help\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "rbldnsd: option requires an argument -- 'b'\n");
}

TEST(RbldnsdArgumentsTest, UsageGoesToStdout) {
  Parsed p = Parse({});
  ASSERT_TRUE(p.stop);
  EXPECT_EQ(p.stop->code, 1);
  EXPECT_THAT(p.stop->out, testing::HasSubstr("Usage: rbldnsd OPTION... ZONESPEC...\n"));
  p = Parse({"-n", "-h", "-Z"});
  ASSERT_TRUE(p.stop);
  EXPECT_EQ(p.stop->code, 0);
  EXPECT_THAT(p.stop->out, testing::HasSubstr("Usage: "));
}

TEST(RbldnsdArgumentsTest, OptionsMayFollowZones) {
  Parsed p = Parse({"a:ip4set:d", "-n", "-b", "127.0.0.1/5353", "b:dnset:e", "-b", "::1", "-4", "-6", "-aAa", "-vv", "-f",
                    "-q", "-e", "-C", "-l", "+log", "-s", "+stats", "-t", "30:10:60", "-c", "2m", "-p", "pid", "-F",
                    "local3", "-r", "/root", "-w", "work", "-u", "bob:staff"});
  ASSERT_FALSE(p.stop) << p.stop->err;
  const RbldnsdArguments& a = p.arguments;
  EXPECT_THAT(a.zones, testing::ElementsAre("a:ip4set:d", "b:dnset:e"));
  ASSERT_EQ(a.daemon.listen.size(), 2u);
  EXPECT_EQ(a.daemon.listen[0].service, "5353");
  EXPECT_EQ(a.daemon.listen[1].service, "domain");
  EXPECT_EQ(a.daemon.listen[1].family, AF_INET6);
  EXPECT_TRUE(a.compile.minimal && a.compile.mask_host_bits && a.compile.refuse_gzip && a.quick_start);
  EXPECT_EQ(a.daemon.version_text, "");
  EXPECT_EQ(a.daemon.query_log, "log");
  EXPECT_TRUE(a.daemon.query_log_unbuffered && a.daemon.stats_file_deltas && a.daemon.foreground);
  EXPECT_EQ(a.compile.ttl.default_ttl, 30u);
  EXPECT_EQ(a.compile.ttl.min_ttl, 10u);
  EXPECT_EQ(a.compile.ttl.max_ttl, 60u);
  EXPECT_EQ(a.daemon.check_interval_seconds, 120);
  EXPECT_EQ(a.syslog_facility, LOG_LOCAL3);
  EXPECT_EQ(a.daemon.user, "bob:staff");
}

TEST(RbldnsdArgumentsTest, Defaults) {
  Parsed p = Parse({"-b", "127.0.0.1", "a:ip4set:d"}, /*root=*/true);
  ASSERT_FALSE(p.stop);
  const control::DaemonOptions& d = p.arguments.daemon;
  EXPECT_EQ(d.user, "rbldns");
  EXPECT_EQ(d.version_text, "rbldnsd 1.0pre (snapshot 20210120)");
  EXPECT_EQ(d.max_udp_bytes, 2048);
  EXPECT_EQ(d.check_interval_seconds, 60);
  EXPECT_FALSE(d.foreground);
  EXPECT_FALSE(p.arguments.compile.ent_nxdomain || p.arguments.compile.minimal);
  EXPECT_EQ(p.arguments.compile.profile, image::kProfileRbldnsd);
  EXPECT_EQ(Parse({"-b", "127.0.0.1", "a:ip4set:d"}).arguments.daemon.user, "");
  EXPECT_FALSE(Parse({"a:ip4set:d"}, false, /*sockets=*/true).stop);
  // "+" alone is off.
  p = Parse({"-l", "+", "-s", "+", "-v", "-b", "h", "a:ip4set:d"});
  EXPECT_EQ(p.arguments.daemon.query_log + p.arguments.daemon.stats_file, "");
  EXPECT_EQ(p.arguments.daemon.version_text, "rbldnsd");
}

TEST(RbldnsdArgumentsTest, OurLongOptions) {
  Parsed p = Parse({"--ent=nxdomain", "--io=epoll", "--workers=2", "--max-udp=1232", "--stats-page=p", "-b", "h", "z"});
  ASSERT_FALSE(p.stop) << p.stop->err;
  EXPECT_TRUE(p.arguments.compile.ent_nxdomain);
  EXPECT_EQ(p.arguments.daemon.io, io::BackendKind::kEpoll);
  EXPECT_EQ(p.arguments.daemon.workers, 2);
  EXPECT_EQ(p.arguments.daemon.max_udp_bytes, 1232);
  EXPECT_EQ(p.arguments.daemon.stats_page, "p");
  for (const char* bad : {"--ent=maybe", "--io=x", "--workers=0", "--workers=x", "--max-udp=100"})
    EXPECT_THAT(Error({bad, "-b", "h", "z"}), testing::StartsWith("rbldnsd: invalid --")) << bad;
}

TEST(TtlOptionTest, FormsAndErrors) {
  auto text = [](const std::string& option) {
    StatusOr<compiler::TtlBounds> b = ParseTtlOption(option);
    if (!b.ok()) return std::string(Message(b.status()));
    return std::to_string(b->default_ttl) + " " + std::to_string(b->min_ttl) + " " + std::to_string(b->max_ttl);
  };
  EXPECT_EQ(text("35m"), "2100 0 0");
  EXPECT_EQ(text(":10"), "2100 10 0");
  EXPECT_EQ(text("::9999"), "2100 0 9999");
  EXPECT_EQ(text("30::60"), "30 0 60");
  EXPECT_EQ(text("30:10:60"), "30 10 60");
  EXPECT_EQ(text("10:"), "10 0 0");
  EXPECT_EQ(text("10:5:8"), "inconsistent def:min:max ttl: 10:5:8");
  EXPECT_EQ(text("::120"), "inconsistent def:min:max ttl: 2100:0:120");
  EXPECT_EQ(text("10:20"), "inconsistent def:min:max ttl: 10:20:0");
  EXPECT_EQ(text("10:5x"), "invalid minttl (-t) value `10:5x'");
  EXPECT_EQ(text("10:5:20x"), "invalid maxttl (-t) value `10:5:20x'");
  EXPECT_EQ(text("4294967296"), "invalid ttl (-t) value `4294967296'");
  EXPECT_EQ(text("0"), "invalid ttl (-t) value `0'");
  EXPECT_EQ(text(""), "invalid ttl (-t) value `'");
  EXPECT_EQ(text("-5"), "invalid ttl (-t) value `-5'");
  EXPECT_EQ(text("1:2:3:4"), "invalid value for -t (ttl) option: `1:2:3:4'");
}

}  // namespace
}  // namespace mz::cli
