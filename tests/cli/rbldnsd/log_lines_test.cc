#include "cli/rbldnsd/log_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mz::cli {
namespace {

dataset::Diagnostic Warning(uint32_t line, const std::string& message) {
  dataset::Diagnostic d;
  d.file = "bl";
  d.line = line;
  d.message = message;
  return d;
}

std::vector<std::string> Texts(const std::vector<LogLine>& lines) {
  std::vector<std::string> out;
  for (const LogLine& l : lines) out.push_back(l.text);
  return out;
}

TEST(RbldnsdSinkTest, FiveWarningsThenACount) {
  RbldnsdSink sink;
  sink.BeginDataset("ip4set:bl");
  for (uint32_t i = 1; i <= 7; i++) sink.Report(Warning(i, "invalid address"));
  dataset::Diagnostic uncounted = Warning(0, "said anyway");
  uncounted.counted = false;
  sink.Report(uncounted);
  sink.ReportSuppressed(10);
  sink.EndDataset("ip4set:bl", true);
  sink.BeginDataset("dnset:bl");
  sink.Report(Warning(1, "invalid domain name"));
  sink.EndDataset("dnset:bl", true);
  EXPECT_THAT(Texts(sink.Take("ip4set:bl")),
              testing::ElementsAre("file bl(1): invalid address", "file bl(2): invalid address",
                                   "file bl(3): invalid address", "file bl(4): invalid address",
                                   "file bl(5): invalid address", "file bl: said anyway",
                                   "ip4set:bl: 12 more warnings suppressed"));
  EXPECT_THAT(Texts(sink.Take("dnset:bl")), testing::ElementsAre("file bl(1): invalid domain name"));
}

TEST(RbldnsdSinkTest, FileNamesAreCut) {
  RbldnsdSink sink;
  sink.BeginDataset("ip4set:x");
  dataset::Diagnostic d = Warning(3, "unable to open file: No such file or directory");
  d.file = std::string(100, 'f');
  d.line = 0;
  d.severity = dataset::Severity::kError;
  sink.Report(d);
  std::vector<LogLine> lines = sink.Take("ip4set:x");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].level, LogLevel::kError);
  EXPECT_EQ(lines[0].text, "file " + std::string(60, 'f') + ": unable to open file: No such file or directory");
}

TEST(LoadLinesTest, DateIsGmtAndExtraLinesStandWhereRbldnsdPutsThem) {
  compiler::DatasetModel d;
  d.kind = image::kAcl;
  d.spec = "acl:l";
  d.newest_mtime = 1700000000;
  d.counts = "loaded";
  d.extra_load_lines = {"acl:l: ip4 trie: ents=1"};
  EXPECT_THAT(Texts(LoadLines(d)), testing::ElementsAre("acl:l: 20231114 221320: loaded", "acl:l: ip4 trie: ents=1"));
  d.kind = image::kCombined;
  d.spec = "combined:k";
  d.counts = "subzones=3 datasets=2";
  d.extra_load_lines = {"combined:k:dnset: e/w=1/0"};
  EXPECT_THAT(Texts(LoadLines(d)),
              testing::ElementsAre("combined:k:dnset: e/w=1/0", "combined:k: 20231114 221320: subzones=3 datasets=2"));
}

TEST(AssemblyLinesTest, ZonesAreCutAndKeptDataAreSaidSo) {
  compiler::Assembly a;
  a.datasets.push_back({"ip4set:bl", compiler::Assembly::Dataset::kKept, "gone"});
  a.model.datasets.emplace_back();
  const std::string name(80, 'z');
  a.zone_errors = {"zone " + name + ": not all datasets are loaded, zone will not be serviced",
                   "zone x: zone data expired, zone will not be serviced"};
  RbldnsdSink sink;
  EXPECT_THAT(Texts(AssemblyLines(a, &sink, false)),
              testing::ElementsAre("ip4set:bl: not loaded, its last good data stay in service",
                                   "zone " + name.substr(0, 70) +
                                       ": not all datasets are loaded, zone will not be serviced"));
  EXPECT_EQ(AssemblyLines(a, &sink, true).size(), 3u);
}

}  // namespace
}  // namespace mz::cli
