// mailzone diff: what two images serve differently.
#include <nlohmann/json.hpp>

#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/image_file.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "format/image/diff.h"

namespace mz::cli {
namespace {

using nlohmann::json;

const char* KindWord(image::ChangeKind kind) {
  switch (kind) {
    case image::ChangeKind::kAdded: return "added";
    case image::ChangeKind::kRemoved: return "removed";
    case image::ChangeKind::kChanged: break;
  }
  return "changed";
}

json ChangeJson(const image::Change& c) {
  json out = {{"kind", KindWord(c.kind)}, {"zone", c.zone}, {"what", c.what}};
  if (!c.dataset.empty()) out["dataset"] = c.dataset;
  if (!c.before.empty()) out["before"] = c.before;
  if (!c.after.empty()) out["after"] = c.after;
  return out;
}

json ZoneJson(const image::ZoneChanges& z) {
  return {{"zone", z.zone},       {"kind", KindWord(z.kind)},  {"added", z.added},
          {"removed", z.removed}, {"changed", z.changed},      {"settings", z.settings},
          {"addresses4_added", z.addresses4_added}, {"addresses4_removed", z.addresses4_removed},
          {"addresses4_changed", z.addresses4_changed}};
}

}  // namespace

int RunDiffVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string before_path, after_path;
  bool as_json = false, summary = false;
  std::optional<uint64_t> max_changes;
  Options options("diff", "Compares what two images serve. Exit 0: the same; 1: they differ.",
                  "mailzone diff old.mzi new.mzi\n"
                  "mailzone diff --summary old.mzi new.mzi\n");
  options.Flag("--summary", &summary, "only one line per zone");
  options.Number("--max-changes", &max_changes, 0, 1ull << 40, "N", "changes to print (all)");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("OLD", &before_path, "an image file", Options::kRequired);
  options.Positional("NEW", &after_path, "another", Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  StatusOr<ImageFile> before = OpenImageFile(before_path);
  StatusOr<ImageFile> after = OpenImageFile(after_path);
  for (const Status& status : {before.status(), after.status()}) {
    if (status.ok()) continue;
    Complain(terminal, Printable(Message(status)));
    // 1 would say that they differ.
    return ExitCodeFor(status) == kExitFindings ? kExitUnreadable : ExitCodeFor(status);
  }

  json changes = json::array(), zones = json::array();
  uint64_t seen = 0;
  const uint64_t limit = max_changes.value_or(~0ull);
  auto on_change = [&](const image::Change& c) {
    if (summary || seen++ >= limit) return;
    if (as_json)
      changes.push_back(ChangeJson(c));
    else
      terminal.out << image::ChangeText(c) << "\n";
  };
  auto on_zone = [&](const image::ZoneChanges& z) {
    if (as_json) {
      zones.push_back(ZoneJson(z));
      return;
    }
    terminal.out << "# " << (z.zone.empty() ? "image" : "zone " + z.zone) << " " << KindWord(z.kind) << ": " << z.added
                 << " added, " << z.removed << " removed, " << z.changed << " changed";
    if (z.settings > 0) terminal.out << ", " << Count(z.settings, "setting");
    if (z.addresses4_added + z.addresses4_removed + z.addresses4_changed > 0)
      terminal.out << "; IPv4 addresses: " << z.addresses4_added << " added, " << z.addresses4_removed << " removed, "
                   << z.addresses4_changed << " changed";
    terminal.out << "\n";
  };
  bool differ = image::Diff(before->view, after->view, {.entries = !summary}, on_change, on_zone);
  uint64_t hidden = seen > limit ? seen - limit : 0;
  if (as_json) {
    json document = {{"same", !differ}, {"changes", changes}, {"changes_hidden", hidden}, {"zones", zones}};
    terminal.out << document.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
  } else if (!differ) {
    terminal.out << "# no difference\n";
  } else if (hidden > 0) {
    terminal.out << "# " << Count(hidden, "change") << " not shown\n";
  }
  return differ ? kExitFindings : kExitOk;
}

}  // namespace mz::cli
