// The send times of one thread in open loop: fixed in advance, whatever the server does. Because latency
// counts from these times, a server that stalls cannot hide its stall by making the client wait (no
// coordinated omission).
#pragma once

#include <cstdint>

#include "load/clock.h"

namespace mz::load {

enum class Arrivals { kUniform, kPoisson };

class Schedule {
 public:
  // `rate`: queries per second of all threads together. Uniform: the threads' times interleave evenly.
  // Poisson: the threads' streams are independent, so that their sum is Poisson too.
  Schedule(Arrivals arrivals, double rate, unsigned thread, unsigned threads, uint64_t seed,
           uint64_t start_ns)
      : arrivals_(arrivals),
        gap_ns_(1e9 * threads / rate),
        start_ns_(start_ns),
        random_(seed * 0x9e3779b97f4a7c15 + thread) {
    at_ns_ = arrivals == Arrivals::kUniform ? 1e9 / rate * thread : random_.Exponential() * gap_ns_;
    first_ns_ = at_ns_;
  }

  uint64_t next_ns() const { return start_ns_ + static_cast<uint64_t>(at_ns_); }
  uint64_t Pop() {
    const uint64_t due = next_ns();
    index_++;
    if (arrivals_ == Arrivals::kUniform)
      at_ns_ = first_ns_ + gap_ns_ * static_cast<double>(index_);  // no error adds up
    else
      at_ns_ += random_.Exponential() * gap_ns_;
    return due;
  }

 private:
  Arrivals arrivals_;
  double gap_ns_;
  uint64_t start_ns_;
  Random random_;
  double at_ns_ = 0, first_ns_ = 0;
  uint64_t index_ = 0;
};

}  // namespace mz::load
