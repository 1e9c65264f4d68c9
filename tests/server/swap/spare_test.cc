// Memory that goes from one image to the next.
#include "server/swap/spare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace mz::swap {
namespace {

constexpr size_t kBytes = (8u << 20) + 12345;

// `used`: whether it is to be memory that was filled before. The address would not tell: new memory often gets the old one.
Mapping Filled(SpareMemory& spare, size_t size, bool used = false) {
  StatusOr<Mapping> m = spare.Take(size);
  EXPECT_TRUE(m.ok()) << m.status();
  EXPECT_EQ(m->writable()[0], used ? 'x' : 0) << size;
  EXPECT_EQ(m->bytes().size(), size);
  std::memset(m->writable(), 'x', size);
  EXPECT_TRUE(m->Seal().ok());
  return std::move(*m);
}

// The address of what is kept after `first` bytes were used, and of what `second` bytes get then.
bool Reused(size_t first, size_t second) {
  SpareMemory spare;
  Mapping m = Filled(spare, first);
  const uint8_t* const address = m.bytes().data();
  spare.Keep(std::move(m));
  Mapping again = Filled(spare, second, true);
  EXPECT_TRUE(std::ranges::all_of(again.bytes(), [](uint8_t octet) { return octet == 'x'; }));
  return again.bytes().data() == address;
}

TEST(SpareMemoryTest, IsUsedAgainForWhatFits) {
  EXPECT_TRUE(Reused(kBytes, kBytes));
  EXPECT_TRUE(Reused(kBytes, kBytes + kBytes / 10));
  EXPECT_TRUE(Reused(kBytes, kBytes - kBytes / 3));
  EXPECT_TRUE(Reused(10000, 10001));
  SpareMemory spare;
  Mapping m = Filled(spare, kBytes);
  const uint8_t* const address = m.bytes().data();
  for (const size_t size : {kBytes - kBytes / 3, kBytes, kBytes / 2 + 1, kBytes + kBytes / 10}) {
    spare.Keep(std::move(m));
    m = Filled(spare, size, true);
    EXPECT_EQ(m.bytes().data(), address) << size;
  }
}

// What a smaller image does not need is given back, and reads as zeros where a larger one needs it again.
TEST(SpareMemoryTest, TheRestIsGivenBack) {
  SpareMemory spare;
  spare.Keep(Filled(spare, kBytes));
  spare.Keep(Filled(spare, kBytes - kBytes / 3, true));
  StatusOr<Mapping> all = spare.Take(kBytes);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->bytes()[kBytes - kBytes / 3 - 1], 'x');
  EXPECT_EQ(all->bytes()[kBytes - kBytes / 6], 0);  // in whole pages
}

TEST(SpareMemoryTest, WhatDoesNotFitIsNew) {
  SpareMemory spare;
  spare.Keep(Filled(spare, kBytes));
  Filled(spare, 2 * kBytes);
  spare.Keep(Filled(spare, 2 * kBytes));
  Filled(spare, kBytes / 2);
}

TEST(SpareMemoryTest, IsGivenOutOnce) {
  SpareMemory spare;
  spare.Keep(Filled(spare, kBytes));
  Mapping one = Filled(spare, kBytes, true), other = Filled(spare, kBytes);
  EXPECT_NE(one.bytes().data(), other.bytes().data());
  spare.Keep(std::move(one));
  spare.Keep(std::move(other));  // ends the first
}

// While it is kept, the kernel may have it back.
TEST(SpareMemoryTest, IsLentToTheKernel) {
  auto lazily_free = [] {
    size_t kib = SIZE_MAX >> 10;
    if (FILE* f = std::fopen("/proc/self/smaps_rollup", "r")) {
      char line[200];
      while (std::fgets(line, sizeof line, f)) std::sscanf(line, "LazyFree: %zu", &kib);
      std::fclose(f);
    }
    return kib << 10;
  };
  SpareMemory spare;
  Mapping m = Filled(spare, kBytes);
  const size_t before = lazily_free();
  spare.Keep(std::move(m));
  if (before == SIZE_MAX >> 10 << 10) GTEST_SKIP() << "a kernel that does not tell";
  EXPECT_GE(lazily_free(), before + kBytes * 9 / 10);
  m = Filled(spare, kBytes, true);
  EXPECT_LE(lazily_free(), before + kBytes / 10);
}

}  // namespace
}  // namespace mz::swap
