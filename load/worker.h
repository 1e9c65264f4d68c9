// One thread of the load: sends what is due, takes what comes, keeps the books. UDP and TCP each have one.
//
// Open() on the main thread, then Run() on the worker's own; Result is read when Run() has returned.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "load/query_pool.h"
#include "load/result.h"
#include "load/settings.h"

namespace mz::load {

// When things happen, in nanoseconds of NowNs().
struct Timetable {
  uint64_t start_ns = 0;  // the first query
  uint64_t begin_ns = 0;  // counting begins
  uint64_t end_ns = 0;    // the last query; ~0: when max_queries are sent
};

// What all workers share.
struct Shared {
  const Settings& settings;
  const QueryPool& pool;
  const Plan& plan;
  std::atomic<bool> stop{false};  // end early
};

class RetryQueue;

class Worker {
 public:
  virtual ~Worker() = default;
  virtual Status Open() = 0;
  virtual void Run(const Timetable& times) = 0;
  virtual Result& result() = 0;
  // All queries have left (or never will).
  std::atomic<bool> sending_done{false};
};

// `retries`: takes truncated answers to be asked again; null: they are final.
std::unique_ptr<Worker> MakeUdpWorker(Shared& shared, unsigned index, Live& live, RetryQueue* retries);
std::unique_ptr<Worker> MakeTcpWorker(Shared& shared, unsigned index, Live& live);
// Asks over TCP what the queue brings, until the queue is closed and empty.
std::unique_ptr<Worker> MakeRetryWorker(Shared& shared, Live& live, RetryQueue& queue);

// The part of `total` that falls to thread `index` of `threads`.
inline uint64_t Share(uint64_t total, unsigned index, unsigned threads) {
  return total / threads + (index < total % threads);
}

}  // namespace mz::load
