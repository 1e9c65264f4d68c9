// What the verifier accepts, what it costs, and that its verdict does not depend on threads. Refusals:
// corpus_test (one by one) and mutation_test (at random).
#include "format/image/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/format/image/bad_images.h"
#include "tests/format/image/exercise.h"
#include "tests/format/image/image_edit.h"
#include "tests/format/image/sample_models.h"

namespace mz::image {
namespace {

TEST(VerifyTest, AcceptsEverySample) {
  for (const std::string& name : SampleNames()) {
    const Bytes image = SampleImage(name);
    for (int threads : {1, 2, 7}) {
      StatusOr<View> view = Verify(image, VerifyLevel::kEverything, threads);
      ASSERT_TRUE(view.ok()) << name << ": " << Message(view.status());
      if (threads == 1) ExerciseView(*view);
    }
  }
}

TEST(VerifyTest, StructureIsEnoughForMeta) {
  Bytes image = SampleImage("tiny");
  image[image.size() - 5000] ^= 1;  // somewhere in the sections
  StatusOr<View> view = Verify(image, VerifyLevel::kStructure);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->meta().substr(0, 1), "{");
  EXPECT_FALSE(Verify(image, VerifyLevel::kEverything).ok());
}

TEST(VerifyTest, TakesImagesAtAnyAddress) {
  const Bytes image = SampleImage("every-kind");
  for (size_t shift : {1, 3, 9}) {
    Bytes shifted(image.size() + shift);
    std::copy(image.begin(), image.end(), shifted.begin() + static_cast<ptrdiff_t>(shift));
    EXPECT_TRUE(Verify(std::span(shifted).subspan(shift), VerifyLevel::kEverything).ok());
  }
}

TEST(VerifyTest, VerdictDoesNotDependOnThreads) {
  for (const BadImage& bad : BadImages()) {
    const Bytes image = bad.make(SampleImage(bad.sample));
    EXPECT_EQ(Verify(image, VerifyLevel::kEverything, 1).status(),
              Verify(image, VerifyLevel::kEverything, 4).status())
        << bad.name;
  }
}

// The file is renamed and its creation time differs: the same content.
TEST(VerifyTest, IdentityIsThatOfTheContent) {
  compiler::WriteOptions options;
  Bytes a, b;
  options.created_unix = 1;
  ASSERT_TRUE(compiler::WriteImage(MakeSample("every-kind"), options, &a).ok());
  options.created_unix = 2;
  ASSERT_TRUE(compiler::WriteImage(MakeSample("every-kind"), options, &b).ok());
  EXPECT_NE(a, b);
  EXPECT_EQ(Verify(a, VerifyLevel::kEverything)->header().identity,
            Verify(b, VerifyLevel::kEverything)->header().identity);
}

double MillisecondsToVerify(const Bytes& image) {
  double best = 1e9;
  for (int i = 0; i < 3; i++) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(Verify(image, VerifyLevel::kEverything).ok());
    best = std::min(
        best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

// 4,096 datasets with one large map: it is checked once, not 4,096 times.
TEST(VerifyTest, ManyReferencesToOneMapCostOneCheck) {
  const Bytes image = SampleImage("direct4");
  ImageParts parts;
  ASSERT_TRUE(Split(image, &parts));
  Bytes& nodes = parts.sections[kNodes];
  auto* zone = reinterpret_cast<ZoneRecord*>(parts.sections[kZones].data());
  const uint32_t old_node = zone->node;
  const size_t old_bytes = sizeof(Node) + 3 * sizeof(DatasetRef), place = nodes.size();
  nodes.resize(place + sizeof(Node) + kMaxDatasetsPerNode * sizeof(DatasetRef));
  auto* old_place = nodes.data() + size_t{old_node} * 16;
  std::copy_n(old_place, old_bytes, nodes.data() + place);
  std::fill_n(old_place, old_bytes, uint8_t{0});
  auto* node = reinterpret_cast<Node*>(nodes.data() + place);
  node->count = static_cast<uint16_t>(kMaxDatasetsPerNode);
  auto* refs = reinterpret_cast<DatasetRef*>(node + 1);
  for (uint32_t i = 3; i < kMaxDatasetsPerNode; i++) refs[i] = refs[i % 3];
  zone->node = static_cast<uint32_t>(place / 16);
  EXPECT_LT(MillisecondsToVerify(Join(parts)), 50 * MillisecondsToVerify(image) + 5);
}

}  // namespace
}  // namespace mz::image
