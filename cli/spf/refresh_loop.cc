// See refresh_loop.h.
#include "cli/spf/refresh_loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/spf/acknowledge.h"
#include "cli/spf/generations.h"
#include "format/dns/name.h"

namespace mz::cli {

namespace spf = compiler::spf;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

RefreshLoop::RefreshLoop(BuildFlags flags, std::vector<std::string> inputs, const Logger& log, Terminal& terminal)
    : flags_(std::move(flags)), inputs_(std::move(inputs)), log_(log), terminal_(terminal) {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, s);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  ::signal(SIGPIPE, SIG_IGN);
}

RefreshLoop::~RefreshLoop() = default;

Status RefreshLoop::Configure() {
  DiagnosticLog diagnostics({.err = &terminal_.err, .colour = terminal_.err_colour});
  StatusOr<BuildJob> job = MakeBuildJob(flags_, inputs_, &diagnostics);
  if (!job.ok()) return job.status();
  if (!job->config || !job->config->HasSpf())
    return MakeStatus(StatusCode::kInvalidArgument, "the configuration has no zone of type spf: `mailzone build` is enough");
  auto next = std::make_unique<BuildJob>(std::move(*job));
  if (session_ != nullptr) SaveState();  // the new session begins with what the old one knows
  StatusOr<std::unique_ptr<SpfSession>> session = SpfSession::Open(*next->config, &diagnostics);
  diagnostics.Finish();
  if (!session.ok()) return session.status();
  hooks_.reset();
  changes_.reset();
  session_ = std::move(*session);
  job_ = std::move(next);
  changes_ = std::make_unique<ChangeRecord>(session_.get());
  hooks_ = std::make_unique<Hooks>(job_->config->spf, log_);
  last_domains_ = std::time(nullptr);
  write_wanted_ = true;
  // What the state file said is what is in service: changes are told against it.
  changes_->Remember();
  session_->refresher().ClearDirty();
  return absl::OkStatus();
}

int RefreshLoop::Run(bool once) {
  if (Status configured = Configure(); !configured.ok()) {
    Complain(terminal_, Printable(Message(configured)));
    return configured.code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(configured);
  }
  started_ = Clock::now();
  last_save_ = std::time(nullptr);
  while (true) {
    const int64_t now = std::time(nullptr);
    const Clock::time_point begin = Clock::now();
    session_->refresher().Step(now, 0);
    TakeAcknowledgements(now);
    const bool held = IsHeld(job_->image);
    if (held && !held_) log_.Warning("held by a rollback: nothing is published until `mailzone rollback --resume`");
    if (!held && held_) write_wanted_ = true;  // what lies there is an old image
    held_ = held;
    for (spf::Refresher::Change& c : session_->refresher().TakeChanges()) {
      state_dirty_ = true;
      if (pending_changes_.empty()) first_answer_ = begin;
      pending_changes_.push_back(std::move(c));
    }
    TellEvents();
    if (WriteIsDue()) {
      Publish(now);
      last_round_ms_ = duration_cast<milliseconds>(Clock::now() - begin).count();
    }
    if (once && session_->refresher().settled() && !write_wanted_) break;
    Push(now);
    if (state_dirty_ && now - last_save_ >= kSaveStateSeconds) SaveState();
    const bool has_url = std::any_of(session_->zones().begin(), session_->zones().end(),
                                     [](const SpfZone& z) { return !z.config->domains_url.empty(); });
    if (has_url && now - last_domains_ >= kReadDomainsSeconds) {
      last_domains_ = now;
      DiagnosticLog diagnostics({.err = &terminal_.err, .colour = terminal_.err_colour});
      StatusOr<bool> changed = session_->ReloadDomains(&diagnostics);
      if (!changed.ok())
        log_.Warning(std::string(Message(changed.status())) + "; the domains stay as they are");
      else if (*changed)
        write_wanted_ = true;
    }
    Wait(now);
    if (!HandleSignals()) break;
  }
  SaveState();
  if (Status finished = session_->FinishRecording(); !finished.ok()) log_.Error(std::string(Message(finished)));
  return last_build_good_ ? kExitOk : kExitTemporary;
}

void RefreshLoop::Wait(int64_t now) {
  constexpr int kMostMs = 1000;
  int wait = session_->refresher().WaitMs(now, kMostMs);
  const bool dirty = !held_ && (write_wanted_ || !session_->refresher().dirty().empty());
  if (dirty && published_) {
    const int64_t interval = 1000 * static_cast<int64_t>(job_->config->spf.write_interval.value_or(kDefaultWriteInterval));
    const int64_t since = duration_cast<milliseconds>(Clock::now() - last_write_).count();
    wait = static_cast<int>(std::clamp<int64_t>(interval - since, 0, wait));
    if (session_->refresher().discovering()) wait = std::max(wait, 10);
  }
  pollfd fds[] = {{signals_.get(), POLLIN, 0}, {session_->resolver_fd(), POLLIN, 0}};
  ::poll(fds, 2, wait);
}

bool RefreshLoop::HandleSignals() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo != SIGHUP) return false;
    if (Status configured = Configure(); !configured.ok())
      log_.Error(std::string(Message(configured)) + "; the old configuration stays in force");
    write_wanted_ = true;
  }
  return true;
}

