// mailzone check: what is wrong with data files, a configuration, or an image? Writes nothing.
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/build_output.h"
#include "cli/image_file.h"
#include "cli/verb.h"
#include "format/dns/name.h"

namespace mz::cli {
namespace {

std::string TimeText(uint64_t unix_seconds) {
  if (unix_seconds == 0) return "not recorded";
  std::time_t t = static_cast<std::time_t>(unix_seconds);
  std::tm tm{};
  char text[40];
  if (gmtime_r(&t, &tm) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
    return std::to_string(unix_seconds);
  return text;
}

std::string ZoneText(const image::View& view, const image::ZoneRecord& zone) {
  std::span<const uint8_t> name = image::NameBytes(view.name(zone.name));
  return dns::NameText({reinterpret_cast<const char*>(name.data()), name.size()});
}

int CheckImage(const std::string& path, bool json, Terminal& terminal) {
  StatusOr<ImageFile> file = OpenImageFile(path);
  if (!file.ok()) {
    if (json)
      terminal.out << nlohmann::json{{"ok", false}, {"errors", {std::string(Message(file.status()))}}}.dump(2) << "\n";
    else
      Complain(terminal, Printable(Message(file.status())));
    return ExitCodeFor(file.status());
  }
  const image::View& view = file->view;
  const image::Header& header = view.header();
  char identity[24];
  std::snprintf(identity, sizeof identity, "%016llx", static_cast<unsigned long long>(uint64_t{header.identity}));
  if (json) {
    nlohmann::json zones = nlohmann::json::array();
    for (const image::ZoneRecord& zone : view.zones())
      zones.push_back({{"zone", ZoneText(view, zone)},
                       {"serial", uint32_t{zone.serial}},
                       {"datasets", uint32_t{view.node(zone.node).count}},
                       {"loaded", (zone.flags & image::kZoneNotLoaded) == 0}});
    nlohmann::json document = {{"ok", true},
                               {"path", path},
                               {"format_version", uint32_t{header.version}},
                               {"identity", identity},
                               {"bytes", uint64_t{header.file_size}},
                               {"created", uint64_t{header.created_unix}},
                               {"zones", zones}};
    terminal.out << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return kExitOk;
  }
  constexpr size_t kMostZones = 20;
  for (size_t i = 0; i < view.zones().size() && i < kMostZones; i++) {
    const image::ZoneRecord& zone = view.zones()[i];
    terminal.out << "zone " << ZoneText(view, zone) << ": " << Count(view.node(zone.node).count, "dataset")
                 << ", serial " << zone.serial;
    if (zone.flags & image::kZoneNotLoaded) terminal.out << ", not loaded";
    if (zone.expires_unix != 0) terminal.out << ", expires " << TimeText(zone.expires_unix);
    terminal.out << "\n";
  }
  if (view.zones().size() > kMostZones) terminal.out << "... " << view.zones().size() - kMostZones << " more\n";
  terminal.out << Printable(path) << ": good image, " << Count(view.zones().size(), "zone") << ", "
               << SizeText(header.file_size) << ", created " << TimeText(header.created_unix) << ", identity " << identity
               << "\n";
  return kExitOk;
}

}  // namespace

int RunCheckVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  BuildFlags flags;
  bool json = false;
  std::optional<uint64_t> max_diagnostics;
  std::vector<std::string> inputs;
  Options options("check", "Says what is wrong with data files, a configuration or an image, and writes nothing.",
                  "mailzone check bl.example.org:ip4set:bl.txt\n"
                  "mailzone check mailzone.toml\n"
                  "mailzone check bl.mzi\n");
  flags.Declare(&options, /*writes_image=*/false);
  options.Number("--max-diagnostics", &max_diagnostics, 0, 1000000, "N", "warnings to show (50)");
  options.Flag("--json", &json, "one JSON document on standard output");
  options.Rest("CONFIG|IMAGE|ZONE:TYPE:FILES", &inputs,
               "one configuration, one image, or rbldnsd zone specifications", Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (inputs.size() == 1 && (inputs[0].ends_with(".mzi") || LooksLikeImage(inputs[0])))
    return CheckImage(inputs[0], json, terminal);

  Progress progress(terminal);
  DiagnosticLog log({.err = json ? nullptr : &terminal.err, .colour = terminal.err_colour,
                     .max_shown = max_diagnostics.value_or(50), .keep = json,
                     .before_writing = [&] { progress.Clear(); }});
  StatusOr<BuildJob> job = MakeBuildJob(flags, inputs, &log);
  if (!job.ok()) return PrintJobError(job.status(), log, json, terminal);
  BuildReport report = RunBuildJob(*job, BuildTarget::kNothing, &log, &progress);
  return PrintBuildReport(report, log, BuildTarget::kNothing, json, /*strict=*/true, terminal);
}

}  // namespace mz::cli
