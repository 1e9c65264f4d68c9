// mailzone status: what a running daemon does, read from its statistics page.
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/daemon_address.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/image_file.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "format/stats/page.h"

namespace mz::cli {
namespace {

using nlohmann::json;

const char* VerdictText(const stats::HeaderSample& h) {
  switch (h.last_verdict) {
    case stats::ReloadVerdict::kLoaded: return "loaded";
    case stats::ReloadVerdict::kUnchanged: return "unchanged";
    case stats::ReloadVerdict::kFailed: return "failed";
    case stats::ReloadVerdict::kNone: break;
  }
  return "none";
}

std::string Hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

json WorkerJson(const stats::WorkerSample& w) {
  return {{"queries", w.queries},           {"answered", w.answered},
          {"nxdomain", w.nxdomain},         {"errors", w.errors},
          {"dropped", w.dropped},           {"bytes_in", w.bytes_in},
          {"bytes_out", w.bytes_out},       {"truncated", w.truncated},
          {"udp_received", w.udp_received}, {"udp_sent", w.udp_sent},
          {"udp_send_failed", w.udp_send_failed}, {"tcp_accepted", w.tcp_accepted},
          {"tcp_messages", w.tcp_messages}, {"tcp_evicted", w.tcp_evicted},
          {"tcp_timeouts", w.tcp_timeouts}, {"tcp_errors", w.tcp_errors},
          {"tcp_open", w.tcp_open},         {"batches", w.batches}};
}

json StatusJson(const stats::Snapshot& s) {
  const stats::HeaderSample& h = s.header;
  json workers = json::array(), zones = json::array();
  for (const stats::WorkerSample& w : s.workers) workers.push_back(WorkerJson(w));
  for (const stats::ZoneSample& z : s.zones)
    zones.push_back({{"zone", z.zone}, {"ok", z.ok}, {"nxdomain", z.nxdomain}, {"error", z.error},
                     {"bytes_in", z.bytes_in}, {"bytes_out", z.bytes_out}});
  return {{"running", s.running},
          {"pid", h.pid},
          {"started", h.started_unix},
          {"io", h.io_backend},
          {"image",
           {{"source", h.image_source},
            {"generation", h.generation},
            {"identity", Hex(h.image_identity)},
            {"bytes", h.image_bytes},
            {"created", h.image_created_unix},
            {"published", h.published_unix},
            {"zones", h.zone_count}}},
          {"reload",
           {{"begun", h.reloads_begun},
            {"finished", h.reloads_finished},
            {"failed", h.reloads_failed},
            {"last", h.last_reload_unix},
            {"microseconds", h.last_reload_microseconds},
            {"verdict", VerdictText(h)},
            {"error", h.last_error}}},
          {"query_log_lost", h.query_log_lost},
          {"total", WorkerJson(s.Total())},
          {"workers", workers},
          {"zones", zones}};
}

std::string Ago(uint64_t unix_seconds) {
  uint64_t now = static_cast<uint64_t>(std::time(nullptr));
  uint64_t seconds = now > unix_seconds ? now - unix_seconds : 0;
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  if (seconds < 172800) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

void PrintStatus(const stats::Snapshot& s, std::ostream& out) {
  const stats::HeaderSample& h = s.header;
  stats::WorkerSample t = s.Total();
  out << "daemon     " << (s.running ? "running" : "not running") << ", pid " << h.pid << ", "
      << Count(h.workers, "worker") << ", " << h.io_backend << ", started " << Ago(h.started_unix) << " ago\n";
  out << "image      " << Printable(h.image_source) << ", " << Count(h.zone_count, "zone") << ", "
      << SizeText(h.image_bytes) << ", identity " << Hex(h.image_identity) << "\n";
  out << "generation " << h.generation << ", published " << Ago(h.published_unix) << " ago\n";
  out << "reloads    " << h.reloads_finished << " (" << h.reloads_failed << " failed), last: " << VerdictText(h);
  if (!h.last_error.empty()) out << ": " << Printable(h.last_error);
  out << "\n";
  out << "queries    " << t.queries << ": " << t.answered << " answered, " << t.nxdomain << " not listed, " << t.errors
      << " errors, " << t.dropped << " dropped\n";
  out << "tcp        " << t.tcp_open << " open, " << t.tcp_accepted << " accepted, " << t.tcp_messages << " messages, "
      << t.tcp_evicted << " evicted, " << t.tcp_timeouts << " timed out\n";
  constexpr size_t kMostZones = 50;
  size_t shown = 0;
  for (const stats::ZoneSample& z : s.zones) {
    if (shown++ == kMostZones) {
      out << "... " << s.zones.size() - kMostZones << " more zones (--json shows all)\n";
      break;
    }
    out << "zone       " << Printable(z.zone) << ": " << z.ok << " ok, " << z.nxdomain << " not listed, " << z.error
        << " errors\n";
  }
}

}  // namespace

int RunStatusVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  DaemonAddress address;
  bool as_json = false;
  Options options("status", "Shows what a running mailzoned does. Exit 0: it runs; 4: it does not.",
                  "mailzone status mailzone.toml\n"
                  "mailzone status --json --stats-page /run/mailzone/bl.stats\n");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  address.Declare(&options, /*with_pid_file=*/false);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  StatusOr<std::string> page = address.StatsPage(&log);
  if (!page.ok()) {
    Complain(terminal, Printable(Message(page.status())));
    return page.status().code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(page.status());
  }
  StatusOr<stats::Snapshot> snapshot = stats::ReadSnapshot(*page);
  if (!snapshot.ok()) {
    Complain(terminal, Printable(Message(snapshot.status())));
    return snapshot.status().code() == StatusCode::kNotFound ? kExitTemporary : ExitCodeFor(snapshot.status());
  }
  if (as_json)
    terminal.out << StatusJson(*snapshot).dump(2, ' ', false, json::error_handler_t::replace) << "\n";
  else
    PrintStatus(*snapshot, terminal.out);
  return snapshot->running ? kExitOk : kExitTemporary;
}

}  // namespace mz::cli
