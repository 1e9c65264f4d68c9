#include "server/control/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "server/control/reload_line.h"
#include "tests/server/control/daemon_process.h"

namespace mz::control {
namespace {

TEST(StatisticsLineTest, LooksLikeRbldnsds) {
  EXPECT_EQ(ZoneStatsLine(3, "bl.test", {4, 2, 0, 198, 547}),
            "stats for 3secs zone bl.test: tot=6 ok=4 nxd=2 err=0 in=198 out=547");
  EXPECT_EQ(TotalStatsLine(3, {7, 2, 7, 459, 862}), "stats for 3sec: tot=16 ok=7 nxd=2 err=7 in=459 out=862");
  EXPECT_EQ(StatsFileField("bl.test", {4, 2, 1, 198, 547}), "bl.test:7:4:2:198:547");
}

TEST(ReloadedLineTest, HundredthsArePadded) {
  EXPECT_EQ(ReloadedLine(0.27, 0.24, {284 * 1024, 131 * 1024, 31252 * 1024}),
            "zones reloaded, time 0.27e/0.24u sec, mem arena=284 free=131 mmap=31252 Kb");
  EXPECT_EQ(ReloadedLine(1.07, 0.004, {0, 0, uint64_t{5} << 32}),
            "zones reloaded, time 1.07e/0.00u sec, mem arena=0 free=0 mmap=20971520 Kb");
}

class StatisticsTest : public testing::Test {
 protected:
  StatisticsTest() : directory_(MakeTestDirectory()), file_(directory_ + "/stats") {
    page_ = std::move(*stats::Page::Anonymous(2, 8));
    a_ = page_.SlotOf("a");
    b_ = page_.SlotOf("b");
  }
  ~StatisticsTest() override { std::filesystem::remove_all(directory_); }
  // One query of each kind by each worker.
  void Traffic() {
    for (uint32_t w = 0; w < 2; w++) {
      page_.zone(w, a_).ok += 1;
      page_.zone(w, a_).bytes_in += 10;
      page_.zone(w, a_).bytes_out += 100;
      page_.worker(w).answered += 1;
      page_.worker(w).errors += 1;
      page_.worker(w).dropped += 1;
      page_.worker(w).bytes_in += 30;
      page_.worker(w).bytes_out += 110;
    }
  }
  std::string Text() { return ReadFile(file_).value_or(""); }
  std::string Lines(const Statistics& s, int64_t now) {
    std::string out;
    s.LogLines(Logger([&](LogLevel, std::string_view line) { out += std::string(line) + "\n"; }), now);
    return out;
  }
  const std::string directory_, file_;
  stats::Page page_;
  uint32_t a_, b_;
};

TEST_F(StatisticsTest, SumsWorkersAndCountsSinceZeroed) {
  Statistics s(page_, "", false, 1000);
  const uint32_t order[] = {b_, a_};
  s.SetZones(order);
  Traffic();
  EXPECT_EQ(Lines(s, 1003),
            "stats for 3secs zone b: tot=0 ok=0 nxd=0 err=0 in=0 out=0\n"
            "stats for 3secs zone a: tot=2 ok=2 nxd=0 err=0 in=20 out=200\n"
            "stats for 3sec: tot=6 ok=2 nxd=0 err=4 in=60 out=220\n");
  s.Zero(1005);
  EXPECT_THAT(Lines(s, 1006), testing::HasSubstr("stats for 1sec: tot=0 ok=0 nxd=0 err=0 in=0 out=0\n"));
  Traffic();
  EXPECT_THAT(Lines(s, 1006), testing::HasSubstr("stats for 1sec: tot=6 ok=2 nxd=0 err=4 in=60 out=220\n"));
}

TEST_F(StatisticsTest, FileHasAbsoluteCounters) {
  Statistics s(page_, file_, false, 1000);
  const uint32_t order[] = {a_, b_};
  s.SetZones(order);
  s.WriteTimestamp(1000);
  Traffic();
  s.WriteLine(1060);
  s.WriteLine(1120);
  s.Zero(1130);
  s.WriteTimestamp(1130);
  s.WriteLine(1180);
  EXPECT_EQ(Text(),
            "1000\n1060 a:2:2:0:20:200 b:0:0:0:0:0 *:6:2:0:60:220\n"
            "1120 a:2:2:0:20:200 b:0:0:0:0:0 *:6:2:0:60:220\n1130\n"
            "1180 a:0:0:0:0:0 b:0:0:0:0:0 *:0:0:0:0:0\n");
}

TEST_F(StatisticsTest, FileHasDifferencesAndZonesComeAndGo) {
  Statistics s(page_, file_, true, 1000);
  const uint32_t both[] = {a_, b_}, only_b[] = {b_};
  s.SetZones(both);
  Traffic();
  s.WriteLine(1060);
  Traffic();
  s.SetZones(only_b);
  s.WriteLine(1120);
  s.SetZones(both);
  Traffic();
  s.WriteLine(1180);
  EXPECT_EQ(Text(),
            "1060 a:2:2:0:20:200 b:0:0:0:0:0 *:6:2:0:60:220\n"
            "1120 b:0:0:0:0:0 *:6:2:0:60:220\n"
            "1180 a:2:2:0:20:200 b:0:0:0:0:0 *:6:2:0:60:220\n");
}

}  // namespace
}  // namespace mz::control
