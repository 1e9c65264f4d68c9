// See daemon.h. The order of the members of Daemon is the order in which they come up; they go down the other way.
#include "server/control/daemon.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>

#include "format/dns/name.h"
#include "format/stats/page.h"
#include "server/control/background.h"
#include "server/control/crew.h"
#include "server/control/listen.h"
#include "server/control/loader.h"
#include "server/control/notify.h"
#include "server/control/privileges.h"
#include "server/control/query_log.h"
#include "server/control/reload_line.h"
#include "server/control/scheduling.h"
#include "server/control/signals.h"
#include "server/control/statistics.h"

namespace mz::control {
namespace {

constexpr uint32_t kSpareZoneSlots = 1024;      // zones that may come and go before "*" collects the newest
constexpr size_t kQueryRingBytes = 4u << 20;    // per worker: some 50,000 queries
constexpr int kDrainIntervalMs = 10;            // of the query rings while queries come in
constexpr int kLoaderGraceMs = 500;             // for a load that is under way when the daemon ends

constexpr int kExitSetUp = 2, kExitInternal = 5;

int64_t NowUnix() { return static_cast<int64_t>(::time(nullptr)); }

std::span<const uint8_t> Bytes(const std::string& s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}

std::string ZoneText(const image::View& view, const image::ZoneRecord& zone) {
  std::span<const uint8_t> wire = image::NameBytes(view.name(zone.name));
  return dns::NameText({reinterpret_cast<const char*>(wire.data()), wire.size()});
}

class Daemon {
 public:
  Daemon(const DaemonOptions& options, ImageSource& source, const Logger& log)
      : options_(options), source_(source), log_(log), loader_(source, log) {}

  int Run();

 private:
  Status SetUp();
  Status OpenPage(size_t zones);
  Status StartServing(std::unique_ptr<swap::Generation> first);
  void Publish(std::unique_ptr<swap::Generation> next);
  void AnnounceStart(int zones);
  void WarnOfExpiredZones();

  void Loop();
  void OnSignal(int signal_number);
  void OnTick();
  void RequestLoad(LoadReason reason);
  void StartPendingLoad();
  void OnLoadDone(LoadDone done);
  void OnFirstLoadDone(LoadDone& done);
  void DrainQueries(bool* any);
  void PumpQueryLog();
  void ShutDown();
  void End(int exit_code) {
    ending_ = true;
    exit_code_ = exit_code;
  }

  bool serving() const { return crew_ != nullptr; }

  const DaemonOptions& options_;
  ImageSource& source_;
  const Logger& log_;

  Background background_;
  SignalQueue signals_;
  Notifier notifier_;
  int workers_ = 0;
  int systemd_sockets_ = 0;
  Listeners listeners_;
  int addresses_ = 0;
  UniqueFd tick_;
  UniqueFd query_wake_;
  std::unique_ptr<QueryLog> query_log_;
  bool query_rings_active_ = false;
  Loader loader_;
  std::optional<LoadReason> pending_;
  bool announced_ = false;

  answer::Settings settings_;
  stats::Page page_;
  std::unique_ptr<Statistics> statistics_;
  std::vector<std::unique_ptr<QueryRing>> query_rings_;
  std::unique_ptr<swap::Published> published_;
  std::unique_ptr<Crew> crew_;
  uint64_t generation_ = 0;
  std::set<std::string> expired_zones_;  // that have been warned of

