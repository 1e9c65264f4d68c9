// Fixed-endian integers.
#include "base/endian.h"

#include <gtest/gtest.h>

namespace mz {
namespace {

TEST(EndianTest, BytesLieInTheNamedOrderAtAnyAlignment) {
  struct {
    uint8_t pad;
    Le32 le;
    Be16 be;
  } s;
  static_assert(sizeof s == 7);
  s.le = 0x01020304;
  s.be = 0x0a0b;
  const uint8_t* p = reinterpret_cast<const uint8_t*>(&s.le);
  EXPECT_EQ(p[0], 4);
  EXPECT_EQ(p[3], 1);
  EXPECT_EQ(p[4], 0x0a);
  EXPECT_EQ(s.le, 0x01020304u);
  EXPECT_EQ(s.be, 0x0a0b);
}

TEST(EndianTest, BigEndianLoadsAndStoresRoundTrip) {
  uint8_t bytes[9] = {};
  StoreBe32(bytes + 1, 0xdeadbeef);
  EXPECT_EQ(bytes[1], 0xde);
  EXPECT_EQ(LoadBe32(bytes + 1), 0xdeadbeefu);
  EXPECT_EQ(LoadBe16(bytes + 3), 0xbeef);
}

}  // namespace
}  // namespace mz
