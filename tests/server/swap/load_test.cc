// Opening images: good ones are served from memory that nobody else can change; everything else is a clear error, also
// when the file changes while it is read.
#include "server/swap/load.h"

#include <fcntl.h>
#include <sched.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/format/image/sample_models.h"

namespace {
std::atomic<size_t> yields{0};
}

// In place of the C library's: see GivesWayOften.
extern "C" int sched_yield() noexcept {
  yields++;
  return 0;
}

namespace mz::swap {
namespace {

using testing::HasSubstr;

class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "mz_load_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    path_ = directory_ + "/zone.mzi";
    image_ = image::SampleImage("every-kind");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void Write(std::span<const uint8_t> bytes) {
    std::ofstream out(path_, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  Status Error() { return LoadImageFile(path_, {}).status(); }

  std::string directory_, path_;
  std::vector<uint8_t> image_;
};

// A sealed memfd with `bytes`.
UniqueFd Memfd(std::span<const uint8_t> bytes, int seals) {
  UniqueFd fd(::memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_TRUE(WriteAll(fd.get(), bytes, "memfd").ok());
  EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  return fd;
}
constexpr int kAllSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

TEST_F(LoadTest, GoodFileIsServedFromACopy) {
  Write(image_);
  for (int threads : {1, 4}) {
    auto g = LoadImageFile(path_, {.verify_threads = threads});
    ASSERT_TRUE(g.ok()) << g.status();
    EXPECT_TRUE(std::ranges::equal((*g)->bytes.bytes(), image_));
    EXPECT_EQ((*g)->view.bytes().data(), (*g)->bytes.bytes().data());
    EXPECT_FALSE((*g)->view.zones().empty());
    // Whatever becomes of the file: neither a signal nor other bytes.
    ASSERT_EQ(::truncate(path_.c_str(), 0), 0);
    EXPECT_TRUE(std::ranges::equal((*g)->bytes.bytes(), image_));
    Write(image_);
  }
}

// A load in the background offers its core at least once for every 64 KiB that it copies, and for what it verifies.
TEST_F(LoadTest, GivesWayOften) {
  constexpr size_t kBytes = 16u << 20;
  compiler::WriteOptions options;
  options.build_options_json = "{\"text\": \"" + std::string(kBytes, 'x') + "\"}";
  ASSERT_TRUE(compiler::WriteImage(image::MakeSample("every-kind"), options, &image_).ok());
  Write(image_);
  for (const int threads : {1, 4}) {
    yields = 0;
    ASSERT_TRUE(LoadImageFile(path_, {.verify_threads = threads}).ok());
    EXPECT_EQ(yields, 0u);
    std::thread([&] {
      const sched_param parameter{};
      ASSERT_EQ(::sched_setscheduler(0, SCHED_BATCH, &parameter), 0);
      auto g = LoadImageFile(path_, {.verify_threads = threads});
      ASSERT_TRUE(g.ok()) << g.status();
      const size_t loaded = yields;
      g->reset();
      EXPECT_GE(yields - loaded, kBytes >> 21);
    }).join();
    const size_t copied = kBytes >> 16, verified = kBytes >> 18, freed = kBytes >> 21;
    EXPECT_GE(yields, copied + verified + freed);
    EXPECT_LE(yields, 2 * (copied + verified + freed) + 200);
  }
}

// What only tools read is in the file, not in memory.
TEST_F(LoadTest, MetaIsGivenBack) {
  compiler::WriteOptions options;
  options.build_options_json = "{\"text\": \"" + std::string(1 << 20, 'x') + "\"}";
  ASSERT_TRUE(compiler::WriteImage(image::MakeSample("every-kind"), options, &image_).ok());
  Write(image_);
  auto g = LoadImageFile(path_, {});
  ASSERT_TRUE(g.ok()) << g.status();
  const image::View &served = (*g)->view, file = image::View(image_);
  for (uint32_t id = 0; id < image::kSectionCount; id++) {
    const auto section = static_cast<image::SectionId>(id);
    if (section == image::kMeta) {
      EXPECT_EQ(served.meta().substr(0, 1 << 20).find_first_not_of('\0'), std::string_view::npos);
    } else {
      EXPECT_EQ(served.section(section), file.section(section)) << id;
    }
  }
}

// An image in the memory of the one before is as good as any.
TEST_F(LoadTest, TakesTheMemoryOfTheOneBefore) {
  const LoadOptions options{.verify_threads = 1, .spare = std::make_shared<SpareMemory>()};
  compiler::WriteOptions write;
  write.build_options_json = "{\"text\": \"" + std::string(1 << 20, 'x') + "\"}";  // given back once verified
  ASSERT_TRUE(compiler::WriteImage(image::MakeSample("every-kind"), write, &image_).ok());
  // Told by its contents: new memory is zeros, and often at the old address.
  auto spare_holds_an_image = [&] {
    StatusOr<Mapping> memory = options.spare->Take(image_.size());
    EXPECT_TRUE(memory.ok()) << memory.status();
    const bool holds = std::memcmp(memory->writable(), image::kMagic, sizeof image::kMagic) == 0;
    if (holds) options.spare->Keep(std::move(*memory));
    return holds;
  };
  for (int i = 0; i < 3; i++) {
    Write(image_);
    auto g = LoadImageFile(path_, options);
    ASSERT_TRUE(g.ok()) << g.status();
    EXPECT_EQ((*g)->view.section(image::kZones), image::View(image_).section(image::kZones));
    EXPECT_FALSE(spare_holds_an_image()) << i;  // it was taken
    g->reset();
    EXPECT_TRUE(spare_holds_an_image()) << i;
  }
  image_[image_.size() / 2] ^= 1;  // damage is found, and costs the next one nothing
  Write(image_);
  EXPECT_EQ(LoadImageFile(path_, options).status().code(), StatusCode::kDataLoss);
  image_[image_.size() / 2] ^= 1;
  Write(image_);
  EXPECT_TRUE(LoadImageFile(path_, options).ok());
}

TEST_F(LoadTest, CopyCannotBeWrittenByOurselves) {
  Write(image_);
  auto g = LoadImageFile(path_, {});
  ASSERT_TRUE(g.ok());
  EXPECT_DEATH((*g)->bytes.writable()[0] = 1, "");
}

TEST_F(LoadTest, WrongFilesAreRefusedWithTheReason) {
  EXPECT_EQ(Error().code(), StatusCode::kNotFound);
  EXPECT_THAT(std::string(mz::Message(Error())), HasSubstr(path_));
  Write({});
  EXPECT_EQ(Error().code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(mz::Message(Error())), HasSubstr("not a zone image: 0 bytes"));
  Write(std::vector<uint8_t>(100, 'x'));
  EXPECT_EQ(Error().code(), StatusCode::kDataLoss);
  Write(std::vector<uint8_t>(1 << 20, 'x'));
  EXPECT_EQ(Error().code(), StatusCode::kDataLoss);
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_EQ(Error().code(), StatusCode::kInvalidArgument);
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);  // nobody writes to it: must not hang
  EXPECT_EQ(Error().code(), StatusCode::kInvalidArgument);
}

TEST_F(LoadTest, EveryTruncationAndExtensionIsRefused) {
  for (size_t size = 0; size < image_.size(); size += 1 + size / 97 + (size > 8192 ? 511 : 0)) {
    Write(std::span(image_).first(size));
    ASSERT_EQ(Error().code(), StatusCode::kDataLoss) << size;
  }
  std::vector<uint8_t> longer = image_;
  longer.push_back(0);
  Write(longer);
  EXPECT_EQ(Error().code(), StatusCode::kDataLoss);
}

TEST_F(LoadTest, DamageAnywhereIsRefused) {
  for (size_t i = 0; i < image_.size(); i += 1 + image_.size() / 300) {
    std::vector<uint8_t> damaged = image_;
    damaged[i] ^= 0x10;
    Write(damaged);
    ASSERT_EQ(Error().code(), StatusCode::kDataLoss) << "octet " << i;
  }
}

TEST_F(LoadTest, HugeSparseFileIsRefusedWithoutReadingItAll) {
  Write(image_);
  ASSERT_EQ(::truncate(path_.c_str(), int64_t{64} << 30), 0);
  EXPECT_EQ(Error().code(), StatusCode::kDataLoss);
  ASSERT_EQ(::truncate(path_.c_str(), (int64_t{1} << 40) + 4096), 0);
  EXPECT_THAT(std::string(mz::Message(Error())), HasSubstr("an image has at most"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they reserve terabytes of address space
TEST_F(LoadTest, ImageThatDoesNotFitIsRefused) {
  // A header that claims 8 GiB truthfully.
  reinterpret_cast<image::Header*>(image_.data())->file_size = uint64_t{8} << 30;
  Write(image_);
  ASSERT_EQ(::truncate(path_.c_str(), int64_t{8} << 30), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{.rlim_cur = rlim_t{4} << 30, .rlim_max = rlim_t{4} << 30};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
    ::_exit(Error().code() == StatusCode::kResourceExhausted ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}
#endif

// A careless operator copies over the file in place, truncates it and writes garbage, while we open it again and again.
TEST_F(LoadTest, FileThatChangesWhileItIsReadIsNeverServedTorn) {
  const std::vector<uint8_t> other = image::SampleImage("tiny");
  Write(image_);
  const std::jthread vandal([&](std::stop_token stop) {
    UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    for (unsigned i = 0; !stop.stop_requested(); i++) {
      const auto& bytes = i % 3 == 0 ? other : image_;
      if (i % 2 == 0) (void)!::ftruncate(fd.get(), static_cast<off_t>(i * 4096 % bytes.size()));
      (void)!::pwrite(fd.get(), bytes.data(), bytes.size(), 0);
      (void)!::ftruncate(fd.get(), static_cast<off_t>(bytes.size()));
    }
  });
  int served = 0, refused = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (int i = 0; i < 1000 || served < 20 || refused < 20; i++) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << served << " served, " << refused << " refused";
    auto g = LoadImageFile(path_, {.verify_threads = 1 + i % 2});
    if (!g.ok()) {
      refused++;
      EXPECT_EQ(g.status().code(), StatusCode::kDataLoss) << g.status();
      continue;
    }
    served++;
    const auto bytes = (*g)->bytes.bytes();
    ASSERT_TRUE(std::ranges::equal(bytes, image_) || std::ranges::equal(bytes, other));
  }
}

TEST_F(LoadTest, SealedMemfdIsMappedAsItIs) {
  auto g = LoadSealedMemfd(Memfd(image_, kAllSeals), {});
  ASSERT_TRUE(g.ok()) << g.status();
  EXPECT_TRUE(std::ranges::equal((*g)->bytes.bytes(), image_));
  EXPECT_FALSE((*g)->view.zones().empty());
}

TEST_F(LoadTest, MemfdMustBeSealedCompletely) {
  for (int seals : {0, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_SHRINK | F_SEAL_WRITE, F_SEAL_GROW | F_SEAL_WRITE,
                    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE}) {
    EXPECT_EQ(LoadSealedMemfd(Memfd(image_, seals), {}).status().code(), StatusCode::kInvalidArgument) << seals;
  }
  Write(image_);
  EXPECT_EQ(LoadSealedMemfd(UniqueFd(::open(path_.c_str(), O_RDONLY)), {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_FALSE(LoadSealedMemfd(UniqueFd(), {}).ok());
}

TEST_F(LoadTest, DamagedMemfdIsRefused) {
  std::vector<uint8_t> damaged = image_;
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_EQ(LoadSealedMemfd(Memfd(damaged, kAllSeals), {}).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(LoadSealedMemfd(Memfd({}, kAllSeals), {}).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace mz::swap
