// Sizes, re-use and bounds of the buffers for TCP.
#include "server/io/buffer_pool.h"

#include <gtest/gtest.h>

namespace mz::io {
namespace {

TEST(BufferPoolTest, CapacityIsEnoughAndNotWasteful) {
  BufferPool pool(1u << 30, 0);
  for (size_t want : {size_t{1}, size_t{1040}, size_t{1041}, size_t{65537}, size_t{131073}, kMaxBufferBytes}) {
    Buffer b = pool.Get(want);
    ASSERT_NE(b.data, nullptr);
    EXPECT_GE(b.capacity, want);
    EXPECT_LT(b.capacity, std::max<size_t>(1041, 2 * want));  // a whole message takes 64 KiB, not 128
    b.data[b.capacity - 1] = 1;
    EXPECT_EQ(pool.bytes_out(), b.capacity);
    pool.Put(b);
    EXPECT_EQ(b.data, nullptr);
    EXPECT_EQ(pool.bytes_out(), 0u);
  }
}

TEST(BufferPoolTest, KeepsAFewForReuse) {
  BufferPool pool(1u << 20, 4000);
  Buffer a = pool.Get(1000), b = pool.Get(1000), c = pool.Get(3000);
  uint8_t* first = a.data;
  pool.Put(a);
  pool.Put(b);
  pool.Put(c);  // would pass what may be kept
  EXPECT_EQ(pool.bytes_kept(), 2 * BufferCapacity(0));
  Buffer d = pool.Get(10), e = pool.Get(10);
  EXPECT_TRUE(d.data == first || e.data == first);
  EXPECT_EQ(pool.bytes_kept(), 0u);
  pool.Put(d);
  pool.Put(e);
}

TEST(BufferPoolTest, TotalIsBounded) {
  BufferPool pool(3 * BufferCapacity(0), 1u << 20);
  Buffer a = pool.Get(1), b = pool.Get(1), c = pool.Get(1);
  EXPECT_NE(c.data, nullptr);
  EXPECT_EQ(pool.Get(1).data, nullptr);
  pool.Put(b);
  b = pool.Get(1);
  EXPECT_NE(b.data, nullptr);
  pool.Put(a);
  pool.Put(b);
  pool.Put(c);
  pool.Put(c);  // an empty buffer: nothing to do
}

}  // namespace
}  // namespace mz::io
