// Files are read whole, replaced whole, and errors name the path.
#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace mz {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/mz_file_test.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  static std::span<const uint8_t> Bytes(const std::string& s) {
    return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
  }
  size_t Entries() const {
    size_t n = 0;
    for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(directory_)) n++;
    return n;
  }
  std::string directory_;
};

TEST_F(FileTest, CommitReplacesTheFileAndLeavesNothingElse) {
  for (std::string text : {"first", "second"}) {
    AtomicFile out(Path("f"));
    ASSERT_TRUE(out.Open().ok());
    ASSERT_TRUE(out.Write(Bytes(text)).ok());
    ASSERT_TRUE(out.Commit().ok());
    auto read = ReadFile(Path("f"));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, text);
  }
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(FileTest, WithoutCommitTheOldFileStays) {
  {
    AtomicFile out(Path("f"));
    ASSERT_TRUE(out.Open().ok());
    ASSERT_TRUE(out.Write(Bytes("old")).ok());
    ASSERT_TRUE(out.Commit().ok());
  }
  {
    AtomicFile out(Path("f"));
    ASSERT_TRUE(out.Open().ok());
    ASSERT_TRUE(out.Write(Bytes("half")).ok());
  }
  EXPECT_EQ(*ReadFile(Path("f")), "old");
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(FileTest, ReadsFilesOfEverySize) {
  for (size_t size : {0u, 1u, 65535u, 65536u, 65537u, 3000000u}) {
    std::string text(size, 'x');
    for (size_t i = 0; i < size; i++) text[i] = static_cast<char>(i * 7);
    AtomicFile out(Path("f"));
    ASSERT_TRUE(out.Open().ok());
    ASSERT_TRUE(out.Write(Bytes(text)).ok());
    ASSERT_TRUE(out.Commit().ok());
    EXPECT_EQ(*ReadFile(Path("f")), text) << size;
  }
}

TEST_F(FileTest, ErrorsNameThePathAndTheKind) {
  auto missing = ReadFile(Path("missing"));
  EXPECT_EQ(missing.status().code(), StatusCode::kNotFound);
  EXPECT_NE(std::string(Message(missing.status())).find("missing"), std::string::npos);
  auto directory = ReadFile(directory_);
  EXPECT_EQ(directory.status().code(), StatusCode::kInvalidArgument);
  AtomicFile out(Path("no/such/f"));
  EXPECT_FALSE(out.Open().ok());
}

TEST(MappingTest, LargeMemoryIsGivenBackToTheLastPage) {
  constexpr size_t kBytes = (9u << 20) + 4096;  // pieces of huge pages, and what is before and behind them
  uint8_t* first;
  {
    auto m = Mapping::Anonymous(kBytes);
    ASSERT_TRUE(m.ok());
    first = m->writable();
    first[0] = first[kBytes - 1] = 1;
  }
  unsigned char resident;
  for (size_t page = 0; page < kBytes; page += 4096)
    ASSERT_TRUE(::mincore(first + page, 1, &resident) != 0 && errno == ENOMEM) << page;
}

TEST(MappingTest, AnonymousMemoryIsWritableUntilSealed) {
  auto m = Mapping::Anonymous(5 << 20);
  ASSERT_TRUE(m.ok());
  m->writable()[12345] = 7;
  ASSERT_TRUE(m->Seal().ok());
  EXPECT_EQ(m->bytes()[12345], 7);
  EXPECT_DEATH(m->writable()[0] = 1, "");
}

}  // namespace
}  // namespace mz
