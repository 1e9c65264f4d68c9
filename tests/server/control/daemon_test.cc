// mailzoned as a process: it serves, swaps, refuses what is broken, and obeys signals. Every test runs with both backends.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "format/stats/reload_wait.h"
#include "tests/server/control/daemon_process.h"
#include "tests/server/control/test_image.h"

namespace mz::control {
namespace {

using stats::ReloadVerdict;

const char kDaemon[] = MZ_TEST_BIN_DIR "/mailzoned";

class DaemonTest : public testing::TestWithParam<const char*> {
 protected:
  DaemonTest() : directory_(MakeTestDirectory()), image_(directory_ + "/zone.mzi") {}
  ~DaemonTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::vector<std::string> Arguments(std::vector<std::string> more = {}, const char* workers = "2") const {
    std::vector<std::string> a = {"--image", image_,       "--listen",         "127.0.0.1:0", "--io",
                                  GetParam(), "--workers", workers};
    a.insert(a.end(), more.begin(), more.end());
    return a;
  }
  std::string PagePath() const { return image_ + ".stats"; }

  const std::string directory_;
  const std::string image_;
};

TEST_P(DaemonTest, AnswersAndEndsAtSigterm) {
  PublishFile(image_, ListImage({"bl.test"}, "one"));
  DaemonProcess d(kDaemon, Arguments());
  ASSERT_TRUE(d.WaitForLog(" started (1 socket(s), 1 zone(s))")) << d.Log();
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "one");
  EXPECT_TRUE(std::filesystem::exists(PagePath()));
  d.Signal(SIGTERM);
  EXPECT_EQ(d.WaitExit(), 0) << d.Log();
  EXPECT_THAT(d.Log(), testing::HasSubstr("terminating\n"));
  EXPECT_FALSE(std::filesystem::exists(PagePath()));
}

TEST_P(DaemonTest, ReloadWaitsForTheVerdict) {
  PublishFile(image_, ListImage({"bl.test"}, "one"));
  DaemonProcess d(kDaemon, Arguments());
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();

  PublishFile(image_, ListImage({"bl.test", "other.test"}, "two"));
  auto r = stats::ReloadAndWait(PagePath(), 20000);
  ASSERT_TRUE(r.ok()) << r.status();
  EXPECT_EQ(r->verdict, ReloadVerdict::kLoaded);
  EXPECT_EQ(r->generation, 2u);
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "two");
  EXPECT_EQ(AskTxt(d.Port(), "other.test"), "two");

  r = stats::ReloadAndWait(PagePath(), 20000);
  ASSERT_TRUE(r.ok()) << r.status();
  EXPECT_EQ(r->verdict, ReloadVerdict::kUnchanged);
  EXPECT_EQ(r->generation, 2u);

  d.Signal(SIGINT);
  EXPECT_EQ(d.WaitExit(), 0);
}

TEST_P(DaemonTest, KeepsServingWhateverHappensToTheFile) {
  const std::vector<uint8_t> good = ListImage({"bl.test"}, "good");
  PublishFile(image_, good);
  DaemonProcess d(kDaemon, Arguments());
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();

  auto expect_refusal = [&](const std::string& reason) {
    auto r = stats::ReloadAndWait(PagePath(), 20000);
    ASSERT_TRUE(r.ok()) << r.status();
    EXPECT_EQ(r->verdict, ReloadVerdict::kFailed);
    EXPECT_THAT(r->error, testing::HasSubstr(reason));
    EXPECT_THAT(d.Log(), testing::HasSubstr("stays in service"));
    EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "good");
  };
  OverwriteFile(image_, "garbage");
  expect_refusal("not a zone image");
  OverwriteFile(image_, std::string(good.begin(), good.end() - 4096));
  expect_refusal(image_);
  std::string flipped(good.begin(), good.end());
  flipped[flipped.size() - 1] ^= 1;
  OverwriteFile(image_, flipped);
  expect_refusal(image_);
  ASSERT_EQ(::truncate(image_.c_str(), 0), 0);
  expect_refusal(image_);
  ASSERT_EQ(::unlink(image_.c_str()), 0);
  expect_refusal("No such file");

  auto header = stats::ReadHeader(PagePath());
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->reloads_failed, 5u);

  PublishFile(image_, ListImage({"bl.test"}, "better"));
  auto r = stats::ReloadAndWait(PagePath(), 20000);
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->verdict, ReloadVerdict::kLoaded);
  EXPECT_EQ(r->error, "");
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "better");
}

