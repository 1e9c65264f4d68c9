// Zone specifications, and how files become datasets and zones.
#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "compiler/build/image_writer.h"
#include "format/image/verify.h"
#include "tests/compiler/dataset/probe.h"

namespace mz::compiler {
namespace {

using Messages = std::vector<std::string>;

std::string SpecError(const std::vector<std::string>& texts) {
  return std::string(Message(ParseZoneSpecs(texts).status()));
}

TEST(ZoneSpecTest, SplitsNamesTypeAndFiles) {
  auto spec = ParseZoneSpec("Z.\\065B..:ip4set:a,,b:c:");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->zone, "\1z\2ab");
  EXPECT_EQ(spec->zone_text, "z.ab");
  EXPECT_EQ(spec->files, (Messages{"a", "b", "c"}));
  EXPECT_EQ(spec->dataset_spec, "ip4set:a,,b:c:");
  EXPECT_EQ(DatasetLogName("ip4set:" + std::string(70, 'f')), "ip4set:" + std::string(60, 'f'));
}

TEST(ZoneSpecTest, RefusesWithRbldnsdsWords) {
  EXPECT_EQ(SpecError({"foo"}), "invalid zone spec `foo'");
  EXPECT_EQ(SpecError({""}), "invalid zone spec `'");
  EXPECT_EQ(SpecError({"foo:bar"}), "invalid zone data specification `bar'");
  EXPECT_EQ(SpecError({"foo:bar:baz"}), "unknown dataset type `bar'");
  EXPECT_EQ(SpecError({"foo:IP4SET:baz"}), "unknown dataset type `IP4SET'");
  EXPECT_EQ(SpecError({"foo:ip4set:"}), "missing filenames for ip4set");
  EXPECT_EQ(SpecError({"foo:ip4set:,:"}), "missing filenames for ip4set");
  EXPECT_EQ(SpecError({":ip4set:f"}), "missing domain name in `:ip4set:f'");
  EXPECT_EQ(SpecError({".:ip4set:f"}), "missing domain name in `.:ip4set:f'");
  EXPECT_EQ(SpecError({"::"}), "unknown dataset type `'");
  EXPECT_EQ(SpecError({":ip4set:"}), "missing filenames for ip4set");
  EXPECT_EQ(SpecError({".:acl:f"}), "") << "the root is no name: the acl of all zones";
  EXPECT_EQ(SpecError({std::string(64, 'x') + ":ip4set:f"}), "invalid domain name `" + std::string(64, 'x') + "'");
  EXPECT_EQ(SpecError({"a:acl:f"}), "missing data for zone `a'");
  EXPECT_EQ(SpecError({":acl:f", ":acl:f", "a:ip4set:f"}), "global acl specified more than once");
  EXPECT_EQ(SpecError({"a:acl:f", "a:acl:f", "a:ip4set:f"}), "repeated ACL definition for zone `a'");
  EXPECT_EQ(SpecError({":acl:f"}), "");
}

TEST(ParseTimeTest, TakesRbldnsdsUnits) {
  EXPECT_EQ(ParseTime("35m").value(), 2100u);
  EXPECT_FALSE(ParseTime("1h30m").ok());
  EXPECT_FALSE(ParseTime("").ok());
}

class AssembleTest : public ::testing::Test {
 protected:
  AssembleTest() : dir_(testing::TempDir() + "assemble_test." + std::to_string(::getpid())) {
    std::filesystem::create_directories(dir_);
    options_.now_unix = 1700000000;
  }
  ~AssembleTest() override { std::filesystem::remove_all(dir_); }
  void Write(const std::string& name, std::string_view text) { std::ofstream(dir_ + "/" + name, std::ios::binary) << text; }
  std::string At(const std::string& name) const { return dir_ + "/" + name; }
  Assembly Run(const std::vector<std::string>& texts, const Adopter* previous = nullptr) {
    auto specs = ParseZoneSpecs(texts);
    EXPECT_TRUE(specs.ok()) << specs.status();
    auto assembly = Assemble(*specs, options_, previous, &sink_);
    EXPECT_TRUE(assembly.ok());
    return std::move(*assembly);
  }
  static Messages ZoneNames(const Assembly& a) {
    Messages out;
    for (const ZoneModel& z : a.model.zones) out.push_back(z.text);
    return out;
  }
  std::string dir_;
  CompileOptions options_;
  test::KeepingSink sink_;
};

TEST_F(AssembleTest, SharesDatasetsAndKeepsOrder) {
  Write("a", "1.0.0.1 a\n");
  Write("b", "1.0.0.2 b\n");
  const std::string a = ":ip4set:" + At("a"), b = ":ip4set:" + At("b");
  Assembly out = Run({"x.test" + a, "x.test" + b, "y.test" + a, "x.test" + a, ":acl:" + At("b"), "y.test:acl:" + At("b")});
  EXPECT_EQ(out.datasets.size(), 3u);
  EXPECT_EQ(out.model.zones[0].datasets, (std::vector<uint32_t>{0, 1})) << "the same spec twice is one dataset";
  EXPECT_EQ(out.model.zones[1].datasets, (std::vector<uint32_t>{0}));
  EXPECT_EQ(*out.model.global_acl, 2u);
  EXPECT_EQ(*out.model.zones[1].acl, 2u);
  EXPECT_TRUE(out.changed);
  EXPECT_TRUE(out.all_loaded);
  EXPECT_EQ(out.model.datasets[0]->files[0].path, At("a"));
  EXPECT_EQ(out.model.datasets[0]->files[0].size, 10u);
}

TEST_F(AssembleTest, PutsNestedZonesBeforeTheirNearestAncestor) {
  Write("a", "");
  const std::string a = ":ip4set:" + At("a");
  Assembly out = Run({"z.test" + a, "q.test" + a, "x.z.test" + a, "test" + a, "y.x.z.test" + a, "r.q.test" + a, "other" + a});
  EXPECT_EQ(ZoneNames(out), (Messages{"y.x.z.test", "x.z.test", "z.test", "r.q.test", "q.test", "test", "other"}));
}

TEST_F(AssembleTest, MissingFilesTakeTheirZonesDown) {
  Write("a", "1.0.0.1 a\n");
  Assembly out = Run({"ok.test:ip4set:" + At("a"), "bl.test:ip4set:" + At("a"), "bl.test:ip4set:" + At("nofile")});
  EXPECT_FALSE(out.all_loaded);
  EXPECT_EQ(out.datasets[1].state, Assembly::Dataset::kMissing);
  EXPECT_EQ(out.model.datasets[1], nullptr);
  EXPECT_EQ(out.zone_errors, (Messages{"zone bl.test: not all datasets are loaded, zone will not be serviced"}));
  EXPECT_EQ(out.model.zones[0].flags & image::kZoneNotLoaded, 0u);
  EXPECT_NE(out.model.zones[1].flags & image::kZoneNotLoaded, 0u);
  EXPECT_EQ(sink_.messages, (Messages{"0: unable to open file: No such file or directory"}));
}

TEST_F(AssembleTest, MissingAccessRulesCloseTheZone) {
  Write("a", "1.0.0.1 a\n");
  Assembly out = Run({"bl.test:ip4set:" + At("a"), "bl.test:acl:" + At("nofile"), "ok.test:ip4set:" + At("a")});
  EXPECT_NE(out.model.zones[0].flags & image::kZoneNotLoaded, 0u);
  EXPECT_EQ(out.model.zones[1].flags & image::kZoneNotLoaded, 0u);
}

TEST_F(AssembleTest, SaysWhichZonesAreExpired) {
  Write("a", "$TIMESTAMP 0 20200101\n1.0.0.1\n");
  Assembly out = Run({"bl.test:ip4set:" + At("a")});
  EXPECT_EQ(out.zone_errors, (Messages{"zone bl.test: zone data expired, zone will not be serviced"}));
  EXPECT_EQ(out.model.datasets[0]->expires_unix, 1577836800);
}

TEST_F(AssembleTest, FurtherFilesOfCombinedGoOnAfterASpecial) {
  Write("a", "$DATASET ip4set @\n:5:$1\n1.0.0.1\n$1 A\n");
  Write("b", "$2 B\n1.0.0.2 $1$2\n");
  Write("c", "1.0.0.2\n");
  Assembly out = Run({"z.test:combined:" + At("a") + "," + At("b")});
  const DatasetModel& part = *out.model.datasets[0]->parts[0];
  EXPECT_EQ(test::AskIp4(part, out.model.pool, "1.0.0.2"), "127.0.0.5 \"AB\"");
  Assembly bad = Run({"z.test:combined:" + At("a") + "," + At("c")});
  EXPECT_FALSE(bad.all_loaded);
  EXPECT_EQ(sink_.messages, (Messages{"1: invalid/unrecognized entry - specify $DATASET line"}));
}

TEST_F(AssembleTest, DefaultsAreResetAtEachFile) {
  Write("a", ":5:five\n1.0.0.1\n");
  Write("b", "1.0.0.2\n");
  Assembly out = Run({"z.test:ip4set:" + At("a") + "," + At("b")});
  EXPECT_EQ(test::AskIp4(*out.model.datasets[0], out.model.pool, "1.0.0.2"), "127.0.0.2");
  EXPECT_EQ(out.model.datasets[0]->provenance4[1].file, 1u);
  EXPECT_EQ(out.model.datasets[0]->provenance4[1].line, 1u);
}

TEST_F(AssembleTest, FileTimeZeroCountsAsNotLoaded) {
  Write("a", "1.0.0.1\n");
  struct timespec times[2] = {{0, 0}, {0, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, At("a").c_str(), times, 0), 0);
  EXPECT_FALSE(Run({"z.test:ip4set:" + At("a")}).all_loaded);
}

TEST_F(AssembleTest, KnownFailuresAreNoChange) {
  const std::string spec = "ip4set:" + At("nofile");
  EXPECT_TRUE(Run({"z.test:" + spec}).changed);
  options_.failing_before = {spec};
  EXPECT_FALSE(Run({"z.test:" + spec}).changed);
}

// An assembly as an image, and what can be taken over from it.
struct Written {
  explicit Written(const Assembly& assembly) {
    EXPECT_TRUE(WriteImage(assembly.model, WriteOptions(), &bytes).ok());
    auto view = image::Verify(bytes, image::VerifyLevel::kEverything);
    EXPECT_TRUE(view.ok()) << view.status();
    adopter = std::make_unique<Adopter>(*view);
  }
  std::vector<uint8_t> bytes;
  std::unique_ptr<Adopter> adopter;
};

TEST_F(AssembleTest, TakesOverWhatDidNotChange) {
  Write("a", "$1 x\n1.0.0.1 a $1 $\n");
  Write("b", "$DATASET dnset @\n.com b\n$DATASET ip4trie q\n1.0.0.0/8 c\n");
  const std::vector<std::string> specs = {"z.test:ip4set:" + At("a"), "z.test:combined:" + At("b")};
  Written image(Run(specs));
  Assembly same = Run(specs, image.adopter.get());
  EXPECT_EQ(same.datasets[0].state, Assembly::Dataset::kUnchanged);
  EXPECT_EQ(same.datasets[1].state, Assembly::Dataset::kUnchanged);
  EXPECT_FALSE(same.changed);
  EXPECT_EQ(test::AskIp4(*same.model.datasets[0], same.model.pool, "1.0.0.1"), "127.0.0.2 \"a x <>\"");

  Write("a", "1.0.0.1 longer now\n");
  Assembly changed = Run(specs, image.adopter.get());
  EXPECT_EQ(changed.datasets[0].state, Assembly::Dataset::kCompiled);
  EXPECT_EQ(changed.datasets[1].state, Assembly::Dataset::kUnchanged);
  EXPECT_TRUE(changed.changed);
  EXPECT_EQ(test::AskIp4(*changed.model.datasets[0], changed.model.pool, "1.0.0.1"), "127.0.0.2 \"longer now\"");
}

TEST_F(AssembleTest, KeepsTheLastGoodDataWhileFilesAreBroken) {
  Write("a", "$SOA 1h n.t p.t 0 1 2 3 4\n1.0.0.1 a\n");
  const std::vector<std::string> specs = {"z.test:ip4set:" + At("a")};
  Written image(Run(specs));
  std::filesystem::remove(At("a"));
  Assembly kept = Run(specs, image.adopter.get());
  EXPECT_EQ(kept.datasets[0].state, Assembly::Dataset::kKept);
  EXPECT_EQ(kept.datasets[0].error, "file " + At("a") + ": unable to open file: No such file or directory");
  EXPECT_TRUE(kept.all_loaded);
  EXPECT_TRUE(kept.changed);
  EXPECT_TRUE(kept.zone_errors.empty());
  EXPECT_EQ(test::AskIp4(*kept.model.datasets[0], kept.model.pool, "1.0.0.1"), "127.0.0.2 \"a\"");
  EXPECT_EQ(kept.model.datasets[0]->soa->minimum, 4u);

  // Still broken, from the image that was written meanwhile: the data stays, and it is no news.
  Written second(kept);
  options_.failing_before = {kept.datasets[0].spec};
  Assembly again = Run(specs, second.adopter.get());
  EXPECT_EQ(again.datasets[0].state, Assembly::Dataset::kKept);
  EXPECT_FALSE(again.changed);
}

}  // namespace
}  // namespace mz::compiler
