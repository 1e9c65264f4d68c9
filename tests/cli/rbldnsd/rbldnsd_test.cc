// The rbldnsd personality as a process: loads, reloads, failures, signals.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "format/stats/reload_wait.h"
#include "tests/server/control/daemon_process.h"
#include "tests/server/control/test_image.h"

namespace mz::cli {
namespace {

using control::AskTxt;
using control::DaemonProcess;
using stats::ReloadVerdict;
using testing::HasSubstr;

const char kRbldnsd[] = MZ_TEST_BIN_DIR "/rbldnsd";

// Children of a process, by /proc.
std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    const size_t end = text.rfind(')');
    if (end == std::string::npos || end + 4 > text.size()) continue;
    if (text[end + 2] != 'Z' && std::atoi(text.c_str() + end + 4) == parent) out.push_back(pid);
  }
  return out;
}

class RbldnsdTest : public testing::TestWithParam<const char*> {
 protected:
  RbldnsdTest() : directory_(control::MakeTestDirectory()) { Put("d", "127.0.0.2 one\n"); }
  ~RbldnsdTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  void Put(const std::string& name, const std::string& text) {
    control::PublishFile(directory_ + "/" + name, {text.begin(), text.end()});
  }
  std::vector<std::string> Arguments(std::vector<std::string> more) const {
    // -u: as the user we are, or as nobody in particular; root is refused.
    std::vector<std::string> a = {"-n", "-w", directory_, "-b", "127.0.0.1/0", "-c", "0", std::string("--io=") + GetParam(),
                                  "--workers=2", "--stats-page=" + Page()};
    if (::getuid() == 0) {
      ::chmod(directory_.c_str(), 0777);
      a.insert(a.end(), {"-u", "12345"});
    }
    a.insert(a.end(), more.begin(), more.end());
    return a;
  }
  std::string Page() const { return directory_ + "/page"; }
  stats::ReloadReport Reload() {
    StatusOr<stats::ReloadReport> r = stats::ReloadAndWait(Page(), 30000);
    EXPECT_TRUE(r.ok()) << r.status();
    return r.ok() ? *r : stats::ReloadReport();
  }
  const std::string directory_;
};

TEST_P(RbldnsdTest, StartsReloadsAndEnds) {
  DaemonProcess d(kRbldnsd, Arguments({"bl.test:ip4set:d"}));
  ASSERT_TRUE(d.WaitForLog(" started (1 socket(s), 1 zone(s))")) << d.Log() << d.Output();
  EXPECT_THAT(d.Output(), testing::ContainsRegex("^rbldnsd: listening on 127.0.0.1/[0-9]+\n"
                                                 "rbldnsd: ip4set:d: [0-9]{8} [0-9]{6}: e32/24/16/8=1/0/0/0\n"
                                                 "rbldnsd: zones reloaded, time [0-9.]+e/[0-9.]+u sec, mem arena=[0-9]+ "
                                                 "free=[0-9]+ mmap=[0-9]+ Kb\n"
                                                 "rbldnsd: rbldnsd version .* started "));
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "one");

  const std::string before = d.Output();
  EXPECT_EQ(Reload().verdict, ReloadVerdict::kUnchanged);
  EXPECT_EQ(d.Output(), before);  // nothing changed: silent
  Put("d", "127.0.0.2 two\n");    // same size, same second
  EXPECT_EQ(Reload().verdict, ReloadVerdict::kLoaded);
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "two");

  d.Signal(SIGTERM);
  EXPECT_EQ(d.WaitExit(), 0);
  EXPECT_EQ(d.Log(), "");
  EXPECT_THAT(d.Output(), HasSubstr("rbldnsd: terminating\nrbldnsd: stats for "));
}

