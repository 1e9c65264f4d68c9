// See build_output.h.
#include "cli/build_output.h"

#include <nlohmann/json.hpp>

#include "cli/image_file.h"

namespace mz::cli {
namespace {

using nlohmann::json;

std::string Dump(const json& document) {
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string IdentityText(uint64_t identity) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(identity));
  return text;
}

std::string Summary(const BuildReport& r, const DiagnosticLog& log, BuildTarget target) {
  std::string findings;
  if (log.errors() > 0) findings += ", " + Count(log.errors(), "error");
  if (uint64_t n = log.warnings() + r.warnings.size(); n > 0) findings += ", " + Count(n, "warning");
  if (target == BuildTarget::kNothing)
    return Count(r.datasets, "dataset") + ", " + Count(r.entries, "entry") +
           (findings.empty() ? ", no findings" : findings) + ", " + SecondsText(r.seconds);
  if (r.up_to_date)
    return r.image + ": up to date, " + Count(r.result.zones, "zone") + ", " + SizeText(r.result.file_bytes);
  std::string text = r.image + ": " + Count(r.result.zones, "zone") + ", " + Count(r.result.names, "name") + ", " +
                     Count(r.result.addresses_intervals, "address interval") + ", " + SizeText(r.result.file_bytes) + ", " +
                     SecondsText(r.seconds);
  if (r.spf)
    text += ", " + Count(r.spf->domains, "SPF domain") + " from " + Count(r.spf->questions, "question");
  if (r.datasets_unchanged > 0)
    text += " (" + std::to_string(r.datasets_unchanged) + " of " + Count(r.datasets, "dataset") + " unchanged)";
  return text + findings;
}

}  // namespace

int PrintBuildReport(const BuildReport& r, DiagnosticLog& log, BuildTarget target, bool as_json, bool strict,
                     Terminal& terminal) {
  int code = r.exit_code;
  bool found = log.warnings() + log.errors() + r.warnings.size() > 0;
  if (code == kExitOk && strict && found) code = kExitFindings;
  if (as_json) {
    json document = {{"ok", code == kExitOk},
                     {"diagnostics", log.Json()},
                     {"diagnostics_hidden", log.hidden()},
                     {"warnings", r.warnings},
                     {"errors", r.errors},
                     {"datasets", r.datasets},
                     {"entries", r.entries},
                     {"seconds", r.seconds}};
    if (r.spf)
      document["spf"] = {{"zones", r.spf->zones},
                         {"domains", r.spf->domains},
                         {"incomplete", r.spf->incomplete},
                         {"without_record", r.spf->without_record},
                         {"questions", r.spf->questions},
                         {"seconds",
                          {{"replay", r.phases.replay},
                           {"open", r.phases.open},
                           {"fetch", r.phases.fetch},
                           {"compile", r.phases.compile},
                           {"write", r.phases.write}}}};
    if (target == BuildTarget::kImageFile && r.exit_code == kExitOk)
      document["image"] = {{"path", r.image},
                           {"up_to_date", r.up_to_date},
                           {"identity", IdentityText(r.result.identity)},
                           {"bytes", r.result.file_bytes},
                           {"zones", r.result.zones},
                           {"names", r.result.names},
                           {"address_intervals", r.result.addresses_intervals},
                           {"datasets_unchanged", r.datasets_unchanged}};
    terminal.out << Dump(document);
    return code;
  }
  log.Finish();
  for (const std::string& w : r.warnings) Complain(terminal, "warning: " + Printable(w));
  for (const std::string& e : r.errors) Complain(terminal, "error: " + Printable(e));
  if (r.exit_code == kExitOk)
    terminal.out << Printable(Summary(r, log, target)) << "\n";
  else if (target == BuildTarget::kImageFile)
    Complain(terminal, Printable(r.image) + " was not written");
  return code;
}

int PrintJobError(const Status& status, DiagnosticLog& log, bool as_json, Terminal& terminal) {
  int code = status.code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(status);
  if (as_json)
    terminal.out << Dump({{"ok", false}, {"diagnostics", log.Json()}, {"errors", {std::string(Message(status))}}});
  else
    Complain(terminal, Printable(Message(status)));
  return code;
}

}  // namespace mz::cli
