// The UDP side of worker.h: trains from a closed window or from a schedule.
#include <algorithm>
#include <bit>
#include <cstring>

#include "base/endian.h"
#include "format/dns/message.h"
#include "load/clock.h"
#include "load/pending.h"
#include "load/retry_queue.h"
#include "load/tally.h"
#include "load/udp_engine.h"
#include "load/worker.h"

namespace mz::load {

namespace {

constexpr uint64_t kExpireEveryNs = 1'000'000;
constexpr unsigned kMostDue = 512;  // open loop: sent between two looks at the sockets
constexpr unsigned kSinglesPerPort =
    16;  // without trains: neighbours on a port, so that one sendmmsg takes them
constexpr uint64_t kGiveUpRefusedNs = 500'000'000;

class UdpWorker final : public Worker {
 public:
  UdpWorker(Shared& shared, unsigned index, Live& live, RetryQueue* retries)
      : shared_(shared),
        settings_(shared.settings),
        index_(index),
        retries_(retries),
        tally_(shared.pool, live),
        cursor_(shared.plan, index, shared.settings.threads) {}

  Status Open() override {
    const unsigned ports =
        static_cast<unsigned>(std::max<uint64_t>(1, Share(settings_.ports, index_, settings_.threads)));
    MZ_ASSIGN_OR_RETURN(std::vector<UniqueFd> sockets, OpenUdpSockets(settings_, ports));
    StatusOr<std::unique_ptr<UdpEngine>> engine = settings_.engine == EngineKind::kUring
                                                      ? MakeUringEngine(std::move(sockets))
                                                      : MakeMmsgEngine(std::move(sockets));
    MZ_RETURN_IF_ERROR(engine.status());
    engine_ = *std::move(engine);
    window_ = std::max<uint64_t>(1, Share(settings_.window, index_, settings_.threads));
    train_ = settings_.train;
    burst_ = static_cast<unsigned>(std::clamp<uint64_t>(window_ / 4, 1, train_));
    left_ = settings_.max_queries == 0 ? ~0ull : Share(settings_.max_queries, index_, settings_.threads);
    Random random(settings_.seed * 31 + index_);
    for (unsigned i = 0; i < ports; i++)
      pending_.emplace_back(Slots(ports), static_cast<uint16_t>(random.Next()));
    return absl::OkStatus();
  }

