// See base/big_vector.h.
#include "base/big_vector.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>

namespace mz {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

TEST(BigVectorTest, AppendsAcrossAllSizes) {
  BigVector<uint32_t> v;
  std::vector<uint32_t> expected;
  for (uint32_t count = 0; v.size() < 3 * kHugePage / sizeof(uint32_t); count = 2 * count + 1) {
    std::vector<uint32_t> more(count);
    std::iota(more.begin(), more.end(), static_cast<uint32_t>(v.size()));
    Append(&v, more.data(), more.size());
    expected.insert(expected.end(), more.begin(), more.end());
    ASSERT_TRUE(std::equal(v.begin(), v.end(), expected.begin(), expected.end())) << count;
  }
}

TEST(BigVectorTest, ReserveMakesRoomAndKeepsWhatIsThere) {
  BigVector<uint16_t> v;
  Reserve(&v, 1);
  EXPECT_GE(v.capacity(), 1u);
  size_t moves = 0;
  for (uint16_t i = 0; i < 60000; i++) {
    const uint16_t* const before = v.data();
    Reserve(&v, 1);
    ASSERT_GT(v.capacity(), v.size());
    moves += v.data() != before;
    v.push_back(i);
    ASSERT_EQ(v.front(), 0);
    ASSERT_EQ(v[v.size() / 2], v.size() / 2);
  }
  EXPECT_LT(moves, 40u);  // grows by half at least
  for (uint16_t i = 0; i < 60000; i++) ASSERT_EQ(v[i], i);
}

// Memory of whole huge pages, also where the elements are not.
TEST(BigVectorTest, TheLastElementOfLargeArraysIsThere) {
  for (const size_t octets : {2 * kHugePage - 1, 2 * kHugePage, 2 * kHugePage + 1, 3 * kHugePage - 1}) {
    BigVector<uint8_t> v(octets, 7);
    EXPECT_EQ(v.back(), 7);
    BigVector<uint8_t> w(octets);
    w.back() = 8;
    v.swap(w);
    EXPECT_EQ(v.back(), 8);
  }
}

TEST(BigVectorTest, ElementsWithoutAValueAreNotTouched) {
  BigVector<uint32_t> v;
  v.reserve(100);
  v.push_back(4711);
  v.pop_back();
  v.resize(1);
  EXPECT_EQ(v[0], 4711u);
  v.resize(50, 9);
  EXPECT_EQ(v[49], 9u);
}

TEST(BigVectorTest, MoreThanThereAreAddressesThrows) {
  BigVector<uint64_t> v;
  EXPECT_THROW(v.reserve(size_t{1} << 58), std::bad_alloc);
  EXPECT_THROW(BigAllocator<uint64_t>().allocate(~size_t{0}), std::bad_array_new_length);
}

}  // namespace
}  // namespace mz
