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

// An action of an acl in a map of shared sets, wherever a result may stand.
TEST(VerifyTest, ActionsAreNoResultsOfSharedSets) {
  compiler::ImageModel m = MakeSample("sets4");
  auto acl = std::make_unique<compiler::DatasetModel>();
  acl->kind = kAcl;
  acl->spec = "acl:acl";
  acl->map4 = {{0, 0}, {1, MakeAction(&m.pool, kAclRefuse)}, {2, 0}};
  m.zones[0].acl = static_cast<uint32_t>(m.datasets.size());
  m.datasets.push_back(std::move(acl));
  compiler::WriteOptions options;
  options.shared_sets = compiler::SharedSetPolicy::kAlways;
  Bytes image;
  ASSERT_TRUE(compiler::WriteImage(m, options, &image).ok());
  const View view = *Verify(image, VerifyLevel::kEverything);
  uint32_t action = 1;
  while ((view.value(action).ref & kValueAction) == 0) action++;
  const size_t map = 1;
  auto refused = [&](auto edit) {
    ImageEditor e(image);
    edit(e, e.Edit(AsSetMap(e.view().map(Datasets(e.view().node(e.view().zones()[0].node))[map].map4))));
    const auto verdict = Verify(e.Finish(), VerifyLevel::kEverything);
    return !verdict.ok() && Message(verdict.status()).find("impossible result") != std::string::npos;
  };
  EXPECT_TRUE(refused([&](ImageEditor&, SetMap4& m4) { m4.rest = action; }));
  EXPECT_TRUE(refused([&](ImageEditor& e, SetMap4& m4) { e.Edit(PartsOf(m4).result[0]) = action; }));
}

// Own prefixes may lie in sets, though the builder makes none: the set decides, for every way to ask.
TEST(VerifyTest, SetsGoBeforeOwnPrefixes) {
  ImageEditor e(SampleImage("sets4"));
  auto header = [](const View& view) -> const MapHeader& {
    return view.map(Datasets(view.node(view.zones()[0].node))[1].map4);
  };
  const SetMap4& map = AsSetMap(header(e.view()));
  const SetMapParts parts = PartsOf(map);
  ASSERT_GT(parts.own_count, 0u);
  const net::Ip4 in_set = RangesOfSet(e.view(), e.view().shared_sets(), parts.set[0]).range[0].first;
  const uint32_t before = FindAddress(e.view(), header(e.view()), in_set).result;
  e.Edit(parts.own[0]) = in_set;
  e.Edit(parts.length[0]) = uint8_t{32};
  const_cast<uint8_t&>(parts.own_result[0]) = parts.result[0] == before ? 1 : 0;
  ASSERT_NE(parts.OwnResult(0), before);
  const Bytes image = e.Finish();
  const auto view = Verify(image, VerifyLevel::kEverything);
  ASSERT_TRUE(view.ok()) << Message(view.status());
  EXPECT_EQ(FindAddress(*view, header(*view), in_set).result, before);
  ExerciseView(*view);
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
