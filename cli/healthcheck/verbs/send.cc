// mailzone healthcheck send: one test mail.
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
#include "format/healthcheck/outcome.h"

namespace mz::cli {

using healthcheck::IdError;
using nlohmann::json;

namespace {

// The exit code of one mail: the reply that fits is a success, also when it is a rejection.
int CodeOf(const Delivery& d) {
  using mail::SmtpResult;
  if (d.result.kind == SmtpResult::kUnreachable || d.result.kind == SmtpResult::kTls) return kExitTemporary;
  if (d.fits()) return kExitOk;
  return d.result.kind == SmtpResult::kTemporary ? kExitTemporary : kExitFindings;
}

void Print(const Delivery& d, Terminal& terminal) {
  terminal.out << Tinted(terminal, Tint::kStrong, d.id) << "\n";
  const auto line = [&](std::string_view what, const std::string& text) {
    terminal.out << Tinted(terminal, Tint::kFaint, Padded("  " + std::string(what), 11)) << text << "\n";
  };
  line("settings", healthcheck::SettingsText(d.settings));
  PrintNames(d.names, terminal);
  line("server", d.server + (d.result.address.empty() ? "" : " at " + d.result.address));
  if (d.result.tls) line("TLS", "certificate " + d.result.certificate);
  if (!d.result.tls_error.empty()) line("TLS", "offered, but not usable: " + Printable(d.result.tls_error));
  line("result", Tinted(terminal, d.fits() ? Tint::kGood : Tint::kBad, Printable(ResultText(d.result))));
  line("expected", std::string(VerdictWord(d.expected.verdict)) + ": " + d.expected.why);
  if (d.fits() && d.result.kind == mail::SmtpResult::kRejected && d.expected.verdict == Expectation::kReject)
    line("", "the rejection is the right result");
  if (!d.fits() && d.result.kind == mail::SmtpResult::kAccepted)
    line("", "accepted all the same: look whether it was delivered, marked or dropped");
}

}  // namespace

int RunHealthcheckSend(const std::vector<std::string>& arguments, Terminal& terminal) {
  DeliveryOptions delivery;
  SettingsOptions wanted;
  std::string id;
  bool as_json = false, print_only = false;
  Options options(
      "healthcheck send",
      "Composes the mail of an ID, signs it as the outcome wants, and sends it. Exit 0: the reply is what a good "
      "receiver gives, also when that is a rejection; 1: it is not; 4: the server cannot be reached, or defers "
      "the mail without need.",
      "mailzone healthcheck send --config mailzone.toml --to me@example.org --dmarc reject --spf fail\n"
      "mailzone healthcheck send --config mailzone.toml --to me@example.org --server [2001:db8::25]:25 --verbose\n"
      "mailzone healthcheck send --config mailzone.toml --to me@example.org --dkim expired --print\n");
  delivery.Declare(&options);
  wanted.Declare(&options);
  options.Text("--id", &id, "ID", "an ID made before, instead of a new one");
  options.Flag("--print", &print_only, "the mail on standard output instead of sending it");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (delivery.config.empty()) return options.UsageError(terminal, "--config FILE is missing");
  if (print_only && as_json) return options.UsageError(terminal, "--print or --json, not both");
  if (!id.empty() && wanted.Any())
    return options.UsageError(terminal, "--id says already what is tested: no --spf, --dkim ... with it");
  StatusOr<healthcheck::Settings> settings = wanted.Parse();
  if (!settings.ok()) return options.UsageError(terminal, Message(settings.status()));

  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  StatusOr<std::unique_ptr<TestZone>> zone = TestZone::Open(delivery.config, delivery.zone, &log);
  if (!zone.ok()) return FailHealthcheck(zone.status(), as_json, terminal);
  const int64_t now = std::time(nullptr);
  if (!id.empty()) {
    healthcheck::Id content;
    IdError error = IdError::kNone;
    if (const auto registered = (*zone)->Registered(id)) {
      content.settings = *registered;
    } else {
      error = (*zone)->Read(id, &content);
      if (error == IdError::kNone)
        error = CheckAge(content, static_cast<uint64_t>(now), (*zone)->expiry_minutes());
    }
    if (error != IdError::kNone) return options.UsageError(terminal, "--id: " + std::string(IdErrorText(error)));
    settings = content.settings;
    for (char& c : id)  // as it will stand in names; DNS is case-blind, a signature is not
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  StatusOr<std::unique_ptr<Courier>> courier = Courier::Open(delivery, zone->get());
  if (!courier.ok()) return FailHealthcheck(courier.status(), as_json, terminal);
  if (print_only) {
    std::string used;
    StatusOr<TestMail> mail = (*courier)->Compose(*settings, id, now, &used);
    if (!mail.ok()) return FailHealthcheck(mail.status(), as_json, terminal);
    terminal.out << mail->message.Text();
    return kExitOk;
  }
  StatusOr<Delivery> sent = (*courier)->Send(*settings, id, now, [&](char side, std::string_view line) {
    terminal.err << side << " " << Printable(line) << "\n";
  });
  if (!sent.ok()) return FailHealthcheck(sent.status(), as_json, terminal);
  if (as_json)
    terminal.out << JsonText(DeliveryJson(*sent));
  else
    Print(*sent, terminal);
  return CodeOf(*sent);
}

}  // namespace mz::cli
