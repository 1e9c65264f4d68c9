// mailzone spf check: what receivers, with their limits, say about a published record or about a text.
#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "cli/image_file.h"
#include "cli/options.h"
#include "cli/spf/one_domain.h"
#include "cli/spf/page.h"
#include "cli/spf/verbs.h"
#include "compiler/spf/audit.h"
#include "format/dns/name.h"
#include "format/spf/record.h"

namespace mz::cli {

namespace spf = compiler::spf;

namespace {

using nlohmann::json;
using spf::Audit;

constexpr std::string_view kNowhere = "record.invalid";  // RFC 2606: where a text stands that is published nowhere

struct Subject {
  spf::RecordKey key;
  std::string title;           // the domain, or "the record"
  bool literal = false, domain_known = true;
};

StatusOr<Subject> SubjectOf(const std::string& argument, const std::string& domain) {
  Subject out;
  out.literal = argument.find(' ') != argument.npos || mz::spf::IsSpfRecord(argument) || argument.starts_with("v=spf");
  if (out.literal && !mz::spf::IsSpfRecord(argument))
    return MakeStatus(StatusCode::kInvalidArgument,
                      "'" + argument.substr(0, 40) + "' is neither a domain name nor an SPF record: one begins with \"v=spf1 \"");
  out.domain_known = !out.literal || !domain.empty();
  const std::string_view name = !out.literal ? argument : domain.empty() ? kNowhere : std::string_view(domain);
  MZ_ASSIGN_OR_RETURN(out.key.domain, ParseDomainArgument(name));
  out.key.owner = out.key.domain;
  out.title = out.literal ? "the record" : dns::NameText(out.key.domain);
  return out;
}

std::string VerdictText(const Audit& a) {
  switch (a.verdict) {
    case Audit::kGood:
      return "fine: every receiver comes to a result";
    case Audit::kSometimes:
      return (a.transient ? "temperror" : "permerror") + (" for clients that no earlier term matches: " + a.reason);
    case Audit::kAlways:
      return "permerror for everybody: " + a.reason;
    case Audit::kNoRecord:
      return "none: " + a.reason;
    case Audit::kTemporary:
      break;
  }
  return a.reason;
}
std::string_view VerdictWord(const Audit& a) {
  constexpr std::string_view kWords[] = {"good", "sometimes-error", "permerror", "none", "temperror"};
  return kWords[a.verdict];
}

std::string LookupsText(const Audit& a) {
  std::string out = std::to_string(a.count.lookups) + " of 10";
  if (a.count.by_receiver > 0) out += ", " + std::to_string(a.count.by_receiver) + " with names that depend on the message";
  const size_t voids = std::max(a.count.void4.size(), a.count.void6.size());
  if (voids > 0) out += "; void: " + std::to_string(a.count.void4.size()) + " for IPv4 clients, " +
                        std::to_string(a.count.void6.size()) + " for IPv6, of 2";
  return out;
}

std::string SizesText(const Audit& a, bool literal) {
  std::string out = Count(a.record_octets, "octet") + " in " + Count(a.txt_strings, "string");
  if (!literal)
    out += "; the TXT answer has " + std::to_string(a.answer_octets) +
           (a.answer_octets <= spf::kUdpOctets ? " of 512 octets" : " octets, more than 512");
  return out;
}

void Line(Terminal& terminal, std::string_view what, std::string_view text) {
  terminal.out << Tinted(terminal, Tint::kFaint, Padded("  " + std::string(what), 10)) << text << "\n";
}

void Print(const Audit& a, const Subject& subject, DiagnosticLog* log, Terminal& terminal) {
  terminal.out << Tinted(terminal, Tint::kStrong, Printable(subject.title)) << "\n";
  if (!a.text.empty()) Line(terminal, "record", Printable(a.text));
  if (a.record_octets > 0) Line(terminal, "size", SizesText(a, subject.literal));
  if (a.count.records > 0) {
    Line(terminal, "lookups", LookupsText(a));
    Line(terminal, "records", std::to_string(a.count.records) + " read, repeated ones counted again");
    Line(terminal, "passes", Grouped(static_cast<uint64_t>(a.pass4)) + (a.pass4 == 1 ? " IPv4 address" : " IPv4 addresses"));
  }
  const Tint tint = a.verdict == Audit::kGood ? Tint::kGood : Tint::kBad;
  Line(terminal, "verdict", Tinted(terminal, tint, Printable(VerdictText(a))));
  if (!a.findings.empty()) terminal.out << "\n";
  ReportFindings(a.findings, log);
  log->Finish();
}

json PlacesJson(const std::vector<spf::LookupCount::Place>& places) {
  json out = json::array();
  for (const spf::LookupCount::Place& p : places) out.push_back({{"owner", p.owner}, {"term", p.term}});
  return out;
}

json AuditJson(const Audit& a, const Subject& subject, DiagnosticLog* log) {
  ReportFindings(a.findings, log);
  json out = {{"verdict", VerdictWord(a)},
              {"lookups", a.count.lookups},
              {"lookups_by_receiver", a.count.by_receiver},
              {"void_lookups_ip4", PlacesJson(a.count.void4)},
              {"void_lookups_ip6", PlacesJson(a.count.void6)},
              {"records_read", a.count.records},
              {"record_octets", a.record_octets},
              {"txt_strings", a.txt_strings},
              {"pass_ip4_addresses", static_cast<uint64_t>(a.pass4)},
              {"findings", log->Json()}};
  if (!subject.literal) out["domain"] = subject.title, out["answer_octets"] = a.answer_octets;
  if (!a.text.empty()) out["record"] = a.text;
  if (!a.reason.empty()) out["reason"] = a.reason;
  if (a.count.over) out["lookup_over_limit"] = {{"owner", a.count.over->owner}, {"term", a.count.over->term}};
  return out;
}

// A text that stands nowhere needs no name in its diagnostics.
void NameRecord(const Subject& subject, Audit* a) {
  if (subject.domain_known) return;
  for (spf::Finding& f : a->findings)
    if (f.diagnostic.file == "TXT " + std::string(kNowhere)) f.diagnostic.file = "record";
}

}  // namespace

int RunSpfCheck(const std::vector<std::string>& arguments, Terminal& terminal) {
  DeskOptions desk_options;
  desk_options.knows_own_zones = false;  // what is published may well lead to them
  std::string argument, domain;
  bool as_json = false, strict = false, source = false;
  Options options("spf check",
                  "Checks the record that a domain publishes, or a text, as a receiver with the limits of RFC 7208 sees it. "
                  "Exit 1: permerror for some or all, or another error.",
                  "mailzone spf check customer.example\n"
                  "mailzone spf check \"v=spf1 include:_spf.example.net mx -all\" --domain customer.example\n"
                  "mailzone spf check --config mailzone.toml --source customer.example\n");
  options.Text("--config", &desk_options.config, "FILE", "use the resolver of this configuration");
  options.Text("--domain", &domain, "NAME", "with a record: where it is to be published, for a, mx and %{d}");
  desk_options.Declare(&options, /*may_ask_elsewhere=*/true);
  options.Flag("--source", &source, "the source record that --config keeps for the domain, not the published one");
  options.Flag("--strict", &strict, "exit 1 for warnings, too");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("DOMAIN|RECORD", &argument, "a domain name, or the text of a record in one argument",
                     Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  StatusOr<Subject> subject = SubjectOf(argument, domain);
  if (!subject.ok()) return options.UsageError(terminal, Printable(Message(subject.status())));
  if (source && (desk_options.config.empty() || subject->literal))
    return options.UsageError(terminal, "--source needs --config and a domain");

  Progress progress(terminal);
  DiagnosticLog log({.err = as_json ? nullptr : &terminal.out, .colour = terminal.out_colour, .max_shown = 100, .keep = as_json});
  DiagnosticLog opening({.err = &terminal.err, .colour = terminal.err_colour});
  desk_options.fresh = true;
  StatusOr<std::unique_ptr<DomainDesk>> desk = DomainDesk::Open(desk_options, &opening);
  if (!desk.ok()) return FailSpf(desk.status(), as_json, terminal);
  if (source) {
    StatusOr<ServedDomain> served = (*desk)->FindServed(argument, "", &opening);
    if (!served.ok()) return FailSpf(served.status(), as_json, terminal);
    subject->key = served->key();
  }
  if (subject->literal) (*desk)->Preset(subject->key.owner, argument);
  (*desk)->Fetch({subject->key}, {}, &progress);
  Audit audit = spf::AuditRecord(&(*desk)->evaluator(), desk->get(), subject->key, {.domain_known = subject->domain_known});
  NameRecord(*subject, &audit);
  if (as_json)
    terminal.out << JsonText(AuditJson(audit, *subject, &log));
  else
    Print(audit, *subject, &log, terminal);
  if (audit.verdict == Audit::kTemporary) return kExitTemporary;
  const bool found = audit.verdict != Audit::kGood || log.errors() > 0 || (strict && log.warnings() > 0);
  return found ? kExitFindings : kExitOk;
}

}  // namespace mz::cli
