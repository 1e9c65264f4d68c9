// See page.h.
#include "cli/healthcheck/page.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/healthcheck/delivery.h"
#include "cli/healthcheck/expectation.h"
#include "cli/spf/page.h"
#include "format/dns/name.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {

using namespace healthcheck;
using nlohmann::json;

namespace {

void Line(Terminal& terminal, std::string_view what, std::string_view text) {
  terminal.out << Tinted(terminal, Tint::kFaint, Padded("  " + std::string(what), 11)) << text << "\n";
}

Tint TintOf(Expectation::Verdict v) {
  return v == Expectation::kAccept ? Tint::kGood : v == Expectation::kReject ? Tint::kBad : Tint::kWarning;
}

// dns/ spells types as rbldnsd does; these have names of their own, and SPF has the form of TXT (RFC 4408
// section 3.1.1).
constexpr uint16_t kTypeTxt = 16, kTypeTlsa = 52, kTypeSpf = 99;
std::string TypeWord(uint16_t type) {
  return type == kTypeSpf ? "SPF" : type == kTypeTlsa ? "TLSA" : dns::TypeText(type);
}
std::string DataText(dns::Record r) {
  if (r.type == kTypeSpf) r.type = kTypeTxt;
  return dns::RdataText(r);
}

}  // namespace

void PrintSettings(const Settings& settings, Terminal& terminal) {
  for (int k = 0; k < kDimensionCount; ++k) {
    const auto d = static_cast<Dimension>(k);
    const Outcome* o = OutcomeOf(d, settings[d]);
    if (settings[d] == 0 && d != kSpf && d != kDkim && d != kDmarc) continue;
    if (o == nullptr) {
      Line(terminal, DimensionWord(d),
           "code " + std::to_string(settings[d]) + ", which this version does not know");
      continue;
    }
    Line(terminal, DimensionWord(d), Tinted(terminal, Tint::kStrong, o->word) + ": " + std::string(o->sentence));
    if (!o->expected.empty())
      Line(terminal, "", "expected: " + std::string(o->expected) + " (" + std::string(o->section) + ")");
    if (!o->seen.empty()) Line(terminal, "", "differs: " + std::string(o->seen));
  }
  const Expectation e = Expect(settings);
  Line(terminal, "results",
       "spf=" + e.spf + " dkim=" + e.dkim + " dmarc=" + e.dmarc + (e.arc == "none" ? "" : " arc=" + e.arc));
  Line(terminal, "expected", Tinted(terminal, TintOf(e.verdict), VerdictWord(e.verdict)) + ": " + e.why);
}

json SettingsJson(const Settings& settings) {
  json out = json::object();
  for (int k = 0; k < kDimensionCount; ++k) {
    const auto d = static_cast<Dimension>(k);
    json row = {{"code", settings[d]}};
    if (const Outcome* o = OutcomeOf(d, settings[d]))
      row.update(
          {{"outcome", o->word}, {"sentence", o->sentence}, {"expected", o->expected}, {"section", o->section}});
    out[std::string(DimensionWord(d))] = row;
  }
  return out;
}

void PrintNames(const TestNames& names, Terminal& terminal) {
  Line(terminal, "MAIL FROM", names.mail_from);
  Line(terminal, "From:", names.from);
  Line(terminal, "HELO", names.helo);
  if (!names.signing_domain.empty()) Line(terminal, "DKIM d=", names.signing_domain);
}

void PrintAnswers(const std::vector<AnsweredName>& answers, Terminal& terminal) {
  for (const AnsweredName& a : answers) {
    if (a.records.empty())
      terminal.out << a.name << ". IN " << TypeWord(a.type) << " " << Tinted(terminal, Tint::kWarning, a.fault)
                   << "\n";
    for (const dns::Record& r : a.records)
      terminal.out << dns::NameText(r.name) << ". " << r.ttl << " " << dns::ClassText(r.rclass) << " "
                   << TypeWord(r.type) << " " << DataText(r) << "\n";
    if (!a.records.empty() && !a.fault.empty())
      terminal.out << "  " << Tinted(terminal, Tint::kWarning, "; " + a.fault) << "\n";
  }
}

json AnswersJson(const std::vector<AnsweredName>& answers) {
  json out = json::array();
  for (const AnsweredName& a : answers) {
    json row = {{"name", a.name}, {"type", TypeWord(a.type)}, {"records", json::array()}};
    if (!a.fault.empty()) row["fault"] = a.fault;
    for (const dns::Record& r : a.records)
      row["records"].push_back({{"name", dns::NameText(r.name)},
                                {"ttl", r.ttl},
                                {"class", dns::ClassText(r.rclass)},
                                {"type", TypeWord(r.type)},
                                {"data", DataText(r)}});
    out.push_back(std::move(row));
  }
  return out;
}

std::string MinuteText(int64_t unix_seconds) {
  const time_t t = static_cast<time_t>(unix_seconds);
  std::tm tm{};
  gmtime_r(&t, &tm);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm);
  return text;
}

int FailHealthcheck(const Status& status, bool as_json, Terminal& terminal) {
  const ExitCode code = status.code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(status);
  if (as_json) terminal.out << JsonText({{"error", Message(status)}, {"exit_code", static_cast<int>(code)}});
  Complain(terminal, Printable(Message(status)));
  return code;
}

}  // namespace mz::cli
