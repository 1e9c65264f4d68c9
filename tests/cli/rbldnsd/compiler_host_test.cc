#include "cli/rbldnsd/compiler_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"

namespace mz::cli {
namespace {

// What the child does is told by the request.
void Task(BuildMessage request, int socket) {
  auto line = [&](LogLevel level, const std::string& text) {
    BuildMessage m;
    m.kind = MessageKind::kLine;
    m.value = static_cast<uint32_t>(level);
    m.text = text;
    (void)SendMessage(socket, m);
  };
  line(LogLevel::kInfo, "pid " + std::to_string(::getpid()));
  if (request.failing == "crash") ::abort();
  if (request.failing == "exit") ::_exit(3);
  if (request.failing == "hang")
    for (;;) ::pause();
  line(LogLevel::kWarning, std::string(100000, 'x'));
  BuildMessage result;
  result.kind = MessageKind::kResult;
  result.value = static_cast<uint32_t>(BuildVerdict::kChanged);
  result.failing = "ip4set:a\n";
  result.text = request.fd.valid() ? *ReadFile("/proc/self/fd/" + std::to_string(request.fd.get())) : "no image";
  result.fd.reset(::memfd_create("image", MFD_CLOEXEC));
  (void)!::write(result.fd.get(), "image", 5);
  (void)SendMessage(socket, result);
}

class CompilerHostTest : public testing::Test {
 protected:
  CompilerHostTest() { MZ_CHECK(host_.Start(Task, false).ok()); }
  StatusOr<BuildAnswer> Build(const std::string& what, int fd = -1) {
    BuildMessage request;
    request.kind = MessageKind::kBuild;
    request.failing = what;
    request.fd.reset(fd);
    return host_.Build(request, [&](LogLevel level, std::string_view line) {
      if (line.starts_with("pid ")) child_ = std::atoi(std::string(line.substr(4)).c_str());
      if (level == LogLevel::kWarning) warning_bytes_ = line.size();
    });
  }
  CompilerHost host_;
  std::atomic<pid_t> child_{0};
  size_t warning_bytes_ = 0;
};

TEST_F(CompilerHostTest, CarriesLinesVerdictAndImage) {
  const int fd = ::memfd_create("previous", MFD_CLOEXEC);
  ASSERT_EQ(::write(fd, "previous image", 14), 14);
  StatusOr<BuildAnswer> a = Build("", fd);
  ASSERT_TRUE(a.ok()) << a.status();
  EXPECT_EQ(a->verdict, BuildVerdict::kChanged);
  EXPECT_EQ(a->failing, "ip4set:a\n");
  EXPECT_EQ(a->text, "previous image");
  ASSERT_TRUE(a->image.valid());
  EXPECT_EQ(*ReadFile("/proc/self/fd/" + std::to_string(a->image.get())), "image");
  EXPECT_EQ(warning_bytes_, kMaxTextBytes);
  EXPECT_NE(child_, host_.host_pid());
}

TEST_F(CompilerHostTest, ACrashFailsThatBuildOnly) {
  StatusOr<BuildAnswer> a = Build("crash");
  EXPECT_EQ(a.status().code(), StatusCode::kInternal);
  EXPECT_THAT(std::string(Message(a.status())), testing::HasSubstr("killed by signal 6 (Aborted)"));
  a = Build("exit");
  EXPECT_THAT(std::string(Message(a.status())), testing::HasSubstr("exit code 3"));
  EXPECT_TRUE(Build("").ok());
}

TEST_F(CompilerHostTest, AKilledChildFailsThatBuildOnly) {
  std::thread killer([&] {
    while (child_ == 0) ::usleep(1000);
    ::kill(child_, SIGKILL);
  });
  StatusOr<BuildAnswer> a = Build("hang");
  killer.join();
  EXPECT_THAT(std::string(Message(a.status())), testing::HasSubstr("signal 9 (Killed)"));
  EXPECT_TRUE(Build("").ok());
}

TEST_F(CompilerHostTest, CancelEndsABuildAndItsProcesses) {
  std::thread canceller([&] {
    while (child_ == 0) ::usleep(1000);
    host_.Cancel();
  });
  EXPECT_EQ(Build("hang").status().code(), StatusCode::kUnavailable);
  canceller.join();
  EXPECT_EQ(Build("").status().code(), StatusCode::kUnavailable);
  for (int i = 0; i < 1000 && ::kill(child_, 0) == 0; i++) {
    ::waitpid(host_.host_pid(), nullptr, WNOHANG);
    ::usleep(5000);
  }
}

TEST_F(CompilerHostTest, SignalsForTheDaemonPassTheHostBy) {
  for (int s : {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) ASSERT_EQ(::kill(host_.host_pid(), s), 0);
  EXPECT_TRUE(Build("").ok());
}

TEST_F(CompilerHostTest, WithoutTheHostBuildsFailButReturn) {
  ASSERT_EQ(::kill(host_.host_pid(), SIGKILL), 0);
  EXPECT_EQ(Build("").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Build("").status().code(), StatusCode::kUnavailable);
}

TEST(BuildChannelTest, LyingLengthsAreRefused) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  UniqueFd a(pair[0]), b(pair[1]);
  uint8_t bytes[64];
  std::memset(bytes, 0xff, sizeof bytes);
  for (size_t n = 1; n <= sizeof bytes; n++) {
    ASSERT_EQ(::send(a.get(), bytes, n, 0), static_cast<ssize_t>(n));
    EXPECT_FALSE(ReceiveMessage(b.get()).ok());
  }
}

}  // namespace
}  // namespace mz::cli