TEST_P(RbldnsdTest, AFailedReloadKeepsTheLastGoodDataAndIsRetried) {
  Put("e", "127.0.0.2 e1\n");
  DaemonProcess d(kRbldnsd, Arguments({"bl.test:ip4set:d", "e.test:ip4set:e"}));
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  std::filesystem::remove(directory_ + "/d");
  Put("e", "127.0.0.2 e2\n");
  stats::ReloadReport r = Reload();
  EXPECT_EQ(r.verdict, ReloadVerdict::kFailed);
  EXPECT_THAT(r.error, HasSubstr("No such file or directory"));
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "one");
  EXPECT_EQ(AskTxt(d.Port(), "e.test"), "e2");  // the other dataset goes on
  const std::string line = "rbldnsd: file d: unable to open file: No such file or directory\n";
  EXPECT_THAT(d.Log(), HasSubstr(line));
  const size_t once = d.Log().size();
  EXPECT_EQ(Reload().verdict, ReloadVerdict::kFailed);
  EXPECT_THAT(d.Log().substr(once), HasSubstr(line));  // tried and said again
  Put("d", "127.0.0.2 back\n");
  EXPECT_EQ(Reload().verdict, ReloadVerdict::kLoaded);
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "back");
}

TEST_P(RbldnsdTest, ABuildThatHangsOrIsKilledDisturbsNothing) {
  DaemonProcess d(kRbldnsd, Arguments({"bl.test:ip4set:d"}));
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  // A FIFO that nobody writes: the build waits for ever.
  std::filesystem::remove(directory_ + "/d");
  ASSERT_EQ(::mkfifo((directory_ + "/d").c_str(), 0666), 0);
  ::chmod((directory_ + "/d").c_str(), 0666);
  d.Signal(SIGHUP);
  std::vector<pid_t> hosts = ChildrenOf(d.pid()), builds;
  ASSERT_EQ(hosts.size(), 1u);
  for (int i = 0; i < 2000 && builds.empty(); i++, ::usleep(5000)) builds = ChildrenOf(hosts[0]);
  ASSERT_EQ(builds.size(), 1u);
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "one");
  d.Signal(SIGUSR1);  // served while the load runs
  ASSERT_TRUE(d.WaitForLog("sec: tot=1 ok=1")) << d.Output();

  ASSERT_EQ(::kill(builds[0], SIGKILL), 0);
  ASSERT_TRUE(d.WaitForLog("was killed by signal 9")) << d.Log();
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "one");
  std::filesystem::remove(directory_ + "/d");
  Put("d", "127.0.0.2 again\n");
  EXPECT_EQ(Reload().verdict, ReloadVerdict::kLoaded);
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "again");
}

TEST_P(RbldnsdTest, SigtermEndsTheProcessDuringALoad) {
  std::filesystem::remove(directory_ + "/d");
  ASSERT_EQ(::mkfifo((directory_ + "/d").c_str(), 0666), 0);
  ::chmod((directory_ + "/d").c_str(), 0666);
  DaemonProcess d(kRbldnsd, Arguments({"bl.test:ip4set:d"}));
  ASSERT_TRUE(d.WaitForLog("listening on")) << d.Log();
  ::usleep(300000);
  const std::vector<pid_t> hosts = ChildrenOf(d.pid());
  d.Signal(SIGTERM);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(d.WaitExit(), 0) << d.Log();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  for (pid_t host : hosts) {
    int i = 0;
    while (i++ < 2000 && std::filesystem::exists("/proc/" + std::to_string(host))) ::usleep(1000);
    EXPECT_LT(i, 2000) << "the compiler process outlives the daemon";
  }
}

TEST_P(RbldnsdTest, WithoutTheCompilerItServesOnAndComplains) {
  DaemonProcess d(kRbldnsd, Arguments({"bl.test:ip4set:d"}));
  ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
  std::vector<pid_t> hosts = ChildrenOf(d.pid());
  ASSERT_EQ(hosts.size(), 1u);
  ASSERT_EQ(::kill(hosts[0], SIGKILL), 0);
  Put("d", "127.0.0.2 two\n");
  stats::ReloadReport r = Reload();
  EXPECT_EQ(r.verdict, ReloadVerdict::kFailed);
  EXPECT_THAT(r.error, HasSubstr("restart the daemon"));
  EXPECT_THAT(d.Log(), HasSubstr("restart the daemon"));
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "one");
  d.Signal(SIGTERM);
  EXPECT_EQ(d.WaitExit(), 0);
}