  void Run(const Timetable& times) override {
    tally_.SetWindow(times.begin_ns, times.end_ns);
    if (settings_.rate > 0)
      schedule_.emplace(settings_.arrivals, settings_.rate, index_, settings_.threads, settings_.seed,
                        times.start_ns);
    while (NowNs() + 200'000 < times.start_ns) {
      const timespec nap{0, 100'000};
      ::nanosleep(&nap, nullptr);
    }
    uint64_t away_since = 0, last_expire = 0, cpu_begin = 0;
    bool counting = false;
    for (;;) {
      uint64_t now = NowNs();
      if (!counting && now >= times.begin_ns) {
        counting = true;
        cpu_begin = ThreadCpuNs();
      }
      if (!done_ && (now >= times.end_ns || left_ == 0 || shared_.stop.load(std::memory_order_relaxed))) {
        done_ = true;
        give_up_ns_ = now + settings_.timeout_ns;
        tally_.result().generator_cpu_ns = counting ? ThreadCpuNs() - cpu_begin : 0;
        sending_done.store(true);
      }
      if (done_ && (outstanding_ == 0 || now > give_up_ns_)) break;
      if (!done_ && now >= times.start_ns) {
        if (schedule_)
          SendDue(now, times);
        else
          FillWindow(now, times);
      }
      Flush();
      const uint64_t wait = WaitNs(now);
      if (away_since != 0) tally_.Gap(away_since, NowNs() - away_since);
      received_.clear();
      tally_.counters().refused += engine_->Receive(wait, Want(), &received_);
      now = away_since = NowNs();
      for (const Datagram& d : received_) Take(d, now);
      if (now - last_expire >= kExpireEveryNs) {
        last_expire = now;
        Expire(now - settings_.timeout_ns);
        tally_.Publish();
        if (NobodyListens(now, times.start_ns)) break;
      }
    }
    if (!sending_done.load()) sending_done.store(true);
    Expire(~0ull);
    tally_.Publish();
    tally_.result().seconds_counted =
        static_cast<double>(tally_.last_answer_ns() - std::min(times.begin_ns, tally_.last_answer_ns())) /
        1e9;
  }

  Result& result() override { return tally_.result(); }

 private:
  // Enough that an ID comes round only when its query has long been answered or lost, and no more: the table
  // should stay in the cache.
  uint32_t Slots(unsigned ports) const {
    double most = 4.0 * static_cast<double>(window_) / ports;
    if (settings_.rate > 0)
      most =
          2 * settings_.rate / settings_.threads / ports * (static_cast<double>(settings_.timeout_ns) / 1e9);
    return std::bit_ceil(static_cast<uint32_t>(std::clamp(most, 1024.0, 65536.0)));
  }

  void FillWindow(uint64_t now, const Timetable& times) {
    while (!engine_->full() && outstanding_ < window_ && left_ > 0) {
      const uint64_t room = window_ - outstanding_;
      if (room < burst_) return;
      const std::span<const uint32_t> run =
          cursor_.Take(static_cast<unsigned>(std::min<uint64_t>({room, train_, left_})));
      uint8_t* p = engine_->Reserve(run.size() * shared_.pool.wire(run[0]).size());
      const size_t bytes = shared_.pool.wire(run[0]).size();
      const uint16_t first = Write(run[0], now, p);
      for (size_t i = 1; i < run.size(); i++) Write(run[i], now, p + i * bytes);
      tally_.Sent(now, run.size(), run.size() * bytes);
      Queue(run.size(), bytes, first);
      CountDown(run.size(), now >= times.begin_ns);
    }
  }

  void SendDue(uint64_t now, const Timetable& times) {
    unsigned due = 0;
    uint64_t dues[kMaxTrain];
    while (due < kMostDue && !engine_->full() && left_ > 0) {
      const unsigned most =
          static_cast<unsigned>(std::min<uint64_t>({train_, left_, cursor_.available(), kMaxTrain}));
      unsigned n = 0;
      while (n < most && schedule_->next_ns() <= now && schedule_->next_ns() < times.end_ns)
        dues[n++] = schedule_->Pop();
      if (n == 0) return;
      const std::span<const uint32_t> run = cursor_.Take(n);
      const size_t bytes = shared_.pool.wire(run[0]).size();
      uint8_t* p = engine_->Reserve(n * bytes);
      uint16_t first = 0;
      for (unsigned i = 0; i < n; i++) {
        const uint16_t id = Write(run[i], dues[i], p + i * bytes);
        if (i == 0) first = id;
        tally_.Sent(dues[i], 1, bytes);
        tally_.Lag(dues[i], now);
      }
      Queue(n, bytes, first);
      CountDown(n, dues[0] >= times.begin_ns);
      due += n;
    }
  }

  // One query into the buffer. Returns its ID.
  uint16_t Write(uint32_t query, uint64_t due, uint8_t* p) {
    const std::span<const uint8_t> wire = shared_.pool.wire(query);
    std::memcpy(p, wire.data(), wire.size());
    const uint16_t id = pending_[port_].Add(due, query, [this](const PendingQuery& q) { Lost(q, true); });
    StoreBe16(p + shared_.pool.prefix_bytes(query), id);
    outstanding_++;
    return id;
  }

  void Queue(size_t count, size_t bytes, uint16_t first_id) {
    engine_->Queue(port_, count * bytes, bytes, uint64_t{port_} << 32 | uint64_t{first_id} << 16 | count);
    if (++on_port_ >= (train_ == 1 ? kSinglesPerPort : 1)) NextPort();
  }

  void NextPort() {
    on_port_ = 0;
    if (++port_ == pending_.size()) port_ = 0;
  }

  void CountDown(uint64_t queries, bool counted) {
    if (left_ != ~0ull && counted) left_ -= std::min(left_, queries);
  }

  void Flush() {
    engine_->Flush(&failures_);
    if (on_port_ > 0) NextPort();
    for (const SendFailure& f : failures_) {
      if (f.error == ECONNREFUSED) tally_.counters().refused++;
      // A device without checksum offload or with a small MTU takes no trains: go on without.
      if ((f.error == EIO || f.error == EINVAL || f.error == EMSGSIZE || f.error == ENOPROTOOPT) &&
          (f.tag & 0xffff) > 1)
        train_ = 1;
      PendingTable& table = pending_[f.tag >> 32];
      for (unsigned i = 0; i < (f.tag & 0xffff); i++) {
        const PendingQuery* q = table.Unsend(static_cast<uint16_t>((f.tag >> 16) + i));
        if (q == nullptr) continue;
        outstanding_--;
        tally_.Unsent(q->due_ns, 1, shared_.pool.wire(q->query).size());
      }
    }
    if (!failures_.empty() && settings_.rate == 0) {  // the device's queue is full: let it drain
      const timespec nap{0, 100'000};
      ::nanosleep(&nap, nullptr);
    }
    failures_.clear();
  }

  void Take(const Datagram& d, uint64_t now) {
    if (d.size < dns::kHeaderBytes || (d.data[2] & 0x80) == 0)
      return tally_.Stray(PendingTable::kUnexpected, now);
    PendingQuery q;
    const PendingTable::Match match = pending_[d.port].Take(LoadBe16(d.data), &q);
    if (match != PendingTable::kAnswer) return tally_.Stray(match, now);
    outstanding_--;
    if (retries_ != nullptr && (LoadBe16(d.data + 2) & dns::kFlagTc) != 0) {
      if (tally_.Counted(q.due_ns)) tally_.counters().tcp_retried++;
      retries_->Put({q.due_ns, q.query});
      return;
    }
    tally_.Answered(q, {d.data, d.size}, now);
  }

  void Expire(uint64_t before) {
    for (PendingTable& table : pending_)
      table.Expire(before, [this](const PendingQuery& q) { Lost(q, false); });
  }

  void Lost(const PendingQuery& q, bool early) {
    outstanding_--;
    tally_.Lost(q, early);
  }

  uint64_t WaitNs(uint64_t now) const {
    if (settings_.waiting == Waiting::kSpin) return 0;
    constexpr uint64_t kLongest = 1'000'000, kShortest = 60'000;
    if (done_) return kLongest;
    if (!schedule_) return window_ - std::min(window_, outstanding_) >= burst_ ? 0 : kLongest;
    const uint64_t next = schedule_->next_ns();
    if (next <= now + kShortest) return 0;
    return std::min(next - now - kShortest / 2, kLongest);
  }
  unsigned Want() const {
    return schedule_ || done_ ? 1 : static_cast<unsigned>(std::clamp<uint64_t>(outstanding_ / 4, 1, 128));
  }

  bool NobodyListens(uint64_t now, uint64_t start) {
    if (tally_.counters().refused == 0 || tally_.all_answered() != 0 || now < start + kGiveUpRefusedNs)
      return false;
    tally_.result().refused = true;
    return true;
  }

  Shared& shared_;
  const Settings& settings_;
  unsigned index_;
  RetryQueue* retries_;
  Tally tally_;
  PlanCursor cursor_;
  std::optional<Schedule> schedule_;
  std::unique_ptr<UdpEngine> engine_;
  std::vector<PendingTable> pending_;  // by source port
  std::vector<Datagram> received_;
  std::vector<SendFailure> failures_;
  uint64_t window_ = 0, outstanding_ = 0, left_ = 0, give_up_ns_ = 0;
  unsigned burst_ = 1, on_port_ = 0;
  unsigned train_ = 1;  // Settings::train, or 1 when the system refuses trains
  uint32_t port_ = 0;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<Worker> MakeUdpWorker(Shared& shared, unsigned index, Live& live, RetryQueue* retries) {
  return std::make_unique<UdpWorker>(shared, index, live, retries);
}

}  // namespace mz::load
