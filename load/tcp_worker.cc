// The TCP sides of worker.h: the load itself, and the retries of truncated answers.
#include <algorithm>
#include <deque>
#include <optional>

#include "load/clock.h"
#include "load/retry_queue.h"
#include "load/tally.h"
#include "load/tcp_pool.h"
#include "load/worker.h"

namespace mz::load {

namespace {

constexpr uint64_t kExpireEveryNs = 1'000'000;
constexpr uint64_t kGiveUpRefusedNs = 500'000'000;
constexpr unsigned kMostDue = 512;

void SleepUntil(uint64_t when_ns) {
  while (NowNs() + 200'000 < when_ns) {
    const timespec nap{0, 100'000};
    ::nanosleep(&nap, nullptr);
  }
}

class TcpWorker final : public Worker {
 public:
  TcpWorker(Shared& shared, unsigned index, Live& live)
      : shared_(shared),
        settings_(shared.settings),
        index_(index),
        tally_(shared.pool, live),
        cursor_(shared.plan, index, shared.settings.threads),
        window_(std::max<uint64_t>(1, Share(settings_.window, index, settings_.threads))),
        pool_(settings_, shared.pool, tally_,
              static_cast<unsigned>(
                  std::max<uint64_t>(1, Share(settings_.connections, index, settings_.threads))),
              PerConnection(), settings_.seed * 31 + index) {
    left_ = settings_.max_queries == 0 ? ~0ull : Share(settings_.max_queries, index, settings_.threads);
  }

  Status Open() override { return pool_.Open(); }

  void Run(const Timetable& times) override {
    tally_.SetWindow(times.begin_ns, times.end_ns);
    if (settings_.rate > 0)
      schedule_.emplace(settings_.arrivals, settings_.rate, index_, settings_.threads, settings_.seed,
                        times.start_ns);
    SleepUntil(times.start_ns);
    uint64_t away_since = 0, last_expire = 0, cpu_begin = 0, give_up = 0;
    bool counting = false, done = false;
    for (;;) {
      uint64_t now = NowNs();
      if (!counting && now >= times.begin_ns) {
        counting = true;
        cpu_begin = ThreadCpuNs();
      }
      if (!done && (now >= times.end_ns || left_ == 0 || shared_.stop.load(std::memory_order_relaxed))) {
        done = true;
        give_up = now + settings_.timeout_ns;
        tally_.result().generator_cpu_ns = counting ? ThreadCpuNs() - cpu_begin : 0;
        sending_done.store(true);
      }
      if (done && ((pool_.outstanding() == 0 && backlog_.empty()) || now > give_up)) break;
      if (!done) Send(now, times);
      AskBacklog();
      pool_.Flush();
      if (away_since != 0) tally_.Gap(away_since, NowNs() - away_since);
      pool_.Poll(WaitNs(now));
      now = away_since = NowNs();
      if (now - last_expire >= kExpireEveryNs) {
        last_expire = now;
        pool_.Expire(now - settings_.timeout_ns);
        tally_.Publish();
        if (tally_.counters().refused > 0 && tally_.all_answered() == 0 &&
            now > times.start_ns + kGiveUpRefusedNs) {
          tally_.result().refused = true;
          break;
        }
      }
    }
    sending_done.store(true);
    pool_.Expire(~0ull);
    for (const RetryItem& item : backlog_) {  // was due, and found no connection in time
      tally_.Sent(item.due_ns, 1, 0);
      tally_.Lost({item.due_ns, item.query, 0, PendingQuery::kLost}, false);
    }
    tally_.Publish();
    const uint64_t last = tally_.last_answer_ns();
    tally_.result().seconds_counted =
        last > times.begin_ns ? static_cast<double>(last - times.begin_ns) / 1e9 : 0;
  }

  Result& result() override { return tally_.result(); }

 private:
  uint64_t PerConnection() const {
    const uint64_t connections =
        std::max<uint64_t>(1, Share(settings_.connections, index_, settings_.threads));
    if (settings_.rate > 0) return 16384;
    return std::max<uint64_t>(1, window_ / connections);
  }

  void Send(uint64_t now, const Timetable& times) {
    if (schedule_) {
      for (unsigned n = 0; n < kMostDue && left_ > 0; n++) {
        if (schedule_->next_ns() > now || schedule_->next_ns() >= times.end_ns) return;
        const uint64_t due = schedule_->Pop();
        tally_.Lag(due, now);
        backlog_.push_back({due, cursor_.Take(1)[0]});
        CountDown(due >= times.begin_ns);
      }
      return;
    }
    for (size_t i = 0; i < pool_.size(); i++) {
      while (left_ > 0 && pool_.outstanding() < window_ && pool_.Ready(i)) {
        pool_.Ask(i, cursor_.Take(1)[0], now);
        CountDown(now >= times.begin_ns);
      }
    }
  }

  // Open loop: what is due goes to the next connection that can take it.
  void AskBacklog() {
    for (size_t refused = 0; !backlog_.empty() && refused < pool_.size();) {
      const size_t i = turn_;
      if (++turn_ == pool_.size()) turn_ = 0;
      if (!pool_.Ready(i)) {
        refused++;
        continue;
      }
      refused = 0;
      pool_.Ask(i, backlog_.front().query, backlog_.front().due_ns);
      backlog_.pop_front();
    }
  }

  void CountDown(bool counted) {
    if (left_ != ~0ull && counted) left_--;
  }

  uint64_t WaitNs(uint64_t now) const {
    if (settings_.waiting == Waiting::kSpin) return 0;
    constexpr uint64_t kLongest = 1'000'000;
    if (!schedule_) return kLongest;
    return schedule_->next_ns() > now + 1'100'000 ? kLongest : 0;
  }

  Shared& shared_;
  const Settings& settings_;
  unsigned index_;
  Tally tally_;
  PlanCursor cursor_;
  uint64_t window_;
  TcpPool pool_;
  std::optional<Schedule> schedule_;
  std::deque<RetryItem> backlog_;
  uint64_t left_ = 0;
  size_t turn_ = 0;
};

class RetryWorker final : public Worker {
 public:
  static constexpr unsigned kConnections = 4;
  RetryWorker(Shared& shared, Live& live, RetryQueue& queue)
      : settings_(shared.settings),
        queue_(queue),
        tally_(shared.pool, live),
        pool_(settings_, shared.pool, tally_, kConnections, 256, settings_.seed) {}

  Status Open() override { return pool_.Open(); }

  void Run(const Timetable& times) override {
    tally_.SetWindow(times.begin_ns, times.end_ns);
    std::vector<RetryItem> items;
    for (bool open = true; open || pool_.outstanding() > 0 || !items.empty();) {
      open = queue_.Take(&items) && open;
      const uint64_t now = NowNs();
      size_t kept = 0;
      for (const RetryItem& item : items) {
        size_t i = 0;
        while (i < pool_.size() && !pool_.Ready(turn_)) i++, turn_ = (turn_ + 1) % pool_.size();
        if (i == pool_.size() && item.due_ns + settings_.timeout_ns > now) {
          items[kept++] = item;
        } else if (i == pool_.size()) {
          tally_.Lost({item.due_ns, item.query, 0, PendingQuery::kLost}, false);
        } else {
          pool_.Retry(turn_, item.query, item.due_ns);
          turn_ = (turn_ + 1) % pool_.size();
        }
      }
      items.resize(kept);
      pool_.Flush();
      pool_.Poll(1'000'000);
      pool_.Expire(NowNs() - settings_.timeout_ns);
      tally_.Publish();
    }
    sending_done.store(true);
    tally_.Publish();
  }

  Result& result() override { return tally_.result(); }

 private:
  const Settings& settings_;
  RetryQueue& queue_;
  Tally tally_;
  TcpPool pool_;
  size_t turn_ = 0;
};

}  // namespace

std::unique_ptr<Worker> MakeTcpWorker(Shared& shared, unsigned index, Live& live) {
  return std::make_unique<TcpWorker>(shared, index, live);
}

std::unique_ptr<Worker> MakeRetryWorker(Shared& shared, Live& live, RetryQueue& queue) {
  return std::make_unique<RetryWorker>(shared, live, queue);
}

}  // namespace mz::load
