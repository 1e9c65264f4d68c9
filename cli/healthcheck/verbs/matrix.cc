// mailzone healthcheck matrix: a named set of test mails, and a table of what became of them.
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/suggest.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/healthcheck/delivery.h"
#include "cli/healthcheck/matrix_sets.h"
#include "cli/healthcheck/page.h"
#include "cli/healthcheck/verbs.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/spf/page.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {

using nlohmann::json;

namespace {

constexpr uint64_t kDefaultPauseMs = 2000;
// A server that cannot be reached so often in a row will not be reached by the next mail.
constexpr size_t kMaxUnreachable = 3;

int ListSets(bool as_json, Terminal& terminal) {
  json sets = json::array();
  for (const MatrixSet& s : MatrixSets()) {
    const size_t mails = MatrixOf(s.name).size();
    sets.push_back({{"set", s.name}, {"mails", mails}, {"summary", s.summary}});
    if (!as_json) terminal.out << Padded(s.name, 10) << Padded(std::to_string(mails), 4) << s.summary << "\n";
  }
  if (as_json) terminal.out << JsonText({{"sets", sets}});
  return kExitOk;
}

struct Totals {
  size_t accepted = 0, rejected = 0, deferred = 0, unreachable = 0, fitting = 0;
  void Count(const Delivery& d) {
    using mail::SmtpResult;
    switch (d.result.kind) {
      case SmtpResult::kAccepted:
        ++accepted;
        break;
      case SmtpResult::kRejected:
        ++rejected;
        break;
      case SmtpResult::kTemporary:
        ++deferred;
        break;
      default:
        ++unreachable;
    }
    fitting += d.fits();
  }
};

void PrintTable(const std::vector<Delivery>& sent, Terminal& terminal) {
  size_t width = 8;
  for (const Delivery& d : sent) width = std::max(width, healthcheck::SettingsText(d.settings).size());
  terminal.out << Tinted(terminal, Tint::kStrong, Padded("settings", width) + Padded("expected", 12) + "result")
               << "\n";
  for (const Delivery& d : sent) {
    const std::string result = ResultText(d.result);
    terminal.out << Padded(healthcheck::SettingsText(d.settings), width)
                 << Padded(VerdictWord(d.expected.verdict), 12)
                 << Tinted(terminal, d.fits() ? Tint::kGood : Tint::kBad, d.fits() ? "ok  " : "NOT ")
                 << Printable(result.substr(0, 200)) << "\n";
  }
}

}  // namespace

int RunHealthcheckMatrix(const std::vector<std::string>& arguments, Terminal& terminal) {
  DeliveryOptions delivery;
  std::string set = "basic";
  std::optional<uint64_t> pause_ms;
  bool as_json = false, list = false;
  Options options(
      "healthcheck matrix",
      "Sends a named set of test mails, one ID each, with a pause between them, and compares the replies with "
      "those "
      "of a good receiver. Goes on after rejections. Exit 1: some replies were others.",
      "mailzone healthcheck matrix --list\n"
      "mailzone healthcheck matrix --config mailzone.toml --to me@example.org\n"
      "mailzone healthcheck matrix --config mailzone.toml --to me@example.org --set dkim --pause 10000 --json\n");
  delivery.Declare(&options);
  options.Text("--set", &set, "NAME", "which mails (basic)");
  options.Flag("--list", &list, "the sets, with their number of mails");
  options.Number("--pause", &pause_ms, 0, 3600000, "MS", "between two mails (2000)");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (list) return ListSets(as_json, terminal);
  std::vector<std::string_view> names;
  for (const MatrixSet& s : MatrixSets()) names.push_back(s.name);
  if (std::find(names.begin(), names.end(), set) == names.end()) {
    const std::string nearest = Nearest(set, names);
    return options.UsageError(terminal,
                              "--set: there is no set '" + Printable(set) + "'" +
                                  (nearest.empty() ? "; --list shows them" : "; did you mean '" + nearest + "'?"));
  }
  if (delivery.config.empty()) return options.UsageError(terminal, "--config FILE is missing");

  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  StatusOr<std::unique_ptr<TestZone>> zone = TestZone::Open(delivery.config, delivery.zone, &log);
  if (!zone.ok()) return FailHealthcheck(zone.status(), as_json, terminal);
  StatusOr<std::unique_ptr<Courier>> courier = Courier::Open(delivery, zone->get());
  if (!courier.ok()) return FailHealthcheck(courier.status(), as_json, terminal);

  const std::vector<healthcheck::Settings> wanted = MatrixOf(set);
  std::vector<Delivery> sent;
  Totals totals;
  Progress progress(terminal);
  size_t unreachable_in_a_row = 0;
  for (const healthcheck::Settings& settings : wanted) {
    if (!sent.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms.value_or(kDefaultPauseMs)));
    progress.Show(healthcheck::SettingsText(settings), sent.size(), wanted.size());
    StatusOr<Delivery> d =
        (*courier)->Send(settings, "", std::time(nullptr), [&](char side, std::string_view line) {
          progress.Clear();
          terminal.err << side << " " << Printable(line) << "\n";
        });
    if (!d.ok()) {
      progress.Clear();
      return FailHealthcheck(d.status(), as_json, terminal);
    }
    const size_t before = totals.unreachable;
    totals.Count(*d);
    unreachable_in_a_row = totals.unreachable > before ? unreachable_in_a_row + 1 : 0;
    sent.push_back(*std::move(d));
    if (unreachable_in_a_row == kMaxUnreachable) break;
  }
  progress.Clear();
  if (as_json) {
    json rows = json::array();
    for (const Delivery& d : sent) rows.push_back(DeliveryJson(d));
    terminal.out << JsonText({{"set", set},
                              {"mails", wanted.size()},
                              {"sent", sent.size()},
                              {"accepted", totals.accepted},
                              {"rejected", totals.rejected},
                              {"deferred", totals.deferred},
                              {"unreachable", totals.unreachable},
                              {"fitting", totals.fitting},
                              {"results", rows}});
  } else {
    PrintTable(sent, terminal);
    terminal.out << "\n"
                 << sent.size() << " of " << wanted.size() << " sent: " << totals.accepted << " accepted, "
                 << totals.rejected << " rejected, " << totals.deferred << " deferred, " << totals.unreachable
                 << " unreachable; " << totals.fitting << " as expected\n";
  }
  if (unreachable_in_a_row == kMaxUnreachable) return kExitTemporary;
  return totals.fitting == sent.size() ? kExitOk : kExitFindings;
}

}  // namespace mz::cli
