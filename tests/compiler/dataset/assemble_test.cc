// Zone specifications, and how files become datasets and zones.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "format/dns/name.h"
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
  Assembly Run(const std::vector<std::string>& texts) {
    auto specs = ParseZoneSpecs(texts);
    EXPECT_TRUE(specs.ok()) << specs.status();
    auto assembly = Assemble(*specs, options_, nullptr, &sink_);
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

}  // namespace
}  // namespace mz::compiler
