// See base/lazy_memory.h.
#include "base/lazy_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

namespace mz {
namespace {

constexpr size_t kPages = 1024;

size_t ResidentPages(const LazyMemory& memory) {
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident((memory.size() + page - 1) / page);
  EXPECT_EQ(::mincore(memory.data(), memory.size(), resident.data()), 0);
  return static_cast<size_t>(std::count_if(resident.begin(), resident.end(), [](unsigned char r) { return r & 1; }));
}

TEST(LazyMemoryTest, PagesExistWhenTheyAreWritten) {
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const LazyMemory memory(kPages * page);
  EXPECT_EQ(ResidentPages(memory), 0u);
  memory.data()[0] = 1;
  memory.data()[700 * page] = 1;
  EXPECT_EQ(ResidentPages(memory), 2u);
  EXPECT_EQ(memory.data()[701 * page], 0);
}

TEST(LazyMemoryTest, PopulateTakesWhatTheOctetsTouch) {
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const LazyMemory memory(kPages * page);
  memory.Populate(page + 10, 3 * page + 1);
  EXPECT_EQ(ResidentPages(memory), 3u);
  memory.Populate(100 * page, 100 * page + 1);
  EXPECT_EQ(ResidentPages(memory), 4u);
  memory.Populate(page, page);
  EXPECT_EQ(ResidentPages(memory), 4u);
  memory.Populate(5, 5);
  EXPECT_LE(ResidentPages(memory), 5u);
}

TEST(LazyMemoryTest, MovesAndFrees) {
  LazyMemory a(100);
  a.data()[99] = 7;
  LazyMemory b = std::move(a);
  EXPECT_EQ(a.data(), nullptr);
  EXPECT_EQ(b.data()[99], 7);
  a = std::move(b);
  EXPECT_EQ(a.size(), 100u);
  EXPECT_EQ(a.data()[99], 7);
  EXPECT_EQ(LazyMemory(0).data(), nullptr);
}

bool IsMapped(const uint8_t* page) {
  unsigned char resident;
  return ::mincore(const_cast<uint8_t*>(page), 1, &resident) == 0;
}

TEST(LazyMemoryTest, GivesItsAddressesBack) {
  const uint8_t *first, *second;
  {
    LazyMemory a(100), b(100);
    first = a.data();
    second = b.data();
    ASSERT_TRUE(IsMapped(first));
    a = std::move(b);
    EXPECT_FALSE(IsMapped(first));
    EXPECT_TRUE(IsMapped(second));
  }
  EXPECT_FALSE(IsMapped(second));
}

TEST(LazyMemoryTest, MoreThanThereAreAddressesThrows) { EXPECT_THROW(LazyMemory(size_t{1} << 60), std::bad_alloc); }

}  // namespace
}  // namespace mz
