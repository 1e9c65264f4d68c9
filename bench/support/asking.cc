// See asking.h.
#include "bench/support/asking.h"

#include <array>
#include <chrono>
#include <cstring>
#include <span>

#include "server/answer/answer.h"

namespace mz::bench {

void Ask(benchmark::State& state, const image::View& view, const std::vector<std::string>& packets, size_t batch,
         uint32_t now_unix) {
  static std::array<std::array<uint8_t, 512>, kAskRound> received;
  static std::array<std::array<uint8_t, 1232>, answer::kBatch> responses;
  static std::array<answer::Request, kAskRound> requests;
  const answer::Settings settings;
  std::vector<uint32_t> rotation(view.zones().size());
  answer::WorkerState worker{.record_rotation = 0, .ns_rotation = rotation};
  size_t next = 0, answered = 0;
  for (auto _ : state) {
    for (size_t i = 0; i < kAskRound; i++) {
      const std::string& q = packets[next];
      next = next + 1 == packets.size() ? 0 : next + 1;
      std::memcpy(received[i].data(), q.data(), q.size());
      requests[i] = {.wire = {received[i].data(), q.size()},
                     .client = answer::Client::FromV4(0x7f000001),
                     .now_unix = now_unix,
                     .response = responses[i % batch]};
    }
    const auto start = std::chrono::steady_clock::now();
    for (size_t i = 0; i < kAskRound; i += batch)
      answer::AnswerBatch(view, settings, std::span(requests).subspan(i, batch), worker);
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    for (const answer::Request& r : requests) answered += r.outcome.answer_count != 0;
  }
  const double queries = static_cast<double>(state.iterations()) * kAskRound;
  state.counters["ns_per_query"] =
      benchmark::Counter(queries, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["answered"] = static_cast<double>(answered) / queries;
}

}  // namespace mz::bench
