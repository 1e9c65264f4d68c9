// mailzone healthcheck explain: what an ID stands for.
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/healthcheck/delivery.h"
#include "cli/healthcheck/page.h"
#include "cli/healthcheck/verbs.h"
#include "cli/options.h"
#include "cli/spf/page.h"
#include "format/healthcheck/id.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {

using namespace healthcheck;
using nlohmann::json;

namespace {

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// The first label of 32 hexadecimal digits in a name or a mail address; the text itself when there is none.
std::string FindId(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && IsHexDigit(text[end])) ++end;
    const bool bordered = end == text.size() || text[end] == '.';
    if (end - at == kIdDigits && bordered) return std::string(text.substr(at, end - at));
    at = std::min(text.find_first_of(".@", end), text.size() - 1) + 1;
  }
  return std::string(text);
}

struct Reading {
  std::string id, status;  // "valid", "registered", "expired", "from-future", "forged", "unverified", "malformed"
  std::string why;
  bool decoded = false;
  Id content;
};

Reading Read(const std::string& argument, const TestZone* zone, int64_t now) {
  Reading r;
  r.id = FindId(argument);
  IdBytes octets;
  IdError error = ReadIdText(r.id, &octets);
  if (error != IdError::kNone) {
    r.status = "malformed";
  } else if (zone == nullptr) {
    r.decoded =
        UnpackId(std::span<const uint8_t, 10>(octets.data(), 10), &r.content) && KnownSettings(r.content.settings);
    r.status = r.decoded ? "unverified" : "malformed";
    r.why = r.decoded ? "without --config its MAC cannot be checked"
                      : "not an ID of this version, or an opaque one; --config gives the key";
    return r;
  } else if (const std::optional<Settings> registered = zone->Registered(r.id)) {
    r.decoded = true;
    r.status = "registered";
    r.content.settings = *registered;
  } else if (error = zone->Read(r.id, &r.content); error != IdError::kNone) {
    r.status = "forged";
  } else {
    r.decoded = true;
    error = CheckAge(r.content, static_cast<uint64_t>(now), zone->expiry_minutes());
    r.status = error == IdError::kNone ? "valid" : error == IdError::kExpired ? "expired" : "from-future";
  }
  if (error != IdError::kNone) r.why = IdErrorText(error);
  return r;
}

}  // namespace

int RunHealthcheckExplain(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string config, zone_name, argument;
  bool as_json = false, records = false;
  std::optional<uint64_t> now_option;
  Options options(
      "healthcheck explain",
      "Says what an ID stands for, dimension by dimension, and what a good receiver does with its mail. Exit 1: "
      "the ID is malformed, forged or expired.",
      "mailzone healthcheck explain --config mailzone.toml 00840800000ef2a2b7d49df6b2a1c3d4\n"
      "mailzone healthcheck explain --config mailzone.toml "
      "no-reply@00840800000ef2a2b7d49df6b2a1c3d4.hc.example.org\n");
  options.Text("--config", &config, "FILE",
               "the configuration with the healthcheck zone; without, the MAC is not checked");
  options.Text("--zone", &zone_name, "NAME", "which one, when the configuration has several");
  options.Flag("--records", &records, "also what the server answers for it");
  options.Number("--now", &now_option, 0, 0xffffffff, "EPOCH", "the time for its age (now)");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("ID", &argument, "32 hexadecimal digits, or a name or mail address with them",
                     Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (config.empty() && (records || !zone_name.empty()))
    return options.UsageError(terminal, "--records and --zone need --config");

  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  std::unique_ptr<TestZone> zone;
  if (!config.empty()) {
    StatusOr<std::unique_ptr<TestZone>> opened = TestZone::Open(config, zone_name, &log);
    if (!opened.ok()) return FailHealthcheck(opened.status(), as_json, terminal);
    zone = *std::move(opened);
  }
  const int64_t now = now_option ? static_cast<int64_t>(*now_option) : std::time(nullptr);
  const Reading r = Read(argument, zone.get(), now);
  const bool has_time = r.decoded && r.status != "registered";
  const int code =
      r.status == "valid" || r.status == "registered" || r.status == "unverified" ? kExitOk : kExitFindings;
  const int64_t made = static_cast<int64_t>(kIdEpochUnix) + int64_t{r.content.minutes} * 60;
  std::vector<AnsweredName> answers;
  if (records && r.decoded) {
    StatusOr<std::vector<AnsweredName>> asked = zone->Answers(r.id, now);
    if (!asked.ok()) return FailHealthcheck(asked.status(), as_json, terminal);
    answers = *std::move(asked);
  }
  if (as_json) {
    json document = {{"id", r.id}, {"status", r.status}};
    if (!r.why.empty()) document["why"] = r.why;
    if (r.decoded)
      document.update({{"settings", SettingsJson(r.content.settings)},
                       {"expected", ExpectationJson(Expect(r.content.settings))}});
    if (has_time) document.update({{"made", made}, {"key", r.content.key}});
    if (zone != nullptr && has_time) document["valid_until"] = made + int64_t{zone->expiry_minutes()} * 60;
    if (records) document["answers"] = AnswersJson(answers);
    terminal.out << JsonText(document);
    return code;
  }
  terminal.out << Tinted(terminal, Tint::kStrong, Printable(r.id)) << "\n";
  const auto line = [&](std::string_view what, const std::string& text) {
    terminal.out << Tinted(terminal, Tint::kFaint, Padded("  " + std::string(what), 11)) << text << "\n";
  };
  line("status", Tinted(terminal, code == kExitOk ? Tint::kGood : Tint::kBad, r.status) +
                     (r.why.empty() ? "" : ": " + r.why));
  if (!r.decoded) return code;
  if (has_time) line("made", MinuteText(made) + " with key " + std::to_string(r.content.key));
  if (zone != nullptr && has_time) line("until", MinuteText(made + int64_t{zone->expiry_minutes()} * 60));
  PrintSettings(r.content.settings, terminal);
  if (records) {
    terminal.out << "\n";
    PrintAnswers(answers, terminal);
  }
  return code;
}

}  // namespace mz::cli
