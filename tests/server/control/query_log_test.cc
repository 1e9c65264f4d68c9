#include "server/control/query_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <thread>

#include "base/file.h"
#include "format/dns/name.h"
#include "tests/server/control/daemon_process.h"

namespace mz::control {
namespace {

QueryRecord Record(const std::string& name, uint16_t type, uint16_t qclass, uint16_t rcode, uint16_t answers,
                   uint32_t bytes) {
  QueryRecord r;
  r.when_unix = 1795220218;
  r.client4 = 0x7f000001;
  const std::string wire = *dns::ParseName(name);
  r.qname_bytes = static_cast<uint8_t>(wire.size() + 1);
  std::memcpy(r.qname, wire.data(), wire.size());
  r.qname[wire.size()] = 0;
  r.qtype = type;
  r.qclass = qclass;
  r.rcode = rcode;
  r.answer_count = answers;
  r.reply_bytes = bytes;
  return r;
}

TEST(QueryLineTest, LooksLikeRbldnsds) {
  EXPECT_EQ(FormatQueryLine(Record("2.0.0.127.BL.test", 16, 1, 0, 1, 104)),
            "1795220218 127.0.0.1 2.0.0.127.BL.test TXT IN: NOERROR/1/104\n");
  EXPECT_EQ(FormatQueryLine(Record("2.0.0.127.bl.test", 257, 1, 4, 0, 35)),
            "1795220218 127.0.0.1 2.0.0.127.bl.test type257 IN: NOTIMPL/0/35\n");
  EXPECT_EQ(FormatQueryLine(Record("a\\.b\\@c\\032d.bl.test", 1, 1, 3, 0, 79)),
            "1795220218 127.0.0.1 a\\.b\\@c\\032d.bl.test A IN: NXDOMAIN/0/79\n");
  EXPECT_EQ(FormatQueryLine(Record("version.bind", 16, 3, 0, 1, 77)),
            "1795220218 127.0.0.1 version.bind TXT CH: NOERROR/1/77\n");
  EXPECT_EQ(FormatQueryLine(Record(".", 2, 1, 5, 0, 17)), "1795220218 127.0.0.1 . NS IN: REFUSED/0/17\n");
  QueryRecord mapped = Record("x.bl.test", 1, 255, 0, 1, 50);
  mapped.client_is_mapped = true;
  EXPECT_EQ(FormatQueryLine(mapped), "1795220218 ::ffff:127.0.0.1 x.bl.test A ANY: NOERROR/1/50\n");
  QueryRecord v6 = Record("x.bl.test", 1, 1, 0, 1, 50);
  v6.client_is_v4 = false;
  v6.client6 = {0x20010db800000000, 1};
  EXPECT_EQ(FormatQueryLine(v6), "1795220218 2001:db8::1 x.bl.test A IN: NOERROR/1/50\n");
}

class QueryLogTest : public testing::Test {
 protected:
  QueryLogTest() : directory_(MakeTestDirectory()), path_(directory_ + "/log") {}
  ~QueryLogTest() override { std::filesystem::remove_all(directory_); }
  std::string Text() { return ReadFile(path_).value_or(""); }
  Logger log_{[this](LogLevel level, std::string_view line) {
    warnings_ += level == LogLevel::kWarning;
    said_ += std::string(line) + "\n";
  }};
  const std::string directory_, path_;
  const QueryRecord record_ = Record("bl.test", 1, 1, 0, 1, 50);
  const std::string line_ = FormatQueryLine(record_);
  int warnings_ = 0;
  std::string said_;
};

TEST_F(QueryLogTest, BuffersFourKibibytes) {
  QueryLog log(path_, false);
  log.Reopen(log_);
  size_t lines = 0;
  while ((lines + 1) * line_.size() < 4096) {
    log.Write(record_);
    lines++;
    ASSERT_EQ(Text(), "");
  }
  log.Write(record_);
  EXPECT_EQ(Text().size(), (lines + 1) * line_.size());
  log.Write(record_);
  EXPECT_EQ(Text().size(), (lines + 1) * line_.size());
  log.Flush();
  EXPECT_EQ(Text().size(), (lines + 2) * line_.size());
}

TEST_F(QueryLogTest, UnbufferedWritesEveryLine) {
  QueryLog log(path_, true);
  log.Reopen(log_);
  log.Write(record_);
  EXPECT_EQ(Text(), line_);
}

TEST_F(QueryLogTest, AnErrorWarnsAndSwitchesOffUntilReopened) {
  const std::string path = directory_ + "/sub/log";
  QueryLog log(path, true);
  log.Reopen(log_);
  EXPECT_EQ(warnings_, 1);
  EXPECT_EQ(said_, "error (re)opening logfile `" + path + "': No such file or directory\n");
  log.Write(record_);
  ASSERT_TRUE(std::filesystem::create_directory(directory_ + "/sub"));
  log.Reopen(log_);
  log.Write(record_);
  EXPECT_EQ(ReadFile(path).value_or(""), line_);
}

TEST_F(QueryLogTest, AFifoWithoutReaderIsNoTrap) {
  ::signal(SIGPIPE, SIG_IGN);  // as in the daemon
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  QueryLog log(path_, true);
  log.Reopen(log_);
  EXPECT_EQ(warnings_, 1);  // ENXIO: nobody reads
  UniqueFd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  log.Reopen(log_);
  ASSERT_EQ(warnings_, 1);
  // More than a pipe holds: lines are lost and counted, nothing blocks, and what arrives is whole lines.
  const uint64_t lines = 20000;
  for (uint64_t i = 0; i < lines; i++) log.Write(record_);
  EXPECT_GT(log.lost(), 0u);
  std::string got;
  char buffer[65536];
  for (int round = 0; round < 16; round++) {  // what is kept for a slow reader fills the pipe a few times
    for (ssize_t n; (n = ::read(reader.get(), buffer, sizeof buffer)) > 0;) got.append(buffer, static_cast<size_t>(n));
    log.Flush();
  }
  // What lies between two line ends is a whole line or the beginning of one that was given up.
  size_t whole = 0, torn = 0;
  for (size_t at = 0; at < got.size();) {
    const size_t end = std::min(got.find('\n', at), got.size() - 1);
    const std::string line = got.substr(at, end + 1 - at);
    (line == line_ ? whole : torn)++;
    EXPECT_TRUE(line == line_ || line == "\n" || line_.starts_with(line.substr(0, line.size() - 1)));
    at = end + 1;
  }
  EXPECT_GT(whole, 100u);
  EXPECT_LE(torn, 1u);
}

TEST(QueryRingTest, CarriesEverythingInOrderOrCountsIt) {
  UniqueFd wake(::eventfd(0, EFD_NONBLOCK));
  QueryRing ring(4096, wake.get());
  constexpr uint32_t kRecords = 200000;
  std::thread producer([&] {
    std::mt19937 random(1);
    QueryRecord r;
    for (uint32_t i = 0; i < kRecords; i++) {
      r.when_unix = i;
      r.qname_bytes = static_cast<uint8_t>(random() % 256);
      std::memset(r.qname, static_cast<int>(i & 0xff), r.qname_bytes);
      ring.Push(r);
      if (i % 16 == 0) ring.Wake();
    }
    ring.Wake();
  });
  uint64_t got = 0;
  int64_t last = -1;
  auto drain = [&] {
    ring.Drain([&](const QueryRecord& r) {
      ASSERT_GT(int64_t{r.when_unix}, last);
      last = r.when_unix;
      for (int i = 0; i < r.qname_bytes; i++) ASSERT_EQ(r.qname[i], r.when_unix & 0xff);
      got++;
    });
  };
  while (got + ring.lost() < kRecords) drain();
  producer.join();
  drain();
  EXPECT_EQ(got + ring.lost(), kRecords);
  EXPECT_GT(got, 0u);
}

TEST(QueryRingTest, WakesASleeperOnce) {
  UniqueFd wake(::eventfd(0, EFD_NONBLOCK));
  QueryRing ring(1024, wake.get());
  auto woken = [&] {
    uint64_t n = 0;
    return ::read(wake.get(), &n, sizeof n) == sizeof n ? n : 0;
  };
  QueryRecord r;
  ring.Push(r);
  ring.Wake();
  EXPECT_EQ(woken(), 0u);     // nobody sleeps
  EXPECT_FALSE(ring.Sleep());  // there is something
  ring.Drain([](const QueryRecord&) {});
  EXPECT_TRUE(ring.Sleep());
  ring.Push(r);
  ring.Wake();
  ring.Wake();
  EXPECT_EQ(woken(), 1u);
}

}  // namespace
}  // namespace mz::control
