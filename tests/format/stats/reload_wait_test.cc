#include "format/stats/reload_wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace mz::stats {
namespace {

volatile sig_atomic_t hangups = 0;

// A stand-in for a daemon: a child process with a page that "reloads" at SIGHUP. `busy` begins a reload before the signal
// comes, with another verdict.
class FakeDaemon {
 public:
  FakeDaemon(const std::string& path, bool busy, bool dies) {
    int ready[2];
    MZ_CHECK(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::signal(SIGHUP, [](int) { hangups = hangups + 1; });
      StatusOr<Page> page = Page::Create(path, 1, 1);
      if (!page.ok()) ::_exit(1);
      if (busy) Begin(*page);
      (void)!::write(ready[1], "x", 1);
      while (!hangups) ::usleep(1000);
      if (dies) ::_exit(0);
      if (busy) {
        ::usleep(50000);
        Finish(*page, ReloadVerdict::kUnchanged, "too early");
        ::usleep(50000);
      }
      Begin(*page);
      ::usleep(20000);
      Finish(*page, ReloadVerdict::kFailed, "broken");
      for (;;) ::pause();
    }
    char c;
    (void)!::read(ready[0], &c, 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~FakeDaemon() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  void Reap() { ::waitpid(pid_, nullptr, 0); }

 private:
  static void Begin(Page& page) {
    HeaderUpdate u(page);
    u->reloads_begun++;
  }
  static void Finish(Page& page, ReloadVerdict verdict, std::string_view error) {
    HeaderUpdate u(page);
    u->reloads_finished++;
    u->last_verdict = verdict;
    u->generation = 9;
    CopyText(error, u->last_error, sizeof u->last_error);
  }
  pid_t pid_;
};

class ReloadWaitTest : public testing::Test {
 protected:
  ReloadWaitTest() {
    directory_ = (std::filesystem::temp_directory_path() / "mz_reload.XXXXXX").string();
    MZ_CHECK(::mkdtemp(directory_.data()));
    path_ = directory_ + "/page";
  }
  ~ReloadWaitTest() override { std::filesystem::remove_all(directory_); }
  std::string directory_, path_;
};

TEST_F(ReloadWaitTest, ReturnsTheVerdict) {
  FakeDaemon daemon(path_, false, false);
  StatusOr<ReloadReport> r = ReloadAndWait(path_, 20000);
  ASSERT_TRUE(r.ok()) << r.status();
  EXPECT_EQ(r->verdict, ReloadVerdict::kFailed);
  EXPECT_EQ(r->error, "broken");
  EXPECT_EQ(r->generation, 9u);
}

TEST_F(ReloadWaitTest, AReloadThatBeganBeforeDoesNotCount) {
  FakeDaemon daemon(path_, true, false);
  StatusOr<ReloadReport> r = ReloadAndWait(path_, 20000);
  ASSERT_TRUE(r.ok()) << r.status();
  EXPECT_EQ(r->error, "broken");
}

TEST_F(ReloadWaitTest, NoDaemonNoVerdict) {
  EXPECT_EQ(ReloadAndWait(path_, 1000).status().code(), StatusCode::kNotFound);
  {
    FakeDaemon daemon(path_, false, true);
    // It ends at the signal and stays a zombie, which still counts as a process: the wait runs out.
    EXPECT_EQ(ReloadAndWait(path_, 200).status().code(), StatusCode::kUnavailable);
    daemon.Reap();
    EXPECT_EQ(ReloadAndWait(path_, 1000).status().code(), StatusCode::kNotFound);
    EXPECT_EQ(SendReload(path_).code(), StatusCode::kNotFound);
  }
}

}  // namespace
}  // namespace mz::stats
