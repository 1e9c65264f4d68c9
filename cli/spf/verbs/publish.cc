// mailzone spf publish: the record to publish for a domain, and what each form keeps of the source's results.
#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "cli/image_file.h"
#include "cli/options.h"
#include "cli/spf/one_domain.h"
#include "cli/spf/page.h"
#include "cli/spf/verbs.h"
#include "compiler/spf/form_check.h"
#include "compiler/spf/published.h"
#include "compiler/spf/read_record.h"
#include "format/dns/name.h"

namespace mz::cli {

namespace spf = compiler::spf;

namespace {

using nlohmann::json;

constexpr size_t kShownPrefixes = 4;
constexpr size_t kMaxName = 253, kUdpOctets = 512;

struct FormLine {
  spf::FormCheck check;
  std::string record, needs;       // needs: settings of the zone; "" when it answers this form
};

struct Sizes {
  size_t name4 = 0, name6 = 0;     // longest query names, octets of text
  size_t answer4 = 0, answer6 = 0; // longest DNS messages
};

struct Page {
  ServedDomain served;
  spf::PolicyResults results;
  std::string source_problem;      // "" when there is a record
  std::vector<FormLine> forms;     // the zone's own first
  Sizes sizes;
  spf::Published published;
  std::vector<std::string> warnings;       // about the zone's answers for this domain
  std::vector<std::string> published_warnings;
};

size_t MessageOctets(size_t name, size_t text) {
  constexpr size_t kHeader = 12, kQuestion = 2 + 4, kRecord = 12;
  return kHeader + name + kQuestion + kRecord + text + (text + 254) / 255;
}

Sizes SizesOf(const Page& page) {
  Sizes out;
  const std::string apex = dns::NameText(page.served.zone->settings.apex);
  constexpr size_t kAddressText4 = 15, kAddressLabels6 = 63;
  for (const std::string& text : page.served.zone->settings.layouts) {
    StatusOr<compiler::SpfLayout> layout = spf::ParseLayout(text);
    if (!layout.ok()) continue;
    out.name6 = std::max(out.name6, spf::LongestQueryName(*layout, page.served.domain_text, apex, page.results.helpers));
  }
  out.name4 = out.name6 - kAddressLabels6 + kAddressText4;
  const spf::PolicyResults& r = page.results;
  out.answer4 = MessageOctets(out.name4, r.text4 + r.names * out.name4);
  out.answer6 = MessageOctets(out.name6, r.text6 + r.names * out.name6);
  return out;
}

FormLine LineOf(const Page& page, const spf::FormCheck& check) {
  const spf::ZoneSettings& zone = page.served.zone->settings;
  FormLine out;
  out.check = check;
  out.record = spf::PublishedRecord(spf::LayoutFor(zone, check.form), dns::NameText(zone.apex), check.form, check.all);
  out.needs = spf::NeededSettings(zone, check.form);
  return out;
}

std::string LossText(spf::Evaluator* e, const spf::FormLoss& loss) {
  return std::string(spf::DefaultName(loss.was)) + " becomes " + std::string(spf::DefaultName(loss.becomes)) + " for " +
         PrefixesText(e, loss.set4, loss.set6, kShownPrefixes);
}

std::vector<std::string> Warnings(const Page& page) {
  std::vector<std::string> out;
  const spf::PolicyResults& r = page.results;
  const auto add = [&](std::string text) { out.push_back(std::move(text)); };
  if (!page.source_problem.empty()) add("the source record " + page.served.owner_text + ": " + page.source_problem);
  if (page.served.setting.owner == page.served.setting.name)
    add("the source is the published record itself: keep it elsewhere, with source_prefix");
  if (!page.served.listed) add("the domain is in no list of the zone: receivers get what unknown_domain says");
  if (1 + r.lookups > spf::kMaxReceiverLookups)
    add(std::to_string(1 + r.lookups) + " lookups are left to the receiver, more than 10: permerror for some clients");
  else if (1 + r.lookups > spf::kWarnLookups)
    add(std::to_string(1 + r.lookups) + " of the receiver's 10 lookups are used");
  if (r.exists > 2)
    add(std::to_string(r.exists) + " exists mechanisms in one answer: receivers that allow two void lookups may say permerror");
  if (page.sizes.name6 > kMaxName)
    add("the name that is asked for IPv6 clients has " + std::to_string(page.sizes.name6) + " octets, more than 253");
  const size_t answer = std::max(page.sizes.answer4, page.sizes.answer6);
  if (answer > kUdpOctets) add("answers of up to " + std::to_string(answer) + " octets need EDNS or TCP");
  return out;
}

std::vector<std::string> PublishedWarnings(spf::Evaluator* e, const Page& page) {
  const spf::Published& p = page.published;
  const std::string apex = dns::NameText(page.served.zone->settings.apex);
  std::vector<std::string> out;
  switch (p.kind) {
    case spf::Published::kUnknown:
    case spf::Published::kNothing:
    case spf::Published::kBroken:
      out.push_back(p.problem);
      return out;
    case spf::Published::kElsewhere:
      out.push_back("it does not lead to " + apex);
      return out;
    case spf::Published::kOurs:
      break;
  }
  if (!p.fits_layout) out.push_back("its name " + p.target + " fits no layout of the zone");
  const FormLine line = LineOf(page, spf::CheckForm(page.results, p.form, p.all));
  if (!line.needs.empty()) out.push_back("this form needs " + line.needs + " in the zone");
  if (!line.check.possible) out.push_back(line.check.impossible);
  for (const spf::FormLoss& loss : line.check.losses) out.push_back(LossText(e, loss));
  return out;
}

Page MakePage(DomainDesk* desk, ServedDomain served) {
  Page page;
  page.served = std::move(served);
  spf::Evaluator& e = desk->evaluator();
  page.results = spf::ResultsOf(&e, e.Evaluate(page.served.key()));
  page.source_problem = spf::ReadRecord(desk, page.served.setting.owner).problem;
  page.sizes = SizesOf(page);
  for (const spf::FormCheck& check : spf::CheckForms(page.results)) page.forms.push_back(LineOf(page, check));
  const spf::Form own = page.served.zone->settings.form;
  std::stable_partition(page.forms.begin(), page.forms.end(), [own](const FormLine& f) { return f.check.form == own; });
  page.published = spf::ReadPublished(desk, page.served.setting.name, page.served.zone->settings);
  page.warnings = Warnings(page);
  page.published_warnings = PublishedWarnings(&e, page);
  return page;
}

void PrintForms(spf::Evaluator* e, const Page& page, Terminal& terminal) {
  terminal.out << Tinted(terminal, Tint::kFaint, "  form      keeps all   lookups  record") << "\n";
  for (const FormLine& f : page.forms) {
    const std::string word = !f.check.possible ? "impossible" : f.check.exact ? "yes" : "no";
    const Tint tint = f.check.exact ? Tint::kGood : f.check.possible ? Tint::kWarning : Tint::kBad;
    terminal.out << "  " << Padded(spf::FormName(f.check.form), 8) << Tinted(terminal, tint, Padded(word, 10))
                 << Padded(f.check.possible ? std::to_string(f.check.lookups) : "", 7) << f.record << "\n";
    const auto more = [&](const std::string& text) { terminal.out << std::string(33, ' ') << text << "\n"; };
    if (!f.check.possible) {
      more(f.check.impossible);
      continue;
    }
    for (const spf::FormLoss& loss : f.check.losses) more(LossText(e, loss));
    for (const std::string& note : f.check.notes) more(note);
    if (!f.needs.empty()) more("needs " + f.needs + " in the zone");
  }
}

void Print(spf::Evaluator* e, const Page& page, Terminal& terminal) {
  const auto line = [&](std::string_view what, const std::string& text) {
    terminal.out << Tinted(terminal, Tint::kFaint, Padded("  " + std::string(what), 11)) << text << "\n";
  };
  const auto warn = [&](const std::vector<std::string>& warnings) {
    for (const std::string& w : warnings)
      terminal.out << "             " << Tinted(terminal, Tint::kWarning, "warning: ") << Printable(w) << "\n";
  };
  terminal.out << Tinted(terminal, Tint::kStrong, page.served.domain_text) << "\n";
  line("publish", page.served.domain_text + ". TXT \"" + page.forms.front().record + "\"");
  terminal.out << "\n";
  PrintForms(e, page, terminal);
  terminal.out << "\n";
  line("source", page.served.owner_text);
  std::string label = "results";
  for (size_t i = 0; i < spf::kResults; i++) {
    const spf::SetId four = e->sets4().Subtract(page.results.sets4[i], page.results.dynamic4);
    const spf::SetId six = e->sets6().Subtract(page.results.sets6[i], page.results.dynamic6);
    if (four == spf::kEmptySet && six == spf::kEmptySet) continue;
    line(label, Padded(spf::DefaultName(static_cast<spf::Default>(i)), 9) + PrefixesText(e, four, six, kShownPrefixes));
    label.clear();
  }
  if (page.results.IsDynamic())
    line(label, "depends on the message: " +
                    PrefixesText(e, page.results.dynamic4, page.results.dynamic6, kShownPrefixes));
  line("names", "up to " + std::to_string(page.sizes.name4) + " octets for IPv4, " + std::to_string(page.sizes.name6) +
                    " for IPv6, of 253");
  line("answers", "up to " + std::to_string(page.sizes.answer4) + " octets for IPv4, " +
                      std::to_string(page.sizes.answer6) + " for IPv6; 512 pass without EDNS");
  warn(page.warnings);
  line("published", page.published.text.empty() ? "nothing usable" : Printable(page.published.text));
  warn(page.published_warnings);
  if (page.published_warnings.empty()) line("", Tinted(terminal, Tint::kGood, "leads to the zone and keeps all results"));
}

json FormJson(spf::Evaluator* e, const FormLine& f) {
  json losses = json::array();
  for (const spf::FormLoss& l : f.check.losses) {
    json loss = PrefixesJson(e, l.set4, l.set6, 50);
    loss["was"] = spf::DefaultName(l.was);
    loss["becomes"] = spf::DefaultName(l.becomes);
    losses.push_back(std::move(loss));
  }
  json out = {{"form", spf::FormName(f.check.form)}, {"record", f.record},       {"possible", f.check.possible},
              {"exact", f.check.exact},              {"losses", losses},         {"notes", f.check.notes},
              {"lookups", f.check.lookups},          {"served", f.needs.empty()}};
  if (!f.needs.empty()) out["needs"] = f.needs;
  if (!f.check.possible) out["impossible"] = f.check.impossible;
  return out;
}

json PageJson(spf::Evaluator* e, const Page& page) {
  json forms = json::array(), results = json::object();
  for (const FormLine& f : page.forms) forms.push_back(FormJson(e, f));
  for (size_t i = 0; i < spf::kResults; i++)
    if (page.results.May(static_cast<spf::Default>(i)))
      results[std::string(spf::DefaultName(static_cast<spf::Default>(i)))] =
          PrefixesJson(e, page.results.sets4[i], page.results.sets6[i], 50);
  constexpr const char* kKinds[] = {"unknown", "nothing", "broken", "elsewhere", "ours"};
  json published = {{"state", kKinds[page.published.kind]}, {"warnings", page.published_warnings}};
  if (!page.published.text.empty()) published["record"] = page.published.text;
  if (page.published.kind == spf::Published::kOurs) published["form"] = spf::FormName(page.published.form);
  return {{"domain", page.served.domain_text},
          {"listed", page.served.listed},
          {"source", page.served.owner_text},
          {"zone", dns::NameText(page.served.zone->settings.apex)},
          {"publish", page.forms.front().record},
          {"forms", forms},
          {"results", results},
          {"dynamic", page.results.IsDynamic()},
          {"octets",
           {{"name4", page.sizes.name4}, {"name6", page.sizes.name6}, {"answer4", page.sizes.answer4},
            {"answer6", page.sizes.answer6}}},
          {"warnings", page.warnings},
          {"published", published}};
}

}  // namespace

int RunSpfPublish(const std::vector<std::string>& arguments, Terminal& terminal) {
  DeskOptions desk_options;
  std::string domain, zone;
  bool as_json = false, check = false;
  Options options("spf publish",
                  "Says which record to publish for a domain of an SPF zone, which forms of it keep all results of the source "
                  "record, and what is wrong with the one that is published.",
                  "mailzone spf publish mailzone.toml customer.example\n"
                  "mailzone spf publish --check mailzone.toml customer.example && echo done\n");
  options.Flag("--check", &check, "exit 1 unless the published record leads to the zone and keeps all results");
  options.Text("--zone", &zone, "NAME", "the zone, for a domain that is in no list");
  desk_options.Declare(&options, /*may_ask_elsewhere=*/false);
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("CONFIG", &desk_options.config, "the configuration", Options::kRequired);
  options.Positional("DOMAIN", &domain, "the domain", Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;

  Progress progress(terminal);
  DiagnosticLog log({.err = as_json ? nullptr : &terminal.err, .colour = terminal.err_colour});
  StatusOr<std::unique_ptr<DomainDesk>> desk = DomainDesk::Open(desk_options, &log);
  if (!desk.ok()) return FailSpf(desk.status(), as_json, terminal);
  StatusOr<ServedDomain> served = (*desk)->FindServed(domain, zone, &log);
  if (!served.ok()) return FailSpf(served.status(), as_json, terminal);
  (*desk)->Fetch({served->key()}, {{served->setting.name, spf::kTypeTxt}}, &progress);
  const Page page = MakePage(desk->get(), std::move(*served));
  spf::Evaluator& evaluator = (*desk)->evaluator();
  if (as_json)
    terminal.out << JsonText(PageJson(&evaluator, page));
  else
    Print(&evaluator, page, terminal);
  return check && (!page.published_warnings.empty() || !page.source_problem.empty()) ? kExitFindings : kExitOk;
}

}  // namespace mz::cli
