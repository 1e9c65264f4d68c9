// Provenance: what was written comes back, and damaged sections are refused.
#include "format/image/provenance.h"

#include <algorithm>

#include "tests/compiler/build/rich_model.h"

namespace mz::image {
namespace {

using compiler::DatasetModel;
using compiler::ImageModel;
namespace testing = compiler::testing;

TEST(ProvenanceTest, ComesBackInFileOrder) {
  ImageModel model;
  DatasetModel* d = testing::AddDataset(&model, kIp4Set, "ip4set:x");
  // More than one block, with gaps and repeats in the line numbers.
  for (uint32_t i = 0; i < 300000; i++)
    d->provenance4.push_back(
        {i * 14000, i * 14000 + i % 300, i % 7 == 0 ? i / 2 : i, static_cast<uint16_t>(i % 3), i % 11 == 0});
  d->provenance4.push_back({0, ~0u, ~0u, 65535, true});
  DatasetModel* six = testing::AddDataset(&model, kIp6Trie, "ip6trie:x");
  six->provenance6 = {{{5, 6}, {5, 6}, 1, 0, false}, {{}, net::kIp6Last, 3, 2, true}, {{1, 2}, {2, 1}, 2, 0, false}};
  DatasetModel* names = testing::AddDataset(&model, kDnset, "dnset:x");
  names->provenance_names = {{names->names.Add(testing::Wire("a.example")), 7, 1, true, false},
                             {names->names.Add(""), 8, 0, false, true}};
  testing::AddZone(&model, "bl.test", {0, 1, 2});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);

  auto v4 = ReadProvenance(image->view, 0);
  ASSERT_TRUE(v4.ok());
  ASSERT_EQ(v4->v4.size(), d->provenance4.size());
  for (size_t i = 0; i < v4->v4.size(); i++) {
    const auto& in = d->provenance4[i];
    const auto& out = v4->v4[i];
    ASSERT_TRUE(out.range == (net::Range4{in.first, in.last}) && out.line == in.line && out.file == in.file &&
                out.exclusion == in.exclusion) << i;
  }
  auto v6 = ReadProvenance(image->view, 1);
  ASSERT_TRUE(v6.ok());
  ASSERT_EQ(v6->v6.size(), 3u);
  for (size_t i = 0; i < 3; i++) {
    EXPECT_EQ(v6->v6[i].range, (net::Range6{six->provenance6[i].first, six->provenance6[i].last}));
    EXPECT_EQ(v6->v6[i].line, six->provenance6[i].line);
    EXPECT_EQ(v6->v6[i].exclusion, six->provenance6[i].exclusion);
  }
  auto n = ReadProvenance(image->view, 2);
  ASSERT_TRUE(n.ok());
  ASSERT_EQ(n->names.size(), 2u);
  EXPECT_EQ(n->names[0].name, testing::Wire("a.example"));
  EXPECT_TRUE(n->names[0].exclusion && !n->names[0].wild && n->names[1].wild && n->names[1].line == 8);
  EXPECT_TRUE(ReadProvenance(image->view, 3)->v4.empty());
  EXPECT_EQ(ReadProvenance(image->view, 0, 1000).status().code(), StatusCode::kResourceExhausted);
}

TEST(ProvenanceTest, CanBeLeftOut) {
  auto model = testing::RichModel();
  compiler::WriteOptions options;
  options.provenance = false;
  auto image = testing::Write(*model, options);
  EXPECT_TRUE(image->view.section(kProvenance).empty());
  EXPECT_TRUE(ReadProvenance(image->view, 0)->v4.empty());
}

TEST(ProvenanceTest, AnyBytesAreSafe) {
  auto model = testing::RichModel();
  auto image = testing::Write(*model);
  const SectionEntry& section = image->view.header().sections[kProvenance];
  ASSERT_GT(section.size, 100u);
  std::mt19937 random(9);
  size_t refused = 0;
  for (int i = 0; i < 4000; i++) {
    std::vector<uint8_t> bytes = image->bytes;
    // Mostly in the block table, where offsets and sizes are.
    size_t reach = i % 2 ? static_cast<size_t>(section.size) : std::min<size_t>(section.size, 300);
    for (uint32_t flips = 1 + random() % 3; flips > 0; flips--)
      bytes[section.offset + random() % reach] = static_cast<uint8_t>(random());
    View view{bytes};
    for (uint32_t meta = 0; meta < 14; meta++) refused += !ReadProvenance(view, meta, 1000000).ok();
  }
  EXPECT_GT(refused, 1000u);
  // Truncated sections.
  for (uint64_t size : {1u, 7u, 8u, 20u, 40u}) {
    std::vector<uint8_t> bytes = image->bytes;
    reinterpret_cast<Header*>(bytes.data())->sections[kProvenance].size = size;
    EXPECT_FALSE(ReadProvenance(View(bytes), 0).ok()) << size;
  }
}

}  // namespace
}  // namespace mz::image
