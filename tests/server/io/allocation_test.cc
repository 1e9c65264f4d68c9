// The UDP path allocates nothing once it runs, on either backend. The counter shows first that it counts.
#include <cstdlib>

#include "tests/server/io/running_backend.h"

namespace {
// Counts on the threads that have switched it on. Trivially destructible: safe in any allocation at any time.
thread_local bool counting = false;
thread_local unsigned long allocations = 0;
}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Sanitizers own malloc, and tell. (Their header is not part of every compiler package.)
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t),
                                                         void (*)(const volatile void*));
namespace {
void CountMalloc(const volatile void*, size_t) { allocations += counting; }
void IgnoreFree(const volatile void*) {}
const int installed = __sanitizer_install_malloc_and_free_hooks(CountMalloc, IgnoreFree);
}  // namespace
#else
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* malloc(size_t n) {
  allocations += counting;
  return __libc_malloc(n);
}
void* calloc(size_t n, size_t size) {
  allocations += counting;
  return __libc_calloc(n, size);
}
void* realloc(void* p, size_t n) {
  allocations += counting;
  return __libc_realloc(p, n);
}
}
#endif

namespace mz::io::test {
namespace {

class AllocationTest : public testing::TestWithParam<BackendKind> {};
MZ_FOR_BOTH_BACKENDS(AllocationTest);

TEST_P(AllocationTest, UdpPathAllocatesNothing) {
  RunningBackend server(GetParam(), {"127.0.0.1", "0.0.0.0"}, {}, {}, /*start=*/false);
  ASSERT_TRUE(server.ok());
  std::atomic<unsigned long> seen{0};
  std::atomic<bool> allocate{false};
  server.handler.hook = [&](std::span<Packet>) {
    if (allocate.exchange(false)) delete new std::string(1000, 'a');
    seen = allocations;
    counting = true;  // from the first batch on: this is the worker's thread
  };
  server.Start();
  for (int round = 0; round < 20; round++) {
    for (size_t target = 0; target < 2; target++) {
      Client client = Client::Udp(Address4("127.0.0.1", server.port(target)));
      for (int i = 0; i < 100; i++) ASSERT_TRUE(client.Send("query"));
      for (int i = 0; i < 100; i++) ASSERT_EQ(client.Receive(), "query");
    }
  }
  EXPECT_EQ(seen, 0u);
  allocate = true;  // the counter counts
  Client client = Client::Udp(server.address());
  ASSERT_TRUE(client.Send("query"));
  ASSERT_EQ(client.Receive(), "query");
  EXPECT_GE(seen, 1u);
}

}  // namespace
}  // namespace mz::io::test
