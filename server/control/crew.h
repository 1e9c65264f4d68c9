// The workers of a daemon with their backends and threads.
//
//   Crew crew(published, settings, page, rings);
//   MZ_RETURN_IF_ERROR(crew.Start(options, std::move(listeners), log));
//   crew.PrepareGeneration(n, zones);  published.Publish(...);
//   crew.Stop();                                       // joins all; counters are final then
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "server/control/daemon.h"
#include "server/control/listen.h"
#include "server/control/worker.h"

namespace mz::control {

// Cores that this process may run on.
int AvailableCores();

class Crew {
 public:
  // `rings` is empty or has one per worker. References must outlive the crew.
  Crew(int workers, swap::Published& published, const answer::Settings& settings, stats::Page& page,
       const std::vector<std::unique_ptr<QueryRing>>& rings);
  ~Crew() { Stop(); }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Requires: a generation is published.
  Status Start(const DaemonOptions& options, Listeners listeners, const Logger& log);
  void PrepareGeneration(uint64_t number, size_t zones);
  void Stop();

  std::string backend_name() const;
  // Becomes readable when a worker ends by itself, which only an error makes it do.
  int failure_fd() const { return failure_.get(); }
  // After failure_fd() was readable. Any thread's first error.
  Status failure() const;

 private:
  struct Member {
    std::unique_ptr<Worker> worker;
    std::unique_ptr<io::Backend> backend;
    std::thread thread;
    Status result;
  };
  std::vector<Member> members_;
  std::atomic<int> failed_{-1};
  UniqueFd failure_;
};

}  // namespace mz::control
