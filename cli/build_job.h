// What to build and how: the one place where the command line and the configuration become a compiler's options.
//
//   BuildFlags flags;  flags.Declare(&options, true);  options.Parse(...);
//   StatusOr<BuildJob> job = MakeBuildJob(flags, inputs, &log);                 // reads the configuration, if it is one
//   BuildReport report = RunBuildJob(*job, BuildTarget::kImageFile, &log, &progress);
//   return report.exit_code;
//
// `inputs` is one configuration file or a list of rbldnsd zone specifications. A flag beats the configuration.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/spf/session.h"
#include "compiler/build/image_writer.h"
#include "compiler/dataset/compile.h"

namespace mz::cli {

struct BuildFlags {
  std::string output;
  std::optional<std::string> ttl, ent, profile, any;
  bool mask_host_bits = false, no_gzip = false, no_provenance = false, full = false;
  std::optional<bool> minimal;
  std::optional<uint64_t> seed, created;
  std::optional<std::string> record, replay;  // of DNS answers; beat resolver.record and resolver.replay

  // `check` has no use for those that shape the image file.
  void Declare(Options* options, bool writes_image);
  // The same flags again, for the command line of a child process.
  std::vector<std::string> CommandLine() const;
};

struct ZoneSettings {  // of the configuration, for one zone
  std::string zone;    // relative wire form, lower case
  std::optional<compiler::Soa> soa;
  std::optional<compiler::NameServers> ns;
  std::optional<bool> ent_nxdomain, minimal;
};

struct BuildJob {
  std::optional<Config> config;
  std::vector<compiler::ZoneSpec> specs;
  std::vector<ZoneSettings> zones;
  compiler::CompileOptions compile;
  compiler::WriteOptions write;
  std::string image;               // where it goes; "" when nothing says so
  bool full = false;               // do not take anything over from the image that is there

  // Every file that is read: data files and the configuration.
  std::vector<std::string> Files() const;
};

// True when the arguments are one configuration file rather than zone specifications.
bool IsConfiguration(const std::vector<std::string>& inputs);

// Errors: InvalidArgument (a message for the command line; diagnostics of a configuration went to the sink), or those of
// reading the configuration.
StatusOr<BuildJob> MakeBuildJob(const BuildFlags& flags, const std::vector<std::string>& inputs,
                                dataset::DiagnosticSink* sink);

enum class BuildTarget { kImageFile, kNothing };  // kNothing: check only

struct BuildReport {
  ExitCode exit_code = kExitOk;
  std::vector<std::string> errors;     // besides the diagnostics: one line each
  std::vector<std::string> warnings;   // of zones
  size_t datasets = 0, datasets_unchanged = 0;
  uint64_t entries = 0;
  std::optional<SpfSession::Summary> spf;
  bool up_to_date = false;             // nothing changed: the image was left as it is
  double seconds = 0;
  // Parts of `seconds`. open: lists of domains and state, without `replay`, the reading of a recording; fetch: questions
  // until all are answered, and the state saved; compile: policies and zones; write: the image, verified and published.
  struct Phases {
    double replay = 0, open = 0, fetch = 0, compile = 0, write = 0;
  } phases;
  compiler::BuildResult result;        // kImageFile
  std::string image;
};

// `session`: the SPF zones of the configuration, fetched; null: they are opened and fetched here, if there are any.
BuildReport RunBuildJob(const BuildJob& job, BuildTarget target, dataset::DiagnosticSink* sink, Progress* progress,
                        SpfSession* session = nullptr);

}  // namespace mz::cli
