// mailzone load: a DNS load tester.
#include "cli/verb.h"

#include <signal.h>

#include <atomic>
#include <fstream>

#include "base/file.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/load/arguments.h"
#include "cli/load/quantity.h"
#include "cli/load/queries.h"
#include "cli/load/report.h"
#include "load/run.h"
#include "load/udp_engine.h"

namespace mz::cli {

namespace {

std::atomic<bool> stop_requested{false};  // set by the signal handler, the one thing that it may do

// SIGINT and SIGTERM end the load early, with a report; a second one kills as usual.
class SignalGuard {
 public:
  SignalGuard() {
    stop_requested = false;
    struct sigaction action {};
    action.sa_handler = [](int) { stop_requested = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, &old_int_);
    ::sigaction(SIGTERM, &action, &old_term_);
  }
  ~SignalGuard() {
    ::sigaction(SIGINT, &old_int_, nullptr);
    ::sigaction(SIGTERM, &old_term_, nullptr);
  }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  struct sigaction old_int_ {
  }, old_term_{};
};

// The line that is redrawn once a second.
class LiveLine {
 public:
  explicit LiveLine(Terminal& terminal) : terminal_(terminal) {}
  ~LiveLine() { Clear(); }
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  void Show(const load::Progress& p, double rate) {
    if (!terminal_.err_is_terminal) return;
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.0f s", p.seconds);
    const double per = p.last_seconds > 0 ? 1 / p.last_seconds : 0;
    std::string text = std::string(seconds) + "  sent " +
                       QuantityText(static_cast<double>(p.last_sent) * per) + "/s  answered " +
                       QuantityText(static_cast<double>(p.last_answered) * per) + "/s  lost " +
                       std::to_string(p.lost);
    if (rate > 0) text = "at " + QuantityText(rate) + "/s: " + text;
    terminal_.err << "\r\033[K" << text << std::flush;
    drawn_ = true;
  }
  void Clear() {
    if (drawn_) terminal_.err << "\r\033[K" << std::flush;
    drawn_ = false;
  }

