// The answer path makes no system call: a child that may only read, write and exit answers queries and lives.
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "varied_image.h"

namespace mz::answer {
namespace {

// Runs `body` in a child under strict seccomp; the wait status.
template <typename Body>
int RunStrict(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) _exit(99);
    const int code = body();
    syscall(SYS_exit, code);  // exit_group is not allowed
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST(SeccompTest, TheFilterKills) {
  const int status = RunStrict([] { return static_cast<int>(syscall(SYS_getpid)); });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(SeccompTest, AnswersWithoutSystemCalls) {
  TestImage image = MakeVariedImage(image::kProfileRbldnsd);
  RequestStream stream(6);
  std::vector<std::string> packets;
  std::vector<Request> requests(20000);
  std::vector<uint8_t> buffer(kMaxMessage);
  for (Request& r : requests) {
    packets.push_back(stream.NextPacket());
    r.client = stream.NextClient();
    r.tcp = stream.NextIsTcp();
    r.response = buffer;
  }
  for (size_t i = 0; i < packets.size(); i++)
    requests[i].wire = {reinterpret_cast<const uint8_t*>(packets[i].data()), packets[i].size()};
  const int status = RunStrict([&] {
    AnswerBatch(image.view(), image.settings, requests, image.state());
    size_t answered = 0;
    for (const Request& r : requests) answered += r.response_size != 0;
    return answered > requests.size() / 2 ? 7 : 8;
  });
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace mz::answer
