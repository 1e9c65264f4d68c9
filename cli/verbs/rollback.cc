// mailzone rollback: an earlier image again.
#include <nlohmann/json.hpp>

#include "cli/build_job.h"
#include "cli/diagnostics.h"
#include "cli/image_file.h"
#include "cli/options.h"
#include "cli/spf/change_record.h"
#include "cli/spf/generations.h"
#include "cli/verb.h"
#include "format/stats/reload_wait.h"

extern char** environ;

namespace mz::cli {
namespace {

int Fail(const Status& status, Terminal& terminal) {
  Complain(terminal, Printable(Message(status)));
  return status.code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(status);
}

int List(const std::vector<Generation>& all, bool held, bool as_json, Terminal& terminal) {
  if (as_json) {
    nlohmann::json list = nlohmann::json::array();
    for (const Generation& g : all)
      list.push_back({{"generation", g.number}, {"path", g.path}, {"written", TimeText(g.written_unix)}, {"bytes", g.bytes}});
    terminal.out << nlohmann::json({{"held", held}, {"generations", list}}).dump(2, ' ', false,
                                                                                 nlohmann::json::error_handler_t::replace)
                 << "\n";
    return kExitOk;
  }
  for (const Generation& g : all)
    terminal.out << g.number << "  " << TimeText(g.written_unix) << "  " << SizeText(g.bytes) << "\n";
  if (all.empty()) terminal.out << "no generations are kept\n";
  if (held) terminal.out << "held: nothing new is published until `mailzone rollback --resume`\n";
  return kExitOk;
}

}  // namespace

int RunRollbackVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string path;
  std::vector<std::string> rest;
  bool resume = false, as_json = false;
  Options options("rollback",
                  "Puts an earlier image back into service and holds it there; without a number, lists what is kept.",
                  "mailzone rollback mailzone.toml              # which images are kept\n"
                  "mailzone rollback mailzone.toml 41           # generation 41 again, until --resume\n"
                  "mailzone rollback --resume mailzone.toml     # publish new images again\n");
  options.Flag("--resume", &resume, "let new images be published again");
  options.Flag("--json", &as_json, "one JSON document on standard output (the list)");
  options.Positional("CONFIG", &path, "the configuration", Options::kRequired);
  options.Rest("GENERATION", &rest, "the number of an image that is kept", Options::kOptional);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (rest.size() > 1 || (resume && !rest.empty())) return options.UsageError(terminal, "at most one generation");

  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  StatusOr<Config> config = LoadConfig(path, EnvironmentOf(environ), &log);
  if (!config.ok()) return Fail(config.status(), terminal);
  const std::string& image = config->server.image;
  if (resume) {
    if (Status resumed = Resume(image); !resumed.ok()) return Fail(resumed, terminal);
    terminal.out << "new images are published again\n";
    return kExitOk;
  }
  const std::vector<Generation> all = ListGenerations(config->spf.generations_dir);
  if (rest.empty()) return List(all, IsHeld(image), as_json, terminal);
  for (const Generation& g : all) {
    if (std::to_string(g.number) != rest[0]) continue;
    if (Status done = RollBack(g, image); !done.ok()) return Fail(done, terminal);
    // A daemon that runs takes it at once; one that does not will find it.
    const bool told = stats::SendReload(config->server.stats_page).ok();
    terminal.out << image << ": generation " << g.number << " again" << (told ? ", the daemon was told" : "") << "\n";
    return kExitOk;
  }
  Complain(terminal, "there is no generation " + Printable(rest[0]) + "; `mailzone rollback " + Printable(path) +
                         "` lists what is kept");
  return kExitFindings;
}

}  // namespace mz::cli