TEST_P(DaemonTest, ChecksForANewImageByItself) {
  PublishFile(image_, ListImage({"bl.test"}, "one"));
  DaemonProcess d(kDaemon, Arguments({"--check-interval", "1"}));
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  PublishFile(image_, ListImage({"bl.test"}, "two"));
  ASSERT_TRUE(d.WaitForLog("generation 2", 10000)) << d.Log();
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "two");
}

TEST_P(DaemonTest, StatisticsInRbldnsdsWords) {
  PublishFile(image_, ListImage({"bl.test"}, "one"));
  DaemonProcess d(kDaemon, Arguments({"--stats-file", directory_ + "/stats"}));
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  const std::vector<uint8_t> hit = Query("2.0.0.127.bl.test", 1, 1), miss = Query("3.0.0.127.bl.test", 1, 2),
                             foreign = Query("foreign.test", 1, 3);
  const size_t hit_bytes = Ask(d.Port(), hit).size(), miss_bytes = Ask(d.Port(), miss).size(),
               foreign_bytes = Ask(d.Port(), foreign).size();
  ASSERT_GT(hit_bytes * miss_bytes * foreign_bytes, 0u);
  d.Signal(SIGUSR2);
  ASSERT_TRUE(d.WaitForLog("sec: tot=3 ok=1 nxd=1 err=1 in=" +
                           std::to_string(hit.size() + miss.size() + foreign.size()) + " out=" +
                           std::to_string(hit_bytes + miss_bytes + foreign_bytes) + "\n"))
      << d.Log();
  EXPECT_THAT(d.Log(), testing::HasSubstr("secs zone bl.test: tot=2 ok=1 nxd=1 err=0 in=" +
                                          std::to_string(hit.size() + miss.size()) + " out=" +
                                          std::to_string(hit_bytes + miss_bytes) + "\n"));
  d.Signal(SIGUSR1);
  ASSERT_TRUE(d.WaitForLog("sec: tot=0 ok=0 nxd=0 err=0 in=0 out=0\n")) << d.Log();
  d.Signal(SIGTERM);
  ASSERT_EQ(d.WaitExit(), 0);

  const std::string file = ReadFile(directory_ + "/stats").value_or("");
  EXPECT_THAT(file, testing::ContainsRegex("^[0-9]+\n[0-9]+ bl.test:2:1:1:[0-9]+:[0-9]+ \\*:3:1:1:[0-9]+:[0-9]+\n"
                                           "[0-9]+\n[0-9]+ bl.test:0:0:0:0:0 \\*:0:0:0:0:0\n"
                                           "[0-9]+ bl.test:0:0:0:0:0 \\*:0:0:0:0:0\n[0-9]+\n$"));
}

TEST_P(DaemonTest, CountersSurviveASwap) {
  PublishFile(image_, ListImage({"bl.test"}, "one"));
  DaemonProcess d(kDaemon, Arguments());
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  Ask(d.Port(), Query("2.0.0.127.bl.test", 1, 1));
  PublishFile(image_, ListImage({"a.test", "bl.test"}, "two"));
  ASSERT_TRUE(stats::ReloadAndWait(PagePath(), 20000).ok());
  Ask(d.Port(), Query("2.0.0.127.bl.test", 1, 2));
  auto s = stats::ReadSnapshot(PagePath());
  ASSERT_TRUE(s.ok()) << s.status();
  EXPECT_TRUE(s->running);
  ASSERT_EQ(s->zones.size(), 2u);
  EXPECT_EQ(s->zones[0].zone, "bl.test");
  EXPECT_EQ(s->zones[0].ok, 2u);
  EXPECT_EQ(s->zones[1].zone, "a.test");
  EXPECT_EQ(s->Total().queries, 2u);
  EXPECT_EQ(s->Total().udp_received, 2u);
  EXPECT_EQ(s->header.zone_count, 2u);
}

