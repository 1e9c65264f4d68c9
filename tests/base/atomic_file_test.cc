// Replacement in one step: nothing half-written is ever seen, and kills and failures leave at most one file behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "base/file.h"

namespace mz {
namespace {

std::span<const uint8_t> Bytes(const std::string& s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

class AtomicFileTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/mz_atomic_file_test.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  size_t Entries() const {
    size_t n = 0;
    for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(directory_)) n++;
    return n;
  }
  Status Replace(const std::string& text) {
    AtomicFile out(Path("f"));
    Prepare(&out);
    MZ_RETURN_IF_ERROR(out.Open());
    MZ_RETURN_IF_ERROR(out.Write(Bytes(text)));
    return out.Commit();
  }
  void Prepare(AtomicFile* out) const {
    if (!GetParam()) out->ForbidAnonymous();
  }
  std::string directory_;
};

INSTANTIATE_TEST_SUITE_P(, AtomicFileTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Anonymous" : "Named"; });

TEST_P(AtomicFileTest, ReplacesAndLeavesNothingElse) {
  ASSERT_TRUE(Replace("one").ok());
  ASSERT_TRUE(Replace("two").ok());
  EXPECT_EQ(*ReadFile(Path("f")), "two");
  EXPECT_EQ(Entries(), 1u);
  struct stat st;
  ASSERT_EQ(::stat(Path("f").c_str(), &st), 0);
  mode_t mask = ::umask(0);
  ::umask(mask);
  if (GetParam()) {
    EXPECT_EQ(st.st_mode & 0777, 0644 & ~mask);
  }
}

TEST_P(AtomicFileTest, AbandonedFileDisappears) {
  ASSERT_TRUE(Replace("old").ok());
  {
    AtomicFile out(Path("f"));
    Prepare(&out);
    ASSERT_TRUE(out.Open().ok());
    ASSERT_TRUE(out.Write(Bytes("half")).ok());
    EXPECT_EQ(Entries(), GetParam() ? 1u : 2u);
  }
  EXPECT_EQ(*ReadFile(Path("f")), "old");
  EXPECT_EQ(Entries(), 1u);
}

TEST_P(AtomicFileTest, TakesOverTheLeftoverOfADeadProcess) {
  ASSERT_TRUE(Replace("old").ok());
  ::close(::open(Path("f.tmp").c_str(), O_CREAT | O_WRONLY, 0600));
  ASSERT_TRUE(Replace("new").ok());
  EXPECT_EQ(*ReadFile(Path("f")), "new");
  EXPECT_EQ(Entries(), 1u);
}

TEST_P(AtomicFileTest, DoesNotTouchTheFileOfALiveProcess) {
  ASSERT_TRUE(Replace("old").ok());
  UniqueFd other(::open(Path("f.tmp").c_str(), O_CREAT | O_RDWR, 0600));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  ASSERT_EQ(::write(other.get(), "theirs", 6), 6);
  if (!GetParam()) {
    EXPECT_EQ(Replace("new").code(), StatusCode::kUnavailable);
  } else {
    // The other one renames its file while this one waits.
    pid_t child = ::fork();
    if (child == 0) {
      ::usleep(50000);
      ::rename(Path("f.tmp").c_str(), Path("f").c_str());
      ::_exit(0);
    }
    EXPECT_TRUE(Replace("new").ok());
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(*ReadFile(Path("f")), "new");
    return;
  }
  EXPECT_EQ(*ReadFile(Path("f.tmp")), "theirs");
  EXPECT_EQ(*ReadFile(Path("f")), "old");
}

TEST_P(AtomicFileTest, SymbolicLinkInPlaceOfTheTemporaryFileIsNotFollowed) {
  ASSERT_TRUE(Replace("old").ok());
  { AtomicFile victim(Path("victim")); ASSERT_TRUE(victim.Open().ok()); ASSERT_TRUE(victim.Commit().ok()); }
  ASSERT_EQ(::symlink(Path("victim").c_str(), Path("f.tmp").c_str()), 0);
  Status s = Replace("new");
  EXPECT_EQ(*ReadFile(Path("victim")), "");
  if (s.ok()) {
    EXPECT_EQ(*ReadFile(Path("f")), "new");
  } else {
    EXPECT_EQ(*ReadFile(Path("f")), "old");
  }
}

TEST_P(AtomicFileTest, FullDiskLeavesTheOldFile) {
  ASSERT_TRUE(Replace("old").ok());
  pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);  // the limit then shows as an error, like a full disk
    rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Status s = Replace(std::string(100000, 'x'));
    ::_exit(s.code() == StatusCode::kResourceExhausted && Message(s).find("/f") != std::string_view::npos ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(*ReadFile(Path("f")), "old");
  EXPECT_EQ(Entries(), 1u);
}

TEST_P(AtomicFileTest, DirectoryWithoutPermission) {
  ASSERT_TRUE(Replace("old").ok());
  ASSERT_EQ(::chmod(directory_.c_str(), 0555), 0);
  pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;  // root may write everywhere
    if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(2);
    ::_exit(Replace("new").code() == StatusCode::kPermissionDenied ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(*ReadFile(Path("f")), "old");
}

TEST_P(AtomicFileTest, TargetThatIsADirectory) {
  ASSERT_EQ(::mkdir(Path("f").c_str(), 0755), 0);
  EXPECT_FALSE(Replace("new").ok());
  EXPECT_EQ(Entries(), 1u);
}

// Two processes replace the same file in a loop and are killed at random moments: whoever reads sees one whole text,
// and at most one leftover exists.
TEST_P(AtomicFileTest, ConcurrentWritersAndKills) {
  auto text = [](char c, size_t n) { return std::string(n, c); };
  ASSERT_TRUE(Replace(text('a', 300000)).ok());
  std::mt19937 random(7);
  for (int round = 0; round < 60; round++) {
    pid_t children[2];
    for (int i = 0; i < 2; i++) {
      children[i] = ::fork();
      if (children[i] == 0)
        for (char c = static_cast<char>('b' + i);; c = static_cast<char>(c == 'y' + i ? 'b' + i : c + 2))
          (void)Replace(text(c, 300000)).ok();
    }
    ::usleep(random() % 8000);
    for (pid_t child : children) ::kill(child, SIGKILL);
    for (pid_t child : children) ::waitpid(child, nullptr, 0);
    StatusOr<std::string> now = ReadFile(Path("f"));
    ASSERT_TRUE(now.ok());
    ASSERT_EQ(now->size(), 300000u);
    ASSERT_EQ(*now, text((*now)[0], 300000));
    ASSERT_LE(Entries(), 2u);
  }
  ASSERT_TRUE(Replace("end").ok());
  EXPECT_EQ(Entries(), 1u);
}

}  // namespace
}  // namespace mz
