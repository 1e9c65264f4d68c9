// A worker's half of the daemon: packets from its I/O backend become answers from the image in service, counters of the
// statistics page, and records of the query log. Called on the worker's thread only, but for PrepareGeneration().
#pragma once

#include <array>
#include <vector>

#include "format/stats/page.h"
#include "server/answer/answer.h"
#include "server/control/query_ring.h"
#include "server/io/backend.h"
#include "server/swap/published.h"

namespace mz::control {

class Worker final : public io::Handler {
 public:
  // All references must outlive the worker. `ring` is null when queries are not logged.
  Worker(int index, swap::Published& published, const answer::Settings& settings, stats::Page& page, QueryRing* ring);

  void Handle(std::span<io::Packet> packets) override;

  // The backend's counters lie in the page, so that every reader of the page sees them at once.
  io::IoCounters& io_counters() { return *io_counters_; }

  // Control thread, before the generation of this number is published. Rotation state is kept for the generation in
  // service and for the next one: when this is called for number n, no worker can be in generation n-2 any more.
  void PrepareGeneration(uint64_t number, size_t zones) { ns_rotation_[number & 1].assign(zones, 0); }

 private:
  void Count(const swap::Generation& generation, std::span<const answer::Request> requests,
             stats::WorkerCounters* totals);
  void Log(const answer::Request& request, const sockaddr_storage* peer);

  const int index_;
  swap::Published& published_;
  const answer::Settings& settings_;
  stats::Page& page_;
  QueryRing* const ring_;
  io::IoCounters* io_counters_;
  answer::WorkerState state_;
  std::vector<uint32_t> ns_rotation_[2];
  std::array<answer::Request, io::kMaxBatch> requests_;
};

}  // namespace mz::control
