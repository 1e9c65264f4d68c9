// See crew.h.
#include "server/control/crew.h"

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "server/control/scheduling.h"

namespace mz::control {
namespace {

// The core of worker i: the i-th of the affinity mask, round and round.
void Pin(std::thread& thread, int index) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  int skip = index % std::max(1, CPU_COUNT(&allowed));
  for (int core = 0; core < CPU_SETSIZE; core++) {
    if (!CPU_ISSET(core, &allowed) || skip-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    ::pthread_setaffinity_np(thread.native_handle(), sizeof one, &one);
    return;
  }
}

}  // namespace

int AvailableCores() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return std::clamp(CPU_COUNT(&allowed), 1, static_cast<int>(stats::kMaxWorkers));
}

Crew::Crew(int workers, swap::Published& published, const answer::Settings& settings, stats::Page& page,
           const std::vector<std::unique_ptr<QueryRing>>& rings)
    : members_(static_cast<size_t>(workers)) {
  for (size_t i = 0; i < members_.size(); i++)
    members_[i].worker = std::make_unique<Worker>(static_cast<int>(i), published, settings, page,
                                                  rings.empty() ? nullptr : rings[i].get());
}

Status Crew::Start(const DaemonOptions& options, Listeners listeners, const Logger& log) {
  failure_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!failure_.valid()) return ErrnoStatus(errno, "eventfd");
  std::string because;
  for (size_t i = 0; i < members_.size(); i++) {
    Member& m = members_[i];
    MZ_ASSIGN_OR_RETURN(m.backend,
                        io::MakeBackend(options.io, std::move(listeners.per_worker[i]), options.tcp_limits, *m.worker,
                                        m.worker->io_counters(), i == 0 ? &because : nullptr));
  }
  if (options.log_details && !because.empty()) log.Info(because);
  for (size_t i = 0; i < members_.size(); i++) {
    Member& m = members_[i];
    m.thread = std::thread([this, &m, i] {
      ComeFirst();
      m.result = m.backend->Run();
      int none = -1;
      if (!m.result.ok() && failed_.compare_exchange_strong(none, static_cast<int>(i))) {
        const uint64_t one = 1;
        (void)!::write(failure_.get(), &one, sizeof one);
      }
    });
    const std::string name = "worker " + std::to_string(i);
    ::pthread_setname_np(m.thread.native_handle(), name.c_str());
    if (options.pin_workers) Pin(m.thread, static_cast<int>(i));
  }
  return absl::OkStatus();
}

void Crew::PrepareGeneration(uint64_t number, size_t zones) {
  for (Member& m : members_) m.worker->PrepareGeneration(number, zones);
}

void Crew::Stop() {
  for (Member& m : members_)
    if (m.backend) m.backend->Stop();
  for (Member& m : members_)
    if (m.thread.joinable()) m.thread.join();
}

std::string Crew::backend_name() const {
  return members_.empty() || !members_[0].backend ? std::string() : std::string(members_[0].backend->name());
}

Status Crew::failure() const {
  const int i = failed_.load();
  return i < 0 ? absl::OkStatus() : members_[static_cast<size_t>(i)].result;
}

}  // namespace mz::control
