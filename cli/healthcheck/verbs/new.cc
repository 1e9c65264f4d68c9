// mailzone healthcheck new: an ID, its addresses, and every record that its server will answer.
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/healthcheck/delivery.h"
#include "cli/healthcheck/page.h"
#include "cli/healthcheck/settings_options.h"
#include "cli/healthcheck/verbs.h"
#include "cli/options.h"
#include "cli/spf/page.h"

namespace mz::cli {

using nlohmann::json;

int RunHealthcheckNew(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string config, zone_name;
  SettingsOptions wanted;
  bool as_json = false, id_only = false;
  Options options(
      "healthcheck new",
      "Makes an ID. Prints it with the addresses of its mail and all records that a server of the zone answers "
      "for it; where it answers with a fault, the fault stands in place of the record.",
      "mailzone healthcheck new --config mailzone.toml --spf softfail --dkim revoked\n"
      "mailzone healthcheck new --config mailzone.toml --dmarc reject --spf fail --id-only\n");
  options.Text("--config", &config, "FILE", "the configuration with the healthcheck zone");
  options.Text("--zone", &zone_name, "NAME", "which one, when the configuration has several");
  wanted.Declare(&options);
  options.Flag("--id-only", &id_only, "print the ID and nothing else");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (config.empty()) return options.UsageError(terminal, "--config FILE is missing");
  StatusOr<healthcheck::Settings> settings = wanted.Parse();
  if (!settings.ok()) return options.UsageError(terminal, Message(settings.status()));

  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  StatusOr<std::unique_ptr<TestZone>> zone = TestZone::Open(config, zone_name, &log);
  if (!zone.ok()) return FailHealthcheck(zone.status(), as_json, terminal);
  const int64_t now = std::time(nullptr);
  StatusOr<std::string> made = (*zone)->MakeId(*settings, now);
  if (!made.ok()) return FailHealthcheck(made.status(), as_json, terminal);
  const std::string& id = *made;
  if (id_only) {
    terminal.out << id << "\n";
    return kExitOk;
  }
  StatusOr<std::vector<AnsweredName>> answers = (*zone)->Answers(id, now);
  if (!answers.ok()) return FailHealthcheck(answers.status(), as_json, terminal);
  const TestNames names = NamesOf((*zone)->Spec(*settings, id, now));
  const int64_t until = now + int64_t{(*zone)->expiry_minutes()} * 60;
  if (as_json) {
    terminal.out << JsonText({{"id", id},
                              {"zone", (*zone)->name()},
                              {"valid_until", until},
                              {"mail_from", names.mail_from},
                              {"from", names.from},
                              {"helo", names.helo},
                              {"settings", SettingsJson(*settings)},
                              {"expected", ExpectationJson(Expect(*settings))},
                              {"answers", AnswersJson(*answers)}});
    return kExitOk;
  }
  terminal.out << Tinted(terminal, Tint::kStrong, id) << "\n";
  terminal.out << Tinted(terminal, Tint::kFaint, Padded("  valid", 11)) << "until " << MinuteText(until) << "\n";
  PrintNames(names, terminal);
  PrintSettings(*settings, terminal);
  terminal.out << "\n";
  PrintAnswers(*answers, terminal);
  return kExitOk;
}

}  // namespace mz::cli
