// The name index: everything stored is found, nothing else is, and empty non-terminals exist.
#include "compiler/build/name_index_builder.h"

#include <algorithm>
#include <set>

#include "tests/compiler/build/model_tools.h"

namespace mz::compiler {
namespace {

using image::kNameBelow;
using image::kNameExact;
using image::kNameWild;
using testing::AddDataset;
using testing::AddDnset;
using testing::AddZone;
using testing::Find;
using testing::OnlyDataset;

std::string RandomName(std::mt19937_64* random) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
  std::string name;
  for (size_t labels = 1 + (*random)() % 4; labels > 0; labels--) {
    if (!name.empty()) name += '.';
    for (size_t n = 1 + (*random)() % 12; n > 0; n--) name += kLetters[(*random)() % (sizeof kLetters - 1)];
  }
  return name;
}

TEST(NameIndexBuilderTest, HundredThousandNames) {
  std::mt19937_64 random(1);
  std::set<std::string> names;
  while (names.size() < 100000) names.insert(RandomName(&random));
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kDnset, "dnset:x");
  ResultId r = testing::Result(&model.pool, 2);
  for (const std::string& name : names) AddDnset(d, name, kNameExact, r, 0);
  AddZone(&model, "dn.test", {0});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  const image::DatasetRef& ref = OnlyDataset(image->view);
  EXPECT_EQ(ref.exact_depths, 2u + 4 + 8 + 16);
  EXPECT_LE(image->view.header().max_probes, 8u);

  std::set<std::string> ancestors;
  for (const std::string& name : names) {
    const image::NameRecord* record = Find(image->view, ref.scope, name);
    ASSERT_NE(record, nullptr) << name;
    EXPECT_TRUE(record->flags & kNameExact);
    for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
      ancestors.insert(name.substr(dot + 1));
  }
  size_t empty_nonterminals = 0;
  for (const std::string& name : ancestors) {
    const image::NameRecord* record = Find(image->view, ref.scope, name);
    ASSERT_NE(record, nullptr) << name;
    EXPECT_TRUE(record->flags & kNameBelow) << name;
    EXPECT_EQ((record->flags & kNameExact) != 0, names.count(name) == 1) << name;
    empty_nonterminals += names.count(name) == 0;
  }
  EXPECT_EQ(image->result.names, names.size() + empty_nonterminals + 1);
  for (int i = 0; i < 100000; i++) {
    std::string name = RandomName(&random);
    if (names.count(name) == 0 && ancestors.count(name) == 0) {
      ASSERT_EQ(Find(image->view, ref.scope, name), nullptr) << name;
    }
  }
  // The same names mean nothing in another scope.
  EXPECT_EQ(Find(image->view, 0, *names.begin()), nullptr);
  EXPECT_EQ(Find(image->view, ref.scope + 1, *names.begin()), nullptr);
}

TEST(NameIndexBuilderTest, WildcardsExistAsEmptyNonTerminals) {
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kDnset, "dnset:x");
  ResultId r = testing::Result(&model.pool, 2), other = testing::Result(&model.pool, 3);
  AddDnset(d, "wild.com", kNameWild, 0, r);
  AddDnset(d, "both.com", kNameExact | kNameWild, r, other);
  AddDnset(d, "no.both.com", kNameExact, 0, 0);
  AddDnset(d, "a.b.excluded.org", kNameExact, 0, 0);
  AddDnset(d, "excluded.net", kNameWild, 0, 0);
  AddZone(&model, "dn.test", {0});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  const image::DatasetRef& ref = OnlyDataset(image->view);
  EXPECT_EQ(ref.exact_depths, 4u + 8 + 16);
  EXPECT_EQ(ref.wild_depths, 4u);
  auto flags = [&](std::string_view name) -> int {
    const image::NameRecord* record = Find(image->view, ref.scope, name);
    return record == nullptr ? 0 : record->flags;
  };
  EXPECT_EQ(flags("wild.com"), kNameWild | kNameBelow);
  EXPECT_EQ(flags("both.com"), kNameExact | kNameWild | kNameBelow);
  EXPECT_EQ(flags("com"), kNameBelow);
  EXPECT_EQ(flags("no.both.com"), kNameExact);
  // Exclusions list nothing: no name above them comes to exist.
  EXPECT_EQ(flags("a.b.excluded.org"), kNameExact);
  EXPECT_EQ(flags("b.excluded.org"), 0);
  EXPECT_EQ(flags("org"), 0);
  EXPECT_EQ(flags("excluded.net"), kNameWild);
  EXPECT_EQ(flags("net"), 0);
  const image::NameRecord* both = Find(image->view, ref.scope, "both.com");
  EXPECT_EQ(image->view.value(both->a).a[3], 2);
  EXPECT_EQ(image->view.value(both->b).a[3], 3);
  const image::NameRecord* no = Find(image->view, ref.scope, "no.both.com");
  EXPECT_EQ(no->a, 0u);
}

