// Whole images: reproducible, sealed, published in one step.
#include "compiler/build/image_writer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "tests/compiler/build/rich_model.h"

namespace mz::compiler {
namespace {

using testing::RichModel;

class ImageFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/mz_image_writer_test.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    directory_ = pattern;
    path_ = directory_ + "/zone.mzi";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  size_t Entries() const {
    size_t n = 0;
    for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(directory_)) n++;
    return n;
  }
  // The verified identity of the file, 0 when it is missing or damaged.
  uint64_t Identity() const {
    StatusOr<std::string> bytes = ReadFile(path_);
    if (!bytes.ok()) return 0;
    StatusOr<image::View> view = image::Verify({reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size()},
                                               image::VerifyLevel::kEverything);
    return view.ok() ? uint64_t{view->header().identity} : 0;
  }
  std::string directory_, path_;
};

TEST(ImageWriterTest, SameModelSameBytes) {
  auto one = testing::Write(*RichModel()), two = testing::Write(*RichModel());
  ASSERT_NE(one, nullptr);
  EXPECT_TRUE(one->bytes == two->bytes);
  WriteOptions options;
  options.threads = 7;
  EXPECT_TRUE(testing::Write(*RichModel(), options)->bytes == one->bytes) << "threads do not show";
  EXPECT_FALSE(testing::Write(*RichModel(2))->bytes == one->bytes);
}

TEST(ImageWriterTest, PoolOrderAndUnusedValuesDoNotShow) {
  auto build = [](bool other_order) {
    ImageModel model;
    if (other_order) {
      testing::Result(&model.pool, 9, "unused");
      testing::Result(&model.pool, 3, "three");
    }
    ResultId two = testing::Result(&model.pool, 2, "two"), three = testing::Result(&model.pool, 3, "three");
    testing::AddDataset(&model, image::kIp4Set, "ip4set:x")->map4 = {{0, 0}, {5, two}, {6, three}, {9, 0}};
    testing::AddZone(&model, "bl.test", {0});
    return testing::Write(model);
  };
  EXPECT_TRUE(build(false)->bytes == build(true)->bytes);
}

TEST(ImageWriterTest, CreationTimeIsNoPartOfTheIdentity) {
  WriteOptions options;
  options.created_unix = 1234567890;
  auto dated = testing::Write(*RichModel(), options), pinned = testing::Write(*RichModel());
  EXPECT_EQ(dated->view.header().created_unix, 1234567890u);
  EXPECT_EQ(dated->view.header().identity, pinned->view.header().identity);
  EXPECT_EQ(dated->result.identity, pinned->view.header().identity);

  ::setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  std::vector<uint8_t> out;
  ASSERT_TRUE(WriteImage(*RichModel(), {}, &out).ok());
  ::unsetenv("SOURCE_DATE_EPOCH");
  EXPECT_EQ(image::View(out).header().created_unix, 1700000000u);
}

TEST(ImageWriterTest, HashSeedCanBeFixed) {
  WriteOptions options;
  options.hash_seed = 42;
  auto image = testing::Write(*RichModel(), options);
  EXPECT_EQ(image->view.hash_seed(), 42u);
  EXPECT_NE(testing::Find(image->view, 0, "bl.test"), nullptr);
  EXPECT_NE(testing::Write(*RichModel())->view.hash_seed(), 42u);
}

TEST(ImageWriterTest, EmptyModel) {
  auto image = testing::Write(ImageModel());
  ASSERT_NE(image, nullptr);
  EXPECT_TRUE(image->view.zones().empty());
  EXPECT_EQ(testing::Find(image->view, 0, "bl.test"), nullptr);
}

TEST(ImageWriterTest, CombinedSubzonesShareNodesAndScopes) {
  auto image = testing::Write(*RichModel());
  const image::View& view = image->view;
  auto datasets = image::Datasets(view.node(view.zones()[3].node));
  ASSERT_EQ(datasets.size(), 2u);
  ASSERT_EQ(datasets[0].kind, image::kCombined);
  EXPECT_EQ(datasets[0].exact_depths, 1u + 2 + 4 + 8);
  const uint32_t scope = datasets[0].scope;
  const image::NameRecord* at = testing::Find(view, scope, "");
  const image::NameRecord* one = testing::Find(view, scope, "a.b.sub");
  const image::NameRecord* two = testing::Find(view, scope, "same.sub");
  const image::NameRecord* ip = testing::Find(view, scope, "ip");
  ASSERT_TRUE(at && one && two && ip);
  EXPECT_EQ(one->a, two->a) << "equal lists of parts share a node";
  EXPECT_NE(one->a, ip->a);
  EXPECT_EQ(view.node(one->a).flags, image::kNodeHasIp4);
  EXPECT_EQ(view.node(at->a).flags, 0);
  EXPECT_EQ(image::Datasets(view.node(one->a))[0].map4, image::Datasets(view.node(ip->a))[0].map4);
  EXPECT_EQ(testing::Find(view, scope, "sub")->flags, image::kNameBelow);
  EXPECT_EQ(testing::Find(view, scope, "b.sub")->flags, image::kNameBelow);
  EXPECT_EQ(view.zones()[3].node, view.zones()[4].node);
  // The node of the first subzone that has it lies right behind the name record.
  EXPECT_EQ(reinterpret_cast<const uint8_t*>(&view.node(ip->a)) - reinterpret_cast<const uint8_t*>(ip), 16 + 16);
}

