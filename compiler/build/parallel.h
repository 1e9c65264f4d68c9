// Runs independent pieces of work on a few threads.
//
//   ParallelFor(threads, pieces, [&](size_t piece) { ... });    // returns when all are done
//
// Threads that cannot be started are done without. `work` must not throw.
#pragma once

#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace mz::compiler {

template <typename Work>
void ParallelFor(int threads, size_t pieces, Work work) {
  std::atomic<size_t> next{0};
  auto loop = [&] {
    for (size_t piece; (piece = next.fetch_add(1)) < pieces;) work(piece);
  };
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads && static_cast<size_t>(i) < pieces; i++) {
    try {
      helpers.emplace_back(loop);
    } catch (const std::system_error&) {
      break;
    }
  }
  loop();
  for (std::thread& t : helpers) t.join();
}

}  // namespace mz::compiler
