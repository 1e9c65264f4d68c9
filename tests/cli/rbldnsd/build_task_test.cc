// What a build of the personality hands over: a sealed image without what only tools read, from which the next build takes
// unchanged datasets over.
#include "cli/rbldnsd/build_task.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "format/image/verify.h"

namespace mz::cli {
namespace {

class BuildTaskTest : public testing::Test {
 protected:
  BuildTaskTest() {
    char pattern[] = "/tmp/mz_build_task_test.XXXXXX";
    directory_ = ::mkdtemp(pattern);
  }
  ~BuildTaskTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::string File(const std::string& name) const { return directory_ + "/" + name; }
  void Put(const std::string& name, const std::string& text) const { std::ofstream(File(name)) << text; }

  // The result of a build of bl.test from the files a and b; `previous`: the image in service.
  BuildMessage Build(UniqueFd previous) const {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd ours(ends[0]);
    {
      const UniqueFd theirs(ends[1]);
      std::vector<compiler::ZoneSpec> specs;
      for (const char* name : {"a", "b"}) {
        StatusOr<compiler::ZoneSpec> spec = compiler::ParseZoneSpec("bl.test:ip4set:" + File(name));
        EXPECT_TRUE(spec.ok()) << spec.status();
        specs.push_back(*spec);
      }
      BuildMessage request;
      request.kind = MessageKind::kBuild;
      request.fd = std::move(previous);
      RunBuild(specs, {}, /*quick_start=*/false, std::move(request), theirs.get());
    }
    for (;;) {
      StatusOr<BuildMessage> m = ReceiveMessage(ours.get());
      if (!m.ok() || m->kind == MessageKind::kResult) return m.ok() ? std::move(*m) : BuildMessage();
    }
  }
  std::string directory_;
};

TEST_F(BuildTaskTest, KeepsNoProvenanceAndIsTakenOver) {
  Put("a", "127.0.0.2 one\n");
  Put("b", "127.0.0.3 two\n");
  BuildMessage first = Build(UniqueFd());
  ASSERT_EQ(first.value, static_cast<uint32_t>(BuildVerdict::kChanged)) << first.text;
  EXPECT_EQ(Build(UniqueFd(::dup(first.fd.get()))).value, static_cast<uint32_t>(BuildVerdict::kUnchanged));
  Put("b", "127.0.0.3 another\n");
  BuildMessage second = Build(std::move(first.fd));
  ASSERT_EQ(second.value, static_cast<uint32_t>(BuildVerdict::kChanged)) << second.text;

  StatusOr<Mapping> bytes = Mapping::MapFd(second.fd.get(), std::filesystem::file_size("/proc/self/fd/" +
                                           std::to_string(second.fd.get())), "image");
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  StatusOr<image::View> view = image::Verify(bytes->bytes(), image::VerifyLevel::kEverything);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->section(image::kProvenance).size(), 0u);
  EXPECT_GT(view->section(image::kMeta).size(), 0u);
}

}  // namespace
}  // namespace mz::cli
