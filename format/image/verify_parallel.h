// ParallelFor of verify_internal.h.
#pragma once

#include <algorithm>
#include <thread>

#include "base/give_way.h"

namespace mz::image::internal {

template <typename Task>
Status ParallelFor(uint64_t count, int threads, const Task& task) {
  if (threads < 2 || count < 2) {
    for (uint64_t i = 0; i < count; i++) {
      GiveWay();
      MZ_RETURN_IF_ERROR(task(i));
    }
    return {};
  }
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  uint64_t lowest = count;
  Status verdict;
  // Tasks are handed out in ascending order and every started task runs to its end, so the lowest failing one
  // is found.
  auto work = [&] {
    while (!failed.load(std::memory_order_relaxed)) {
      const uint64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= count) return;
      GiveWay();
      Status status = task(i);
      if (status.ok()) continue;
      failed.store(true, std::memory_order_relaxed);
      std::lock_guard lock(mutex);
      if (i < lowest) {
        lowest = i;
        verdict = std::move(status);
      }
    }
  };
  std::vector<std::thread> pool;
  const uint64_t extra = std::min<uint64_t>(static_cast<uint64_t>(threads), count) - 1;
  for (uint64_t t = 0; t < extra; t++) {
    try {
      pool.emplace_back(work);
    } catch (const std::system_error&) {
      break;  // no more threads to be had: this one does the rest
    }
  }
  work();
  for (std::thread& t : pool) t.join();
  return verdict;
}

}  // namespace mz::image::internal