TEST(NameIndexBuilderTest, NestedZonesAreMarked) {
  ImageModel model;
  AddDataset(&model, image::kIp4Set, "ip4set:x");
  for (const char* zone : {"a.b.bl.test", "bl.test", "other.test"}) AddZone(&model, zone, {0});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(Find(image->view, 0, "bl.test")->flags, kNameExact | kNameBelow);
  EXPECT_EQ(Find(image->view, 0, "bl.test")->a, 1u);
  EXPECT_EQ(Find(image->view, 0, "a.b.bl.test")->flags, kNameExact);
  EXPECT_EQ(Find(image->view, 0, "other.test")->flags, kNameExact);
  EXPECT_EQ(Find(image->view, 0, "b.bl.test"), nullptr);
  EXPECT_EQ(image->view.zone_depths(), 4u + 16);
  EXPECT_EQ(image->view.zones()[0].node, image->view.zones()[1].node) << "equal dataset lists share a node";
}

TEST(NameIndexBuilderTest, DeepAndLongNames) {
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kDnset, "dnset:x");
  ResultId r = testing::Result(&model.pool, 2);
  std::string deep = "a";
  for (int i = 1; i < 120; i++) deep += ".a";
  std::string wide = std::string(63, 'x') + "." + std::string(63, 'y') + "." + std::string(63, 'z') + "." +
                     std::string(61, 'w');
  AddDnset(d, deep, kNameExact, r, 0);
  AddDnset(d, wide, kNameExact | kNameWild, r, r);
  AddZone(&model, "t", {0});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  const image::DatasetRef& ref = OnlyDataset(image->view);
  EXPECT_EQ(ref.exact_depths, 1u << 31 | 1u << 4);
  EXPECT_NE(Find(image->view, ref.scope, deep), nullptr);
  EXPECT_NE(Find(image->view, ref.scope, wide), nullptr);
  EXPECT_EQ(Find(image->view, ref.scope, deep.substr(2))->flags, kNameBelow);
  EXPECT_EQ(Find(image->view, ref.scope, "a")->flags, kNameBelow);
}

TEST(NameIndexBuilderTest, TheSameNameTwiceIsRefused) {
  ImageModel model;
  DatasetModel* d = AddDataset(&model, image::kDnset, "dnset:x");
  ResultId r = testing::Result(&model.pool, 2);
  AddDnset(d, "a.com", kNameExact, r, 0);
  AddDnset(d, "a.com", kNameExact, r, 0);
  AddZone(&model, "dn.test", {0});
  std::vector<uint8_t> out;
  EXPECT_EQ(WriteImage(model, {}, &out).status().code(), StatusCode::kInvalidArgument);
}

// Bucket filling, driven with made-up hashes: overflow into the next bucket, and around the end.
TEST(FillBucketsTest, OverflowsToTheNextBucketAndWraps) {
  constexpr uint32_t kBuckets = 4;
  BigVector<HashedRecord> entries;
  uint32_t record = 1;
  for (int i = 0; i < 20; i++) entries.push_back({0xf000'0000'0000'0000ull + record, record++});  // home 3
  for (int i = 0; i < 3; i++) entries.push_back({0x1000'0000'0000'0000ull + record, record++});   // home 0
  SortByHash(&entries, 1);
  Bytes bytes;
  EXPECT_EQ(FillBuckets(entries, kBuckets, &bytes), 3u);
  const auto* buckets = reinterpret_cast<const image::Bucket*>(bytes.data());
  std::set<uint32_t> seen;
  for (uint32_t b = 0; b < kBuckets; b++) {
    bool free = false;
    for (int i = 0; i < image::kBucketSlots; i++) {
      EXPECT_FALSE(free && buckets[b].tag[i] != 0) << "slots fill from 0";
      free |= buckets[b].tag[i] == 0;
      if (buckets[b].tag[i] != 0) seen.insert(buckets[b].record[i]);
    }
  }
  EXPECT_EQ(seen.size(), entries.size());
  // Buckets 3 and 0 are full, the rest lies in 1: 8 + 5 that wrapped, with 3 of bucket 0's own, and 7 in bucket 1.
  EXPECT_NE(buckets[0].tag[7], 0u);
  EXPECT_NE(buckets[3].tag[7], 0u);
  EXPECT_EQ(buckets[2].tag[0], 0u);
}

TEST(SortByHashTest, SortsLikeTheStandardLibrary) {
  std::mt19937_64 random(3);
  for (size_t n : {0u, 1u, 1000u, 200000u}) {
    BigVector<HashedRecord> a(n);
    for (size_t i = 0; i < n; i++) a[i] = {i % 7 == 0 ? 42 : random(), static_cast<uint32_t>(n - i)};
    BigVector<HashedRecord> b = a;
    SortByHash(&a, 2);
    std::sort(b.begin(), b.end(), [](const HashedRecord& x, const HashedRecord& y) {
      return std::pair(x.hash, x.record) < std::pair(y.hash, y.record);
    });
    ASSERT_TRUE(std::equal(a.begin(), a.end(), b.begin(), [](const HashedRecord& x, const HashedRecord& y) {
      return x.hash == y.hash && x.record == y.record;
    }));
  }
}

}  // namespace
}  // namespace mz::compiler