  bool ending_ = false;
  int exit_code_ = 0;
};

int Daemon::Run() {
  systemd_sockets_ = TakeSystemdSocketCount();
  if (!options_.foreground)
    if (std::optional<int> exit_code = background_.Fork()) return *exit_code;

  if (Status s = SetUp(); !s.ok()) {
    log_.Error(Message(s));
    const int exit_code = s.code() == StatusCode::kInternal ? kExitInternal : kExitSetUp;
    background_.Failed(exit_code);
    return exit_code;
  }
  if (options_.start_without_data) AnnounceStart(std::max(0, source_.zones_configured()));
  notifier_.Reloading();
  loader_.Start(LoadReason::kStart, nullptr);
  Loop();
  background_.Failed(exit_code_ != 0 ? exit_code_ : 1);  // tells the parent, if it still waits for a start
  ShutDown();
  return exit_code_;
}

Status Daemon::SetUp() {
  MZ_RETURN_IF_ERROR(signals_.Open());
  workers_ = options_.workers > 0 ? std::min(options_.workers, static_cast<int>(stats::kMaxWorkers))
                                  : AvailableCores();
  if (options_.listen.empty() && systemd_sockets_ == 0)
    return MakeStatus(StatusCode::kInvalidArgument, "no address to listen on");
  MZ_ASSIGN_OR_RETURN(listeners_, OpenListeners(options_, workers_, systemd_sockets_, log_));
  addresses_ = listeners_.addresses;

  MZ_ASSIGN_OR_RETURN(Identity identity, LookUpIdentity(options_.user, options_.refuse_root));
  if (!options_.pid_file.empty()) MZ_RETURN_IF_ERROR(WritePidFile(options_.pid_file));
  notifier_ = Notifier::FromEnvironment();
  MZ_RETURN_IF_ERROR(EnterDirectories(options_.chroot_dir, options_.work_dir));
  AllowReturn();
  MZ_RETURN_IF_ERROR(Assume(identity));

  if (options_.before_threads) MZ_RETURN_IF_ERROR(options_.before_threads());

  MZ_RETURN_IF_ERROR(loader_.Open());
  query_wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  tick_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!query_wake_.valid() || !tick_.valid()) return ErrnoStatus(errno, "eventfd or timerfd");
  if (!options_.query_log.empty()) {
    query_log_ = std::make_unique<QueryLog>(options_.query_log, options_.query_log_unbuffered);
    query_log_->Reopen(log_);
  }
  settings_.max_udp_bytes = options_.max_udp_bytes;
  settings_.version = Bytes(options_.version_text);
  settings_.server_id = Bytes(options_.server_id);
  return absl::OkStatus();
}

Status Daemon::OpenPage(size_t zones) {
  const uint32_t slots = static_cast<uint32_t>(
      std::min<size_t>(stats::kMaxZoneSlots, 2 * zones + kSpareZoneSlots));
  const uint32_t workers = static_cast<uint32_t>(workers_);
  StatusOr<stats::Page> page = MakeStatus(StatusCode::kNotFound, "");
  if (!options_.stats_page.empty()) {
    page = stats::Page::Create(options_.stats_page, workers, slots);
    if (!page.ok()) {
      if (!options_.stats_page_optional) return page.status();
      log_.Warning("no statistics page: " + std::string(Message(page.status())));
    }
  }
  if (!page.ok()) page = stats::Page::Anonymous(workers, slots);
  if (!page.ok()) return page.status();
  page_ = std::move(*page);
  stats::HeaderUpdate update(page_);
  update->started_unix = static_cast<uint64_t>(NowUnix());
  stats::CopyText(source_.description(), update->image_source, sizeof update->image_source);
  return absl::OkStatus();
}

Status Daemon::StartServing(std::unique_ptr<swap::Generation> first) {
  MZ_RETURN_IF_ERROR(OpenPage(first->view.zones().size()));
  statistics_ = std::make_unique<Statistics>(page_, options_.stats_file, options_.stats_file_deltas, NowUnix());
  statistics_->WriteTimestamp(NowUnix());
  if (query_log_)
    for (int i = 0; i < workers_; i++)
      query_rings_.push_back(std::make_unique<QueryRing>(kQueryRingBytes, query_wake_.get()));
  query_rings_active_ = !query_rings_.empty();
  published_ = std::make_unique<swap::Published>(workers_);
  auto crew = std::make_unique<Crew>(workers_, *published_, settings_, page_, query_rings_);
  crew.swap(crew_);
  Publish(std::move(first));
  MZ_RETURN_IF_ERROR(crew_->Start(options_, std::move(listeners_), log_));
  {
    stats::HeaderUpdate update(page_);
    stats::CopyText(crew_->backend_name(), update->io_backend, sizeof update->io_backend);
  }
  if (options_.check_interval_seconds > 0) {
    itimerspec every{};
    every.it_interval.tv_sec = every.it_value.tv_sec = options_.check_interval_seconds;
    ::timerfd_settime(tick_.get(), 0, &every, nullptr);
  }
  return absl::OkStatus();
}

void Daemon::Publish(std::unique_ptr<swap::Generation> next) {
  const image::View view = next->view;
  const image::Header& header = view.header();
  next->number = ++generation_;
  next->zone_slots.clear();
  for (const image::ZoneRecord& zone : view.zones()) next->zone_slots.push_back(page_.SlotOf(ZoneText(view, zone)));
  statistics_->SetZones(next->zone_slots);
  crew_->PrepareGeneration(next->number, view.zones().size());
  loader_.Free(published_->Publish(std::move(next)));

  {
    stats::HeaderUpdate update(page_);
    update->generation = generation_;
    update->image_identity = header.identity;
    update->image_bytes = header.file_size;
    update->image_created_unix = header.created_unix;
    update->published_unix = static_cast<uint64_t>(NowUnix());
    update->zone_count = static_cast<uint32_t>(view.zones().size());
  }
  if (options_.log_details) {
    char identity[24];
    std::snprintf(identity, sizeof identity, "%016" PRIx64, static_cast<uint64_t>(header.identity));
    log_.Info("serving " + source_.description() + ": generation " + std::to_string(generation_) + ", " +
              std::to_string(view.zones().size()) + " zone(s), " + std::to_string(uint64_t{header.file_size}) +
              " bytes, identity " + identity);
  }
}

void Daemon::AnnounceStart(int zones) {
  if (announced_) return;
  announced_ = true;
  log_.Info(options_.version_line + " started (" + std::to_string(addresses_) + " socket(s), " +
            std::to_string(zones) + " zone(s))");
  if (background_.forked()) {
    background_.Ready(options_.query_log == "-");
    if (options_.detached) options_.detached();
  }
}

void Daemon::WarnOfExpiredZones() {
  const image::View& view = published_->current()->view;
  const uint64_t now = static_cast<uint64_t>(NowUnix());
  for (const image::ZoneRecord& zone : view.zones()) {
    if (zone.expires_unix == 0) continue;
    std::string text = ZoneText(view, zone);
    if (zone.expires_unix >= now) {
      expired_zones_.erase(text);
    } else if (expired_zones_.insert(text).second) {
      log_.Warning("zone " + text + ": zone data expired, zone will not be serviced");
    }
  }
}

void Daemon::RequestLoad(LoadReason reason) {
  // A signal looks more closely than a tick, and covers it.
  if (!pending_ || reason == LoadReason::kSignal) pending_ = reason;
  StartPendingLoad();
}

void Daemon::StartPendingLoad() {
  if (!pending_ || loader_.busy() || ending_) return;
  // Without data yet (a quick start whose first load failed) every load is a first one.
  const LoadReason reason = serving() ? *pending_ : LoadReason::kStart;
  if (*pending_ == LoadReason::kSignal) notifier_.Reloading();
  pending_.reset();
  if (serving()) {
    stats::HeaderUpdate update(page_);
    update->reloads_begun++;
  }
  loader_.Start(reason, serving() ? published_->current() : nullptr);
}

void Daemon::OnFirstLoadDone(LoadDone& done) {
  LoadOutcome& outcome = done.outcome;
  const bool fatal = !options_.start_without_data && (!outcome.problem.ok() || !outcome.next);
  if (!outcome.problem.ok() && !outcome.problem_logged) log_.Error(Message(outcome.problem));
  if (fatal) return End(ExitCodeFor(outcome.problem));
  if (!outcome.next) {
    // A quick start without any image: queries wait in the sockets until a later load succeeds.
    if (options_.check_interval_seconds > 0) {
      itimerspec every{};
      every.it_interval.tv_sec = every.it_value.tv_sec = options_.check_interval_seconds;
      ::timerfd_settime(tick_.get(), 0, &every, nullptr);
    }
    return;
  }
  const int zones = static_cast<int>(outcome.next->view.zones().size());
  if (Status s = StartServing(std::move(outcome.next)); !s.ok()) {
    log_.Error(Message(s));
    return End(s.code() == StatusCode::kInternal ? kExitInternal : kExitSetUp);
  }
  AnnounceStart(zones);
  WarnOfExpiredZones();
}

void Daemon::OnLoadDone(LoadDone done) {
  LoadOutcome& outcome = done.outcome;
  if (outcome.reloaded) {
    MemoryUse memory = AllocatorUse();
    if (outcome.next) memory.mmap += outcome.next->bytes.bytes().size();
    else if (serving()) memory.mmap += published_->current()->bytes.bytes().size();
    log_.Info(ReloadedLine(done.elapsed_seconds, done.cpu_seconds, memory));
  }
  if (!serving()) {
    OnFirstLoadDone(done);
  } else {
    stats::ReloadVerdict verdict = stats::ReloadVerdict::kUnchanged;
    if (outcome.next) {
      verdict = stats::ReloadVerdict::kLoaded;
      Publish(std::move(outcome.next));
    }
    std::string error;
    if (!outcome.problem.ok()) {
      verdict = stats::ReloadVerdict::kFailed;
      error = std::string(Message(outcome.problem));
      if (!outcome.problem_logged)
        log_.Error("reload failed, generation " + std::to_string(generation_) + " stays in service: " + error);
    }
    WarnOfExpiredZones();
    stats::HeaderUpdate update(page_);
    update->reloads_finished++;
    if (verdict == stats::ReloadVerdict::kFailed) update->reloads_failed++;
    update->last_reload_unix = static_cast<uint64_t>(NowUnix());
    update->last_reload_microseconds = static_cast<uint32_t>(std::min(done.elapsed_seconds * 1e6, 4294967295.0));
    update->last_verdict = verdict;
    stats::CopyText(error, update->last_error, sizeof update->last_error);
  }
  if (done.reason != LoadReason::kTick && serving())
    notifier_.Ready("serving " + std::to_string(published_->current()->view.zones().size()) + " zone(s)");
  StartPendingLoad();
}

void Daemon::OnTick() {
  uint64_t ticks;
  if (::read(tick_.get(), &ticks, sizeof ticks) != sizeof ticks) return;
  RequestLoad(LoadReason::kTick);
  if (statistics_) statistics_->WriteLine(NowUnix());
}

void Daemon::OnSignal(int signal_number) {
  switch (signal_number) {
    case SIGTERM:
    case SIGINT:
      notifier_.Stopping();
      log_.Info("terminating");
      End(0);
      break;
    case SIGHUP:
      if (query_log_) {
        bool any;
        DrainQueries(&any);
        query_log_->Reopen(log_);
      }
      RequestLoad(LoadReason::kSignal);
      break;
    case SIGUSR1:
    case SIGUSR2:
      if (!serving()) break;
      statistics_->WriteLine(NowUnix());
      statistics_->LogLines(log_, NowUnix());
      if (signal_number == SIGUSR2) {
        statistics_->Zero(NowUnix());
        statistics_->WriteTimestamp(NowUnix());
      }
      break;
    default: break;
  }
}

void Daemon::DrainQueries(bool* any) {
  *any = false;
  uint64_t lost = query_log_->lost();
  for (auto& ring : query_rings_) {
    ring->Drain([&](const QueryRecord& r) {
      query_log_->Write(r);
      *any = true;
    });
    lost += ring->lost();
  }
  if (serving() && lost != page_.header().query_log_lost) {
    stats::HeaderUpdate update(page_);
    update->query_log_lost = lost;
  }
}

// Rings are drained at an interval while queries come in; when a round finds nothing, the next query wakes us.
void Daemon::PumpQueryLog() {
  uint64_t count;
  if (::read(query_wake_.get(), &count, sizeof count) == sizeof count) query_rings_active_ = true;
  if (!query_rings_active_) return;
  bool any;
  DrainQueries(&any);
  if (any) return;
  query_rings_active_ = false;
  for (auto& ring : query_rings_)
    if (!ring->Sleep()) query_rings_active_ = true;
}

void Daemon::Loop() {
  while (!ending_) {
    pollfd fds[] = {{signals_.fd(), POLLIN, 0},
                    {loader_.event_fd(), POLLIN, 0},
                    {tick_.get(), POLLIN, 0},
                    {query_wake_.get(), POLLIN, 0},
                    {serving() ? crew_->failure_fd() : -1, POLLIN, 0}};
    const int timeout = query_rings_active_ ? kDrainIntervalMs : loader_.working() ? kStarvationCheckMs : -1;
    if (::poll(fds, std::size(fds), timeout) < 0 && errno != EINTR) {
      log_.Error(Message(ErrnoStatus(errno, "poll")));
      return End(kExitInternal);
    }
    loader_.Watch();
    if (fds[0].revents)
      while (std::optional<int> signal_number = ending_ ? std::nullopt : signals_.Next()) OnSignal(*signal_number);
    if (fds[1].revents && !ending_)
      if (std::optional<LoadDone> done = loader_.Take()) OnLoadDone(std::move(*done));
    if (fds[2].revents && !ending_) OnTick();
    if (query_log_) PumpQueryLog();
    if (fds[4].revents && !ending_) {
      log_.Error("a worker cannot go on: " + std::string(Message(crew_->failure())));
      End(kExitInternal);
    }
  }
}

void Daemon::ShutDown() {
  if (crew_) crew_->Stop();
  if (query_log_) {
    bool any;
    DrainQueries(&any);
    query_log_->Flush();
  }
  if (statistics_) {
    const int64_t now = NowUnix();
    statistics_->WriteLine(now);
    statistics_->LogLines(log_, now);
    statistics_->WriteTimestamp(now);
    page_.Unlink();
  }
  // A load that does not end in time would keep the process: leave it behind, nothing needs its result.
  if (!loader_.Stop(kLoaderGraceMs)) std::_Exit(exit_code_);
}

}  // namespace

int ExitCodeFor(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk: return 0;
    case StatusCode::kDataLoss: return 1;
    case StatusCode::kInvalidArgument:
    case StatusCode::kFailedPrecondition: return kExitSetUp;
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied: return 3;
    case StatusCode::kResourceExhausted:
    case StatusCode::kUnavailable: return 4;
    default: return kExitInternal;
  }
}

int RunDaemon(const DaemonOptions& options, ImageSource& source, const Logger& log) {
  return Daemon(options, source, log).Run();
}

}  // namespace mz::control
