// mailzone spf diff: which addresses two domains, or the same domains in two images, treat differently.
#include <map>
#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "cli/image_file.h"
#include "cli/options.h"
#include "cli/spf/one_domain.h"
#include "cli/spf/page.h"
#include "cli/spf/verbs.h"
#include "compiler/spf/policy_diff.h"
#include "compiler/spf/residual.h"
#include "format/dns/name.h"
#include "format/image/diff.h"

namespace mz::cli {

namespace spf = compiler::spf;

namespace {

using nlohmann::json;

struct Limits {
  size_t prefixes = 20;
  bool as_json = false;
};

// One change of answers, and the addresses that have it.
struct Group {
  std::string title;            // the domain, with images
  std::string before, after;
  std::vector<std::string> prefixes;
  std::string summary;          // instead of the list, for people, where that is shorter
  uint64_t total = 0;           // prefixes, the listed ones included; ranges with images
};

void Print(const std::vector<Group>& groups, Terminal& terminal) {
  std::string title;
  for (const Group& g : groups) {
    if (g.title != title) terminal.out << Tinted(terminal, Tint::kStrong, Printable(g.title)) << "\n";
    title = g.title;
    terminal.out << Tinted(terminal, Tint::kBad, "  - " + Printable(g.before)) << "\n"
                 << Tinted(terminal, Tint::kGood, "  + " + Printable(g.after)) << "\n";
    if (!g.summary.empty()) {
      terminal.out << "      " << g.summary << "\n";
      continue;
    }
    std::string line = "     ";
    for (const std::string& p : g.prefixes) {
      if (line.size() + p.size() > 100) {
        terminal.out << line << "\n";
        line = "     ";
      }
      line += " " + p;
    }
    if (g.total > g.prefixes.size()) line += " and " + Grouped(g.total - g.prefixes.size()) + " more";
    terminal.out << line << "\n";
  }
}

json GroupsJson(const std::vector<Group>& groups) {
  json out = json::array();
  for (const Group& g : groups) {
    json entry = {{"before", g.before}, {"after", g.after}, {"prefixes", g.prefixes}, {"count", g.total}};
    if (!g.title.empty()) entry["domain"] = g.title;
    out.push_back(std::move(entry));
  }
  return out;
}

int Tell(std::vector<Group> groups, const std::string& totals, const Limits& limits, Terminal& terminal) {
  if (limits.as_json) {
    terminal.out << JsonText({{"same", groups.empty()}, {"changes", GroupsJson(groups)}});
  } else if (groups.empty()) {
    terminal.out << "# no difference\n";
  } else {
    Print(groups, terminal);
    terminal.out << "# " << totals << "\n";
  }
  return groups.empty() ? kExitOk : kExitFindings;
}

template <typename F>
void AddFamily(spf::Evaluator* e, spf::SetPool<F>* sets, spf::Partitions<F>* partitions, const spf::Partition& a,
               const spf::Partition& b, spf::Form form_a, spf::Form form_b, const Limits& limits, double* addresses,
               std::vector<Group>* out) {
  for (const spf::PolicyDelta& d : spf::DiffPolicies<F>(sets, partitions, a, b)) {
    Group g;
    g.before = spf::ResidualText(&e->programs(), d.before, F::kIsV4, form_a);
    g.after = spf::ResidualText(&e->programs(), d.after, F::kIsV4, form_b);
    if (g.before == g.after) continue;  // differ in what is not served, as an explanation
    g.prefixes = spf::PrefixTexts<F>(sets->Get(d.set), limits.prefixes, &g.total);
    if constexpr (F::kIsV4)
      for (const net::Range4& r : sets->Get(d.set))
        *addresses += static_cast<double>(r.last) - static_cast<double>(r.first) + 1;
    std::string text = F::kIsV4 ? PrefixesText(e, d.set, spf::kEmptySet, 8) : PrefixesText(e, spf::kEmptySet, d.set, 8);
    if (text.starts_with("all")) g.summary = std::move(text);
    out->push_back(std::move(g));
  }
}

int DiffDomains(const DeskOptions& desk_options, const std::string& zone, const std::vector<std::string>& names,
                const Limits& limits, Terminal& terminal) {
  Progress progress(terminal);
  DiagnosticLog log({.err = limits.as_json ? nullptr : &terminal.err, .colour = terminal.err_colour});
  StatusOr<std::unique_ptr<DomainDesk>> desk = DomainDesk::Open(desk_options, &log);
  if (!desk.ok()) return FailSpf(desk.status(), limits.as_json, terminal);
  std::vector<ServedDomain> domains;
  for (const std::string& name : names) {
    StatusOr<ServedDomain> served = (*desk)->FindServed(name, zone, &log);
    if (!served.ok()) return FailSpf(served.status(), limits.as_json, terminal);
    domains.push_back(std::move(*served));
  }
  (*desk)->Fetch({domains[0].key(), domains[1].key()}, {}, &progress);
  spf::Evaluator& e = (*desk)->evaluator();
  const spf::Policy a = e.Evaluate(domains[0].key()), b = e.Evaluate(domains[1].key());
  const spf::Form form_a = domains[0].zone->settings.form, form_b = domains[1].zone->settings.form;
  std::vector<Group> groups;
  double addresses = 0;
  AddFamily<spf::V4>(&e, &e.sets4(), &e.partitions4(), a.v4, b.v4, form_a, form_b, limits, &addresses, &groups);
  AddFamily<spf::V6>(&e, &e.sets6(), &e.partitions6(), a.v6, b.v6, form_a, form_b, limits, &addresses, &groups);
  uint64_t prefixes = 0;
  for (const Group& g : groups) prefixes += g.total;
  return Tell(std::move(groups),
              Grouped(static_cast<uint64_t>(addresses)) + " IPv4 addresses get another answer; " + Grouped(prefixes) +
                  " prefixes of both families",
              limits, terminal);
}

// The changes of one domain in the stream of the image comparison: datasets are "spf/DOMAIN".
std::string DomainOf(const image::Change& c) {
  constexpr std::string_view kSpf = "spf";
  if (!c.dataset.starts_with(kSpf)) return "";
  const size_t slash = c.dataset.find('/');
  std::string out = slash == std::string::npos ? c.what : c.dataset.substr(slash + 1);
  while (!out.empty() && out.back() == '.') out.pop_back();
  return out;
}

StatusOr<std::vector<Group>> CompareImages(const std::vector<std::string>& paths, const std::string& domain,
                                           const Limits& limits) {
  std::vector<ImageFile> files;
  for (size_t i = 0; i < 2; i++) {
    StatusOr<ImageFile> file = OpenImageFile(paths[i]);
    if (!file.ok()) return file.status();
    files.push_back(std::move(*file));
  }
  std::map<std::tuple<std::string, std::string, std::string>, size_t> index;
  std::vector<Group> groups;
  const auto take = [&](const image::Change& c) {
    const std::string of = DomainOf(c);
    if (of.empty() || (!domain.empty() && of != domain)) return;
    const std::string before = c.before.empty() ? "nothing" : c.before, after = c.after.empty() ? "nothing" : c.after;
    auto [it, fresh] = index.try_emplace({of, before, after}, groups.size());
    if (fresh) groups.push_back({of, before, after, {}, "", 0});
    Group& g = groups[it->second];
    g.total++;
    if (g.prefixes.size() < limits.prefixes) g.prefixes.push_back(c.entry && c.what != of ? c.what : "(" + c.what + ")");
  };
  image::Diff(files[0].view, files[1].view, {}, take, [](const image::ZoneChanges&) {});
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.title < b.title; });
  return groups;
}

