// The stored corpus of good and broken images is what make_image_corpus writes, and the verifier tells them
// apart for the stored reasons. After an intended change of the format or of a message:
//   ninja make_image_corpus && tests/make_image_corpus SOURCE/tests/data/images     (in the build directory)
#include "tests/format/image/corpus.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "format/image/verify.h"
#include "tests/format/image/bad_images.h"
#include "tests/format/image/sample_models.h"

namespace mz::image {
namespace {

const std::filesystem::path kDirectory = std::filesystem::path(MZ_TEST_SOURCE_DIR) / "../../data/images";

std::string Stored(const std::string& path) {
  std::ifstream in(kDirectory / path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(CorpusTest, StoredFilesAreWhatTheGeneratorWrites) {
  std::set<std::string> expected;
  for (const CorpusFile& file : MakeCorpus()) {
    expected.insert(file.path);
    ASSERT_TRUE(std::filesystem::exists(kDirectory / file.path)) << file.path;
    EXPECT_TRUE(Stored(file.path) == file.content) << file.path << " differs";
  }
  for (const char* part : {"good", "bad"})
    for (const auto& entry : std::filesystem::directory_iterator(kDirectory / part))
      EXPECT_TRUE(expected.contains(part + std::string("/") + entry.path().filename().string()))
          << entry.path();
}

TEST(CorpusTest, StoredGoodImagesAreAccepted) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory / "good")) {
    if (entry.path().extension() != ".mzi") continue;
    const std::string bytes = Stored("good/" + entry.path().filename().string());
    StatusOr<View> view =
        Verify({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, VerifyLevel::kEverything);
    EXPECT_TRUE(view.ok()) << entry.path() << ": " << Message(view.status());
    count++;
  }
  EXPECT_GE(count, 5);
}

TEST(CorpusTest, BadImagesAreRefusedForTheirReason) {
  for (const BadImage& bad : BadImages()) {
    StatusOr<View> sample = Verify(SampleImage(bad.sample), VerifyLevel::kEverything);
    ASSERT_TRUE(sample.ok()) << bad.sample;
    const Bytes image = bad.make(SampleImage(bad.sample));
    StatusOr<View> view = Verify(image, VerifyLevel::kEverything, 2);
    ASSERT_FALSE(view.ok()) << bad.name << " was accepted";
    EXPECT_EQ(view.status().code(), StatusCode::kDataLoss) << bad.name;
    EXPECT_NE(Message(view.status()).find(bad.reason), std::string_view::npos)
        << bad.name << ": wanted \"" << bad.reason << "\", got \"" << Message(view.status()) << '"';
  }
}

}  // namespace
}  // namespace mz::image
