// The answer path does not allocate: every allocation of the process goes through the counters below, which
// first have to show that they count.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "varied_image.h"

namespace {
long allocations = 0;
}

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t n) {
  allocations++;
  return __libc_malloc(n);
}
void* calloc(size_t n, size_t size) {
  allocations++;
  return __libc_calloc(n, size);
}
void* realloc(void* p, size_t n) {
  allocations++;
  return __libc_realloc(p, n);
}
void* aligned_alloc(size_t alignment, size_t n) {
  allocations++;
  return __libc_memalign(alignment, n);
}
int posix_memalign(void** p, size_t alignment, size_t n) {
  allocations++;
  *p = __libc_memalign(alignment, n);
  return *p == nullptr;
}
}

void* operator new(size_t n) {
  allocations++;
  void* p = std::malloc(n);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace mz::answer {
namespace {

TEST(AllocationTest, TheCounterCounts) {
  const long before = allocations;
  auto p = std::make_unique<std::string>(100, 'x');
  EXPECT_GT(allocations, before);
  const long after_new = allocations;
  void* volatile q = std::malloc(10);
  EXPECT_EQ(allocations, after_new + 1);
  q = std::realloc(q, 20);
  EXPECT_EQ(allocations, after_new + 2);
  std::free(q);
  // What the reader allocates for a reply must show, too: it is what a careless answer path would do.
  const std::string packet = dns::BuildQuery(Wire("a.example"), 1, 1, {});
  const long before_read = allocations;
  EXPECT_TRUE(dns::ReadMessage({reinterpret_cast<const uint8_t*>(packet.data()), packet.size()}).ok());
  EXPECT_GT(allocations, before_read);
}

TEST(AllocationTest, AnswersWithoutAllocating) {
  for (uint32_t profile : {0u, uint32_t{image::kProfileRbldnsd}}) {
    TestImage image = MakeVariedImage(profile);
    RequestStream stream(5);
    constexpr int kQueries = 100000;
    std::vector<std::string> packets;
    std::vector<Request> requests(kQueries);
    std::vector<uint8_t> buffer(kMaxMessage);
    for (Request& r : requests) {
      packets.push_back(stream.NextPacket());
      r.client = stream.NextClient();
      r.tcp = stream.NextIsTcp();
      r.response = buffer;  // replies overwrite each other; nobody reads them
    }
    for (size_t i = 0; i < packets.size(); i++)
      requests[i].wire = {reinterpret_cast<const uint8_t*>(packets[i].data()), packets[i].size()};
    const long before = allocations;
    AnswerBatch(image.view(), image.settings, requests, image.state());
    for (size_t i = 0; i < 1000; i++) Answer(image.view(), image.settings, requests[i], image.state());
    EXPECT_EQ(allocations, before);
    long answered = 0;
    for (const Request& r : requests) answered += r.response_size != 0;
    EXPECT_GT(answered, kQueries / 2);
  }
}

}  // namespace
}  // namespace mz::answer