int DiffImages(const std::vector<std::string>& paths, const std::string& domain, const Limits& limits, Terminal& terminal) {
  std::string wanted;
  if (!domain.empty()) {
    StatusOr<std::string> name = ParseDomainArgument(domain);
    if (!name.ok()) return FailSpf(name.status(), limits.as_json, terminal);
    wanted = dns::NameText(*name);
  }
  StatusOr<std::vector<Group>> groups = CompareImages(paths, wanted, limits);
  if (!groups.ok()) {
    const int code = FailSpf(groups.status(), limits.as_json, terminal);
    return code == kExitFindings ? kExitUnreadable : code;  // 1 would say that they differ
  }
  size_t domains = 0;
  uint64_t ranges = 0;
  for (size_t i = 0; i < groups->size(); i++) {
    domains += i == 0 || (*groups)[i].title != (*groups)[i - 1].title;
    ranges += (*groups)[i].total;
  }
  const std::string totals = Count(domains, "domain") + " with " + Count(ranges, "change");
  return Tell(std::move(*groups), totals, limits, terminal);
}

}  // namespace

int RunSpfDiff(const std::vector<std::string>& arguments, Terminal& terminal) {
  DeskOptions desk_options;
  std::string first, second, third, zone;
  std::optional<uint64_t> most;
  Limits limits;
  Options options("spf diff",
                  "Says which addresses two domains treat differently, or the domains of two images. Exit 0: the same; 1: they "
                  "differ.",
                  "mailzone spf diff mailzone.toml old.example new.example\n"
                  "mailzone spf diff yesterday.mzi today.mzi\n"
                  "mailzone spf diff yesterday.mzi today.mzi customer.example\n");
  options.Number("--max-prefixes", &most, 0, 1'000'000, "N", "prefixes to list for each change (20)");
  options.Text("--zone", &zone, "NAME", "with CONFIG: the zone, for domains that are in no list");
  desk_options.Declare(&options, /*may_ask_elsewhere=*/false);
  options.Flag("--json", &limits.as_json, "one JSON document on standard output");
  options.Positional("CONFIG|IMAGE", &first, "a configuration, or the older image", Options::kRequired);
  options.Positional("DOMAIN|IMAGE", &second, "a domain, or the newer image", Options::kRequired);
  options.Positional("DOMAIN", &third, "the other domain; with images: only this one", Options::kOptional);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  limits.prefixes = most.value_or(limits.prefixes);
  if (first.ends_with(".mzi") || LooksLikeImage(first)) return DiffImages({first, second}, third, limits, terminal);
  if (third.empty()) return options.UsageError(terminal, "a configuration needs two domains behind it");
  desk_options.config = first;
  return DiffDomains(desk_options, zone, {second, third}, limits, terminal);
}

}  // namespace mz::cli