// Many queries at once, so that one batch holds those of several zones and of none.
TEST_P(DaemonTest, CountsEachZoneOfABatchByItself) {
  PublishFile(image_, ListImage({"a.test", "bl.test"}, "one"));
  DaemonProcess d(kDaemon, Arguments({}, "1"));
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(d.Port()));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  const timeval patience{5, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  constexpr uint16_t kRounds = 60;
  const std::vector<uint8_t> queries[] = {Query("2.0.0.127.a.test", 1, 1), Query("foreign.test", 1, 2),
                                          Query("2.0.0.127.bl.test", 1, 3), Query("3.0.0.127.bl.test", 1, 4)};
  d.Signal(SIGSTOP);  // so that they gather
  for (int i = 0; i < kRounds; i++)
    for (const std::vector<uint8_t>& q : queries)
      ASSERT_EQ(::send(fd.get(), q.data(), q.size(), 0), static_cast<ssize_t>(q.size()));
  d.Signal(SIGCONT);
  uint8_t reply[512];
  for (int i = 0; i < 4 * kRounds; i++) ASSERT_GT(::recv(fd.get(), reply, sizeof reply, 0), 0) << i;
  const auto s = stats::ReadSnapshot(PagePath());
  ASSERT_TRUE(s.ok()) << s.status();
  ASSERT_EQ(s->zones.size(), 2u);
  for (const auto& z : s->zones) {
    EXPECT_EQ(z.ok, kRounds) << z.zone;
    EXPECT_EQ(z.nxdomain, z.zone == "bl.test" ? kRounds : 0u) << z.zone;
  }
  EXPECT_EQ(s->Total().queries, 4u * kRounds);
  EXPECT_EQ(s->Total().errors, uint64_t{kRounds});
}

TEST_P(DaemonTest, QueryLogIsWrittenAndReopened) {
  PublishFile(image_, ListImage({"bl.test"}, "one"));
  const std::string log = directory_ + "/queries";
  // Lines of several workers come in no particular order.
  DaemonProcess d(kDaemon, Arguments({"--query-log", log}, "1"));
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  Ask(d.Port(), Query("2.0.0.127.BL.test", 16, 1));
  Ask(d.Port(), Query("a\\.b\\@c\\032d.bl.test", 1, 2));
  ASSERT_EQ(::rename(log.c_str(), (log + ".1").c_str()), 0);
  ASSERT_TRUE(stats::ReloadAndWait(PagePath(), 20000).ok());
  EXPECT_THAT(ReadFile(log + ".1").value_or(""),
              testing::ContainsRegex("^[0-9]+ 127.0.0.1 2.0.0.127.BL.test TXT IN: NOERROR/1/[0-9]+\n"
                                     "[0-9]+ 127.0.0.1 a\\\\.b\\\\@c\\\\032d.bl.test A IN: NXDOMAIN/0/[0-9]+\n$"));
  Ask(d.Port(), Query("2.0.0.127.bl.test", 1, 3));
  EXPECT_EQ(ReadFile(log).value_or("?"), "");  // 4 KiB are not full
  d.Signal(SIGTERM);
  ASSERT_EQ(d.WaitExit(), 0);
  EXPECT_THAT(ReadFile(log).value_or(""), testing::HasSubstr(" 127.0.0.1 2.0.0.127.bl.test A IN: NOERROR/1/"));
}

TEST_P(DaemonTest, TellsWhyItDoesNotStart) {
  DaemonProcess missing(kDaemon, Arguments());
  EXPECT_EQ(missing.WaitExit(), 3) << missing.Log();
  EXPECT_THAT(missing.Log(), testing::HasSubstr(image_ + ": No such file"));

  PublishFile(image_, ListImage({"bl.test"}, "one"));
  OverwriteFile(image_, "garbage");
  DaemonProcess garbage(kDaemon, Arguments());
  EXPECT_EQ(garbage.WaitExit(), 1) << garbage.Log();

  PublishFile(image_, ListImage({"bl.test"}, "one"));
  DaemonProcess first(kDaemon, Arguments());
  ASSERT_TRUE(first.WaitForLog(" started (")) << first.Log();
  DaemonProcess second(kDaemon, {"--image", image_, "--listen", "127.0.0.1:" + std::to_string(first.Port()), "--io",
                                 GetParam()});
  EXPECT_EQ(second.WaitExit(), 2) << second.Log();
  EXPECT_THAT(second.Log(), testing::HasSubstr("Address already in use"));

  DaemonProcess user(kDaemon, Arguments({"--user", "no-such-user"}));
  EXPECT_EQ(user.WaitExit(), 2);
  EXPECT_THAT(user.Log(), testing::HasSubstr("unknown user `no-such-user'"));
  DaemonProcess directory(kDaemon, Arguments({"--chdir", "/no/such/directory"}));
  EXPECT_EQ(directory.WaitExit(), 2);
}

