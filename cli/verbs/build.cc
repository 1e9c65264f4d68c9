// mailzone build: data files or a configuration -> a zone image.
#include "cli/build_output.h"
#include "cli/verb.h"

namespace mz::cli {

int RunBuildVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  BuildFlags flags;
  bool json = false, strict = false;
  std::optional<uint64_t> max_diagnostics;
  std::vector<std::string> inputs;
  Options options("build", "Compiles data files into a zone image, which replaces the old one at once or not at all.",
                  "mailzone build -o bl.mzi bl.example.org:ip4set:bl.txt,more.txt dn.example.org:dnset:names.txt\n"
                  "mailzone build mailzone.toml\n"
                  "mailzone build --created=0 -o test.mzi mailzone.toml     # equal input gives equal bytes\n");
  flags.Declare(&options, /*writes_image=*/true);
  options.Number("--max-diagnostics", &max_diagnostics, 0, 1000000, "N", "warnings to show (50)");
  options.Flag("--werror", &strict, "exit 1 when there are warnings (the image is written all the same)");
  options.Flag("--json", &json, "one JSON document on standard output");
  options.Rest("CONFIG|ZONE:TYPE:FILES", &inputs, "one configuration, or rbldnsd zone specifications",
               Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;

  Progress progress(terminal);
  DiagnosticLog log({.err = json ? nullptr : &terminal.err, .colour = terminal.err_colour,
                     .max_shown = max_diagnostics.value_or(50), .keep = json,
                     .before_writing = [&] { progress.Clear(); }});
  StatusOr<BuildJob> job = MakeBuildJob(flags, inputs, &log);
  if (!job.ok()) return PrintJobError(job.status(), log, json, terminal);
  if (job->image.empty()) return options.UsageError(terminal, "where to? Give -o IMAGE");
  BuildReport report = RunBuildJob(*job, BuildTarget::kImageFile, &log, &progress);
  return PrintBuildReport(report, log, BuildTarget::kImageFile, json, strict, terminal);
}

}  // namespace mz::cli
