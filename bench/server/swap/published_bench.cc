// The published image: what a worker pays for each batch to enter and leave, alone and beside a second worker, and what a
// publication costs while workers run.
#include <atomic>
#include <thread>

#include "bench/support/fixture.h"

namespace mz::bench {
namespace {

std::unique_ptr<swap::Generation> Empty() { return std::make_unique<swap::Generation>(); }

void BM_EnterLeave(benchmark::State& state) {
  static swap::Published* published = nullptr;
  if (state.thread_index() == 0) {
    published = new swap::Published(state.threads());
    published->Publish(Empty());
  }
  for (auto _ : state) {
    swap::ReadGuard guard(*published, state.thread_index());
    benchmark::DoNotOptimize(guard->number);
  }
  if (state.thread_index() == 0) delete published;
}
BENCHMARK(BM_EnterLeave)->Threads(1)->Threads(2)->UseRealTime();

// Workers that enter and leave all the time: the publisher waits for each of them once.
void BM_Publish(benchmark::State& state) {
  const int workers = static_cast<int>(state.range(0));
  swap::Published published(workers + 1);
  published.Publish(Empty());
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < workers; i++)
    threads.emplace_back([&, i] {
      while (!stop.load(std::memory_order_relaxed)) {
        swap::ReadGuard guard(published, i);
        benchmark::DoNotOptimize(guard->number);
      }
    });
  for (auto _ : state) published.Publish(Empty());
  stop = true;
  for (std::thread& t : threads) t.join();
}
BENCHMARK(BM_Publish)->ArgName("workers")->Arg(0)->Arg(1)->UseRealTime();

}  // namespace
}  // namespace mz::bench
