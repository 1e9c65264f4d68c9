#include "format/stats/page.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "base/file.h"

namespace mz::stats {
namespace {

class PageTest : public testing::Test {
 protected:
  PageTest() {
    std::string t = (std::filesystem::temp_directory_path() / "mz_page.XXXXXX").string();
    MZ_CHECK(::mkdtemp(t.data()));
    directory_ = t;
    path_ = t + "/page";
  }
  ~PageTest() override { std::filesystem::remove_all(directory_); }
  std::string directory_, path_;
};

TEST_F(PageTest, ReaderSeesWhatTheWriterWrote) {
  StatusOr<Page> page = Page::Create(path_, 2, 4);
  ASSERT_TRUE(page.ok()) << page.status();
  {
    HeaderUpdate u(*page);
    u->generation = 7;
    u->last_verdict = ReloadVerdict::kFailed;
    CopyText("no such file", u->last_error, sizeof u->last_error);
    CopyText("epoll", u->io_backend, sizeof u->io_backend);
  }
  const uint32_t a = page->SlotOf("a.test");
  page->worker(0).queries = 3;
  page->worker(1).queries = 4;
  page->zone(0, a).ok = 1;
  page->zone(1, a).ok = 2;
  page->zone(1, a).bytes_out = 99;

  StatusOr<Snapshot> s = ReadSnapshot(path_);
  ASSERT_TRUE(s.ok()) << s.status();
  EXPECT_EQ(s->header.generation, 7u);
  EXPECT_EQ(s->header.last_verdict, ReloadVerdict::kFailed);
  EXPECT_EQ(s->header.last_error, "no such file");
  EXPECT_EQ(s->header.io_backend, "epoll");
  EXPECT_EQ(s->header.pid, static_cast<uint32_t>(::getpid()));
  EXPECT_TRUE(s->running);
  ASSERT_EQ(s->workers.size(), 2u);
  EXPECT_EQ(s->workers[1].queries, 4u);
  EXPECT_EQ(s->Total().queries, 7u);
  ASSERT_EQ(s->zones.size(), 1u);
  EXPECT_EQ(s->zones[0].zone, "a.test");
  EXPECT_EQ(s->zones[0].ok, 3u);
  EXPECT_EQ(s->zones[0].bytes_out, 99u);
}

TEST_F(PageTest, IsReadableByAllWhateverTheUmask) {
  const mode_t before = ::umask(077);
  StatusOr<Page> page = Page::Create(path_, 1, 1);
  ::umask(before);
  ASSERT_TRUE(page.ok());
  struct stat st;
  ASSERT_EQ(::stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0644u);
}

TEST_F(PageTest, ZonesKeepTheirSlotsAndTheLastOneTakesTheRest) {
  StatusOr<Page> page = Page::Anonymous(1, 3);
  ASSERT_TRUE(page.ok());
  const uint32_t a = page->SlotOf("a"), b = page->SlotOf("b");
  EXPECT_NE(a, b);
  EXPECT_EQ(page->SlotOf("c"), 2u);
  EXPECT_EQ(page->SlotOf("d"), 2u);
  EXPECT_STREQ(page->zone_name(2).text, "*");
  EXPECT_EQ(page->SlotOf("a"), a);
  EXPECT_EQ(page->SlotOf("b"), b);
}

TEST_F(PageTest, OverlongNamesFindTheirSlotAgain) {
  StatusOr<Page> page = Page::Anonymous(1, 10);
  ASSERT_TRUE(page.ok());
  const std::string name(1000, 'x');
  const uint32_t slot = page->SlotOf(name);
  EXPECT_EQ(page->SlotOf(name), slot);
  EXPECT_EQ(std::string(page->zone_name(slot).text).size(), kZoneNameBytes - 1);
}

TEST_F(PageTest, TheRestIsReportedWhenItCounted) {
  StatusOr<Page> page = Page::Create(path_, 2, 1);
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(ReadSnapshot(path_)->zones.empty());
  page->zone(1, page->SlotOf("a")).nxdomain = 5;
  StatusOr<Snapshot> s = ReadSnapshot(path_);
  ASSERT_EQ(s->zones.size(), 1u);
  EXPECT_EQ(s->zones[0].zone, "*");
  EXPECT_EQ(s->zones[0].nxdomain, 5u);
}

TEST_F(PageTest, ANewPageReplacesTheOldOneAndUnlinkKeepsStrangers) {
  StatusOr<Page> first = Page::Create(path_, 1, 1);
  StatusOr<Page> second = Page::Create(path_, 1, 1);
  ASSERT_TRUE(first.ok() && second.ok());
  first->worker(0).queries = 1;  // its mapping is still good
  first->Unlink();
  EXPECT_TRUE(std::filesystem::exists(path_));
  second->Unlink();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(PageTest, FailuresLeaveNothingBehind) {
  EXPECT_EQ(Page::Create(directory_ + "/no/such", 1, 1).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(std::filesystem::create_directory(path_));
  EXPECT_FALSE(Page::Create(path_, 1, 1).ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(PageTest, ReaderRefusesWhatIsNoPage) {
  EXPECT_EQ(ReadSnapshot(path_).status().code(), StatusCode::kNotFound);
  auto put = [&](const std::string& bytes) {
    UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    ASSERT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  };
  put("");
  EXPECT_EQ(ReadSnapshot(path_).status().code(), StatusCode::kDataLoss);
  put(std::string(10000, 'x'));
  EXPECT_EQ(ReadSnapshot(path_).status().code(), StatusCode::kDataLoss);

  StatusOr<Page> page = Page::Create(path_, 2, 8);
  ASSERT_TRUE(page.ok());
  const std::string good = *ReadFile(path_);
  put(good.substr(0, good.size() - 1));
  EXPECT_EQ(ReadSnapshot(path_).status().code(), StatusCode::kDataLoss);
  put(good);
  EXPECT_TRUE(ReadSnapshot(path_).ok());
  // Any damage of the header: an error or a value, never a crash.
  std::mt19937 random(20261121);
  // (A damaged sequence number costs the reader's whole patience, a tenth of a second.)
  for (int i = 0; i < 300; i++) {
    std::string bad = good;
    bad[random() % 64] = static_cast<char>(random());
    put(bad);
    (void)ReadSnapshot(path_);
  }
}

TEST_F(PageTest, AHeaderInTheMiddleOfAChangeIsNotBelieved) {
  StatusOr<Page> page = Page::Create(path_, 1, 1);
  ASSERT_TRUE(page.ok());
  std::atomic<bool> stop{false};
  // Two fields that belong together.
  std::thread writer([&] {
    for (uint64_t n = 1; !stop; n++) {
      {
        HeaderUpdate u(*page);
        u->generation = n;
        u->image_bytes = n;
      }
      // Without a pause the page would nearly always be in the middle of a change, and readers would wait in vain.
      const auto pause = std::chrono::steady_clock::now() + std::chrono::microseconds(2);
      while (std::chrono::steady_clock::now() < pause) {
      }
    }
  });
  int good = 0;
  for (int i = 0; i < 2000; i++) {
    StatusOr<HeaderSample> h = ReadHeader(path_);
    if (!h.ok()) continue;
    good++;
    ASSERT_EQ(h->generation, h->image_bytes);
  }
  stop = true;
  writer.join();
  EXPECT_GT(good, 0);

  page->header().sequence.fetch_add(1);
  EXPECT_EQ(ReadHeader(path_).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace mz::stats