bool RefreshLoop::WriteIsDue() const {
  const spf::Refresher& r = session_->refresher();
  if (held_ || (!write_wanted_ && r.dirty().empty())) return false;  // what is dirty stays so
  const Clock::time_point t = Clock::now();
  if (!published_) return !r.discovering() || t - started_ >= seconds(kFirstImagePatience);
  // An include that is new leads to questions of its own: their answers belong to the same change.
  const auto since = t - last_write_;
  const auto interval = seconds(job_->config->spf.write_interval.value_or(kDefaultWriteInterval));
  if (r.discovering() && since < interval + seconds(kFirstImagePatience)) return false;
  return since >= interval;
}

void RefreshLoop::Publish(int64_t now) {
  last_write_ = Clock::now();
  Progress silent(terminal_);
  DiagnosticLog diagnostics({.err = published_ ? nullptr : &terminal_.err, .colour = terminal_.err_colour, .max_shown = 20});
  const BuildReport report = RunBuildJob(*job_, BuildTarget::kImageFile, &diagnostics, &silent, session_.get());
  if (!published_) diagnostics.Finish();
  if (report.errors != last_errors_)  // tried again every write interval: told once
    for (const std::string& e : report.errors) log_.Error(Printable(e));
  last_errors_ = report.errors;
  last_build_good_ = report.exit_code == kExitOk;
  write_wanted_ = false;
  if (!last_build_good_) {
    published_ = true;
    write_wanted_ = true;  // tried again after the interval
    return;
  }
  const bool first = !published_;
  published_ = true;
  uint64_t generation = 0;
  if (!report.up_to_date) {
    const uint64_t keep = job_->config->spf.generations.value_or(kDefaultGenerations);
    if (keep > 0) {
      StatusOr<uint64_t> kept = KeepGeneration(job_->image, job_->config->spf.generations_dir, keep);
      if (kept.ok())
        generation = *kept;
      else
        log_.Warning("the generation is not kept: " + std::string(Message(kept.status())));
    }
  }
  if (!report.up_to_date || first) {
    char identity[24];
    std::snprintf(identity, sizeof identity, "%016llx", static_cast<unsigned long long>(report.result.identity));
    terminal_.out << kPublished << generation << " " << identity << "\n" << std::flush;
  }
  const int64_t after_us = pending_changes_.empty()
                               ? -1
                               : duration_cast<std::chrono::microseconds>(Clock::now() - first_answer_).count();
  // Behind the announcement: at thousands of domains the record of a provider's change takes longer than the image.
  const std::vector<std::string> lines = changes_->Update(pending_changes_, now);
  pending_changes_.clear();
  session_->refresher().ClearDirty();
  if (!report.up_to_date)
    log_.Info("wrote " + job_->image + ": " + std::to_string(report.spf->domains) + " SPF domains, " +
              std::to_string(lines.size()) + " changed answers, " +
              std::to_string(static_cast<int>(report.seconds * 1000)) + " ms" +
              (after_us >= 0 ? ", " + std::to_string(after_us) + " us after the first answer" : "") +
              (report.spf->incomplete > 0 ? ", " + std::to_string(report.spf->incomplete) + " incomplete" : ""));
  if (Status written = AppendLines(job_->config->spf.change_log, lines); !written.ok())
    log_.Error("change log: " + std::string(Message(written)));
  SaveState();  // a command of the hook may read it: `mailzone spf emit`
  hooks_->Changed(lines, generation);
}

void RefreshLoop::TellEvents() {
  for (const resolve::StoreEvent& e : session_->TakeEvents()) {
    const std::string line = QuestionText(e.question) + ": " + e.text;
    log_.Log(e.level == resolve::StoreEvent::kInfo      ? LogLevel::kInfo
             : e.level == resolve::StoreEvent::kWarning ? LogLevel::kWarning
                                                        : LogLevel::kError,
             Printable(line));
  }
}

void RefreshLoop::TakeAcknowledgements(int64_t now) {
  for (const resolve::Question& q : TakeAcknowledged(job_->config->spf)) {
    if (session_->refresher().Acknowledge(q, now))
      log_.Info(QuestionText(q) + ": believed on the operator's word");
    else
      log_.Warning(QuestionText(q) + ": nothing is held back there");
  }
}

void RefreshLoop::SaveState() {
  last_save_ = std::time(nullptr);
  state_dirty_ = false;
  if (Status saved = session_->SaveState(); !saved.ok()) log_.Error("state: " + std::string(Message(saved)));
}

void RefreshLoop::Push(int64_t now) {
  const SpfConfig& config = job_->config->spf;
  constexpr int64_t kDefaultPushSeconds = 60;
  if (config.push_url.empty() || !published_) return;
  if (now - last_push_ < static_cast<int64_t>(config.push_interval.value_or(kDefaultPushSeconds))) return;
  last_push_ = now;
  // Only while what is served is what should be served: a monitor that hears nothing raises the alarm.
  if (last_build_good_ && !session_->refresher().discovering()) hooks_->Healthy(last_round_ms_);
}

}  // namespace mz::cli