 private:
  Terminal& terminal_;
  bool drawn_ = false;
};

StatusOr<LoadStep> RunStep(const LoadArguments& a, const LoadQueries& q, const load::Plan& plan, double rate,
                           LiveLine& line) {
  load::Settings s = a.settings;
  s.rate = rate;
  if (a.mode != LoadMode::kOnce) s.duration_ns = a.step_ns;
  const load::Hooks hooks{
      [&](const load::Progress& p) { line.Show(p, a.mode == LoadMode::kOnce ? 0 : rate); }, &stop_requested};
  MZ_ASSIGN_OR_RETURN(load::Result result, load::Run(s, q.pool, plan, hooks));
  LoadStep step{rate, std::move(result), load::StepVerdict::kHolds};
  if (a.mode != LoadMode::kOnce) step.verdict = load::Judge(a.limits, rate, step.result);
  return step;
}

Status RunAll(const LoadArguments& a, const LoadQueries& q, LiveLine& line, LoadReport* report) {
  const load::Plan plan = load::MakePlan(q.pool, q.sequence, a.settings.train, a.reorder);
  // False: the run as a whole has ended.
  auto add = [&](double rate) -> StatusOr<bool> {
    MZ_ASSIGN_OR_RETURN(LoadStep step, RunStep(a, q, plan, rate, line));
    report->steps.push_back(std::move(step));
    return !report->steps.back().result.refused && !stop_requested;
  };
  if (a.mode == LoadMode::kOnce) return add(a.settings.rate).status();
  if (a.mode == LoadMode::kRamp) {
    for (int i = 0; a.ramp.from + i * a.ramp.step <= a.ramp.to * 1.000001; i++) {
      MZ_ASSIGN_OR_RETURN(bool go_on, add(a.ramp.from + i * a.ramp.step));
      if (!go_on) break;
    }
    return absl::OkStatus();
  }
  load::Search search(a.limits);
  while (const std::optional<double> rate = search.Next()) {
    MZ_ASSIGN_OR_RETURN(bool go_on, add(*rate));
    if (!go_on) break;
    search.Report(report->steps.back().verdict == load::StepVerdict::kHolds);
  }
  report->max_rate = search.best();
  return absl::OkStatus();
}

void Warn(const LoadReport& report, Terminal& terminal) {
  const load::Result& last = report.steps.back().result;
  if (report.arguments.mode == LoadMode::kOnce) {
    if (const std::optional<double> p = SpoiledFrom(last)) {
      char text[160];
      std::snprintf(text, sizeof text,
                    "the generator itself was late: from p%g on the latencies are its own; lower the rate, "
                    "add --threads, or "
                    "keep its processors free (--cpus)",
                    *p);
      Complain(terminal, text);
    }
  }
  if (report.max_rate) {
    for (const LoadStep& s : report.steps)
      if (s.verdict == load::StepVerdict::kGenerator) {
        Complain(terminal, "at " + QuantityText(s.rate) +
                               "/s the generator could not keep the rate: the limit may be its own; "
                               "add --threads");
        break;
      }
  }
}

void ShowMismatches(const LoadReport& report, Terminal& terminal) {
  for (const LoadStep& s : report.steps)
    for (const load::Mismatch& m : s.result.mismatches) {
      terminal.err << Printable(";; wrong answer") << "\n";
      const std::string text = MismatchText(report, m);
      for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        terminal.err << Printable(std::string_view(text).substr(at, end - at)) << "\n";
        at = end + 1;
      }
    }
}

Status WritePage(const LoadReport& report) {
  AtomicFile file(report.arguments.html);
  MZ_RETURN_IF_ERROR(file.Open());
  const std::string page = ReportHtml(report);
  MZ_RETURN_IF_ERROR(file.Write({reinterpret_cast<const uint8_t*>(page.data()), page.size()}));
  return file.Commit();
}

int ExitCodeOf(const LoadReport& report, Terminal& terminal) {
  uint64_t sent = 0, answered = 0, mismatched = 0, lost = 0;
  bool refused = false;
  for (const LoadStep& s : report.steps) {
    sent += s.result.counters.sent;
    answered += s.result.counters.answered;
    mismatched += s.result.counters.mismatched;
    lost += s.result.counters.lost;
    refused |= s.result.refused;
  }
  const LoadArguments& a = report.arguments;
  if (stop_requested && sent == 0) {
    Complain(terminal, "ended during the warm-up, nothing was counted");
    return kExitOk;
  }
  if (refused || answered == 0) {
    const bool tcp = a.settings.transport == load::Transport::kTcp;
    Complain(terminal,
             refused ? a.target_text + ": connection refused, nothing listens there on " +
                           (tcp ? "TCP" : "UDP") + "; is the server up, and the port right?"
                     : a.target_text +
                           ": no answer at all; is the address right, and does a firewall drop the queries?" +
                           (a.settings.proxy.empty() ? "" : " Does the server read PROXY headers?"));
    return kExitTemporary;
  }
  if (mismatched > 0) return kExitFindings;
  if (a.mode == LoadMode::kOnce && static_cast<double>(lost) > a.limits.max_loss * static_cast<double>(sent))
    return kExitFindings;
  return report.max_rate && *report.max_rate == 0 ? kExitFindings : kExitOk;
}

}  // namespace

int RunLoadVerb(const std::vector<std::string>& words, Terminal& terminal) {
  LoadArguments arguments;
  if (auto exit = ParseLoadArguments(words, terminal, &arguments)) return *exit;
  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  auto fail = [&](const Status& status) {
    log.Finish();
    Complain(terminal, Printable(Message(status)));
    return log.errors() > 0 ? kExitFindings : ExitCodeFor(status);
  };
  StatusOr<LoadQueries> queries = MakeLoadQueries(arguments, log);
  if (!queries.ok()) return fail(queries.status());
  if (arguments.verify)
    if (const Status s = ExpectAnswers(arguments, &*queries); !s.ok()) return fail(s);
  if (arguments.settings.engine == load::EngineKind::kUring)
    if (const Status s = load::UringWorks(); !s.ok()) return fail(s);

  LoadReport report{arguments, *queries, {}, {}};
  Status status;
  {
    const SignalGuard signals;
    LiveLine line(terminal);
    status = RunAll(arguments, *queries, line, &report);
  }
  if (!status.ok()) return fail(status);
  if (arguments.json)
    terminal.out << ReportJson(report).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  else
    PrintReport(report, terminal.out);
  terminal.out << std::flush;
  Warn(report, terminal);
  ShowMismatches(report, terminal);
  if (!arguments.html.empty())
    if (const Status s = WritePage(report); !s.ok()) return fail(s);
  return ExitCodeOf(report, terminal);
}

}  // namespace mz::cli
