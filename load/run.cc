// See run.h.
#include "load/run.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "load/clock.h"
#include "load/retry_queue.h"
#include "load/server_usage.h"
#include "load/worker.h"

namespace mz::load {

namespace {

constexpr uint64_t kPollNs = 10'000'000;

void Prepare(const Settings& settings, unsigned index) {
  ::prctl(PR_SET_TIMERSLACK, 1000);  // naps of some ten microseconds shall not become sixty more
  if (settings.cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(settings.cpus[index % settings.cpus.size()]), &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

void MergeInto(Result* total, Result& part) {
  total->counters.Merge(part.counters);
  total->latency.Merge(part.latency);
  total->send_lag.Merge(part.send_lag);
  total->sizes.Merge(part.sizes);
  if (total->seconds.size() < part.seconds.size()) total->seconds.resize(part.seconds.size());
  for (size_t i = 0; i < part.seconds.size(); i++) {
    total->seconds[i].sent += part.seconds[i].sent;
    total->seconds[i].answered += part.seconds[i].answered;
    total->seconds[i].lost += part.seconds[i].lost;
    total->seconds[i].latency.Merge(part.seconds[i].latency);
  }
  for (Mismatch& m : part.mismatches)
    if (total->mismatches.size() < kMismatchesKept) total->mismatches.push_back(std::move(m));
  total->largest_gap_ns = std::max(total->largest_gap_ns, part.largest_gap_ns);
  total->generator_cpu_ns += part.generator_cpu_ns;
  total->seconds_counted = std::max(total->seconds_counted, part.seconds_counted);
  total->refused |= part.refused;
}

// Joins what it holds, whatever happens.
struct Threads {
  std::vector<std::thread> list;
  ~Threads() { Join(); }
  void Join() {
    for (std::thread& t : list)
      if (t.joinable()) t.join();
  }
};

// Shows progress once a second.
class Reporter {
 public:
  Reporter(const Hooks& hooks, const std::vector<Live>& live, uint64_t start)
      : hooks_(hooks), live_(live), last_ns_(start), start_(start) {}

  void Look(uint64_t now) {
    if (!hooks_.progress || now < last_ns_ + 1'000'000'000u) return;
    Progress p;
    for (const Live& l : live_) {
      p.sent += l.sent.load(std::memory_order_relaxed);
      p.answered += l.answered.load(std::memory_order_relaxed);
      p.lost += l.lost.load(std::memory_order_relaxed);
    }
    p.seconds = static_cast<double>(now - start_) / 1e9;
    p.last_seconds = static_cast<double>(now - last_ns_) / 1e9;
    p.last_sent = p.sent - std::min(p.sent, last_.sent);
    p.last_answered = p.answered - last_.answered;
    p.last_lost = p.lost - last_.lost;
    hooks_.progress(p);
    last_ = p;
    last_ns_ = now;
  }

 private:
  const Hooks& hooks_;
  const std::vector<Live>& live_;
  uint64_t last_ns_, start_;
  Progress last_;
};

}  // namespace

StatusOr<Result> Run(const Settings& settings, const QueryPool& pool, const Plan& plan, const Hooks& hooks) {
  Shared shared{settings, pool, plan};
  const bool udp = settings.transport == Transport::kUdp;
  RetryQueue retries;
  const bool retry = udp && settings.retry_tcp;
  std::vector<Live> live(settings.threads + 1);
  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned i = 0; i < settings.threads; i++) {
    workers.push_back(udp ? MakeUdpWorker(shared, i, live[i], retry ? &retries : nullptr)
                          : MakeTcpWorker(shared, i, live[i]));
    MZ_RETURN_IF_ERROR(workers.back()->Open());
  }
  std::unique_ptr<Worker> retrier;
  if (retry) {
    retrier = MakeRetryWorker(shared, live[settings.threads], retries);
    MZ_RETURN_IF_ERROR(retrier->Open());
  }
  ProcessUsage before, after;
  if (!settings.pids.empty()) {
    MZ_ASSIGN_OR_RETURN(before, ReadUsage(settings.pids));
  }

  Timetable times;
  times.start_ns = NowNs() + 5'000'000;  // all threads are awake by then
  times.begin_ns = times.start_ns + settings.warm_up_ns;
  times.end_ns = settings.max_queries != 0 ? ~0ull : times.begin_ns + settings.duration_ns;
  Threads threads;
  auto start = [&](Worker* worker, unsigned index) {
    threads.list.emplace_back([&settings, &times, worker, index] {
      Prepare(settings, index);
      worker->Run(times);
    });
  };
  for (unsigned i = 0; i < settings.threads; i++) start(workers[i].get(), i);
  std::thread retry_thread;
  if (retrier) retry_thread = std::thread([&] { retrier->Run(times); });

  Reporter reporter(hooks, live, times.start_ns);
  auto sleep_until = [&](uint64_t when) {
    for (uint64_t now = NowNs(); now < when; now = NowNs()) {
      if (hooks.stop != nullptr && hooks.stop->load()) shared.stop.store(true);
      reporter.Look(now);
      if (std::all_of(workers.begin(), workers.end(), [](auto& w) { return w->sending_done.load(); })) return;
      std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(when - now, kPollNs)));
    }
  };
  sleep_until(times.begin_ns);
  const uint64_t usage_begin = NowNs();
  bool usage_known = !settings.pids.empty();
  if (usage_known) {
    if (StatusOr<ProcessUsage> u = ReadUsage(settings.pids); u.ok()) before = *u;
  }
  sleep_until(times.end_ns);
  const uint64_t usage_end = NowNs();
  if (usage_known) {
    const StatusOr<ProcessUsage> u = ReadUsage(settings.pids);
    usage_known = u.ok();  // it may have died under the load
    if (u.ok()) after = *u;
  }
  threads.Join();
  if (retrier) {
    retries.Close();
    retry_thread.join();
  }

  Result total;
  for (auto& w : workers) MergeInto(&total, w->result());
  if (retrier) MergeInto(&total, retrier->result());
  total.interrupted = shared.stop.load();
  const bool whole = settings.max_queries == 0 && !total.interrupted && !total.refused;
  if (whole)
    total.seconds_counted = static_cast<double>(settings.duration_ns) / 1e9;
  else if (total.seconds_counted <= 0)
    total.seconds_counted = static_cast<double>(usage_end - usage_begin) / 1e9;
  total.engine = !udp ? "epoll" : settings.engine == EngineKind::kUring ? "io_uring" : "sendmmsg";
  total.mean_train = udp ? plan.mean_train() : 1;
  if (usage_known) {
    total.server.known = true;
    total.server.resident_bytes = after.resident_bytes;
    // The two readings are some ten microseconds off the window's borders.
    const double scale =
        whole ? total.seconds_counted * 1e9 / static_cast<double>(usage_end - usage_begin) : 1.0;
    total.server.cpu_ns = static_cast<uint64_t>(static_cast<double>(after.cpu_ns - before.cpu_ns) * scale);
  }
  return total;
}

}  // namespace mz::load
