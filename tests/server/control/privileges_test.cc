#include "server/control/privileges.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "base/file.h"
#include "tests/server/control/daemon_process.h"

namespace mz::control {
namespace {

std::string Error(const std::string& spec, bool refuse_root = true) {
  return std::string(Message(LookUpIdentity(spec, refuse_root).status()));
}

TEST(IdentityTest, NamesAndNumbers) {
  const passwd* daemon = ::getpwnam("daemon");
  ASSERT_NE(daemon, nullptr);
  const uid_t uid = daemon->pw_uid;
  const gid_t gid = daemon->pw_gid;
  StatusOr<Identity> id = LookUpIdentity("daemon", true);
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_TRUE(id->change);
  EXPECT_EQ(id->uid, uid);
  EXPECT_EQ(id->gid, gid);
  id = LookUpIdentity("12345", true);
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id->uid, 12345u);
  EXPECT_EQ(id->gid, 12345u);  // a number without group: the same number
  id = LookUpIdentity("12345:daemon", true);
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id->gid, ::getgrnam("daemon")->gr_gid);
  id = LookUpIdentity("daemon:54321", true);
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(id->gid, 54321u);
}

TEST(IdentityTest, RefusesInRbldnsdsWords) {
  EXPECT_EQ(Error("no-such-user"), "unknown user `no-such-user'");
  EXPECT_EQ(Error("daemon:no-such-group"), "unknown group `no-such-group'");
  EXPECT_EQ(Error("daemon:"), "unknown group `'");
  EXPECT_EQ(Error(":daemon"), "unknown user `'");
  EXPECT_EQ(Error("12x"), "unknown user `12x'");
  EXPECT_EQ(Error("4294967295"), "unknown user `4294967295'");
  for (const char* root : {"root", "0", "0:0"}) EXPECT_EQ(Error(root), "daemon should not run as root, specify -u option");
  EXPECT_EQ(Error("root", false), "");
  EXPECT_FALSE(LookUpIdentity("", false)->change);
}

TEST(DirectoriesTest, RefusesInRbldnsdsWords) {
  EXPECT_EQ(Message(EnterDirectories("/no/such", "")), "unable to chroot to /no/such: No such file or directory");
  EXPECT_EQ(Message(EnterDirectories("", "/no/such")), "unable to chdir to /no/such: No such file or directory");
  EXPECT_EQ(Message(WritePidFile("/no/such/pid")), "unable to write pidfile: No such file or directory");
}

TEST(PidFileTest, HoldsTheNumberAndIsReadable) {
  const std::string directory = MakeTestDirectory();
  ASSERT_TRUE(WritePidFile(directory + "/pid").ok());
  EXPECT_EQ(*ReadFile(directory + "/pid"), std::to_string(::getpid()) + "\n");
  struct stat st;
  ASSERT_EQ(::stat((directory + "/pid").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0644u);
  std::filesystem::remove_all(directory);
}

int InChild(const std::function<bool()>& test) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(test() ? 0 : 1);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST(AssumeTest, GivesUpEverything) {
  const Identity id{true, 12345, 54321};
  if (::getuid() != 0) {
    EXPECT_EQ(Message(Assume(id)), "unable to setuid(12345:54321): Operation not permitted");
    return;
  }
  EXPECT_EQ(InChild([&] {
              if (!Assume(id).ok()) return false;
              gid_t groups[64];
              const int count = ::getgroups(64, groups);
              return ::getuid() == 12345 && ::geteuid() == 12345 && ::getgid() == 54321 && count == 1 &&
                     groups[0] == 54321 && ::setuid(0) != 0;
            }),
            0);
  EXPECT_EQ(InChild([&] { return Assume(id).ok() && Message(Assume(id)).find("not permitted") != std::string::npos; }), 0);
  const std::string directory = MakeTestDirectory();
  std::filesystem::create_directory(directory + "/inner");
  EXPECT_EQ(InChild([&] {
              return EnterDirectories(directory, "inner").ok() && std::filesystem::exists("/inner") &&
                     std::filesystem::current_path() == "/inner";
            }),
            0);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace mz::control