TEST(ImageWriterTest, BuildOptionsMustBeJson) {
  WriteOptions options;
  options.build_options_json = "{broken";
  std::vector<uint8_t> out;
  EXPECT_EQ(WriteImage(*RichModel(), options, &out).status().code(), StatusCode::kInvalidArgument);
}

TEST(ImageWriterTest, ProgressRises) {
  std::vector<double> seen;
  WriteOptions options;
  options.progress = [&](double done) { seen.push_back(done); };
  testing::Write(*RichModel(), options);
  ASSERT_FALSE(seen.empty());
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), 1.0);
}

TEST(ImageWriterTest, MemfdHoldsTheImageAndIsSealed) {
  WriteOptions options;
  options.created_unix = 0;
  BuildResult result;
  StatusOr<UniqueFd> fd = WriteImageMemfd(*RichModel(), options, &result);
  ASSERT_TRUE(fd.ok()) << fd.status().ToString();
  StatusOr<Mapping> mapping = Mapping::MapFd(fd->get(), result.file_bytes, "memfd");
  ASSERT_TRUE(mapping.ok());
  auto image = testing::Write(*RichModel());
  EXPECT_TRUE(std::equal(image->bytes.begin(), image->bytes.end(), mapping->bytes().begin(), mapping->bytes().end()));
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  EXPECT_EQ(::fcntl(fd->get(), F_GET_SEALS) & seals, seals);
  EXPECT_LT(::pwrite(fd->get(), "x", 1, 0), 0);
  EXPECT_LT(::ftruncate(fd->get(), 0), 0);
  EXPECT_LT(::ftruncate(fd->get(), 1 << 30), 0);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0), MAP_FAILED);
}

TEST_F(ImageFileTest, FileEqualsTheImageInMemory) {
  WriteOptions options;
  options.created_unix = 0;
  auto result = WriteImageFile(*RichModel(), path_, options);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  auto image = testing::Write(*RichModel());
  EXPECT_EQ(*ReadFile(path_), std::string(image->bytes.begin(), image->bytes.end()));
  EXPECT_EQ(Identity(), result->identity);
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(ImageFileTest, LargeImagesCrossTheWriteSize) {
  ImageModel model;
  std::mt19937 random(4);
  testing::AddDataset(&model, image::kIp4Set, "ip4set:x")->map4 =
      testing::RandomMap4(3000000, {testing::Result(&model.pool, 2), testing::Result(&model.pool, 3)}, &random);
  testing::AddZone(&model, "bl.test", {0});
  auto result = WriteImageFile(model, path_, {});
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_GT(result->file_bytes, 8u << 20);
  EXPECT_EQ(Identity(), result->identity);
}

TEST_F(ImageFileTest, FailuresLeaveTheOldImage) {
  ASSERT_TRUE(WriteImageFile(*RichModel(1), path_, {}).ok());
  const uint64_t old = Identity();
  ASSERT_NE(old, 0u);
  // A full disk, as far as an ordinary user can have one.
  pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{20000, 20000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(WriteImageFile(*RichModel(2), path_, {}).status().code() == StatusCode::kResourceExhausted ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Identity(), old);
  EXPECT_EQ(Entries(), 1u);
  // No right to write into the directory.
  ASSERT_EQ(::chmod(directory_.c_str(), 0555), 0);
  child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(2);
    ::_exit(WriteImageFile(*RichModel(2), path_, {}).status().code() == StatusCode::kPermissionDenied ? 0 : 1);
  }
  ::waitpid(child, &status, 0);
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Identity(), old);
  EXPECT_EQ(WriteImageFile(*RichModel(2), directory_ + "/no/zone.mzi", {}).status().code(), StatusCode::kNotFound);
  // A model that cannot be written.
  ImageModel broken;
  testing::AddZone(&broken, "bl.test", {5});
  EXPECT_FALSE(WriteImageFile(broken, path_, {}).ok());
  EXPECT_EQ(Identity(), old);
  EXPECT_EQ(Entries(), 1u);
}

// A builder that keeps building is killed hundreds of times: the file is always one of the two images.
TEST_F(ImageFileTest, KillsLeaveAWholeImage) {
  auto one = RichModel(1), two = RichModel(2);
  const uint64_t first = WriteImageFile(*one, path_, {})->identity;
  const uint64_t second = WriteImageFile(*two, path_, {})->identity;
  ASSERT_NE(first, second);
  std::mt19937 random(11);
  int seen_first = 0;
  for (int kill = 0; kill < 300; kill++) {
    pid_t child = ::fork();
    if (child == 0)
      for (int i = kill;; i++) (void)WriteImageFile(i % 2 ? *one : *two, path_, {}).ok();
    ::usleep(random() % 15000);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const uint64_t now = Identity();
    ASSERT_TRUE(now == first || now == second) << "after kill " << kill;
    ASSERT_LE(Entries(), 2u) << "after kill " << kill;
    seen_first += now == first;
  }
  EXPECT_GT(seen_first, 10);
  EXPECT_LT(seen_first, 290);
  ASSERT_TRUE(WriteImageFile(*one, path_, {}).ok());
  EXPECT_EQ(Entries(), 1u);
}

}  // namespace
}  // namespace mz::compiler
