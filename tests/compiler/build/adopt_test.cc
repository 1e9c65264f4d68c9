// Model -> image -> adopted model -> the same image, byte for byte.
#include "compiler/build/adopt.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "format/image/provenance.h"
#include "tests/compiler/build/rich_model.h"
#include "tests/compiler/build/spf_models.h"

namespace mz::compiler {
namespace {

using testing::RichModel;

// A model whose datasets all come from the image; zones are copied from the original.
std::unique_ptr<ImageModel> AdoptAll(const ImageModel& original, const Adopter& previous) {
  auto model = std::make_unique<ImageModel>();
  for (const auto& d : original.datasets) {
    int index = previous.Find(d->spec);
    EXPECT_GE(index, 0) << d->spec;
    auto adopted = previous.Adopt(index, &model->pool);
    EXPECT_TRUE(adopted.ok()) << adopted.status().ToString();
    if (!adopted.ok()) return nullptr;
    model->datasets.push_back(*std::move(adopted));
  }
  model->zones = original.zones;
  model->global_acl = original.global_acl;
  model->profile = original.profile;
  return model;
}

TEST(AdoptTest, RoundTripGivesTheSameBytes) {
  for (uint32_t seed = 1; seed <= 5; seed++) {
    auto model = RichModel(seed);
    WriteOptions options;
    options.build_options_json = "{\"ttl\": 5}";  // not as the JSON library prints it
    auto image = testing::Write(*model, options);
    ASSERT_NE(image, nullptr);
    Adopter previous(image->view);
    EXPECT_EQ(previous.build_options_json(), options.build_options_json);
    auto again = AdoptAll(*model, previous);
    ASSERT_NE(again, nullptr);
    auto copy = testing::Write(*again, options);
    ASSERT_NE(copy, nullptr);
    for (uint32_t id = 0; id < image::kSectionCount; id++)
      EXPECT_TRUE(image->view.section(image::SectionId(id)) == copy->view.section(image::SectionId(id))) << id;
    EXPECT_TRUE(image->bytes == copy->bytes);
  }
}

TEST(AdoptTest, EverythingElseComesAlong) {
  auto model = RichModel();
  auto image = testing::Write(*model);
  Adopter previous(image->view);
  for (const auto& d : model->datasets) {
    SCOPED_TRACE(d->spec);
    Pool pool;
    auto adopted = previous.Adopt(previous.Find(d->spec), &pool);
    ASSERT_TRUE(adopted.ok());
    const DatasetModel& a = **adopted;
    EXPECT_EQ(a.kind, d->kind);
    EXPECT_EQ(a.ttl, d->ttl);
    EXPECT_EQ(a.counts, d->counts);
    EXPECT_EQ(a.extra_load_lines, d->extra_load_lines);
    EXPECT_EQ(a.entries, d->entries);
    EXPECT_EQ(a.expires_unix, d->expires_unix);
    EXPECT_EQ(a.newest_mtime, d->newest_mtime);
    ASSERT_EQ(a.files.size(), d->files.size());
    EXPECT_EQ(a.files[0].path, d->files[0].path);
    EXPECT_EQ(a.files[0].mtime_nanoseconds, d->files[0].mtime_nanoseconds);
    ASSERT_EQ(a.soa.has_value(), d->soa.has_value());
    if (a.soa) {
      EXPECT_EQ(a.soa->mname, d->soa->mname);
      EXPECT_EQ(a.soa->rname, d->soa->rname);
    }
    ASSERT_EQ(a.ns.has_value(), d->ns.has_value());
    if (a.ns) {
      EXPECT_EQ(a.ns->names, d->ns->names);
    }
    EXPECT_EQ(a.parts.size(), d->parts.size());
    EXPECT_EQ(a.provenance4.size(), d->provenance4.size());
    EXPECT_EQ(a.provenance6.size(), d->provenance6.size());
    EXPECT_EQ(a.provenance_names.size(), d->provenance_names.size());
  }
  // Content, for one of each form.
  Pool pool;
  auto dnset = previous.Adopt(previous.Find("kind6:a,b"), &pool);
  const DnsetName& name = (*dnset)->dnset[0];
  EXPECT_EQ((*dnset)->names.Get(name.name), testing::Wire("example.com"));
  EXPECT_EQ(pool.result(name.wild).size(), 2u);
  EXPECT_EQ(pool.text(pool.result(name.wild)[0].text).literal, "see http://x.test/?");
  EXPECT_EQ(pool.text(pool.result(name.wild)[1].text).holes, (std::vector<uint16_t>{0, 7}));
}

TEST(AdoptTest, AdoptedDatasetsMixWithNewOnes) {
  auto model = RichModel();
  auto image = testing::Write(*model);
  Adopter previous(image->view);
  ImageModel next;
  testing::Result(&next.pool, 77);  // ids of the old pool mean nothing in the new one
  DatasetModel* fresh = testing::AddDataset(&next, image::kIp4Set, "ip4set:fresh");
  fresh->map4 = {{0, 0}, {5, testing::Result(&next.pool, 78)}, {6, 0}};
  auto adopted = previous.Adopt(previous.Find("kind1:a,b"), &next.pool);
  ASSERT_TRUE(adopted.ok());
  next.datasets.push_back(*std::move(adopted));
  testing::AddZone(&next, "bl.test", {0, 1});
  auto second = testing::Write(next);
  ASSERT_NE(second, nullptr);
  auto map_of = [](const image::View& view, size_t dataset) -> const image::MapHeader& {
    return view.map(image::Datasets(view.node(view.zones()[0].node))[dataset].map4);
  };
  const image::MapHeader &before = map_of(image->view, 0), &after = map_of(second->view, 1);
  for (uint32_t i = 0; i < 100000; i++) {
    net::Ip4 a = i * 42949;
    const uint32_t x = image::FindAddress(image->view, before, a).result;
    const uint32_t y = image::FindAddress(second->view, after, a).result;
    ASSERT_EQ(x == 0, y == 0);
    if (x != 0) {
      ASSERT_EQ(image->view.value(x).a[3], second->view.value(y).a[3]);
    }
  }
}

TEST(AdoptTest, UnknownSpecsAndUnusedDatasetsAreNotFound) {
  auto model = RichModel();
  testing::AddDataset(model.get(), image::kIp4Set, "ip4set:unused")->map4 = {{0, testing::Result(&model->pool, 3)}};
  model->datasets.push_back(nullptr);
  auto image = testing::Write(*model);
  Adopter previous(image->view);
  EXPECT_EQ(previous.Find("ip4set:nothing"), -1);
  EXPECT_EQ(previous.Find("ip4set:unused"), -1);
  EXPECT_EQ(previous.Find("part1"), -1) << "parts are no datasets of their own";
  Pool pool;
  EXPECT_FALSE(previous.Adopt(-1, &pool).ok());
  EXPECT_FALSE(previous.Adopt(100000, &pool).ok());
  EXPECT_TRUE(previous.Sources(-1).empty());
  EXPECT_FALSE(previous.SourcesUnchanged(-1));
}

TEST(AdoptTest, NoticesEveryChangeOfAFile) {
  char pattern[] = "/tmp/mz_adopt_test.XXXXXX";
  int fd = ::mkstemp(pattern);
  ASSERT_GE(fd, 0);
  ::close(fd);
  auto source = [&] {
    struct stat st;
    EXPECT_EQ(::stat(pattern, &st), 0);
    return SourceFile{pattern, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, static_cast<uint64_t>(st.st_size), st.st_ino};
  };
  ImageModel model;
  DatasetModel* d = testing::AddDataset(&model, image::kIp4Set, "ip4set:f");
  testing::AddZone(&model, "bl.test", {0});
  auto unchanged = [&] {
    auto image = testing::Write(model);
    Adopter previous(image->view);
    return previous.SourcesUnchanged(previous.Find("ip4set:f"));
  };
  EXPECT_FALSE(unchanged()) << "no files: nothing is known";
  d->files = {source()};
  EXPECT_TRUE(unchanged());
  for (int field = 0; field < 4; field++) {
    d->files = {source()};
    SourceFile& f = d->files[0];
    if (field == 0) f.size++;
    if (field == 1) f.mtime_nanoseconds ^= 1;
    if (field == 2) f.mtime_seconds--;
    if (field == 3) f.inode++;
    EXPECT_FALSE(unchanged()) << field;
  }
  d->files = {source()};
  ::unlink(pattern);
  EXPECT_FALSE(unchanged());
}

TEST(AdoptTest, DamagedMetadataIsRefusedNotTrusted) {
  auto model = RichModel();
  auto image = testing::Write(*model);
  std::string meta(image->view.meta());
  std::mt19937 random(5);
  // The section as such is untrusted JSON to the decoder: whatever is flipped, it decodes or it does not.
  for (int i = 0; i < 3000; i++) {
    std::vector<uint8_t> bytes = image->bytes;
    uint64_t start = image->view.header().sections[image::kMeta].offset;
    for (uint32_t flips = 1 + random() % 3; flips > 0; flips--) {
      size_t at = random() % meta.size();
      bytes[start + at] = static_cast<uint8_t>(random() % 3 ? "0123456789\"[]{},:nul-"[random() % 21] : random());
    }
    Adopter previous{image::View(bytes)};
    for (const auto& d : model->datasets) {
      Pool pool;
      if (int index = previous.Find(d->spec); index >= 0) (void)previous.Adopt(index, &pool).ok();
    }
  }
}

// SPF datasets are made afresh by their own compiler: an earlier image offers none.
TEST(AdoptTest, SpfDatasetsAreNotOffered) {
  ImageModel model;
  testing::SpfModelBuilder spf(&model.pool, {"%{ir}.%{d}"});
  const uint32_t fail = spf.Program(SpfOutcome::kFail, "v=spf1 -all");
  spf.Domain("a.test", {}, {}, fail, fail);
  testing::AddDataset(&model, image::kSpf, "spf:x")->spf = spf.Finish();
  testing::AddDataset(&model, image::kIp4Set, "ip4set:y")->map4 = {{0, 0}, {1, testing::Result(&model.pool, 2)}};
  testing::AddZone(&model, "z.test", {0, 1});
  auto image = testing::Write(model);
  ASSERT_NE(image, nullptr);
  Adopter previous(image->view);
  EXPECT_EQ(previous.Find("spf:x"), -1);
  EXPECT_EQ(previous.Find("ip4set:y"), 1);
  Pool pool;
  EXPECT_EQ(previous.Adopt(0, &pool).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(previous.Adopt(1, &pool).ok());
}

}  // namespace
}  // namespace mz::compiler
