// What a run found out. Filled by the workers each for itself, merged when all have ended.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "load/histogram.h"

namespace mz::load {

// Counted are the queries that were due inside the counted window (after the warm-up).
struct Counters {
  uint64_t sent = 0;
  uint64_t answered = 0;
  uint64_t answered_in_window = 0;  // answers that arrived inside the window: what CPU times are divided by
  uint64_t lost = 0;                // no answer within the timeout
  uint64_t lost_early = 0;          // of these: given up because their ID was needed again
  uint64_t late = 0;                // answers after the timeout; their queries are lost
  uint64_t duplicate = 0;           // answers to what was answered
  uint64_t unexpected = 0;          // answers that nobody asked for, or that are no answers
  uint64_t mismatched = 0;          // answered, but not as expected
  uint64_t verified = 0;            // compared with an expectation
  uint64_t truncated = 0;           // TC
  uint64_t with_records = 0;        // ANCOUNT > 0
  uint64_t send_failed = 0;         // never left this machine; not in `sent`
  uint64_t refused = 0;             // ICMP said that nobody listens; counted per report, not per query
  uint64_t bytes_sent = 0, bytes_received = 0;  // DNS messages, with PROXY headers
  uint64_t tcp_retried = 0, tcp_retry_answered = 0;
  uint64_t connections = 0, connect_failed = 0, closed_early = 0;
  std::array<uint64_t, 16> rcode{};

  void Merge(const Counters& other);
};

// One second of the counted window, by due time.
struct Second {
  uint64_t sent = 0, answered = 0, lost = 0;
  Histogram latency{5};  // 1.6 %
};

// An answer that was not as expected.
struct Mismatch {
  uint32_t query = 0;
  std::string received;
};

inline constexpr size_t kMismatchesKept = 5;

struct Usage {  // of the processes of Settings::pids, over the counted window
  bool known = false;
  uint64_t cpu_ns = 0;
  uint64_t resident_bytes = 0;  // at its end
};

struct Result {
  Counters counters;
  Histogram latency;   // nanoseconds from the due time to the answer
  Histogram send_lag;  // open loop: nanoseconds from the due time to the send call
  Histogram sizes;     // octets of answers
  std::vector<Second> seconds;
  std::vector<Mismatch> mismatches;
  uint64_t largest_gap_ns = 0;    // the longest time that a worker was away from its sockets
  uint64_t generator_cpu_ns = 0;  // of the workers, in the counted window
  double seconds_counted = 0;
  Usage server;
  std::string engine;  // what really ran: "io_uring", "sendmmsg"
  double mean_train = 1;
  bool interrupted = false;
  bool refused = false;  // nothing listens: the run was ended
};

// What workers show while they run; each writes its own, anybody reads.
struct alignas(64) Live {
  std::atomic<uint64_t> sent{0}, answered{0}, lost{0}, refused{0};
};

}  // namespace mz::load
