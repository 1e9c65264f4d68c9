// Who offers its core, and who does not.
#include "base/give_way.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <thread>

namespace {
std::atomic<int> yields{0};
}

// In place of the C library's.
extern "C" int sched_yield() noexcept {
  yields++;
  return 0;
}

namespace mz {
namespace {

void Become(int policy) {
  const sched_param parameter{};
  ASSERT_EQ(::sched_setscheduler(0, policy, &parameter), 0);
}

TEST(GiveWayTest, OnlyBackgroundThreadsDo) {
  GiveWay();
  EXPECT_EQ(yields, 0);
  for (const int policy : {SCHED_BATCH, SCHED_IDLE}) {
    yields = 0;
    std::thread([policy] {
      Become(policy);
      GiveWay();
      GiveWay();
      EXPECT_EQ(yields, 2);
      std::thread(GiveWay).join();  // inherits the policy
      EXPECT_EQ(yields, 3);
    }).join();
  }
  GiveWay();
  EXPECT_EQ(yields, 3);
}

}  // namespace
}  // namespace mz
