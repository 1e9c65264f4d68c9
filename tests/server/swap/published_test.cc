// The published pointer: a reader never sees a freed or half-replaced generation. The stress test is meant for the tsan
// and asan presets; its own checks (canaries that the destructor overwrites) also work without a sanitizer.
#include "server/swap/published.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace mz::swap {
namespace {

constexpr size_t kWords = 512;

// A generation whose memory is filled with one value, so that a torn or freed one shows.
std::unique_ptr<Generation> Filled(uint32_t value) {
  auto g = std::make_unique<Generation>();
  g->zone_slots.assign(kWords, value);
  return g;
}

TEST(PublishedTest, NumbersGenerationsInOrderOfPublication) {
  Published published(1);
  EXPECT_EQ(published.current(), nullptr);
  EXPECT_EQ(published.Publish(Filled(7)), nullptr);
  EXPECT_EQ(published.current()->number, 1u);
  const auto old = published.Publish(Filled(8));
  ASSERT_NE(old, nullptr);
  EXPECT_EQ(old->number, 1u);
  EXPECT_EQ(old->zone_slots[0], 7u);
  EXPECT_EQ(published.current()->number, 2u);
  ReadGuard g(published, 0);
  EXPECT_EQ(g->zone_slots[0], 8u);
}

TEST(PublishedTest, PublishWaitsForTheReaderInside) {
  Published published(2);
  published.Publish(Filled(1));
  const Generation* old = published.Enter(1);
  std::atomic<bool> done{false};
  std::thread control([&] {
    published.Publish(Filled(2));
    done = true;
  });
  while (published.current() == old) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(done);
  EXPECT_EQ(old->zone_slots[kWords - 1], 1u);  // still alive
  EXPECT_EQ(published.Enter(0)->number, 2u);   // others already get the new one
  published.Leave(0);
  published.Leave(1);
  control.join();
  EXPECT_TRUE(done);
}

TEST(PublishedTest, PublishDoesNotWaitForReadersThatEnteredAfterTheSwap) {
  Published published(1);
  published.Publish(Filled(1));
  const Generation* old = published.Enter(0);
  std::thread control([&] { published.Publish(Filled(2)); });
  while (published.current() == old) std::this_thread::yield();
  // Leaves and re-enters at once: the publisher may never see the moment outside, but must not need to. Give it the
  // time to bump the epoch, which follows the swap immediately.
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  published.Leave(0);
  EXPECT_EQ(published.Enter(0)->number, 2u);
  control.join();
  published.Leave(0);
}

TEST(PublishedTest, SwapsUnderReadersStress) {
  constexpr int kReaders = 4;
  constexpr uint32_t kSwaps = 20000;
  constexpr auto kDuration = std::chrono::seconds(5);  // or as many swaps as fit
  Published published(kReaders);
  published.Publish(Filled(1));
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> bad{0}, reads{0};
  std::vector<std::thread> readers;
  for (int worker = 0; worker < kReaders; worker++) {
    readers.emplace_back([&, worker] {
      uint64_t last = 0, batches = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        {
          ReadGuard g(published, worker);
          const uint64_t number = g->number;
          if (number < last) bad++;  // time runs backwards
          last = number;
          for (uint32_t v : g->zone_slots)
            if (v != static_cast<uint32_t>(number)) bad++;
        }
        // Give way outside a batch now and then: on a busy machine a reader that loses its core inside one holds the
        // publisher up for a whole time slice.
        if (++batches % 4 == 0) std::this_thread::yield();
      }
      reads += batches;
    });
  }
  const auto end = std::chrono::steady_clock::now() + kDuration;
  uint32_t number = 1;
  while (number < kSwaps && std::chrono::steady_clock::now() < end) {
    published.Publish(Filled(++number));
    // What Publish has freed is overwritten, so that a reader left behind would see it without a sanitizer, too.
    auto* debris = new std::vector<uint32_t>(kWords, 0xdeadbeef);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    delete debris;
  }
  stop = true;
  for (auto& t : readers) t.join();
  EXPECT_EQ(bad, 0u);
  EXPECT_GT(number, 20u);
  EXPECT_GT(reads, 20u);
  EXPECT_EQ(published.current()->number, number);
}

}  // namespace
}  // namespace mz::swap
