// mailzone refresh: keeps an image with SPF zones fresh.
#include <ctime>

#include "cli/diagnostics.h"
#include "cli/options.h"
#include "cli/spf/refresh_loop.h"
#include "cli/verb.h"

namespace mz::cli {

int RunRefreshVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  BuildFlags flags;
  bool once = false;
  std::vector<std::string> inputs;
  Options options("refresh",
                  "Keeps the image of a configuration with SPF zones fresh: asks the DNS when TTLs are over, and publishes a "
                  "new image when something changed. `mailzone serve` runs it by itself.",
                  "mailzone refresh mailzone.toml\n"
                  "mailzone refresh --once mailzone.toml       # one complete pass, then the end\n");
  flags.Declare(&options, /*writes_image=*/true);
  options.Flag("--once", &once, "ask everything that is due once, publish, end");
  options.Rest("CONFIG", &inputs, "the configuration", Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (inputs.size() != 1 || !IsConfiguration(inputs))
    return options.UsageError(terminal, "one configuration file is wanted");
  Logger log([&terminal](LogLevel level, std::string_view line) {
    terminal.err << (level == LogLevel::kError ? "error: " : level == LogLevel::kWarning ? "warning: " : "") << line << "\n"
                 << std::flush;
  });
  return RefreshLoop(std::move(flags), std::move(inputs), log, terminal).Run(once);
}

}  // namespace mz::cli