TEST_P(DaemonTest, ParentInBackgroundModeReturnsWhenServing) {
  PublishFile(image_, ListImage({"bl.test"}, "one"));
  const std::string pid_file = directory_ + "/pid";
  DaemonProcess parent(kDaemon, Arguments({"--daemon", "--pid-file", pid_file}));
  ASSERT_EQ(parent.WaitExit(), 0) << parent.Log();
  const pid_t daemon = std::atoi(ReadFile(pid_file).value_or("0").c_str());
  ASSERT_GT(daemon, 1);
  EXPECT_NE(daemon, parent.pid());
  EXPECT_EQ(AskTxt(parent.Port(), "bl.test"), "one");
  ASSERT_EQ(::kill(daemon, SIGTERM), 0);
  for (int i = 0; i < 1000 && ::kill(daemon, 0) == 0; i++) ::usleep(10000);
  EXPECT_NE(::kill(daemon, 0), 0);

  ASSERT_EQ(::unlink(image_.c_str()), 0);
  DaemonProcess failing(kDaemon, Arguments({"--daemon"}));
  EXPECT_EQ(failing.WaitExit(), 3);
}

TEST_P(DaemonTest, NotifiesTheServiceManager) {
  PublishFile(image_, ListImage({"bl.test"}, "one"));
  const std::string path = directory_ + "/notify";
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof a.sun_path);
  path.copy(a.sun_path, path.size());
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
  timeval limit{20, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  auto next = [&] {
    char text[512];
    ssize_t n = ::recv(fd.get(), text, sizeof text, 0);
    return std::string(text, n > 0 ? static_cast<size_t>(n) : 0);
  };
  DaemonProcess d(kDaemon, Arguments(), {"NOTIFY_SOCKET=" + path});
  EXPECT_THAT(next(), testing::StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_THAT(next(), testing::StartsWith("READY=1\n"));
  d.Signal(SIGHUP);
  EXPECT_THAT(next(), testing::StartsWith("RELOADING=1\n"));
  EXPECT_THAT(next(), testing::StartsWith("READY=1\n"));
  d.Signal(SIGTERM);
  EXPECT_EQ(next(), "STOPPING=1\n");
  EXPECT_EQ(d.WaitExit(), 0);
}

TEST_P(DaemonTest, WarnsOfExpiredZonesOnce) {
  PublishFile(image_, ListImage({"bl.test"}, "one", 1000000000));
  DaemonProcess d(kDaemon, Arguments());
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  ASSERT_TRUE(stats::ReloadAndWait(PagePath(), 20000).ok());
  const std::string line = "zone bl.test: zone data expired, zone will not be serviced\n";
  const std::string log = d.Log();
  EXPECT_THAT(log, testing::HasSubstr(line));
  EXPECT_EQ(log.find(line), log.rfind(line));
  const std::vector<uint8_t> reply = Ask(d.Port(), Query("2.0.0.127.bl.test", 1, 1));
  ASSERT_GE(reply.size(), 12u);
  EXPECT_EQ(reply[3] & 15, 2);  // SERVFAIL
}

TEST_P(DaemonTest, ManySignalsAndReloadsEndInGoodOrder) {
  PublishFile(image_, ListImage({"bl.test"}, "one"));
  DaemonProcess d(kDaemon, Arguments({"--query-log", "-"}));
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  const int signals[] = {SIGHUP, SIGUSR1, SIGHUP, SIGUSR2};
  for (int i = 0; i < 100; i++) {
    const std::string txt = "text " + std::to_string(i);
    PublishFile(image_, ListImage({"bl.test"}, txt));
    d.Signal(signals[i % 4]);
    EXPECT_NE(AskTxt(d.Port(), "bl.test"), "");
    if (i % 10 == 0) {
      ASSERT_TRUE(stats::ReloadAndWait(PagePath(), 20000).ok());
      EXPECT_EQ(AskTxt(d.Port(), "bl.test"), txt);
    }
  }
  d.Signal(SIGHUP);
  d.Signal(SIGTERM);
  EXPECT_EQ(d.WaitExit(), 0) << d.Log();
  EXPECT_THAT(d.Output(), testing::HasSubstr("2.0.0.127.bl.test TXT IN: NOERROR/1/"));
}

INSTANTIATE_TEST_SUITE_P(Backends, DaemonTest, testing::Values("epoll", "uring"),
                         [](const auto& backend) { return std::string(backend.param); });

}  // namespace
}  // namespace mz::control