TEST_P(RbldnsdTest, ADeadDaemonTakesTheCompilerWithIt) {
  std::vector<pid_t> hosts;
  {
    DaemonProcess d(kRbldnsd, Arguments({"bl.test:ip4set:d"}));
    ASSERT_TRUE(d.WaitForLog(" started (")) << d.Log();
    hosts = ChildrenOf(d.pid());
    ASSERT_EQ(hosts.size(), 1u);
    d.Signal(SIGKILL);
    EXPECT_EQ(d.WaitExit(), 1000 + SIGKILL);
  }
  int i = 0;
  auto running = [&] {
    std::ifstream stat("/proc/" + std::to_string(hosts[0]) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    return !text.empty() && text.find(") Z") == std::string::npos;
  };
  while (running() && i++ < 2000) ::usleep(5000);
  EXPECT_LT(i, 2000);
}

TEST_P(RbldnsdTest, StartFailsLikeRbldnsd) {
  DaemonProcess d(kRbldnsd, Arguments({"bl.test:ip4set:nosuch"}));
  EXPECT_EQ(d.WaitExit(), 1);
  EXPECT_EQ(d.Log(),
            "rbldnsd: file nosuch: unable to open file: No such file or directory\n"
            "rbldnsd: zone bl.test: not all datasets are loaded, zone will not be serviced\n"
            "rbldnsd: zone loading errors, aborting\n");
  DaemonProcess spec(kRbldnsd, Arguments({"foo:bar:baz"}));
  EXPECT_EQ(spec.WaitExit(), 1);
  EXPECT_EQ(spec.Log(), "rbldnsd: unknown dataset type `bar'\n");
}

TEST_P(RbldnsdTest, QuickStartServesWhatThereIs) {
  DaemonProcess d(kRbldnsd, Arguments({"-q", "bl.test:ip4set:nosuch", "d.test:ip4set:d"}));
  ASSERT_TRUE(d.WaitForLog("zones reloaded")) << d.Log();
  EXPECT_THAT(d.Output(), HasSubstr("started (1 socket(s), 2 zone(s))"));
  EXPECT_EQ(AskTxt(d.Port(), "d.test"), "one");
  std::vector<uint8_t> reply = control::Ask(d.Port(), control::Query("2.0.0.127.bl.test", 1, 1));
  ASSERT_GE(reply.size(), 12u);
  EXPECT_EQ(reply[3] & 15, 2);  // SERVFAIL
  Put("nosuch", "127.0.0.2 there\n");
  EXPECT_EQ(Reload().verdict, ReloadVerdict::kLoaded);
  EXPECT_EQ(AskTxt(d.Port(), "bl.test"), "there");
}

TEST_P(RbldnsdTest, DumpsAndExits) {
  DaemonProcess d(kRbldnsd, {"-d", "-w", directory_, "bl.test:ip4set:d"});
  EXPECT_EQ(d.WaitExit(), 0) << d.Log();
  EXPECT_THAT(d.Output(), HasSubstr("$ORIGIN\tbl.test.\n$TTL 2100\n2.0.0.127\tA\t127.0.0.2\n\tTXT\t\"one\"\n"));
  EXPECT_EQ(d.Log(), "");
  DaemonProcess bad(kRbldnsd, {"-d", "-w", directory_, "bl.test:ip4set:nosuch"});
  EXPECT_EQ(bad.WaitExit(), 1);
  EXPECT_EQ(bad.Output(), "");
}

INSTANTIATE_TEST_SUITE_P(Backends, RbldnsdTest, testing::Values("epoll", "uring"),
                         [](const auto& backend) { return std::string(backend.param); });

}  // namespace
}  // namespace mz::cli
