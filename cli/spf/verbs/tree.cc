// mailzone spf tree: the records a domain leads to.
#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "cli/image_file.h"
#include "cli/options.h"
#include "cli/spf/one_domain.h"
#include "cli/spf/page.h"
#include "cli/spf/verbs.h"
#include "compiler/spf/lookup_count.h"
#include "compiler/spf/tree.h"
#include "format/dns/name.h"

namespace mz::cli {

namespace spf = compiler::spf;

namespace {

using nlohmann::json;
using spf::TreeLine;

// The lines of the drawing in front of each entry.
std::vector<std::string> Branches(const std::vector<TreeLine>& lines, bool drawing) {
  const std::string middle = drawing ? "├─ " : "|- ", last = drawing ? "└─ " : "`- ", pass = drawing ? "│  " : "|  ";
  std::vector<std::string> out(lines.size());
  std::vector<bool> more;  // whether a later line has this depth, with nothing shallower between
  for (size_t i = lines.size(); i-- > 0;) {
    const auto depth = static_cast<size_t>(lines[i].depth);
    if (more.size() <= depth) more.resize(depth + 1);
    for (size_t d = 1; d < depth; d++) out[i] += more[d] ? pass : "   ";
    if (depth > 0) out[i] += more[depth] ? middle : last;
    more[depth] = true;
    more.resize(depth + 1);
  }
  return out;
}

std::string Remark(const TreeLine& line) {
  std::string out = line.problem;
  if (line.repeated && out.empty()) out = "again, see above";
  if (line.kind == TreeLine::kReceiver) out = "left to the receiver";
  return out;
}

Tint TintOf(const TreeLine& line) {
  if (line.problem.starts_with("permerror") || line.problem.starts_with("temperror")) return Tint::kBad;
  if (!line.problem.empty()) return line.kind == TreeLine::kRecord ? Tint::kBad : Tint::kWarning;
  return line.repeated ? Tint::kWarning : Tint::kFaint;
}

std::string Right(const std::string& text, size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

std::string NameOf(const TreeLine& line) {
  return Printable(line.depth == 0 ? dns::NameText(line.key.owner) : line.via);
}

void Print(const std::vector<TreeLine>& lines, Terminal& terminal) {
  const std::vector<std::string> branches = Branches(lines, terminal.out_drawing);
  size_t width = 0;
  for (size_t i = 0; i < lines.size(); i++) {
    const size_t branch = 3 * static_cast<size_t>(lines[i].depth);
    width = std::max(width, std::min<size_t>(branch + NameOf(lines[i]).size(), 70));
  }
  terminal.out << Tinted(terminal, Tint::kFaint, Padded("", width) + "lookups    IPv4    IPv6") << "\n";
  for (size_t i = 0; i < lines.size(); i++) {
    const TreeLine& line = lines[i];
    terminal.out << Tinted(terminal, Tint::kFaint, branches[i]);
    const std::string name = NameOf(line);
    const std::string padded = Padded(branches[i] + name, width).substr(branches[i].size());
    terminal.out << (line.depth == 0 ? Tinted(terminal, Tint::kStrong, padded) : padded);
    const bool record = line.kind == TreeLine::kRecord;
    const bool counted = line.kind != TreeLine::kReceiver && !(record && line.repeated);
    // A term costs its own lookup and those below it; the domain's own record costs none.
    terminal.out << Right(std::to_string(line.total_lookups + (line.depth > 0)), 7)
                 << Right(counted ? std::to_string(line.total_prefixes4) : "", 8)
                 << Right(counted ? std::to_string(line.total_prefixes6) : "", 8);
    if (const std::string remark = Remark(line); !remark.empty())
      terminal.out << "  " << Tinted(terminal, TintOf(line), Printable(remark));
    terminal.out << "\n";
  }
}

void PrintSummary(const std::vector<TreeLine>& lines, Terminal& terminal) {
  size_t records = 0, repeated = 0, problems = 0;
  for (const TreeLine& line : lines) {
    records += line.kind == TreeLine::kRecord && !line.repeated;
    repeated += line.kind == TreeLine::kRecord && line.repeated;
    problems += !line.problem.empty();
  }
  const uint32_t lookups = lines.front().total_lookups;
  terminal.out << "\n" << Count(records, "record") << ", ";
  const std::string count = Count(lookups, "lookup");
  if (lookups > spf::kReceiverLookups)
    terminal.out << Tinted(terminal, Tint::kBad, count + " (receivers allow 10)");
  else
    terminal.out << count;
  terminal.out << ", " << lines.front().total_prefixes4 << " IPv4 and " << lines.front().total_prefixes6
               << " IPv6 prefixes";
  if (repeated > 0) terminal.out << ", " << repeated << " repeated";
  if (problems > 0) terminal.out << ", " << Count(problems, "problem");
  terminal.out << "\n";
}

json LineJson(const TreeLine& line) {
  json out = {{"depth", line.depth},
              {"kind", line.kind == TreeLine::kRecord   ? "record"
                       : line.kind == TreeLine::kLookup ? "lookup"
                                                        : "receiver"},
              {"term", line.via},
              {"lookups", line.total_lookups + (line.depth > 0)},
              {"ip4", line.total_prefixes4},
              {"ip6", line.total_prefixes6}};
  if (!line.key.owner.empty()) out["name"] = dns::NameText(line.key.owner);
  if (!line.text.empty()) out["record"] = line.text;
  if (line.repeated) out["repeated"] = true;
  if (!line.problem.empty()) out["problem"] = line.problem;
  return out;
}

}  // namespace

int RunSpfTree(const std::vector<std::string>& arguments, Terminal& terminal) {
  DeskOptions desk_options;
  std::string config_or_domain, domain, zone;
  bool as_json = false, no_source = false;
  Options options("spf tree",
                  "Shows what the record of a domain leads to: lookups and prefixes of each term, with everything below it. "
                  "Exit 1: something is missing or broken.",
                  "mailzone spf tree customer.example\n"
                  "mailzone spf tree mailzone.toml customer.example\n");
  desk_options.Declare(&options, /*may_ask_elsewhere=*/true);
  options.Flag("--published", &no_source, "with CONFIG: the published record, not the source record");
  options.Text("--zone", &zone, "NAME", "with CONFIG: the zone, for a domain that is in no list");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("CONFIG|DOMAIN", &config_or_domain, "a configuration in front of the domain, or the domain",
                     Options::kRequired);
  options.Positional("DOMAIN", &domain, "the domain, behind a configuration", Options::kOptional);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (domain.empty())
    domain = config_or_domain;
  else
    desk_options.config = config_or_domain;

  Progress progress(terminal);
  DiagnosticLog log({.err = as_json ? nullptr : &terminal.err, .colour = terminal.err_colour});
  StatusOr<std::unique_ptr<DomainDesk>> desk = DomainDesk::Open(desk_options, &log);
  if (!desk.ok()) return FailSpf(desk.status(), as_json, terminal);
  spf::RecordKey key;
  if ((*desk)->has_config() && !no_source) {
    StatusOr<ServedDomain> served = (*desk)->FindServed(domain, zone, &log);
    if (!served.ok()) return FailSpf(served.status(), as_json, terminal);
    key = served->key();
  } else {
    StatusOr<std::string> name = ParseDomainArgument(domain);
    if (!name.ok()) return FailSpf(name.status(), as_json, terminal);
    key = {*name, *name};
  }
  (*desk)->Fetch({key}, {}, &progress);
  const std::vector<TreeLine> lines = spf::Tree(desk->get(), key, (*desk)->evaluator().options().limits);
  bool broken = false;
  for (const TreeLine& line : lines) broken |= line.kind == TreeLine::kRecord && !line.problem.empty();
  if (as_json) {
    json list = json::array();
    for (const TreeLine& line : lines) list.push_back(LineJson(line));
    terminal.out << JsonText({{"domain", dns::NameText(key.domain)},
                              {"source", dns::NameText(key.owner)},
                              {"lookups", lines.front().total_lookups},
                              {"tree", list}});
  } else {
    Print(lines, terminal);
    PrintSummary(lines, terminal);
  }
  return broken ? kExitFindings : kExitOk;
}

}  // namespace mz::cli
