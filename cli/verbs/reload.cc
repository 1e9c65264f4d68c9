// mailzone reload: makes a running daemon look at its image, and with --wait tells how that went.
#include <signal.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/daemon_address.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "format/stats/reload_wait.h"

namespace mz::cli {
namespace {

const char* VerdictText(stats::ReloadVerdict verdict) {
  switch (verdict) {
    case stats::ReloadVerdict::kLoaded: return "loaded";
    case stats::ReloadVerdict::kUnchanged: return "unchanged";
    case stats::ReloadVerdict::kFailed: return "failed";
    case stats::ReloadVerdict::kNone: break;
  }
  return "none";
}

int SignalByPidFile(const std::string& path, Terminal& terminal) {
  StatusOr<pid_t> pid = ReadPidFile(path);
  if (!pid.ok()) {
    Complain(terminal, Printable(Message(pid.status())));
    return kExitUnreadable;
  }
  if (::kill(*pid, SIGHUP) != 0) {
    Complain(terminal, "process " + std::to_string(*pid) + ": " + std::strerror(errno));
    return kExitTemporary;
  }
  terminal.out << "process " << *pid << " was told to reload\n";
  return kExitOk;
}

}  // namespace

int RunReloadVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  DaemonAddress address;
  bool wait = false, json = false;
  std::optional<uint64_t> timeout_seconds;
  Options options("reload", "Makes a running mailzoned take the image that now lies at its path.",
                  "mailzone reload --wait mailzone.toml\n"
                  "mailzone reload --wait --stats-page /run/mailzone/bl.stats\n"
                  "mailzone reload --pid-file /run/mailzoned.pid\n");
  options.Flag("-w,--wait", &wait, "wait for the verdict: exit 0 loaded or unchanged, 1 the image was refused");
  options.Number("--timeout", &timeout_seconds, 1, 86400, "SECONDS", "how long to wait (60)");
  options.Flag("--json", &json, "one JSON document on standard output (with --wait)");
  address.Declare(&options, /*with_pid_file=*/true);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (!address.pid_file.empty()) {
    if (wait) return options.UsageError(terminal, "--wait needs the statistics page, not the pid file");
    return SignalByPidFile(address.pid_file, terminal);
  }

  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  StatusOr<std::string> page = address.StatsPage(&log);
  if (!page.ok()) {
    Complain(terminal, Printable(Message(page.status())));
    return page.status().code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(page.status());
  }
  auto unreachable = [&](const Status& status) {
    Complain(terminal, Printable(Message(status)));
    return status.code() == StatusCode::kNotFound ? kExitTemporary : ExitCodeFor(status);
  };
  if (!wait) {
    if (Status sent = stats::SendReload(*page); !sent.ok()) return unreachable(sent);
    terminal.out << "told to reload\n";
    return kExitOk;
  }
  StatusOr<stats::ReloadReport> report =
      stats::ReloadAndWait(*page, static_cast<int>(timeout_seconds.value_or(60) * 1000));
  if (!report.ok()) return unreachable(report.status());
  bool failed = report->verdict == stats::ReloadVerdict::kFailed;
  char identity[24];
  std::snprintf(identity, sizeof identity, "%016llx", static_cast<unsigned long long>(report->image_identity));
  if (json) {
    nlohmann::json document = {{"verdict", VerdictText(report->verdict)},
                               {"generation", report->generation},
                               {"identity", identity},
                               {"microseconds", report->microseconds}};
    if (failed) document["error"] = report->error;
    terminal.out << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else if (failed) {
    Complain(terminal, "refused: " + Printable(report->error));
    terminal.err << "the daemon goes on with generation " << report->generation << "\n";
  } else {
    terminal.out << VerdictText(report->verdict) << ", generation " << report->generation << ", identity " << identity
                 << ", " << report->microseconds << " us\n";
  }
  return failed ? kExitFindings : kExitOk;
}

}  // namespace mz::cli
