// mailzoned: opens one zone image and answers DNS queries from it.
#include <unistd.h>

#include <iostream>

#include "cli/mailzoned/arguments.h"
#include "server/control/daemon_log.h"
#include "server/control/file_source.h"

int main(int argc, char** argv) {
  mz::cli::Terminal terminal{std::cout, std::cerr, ::isatty(STDERR_FILENO) != 0, false};
  mz::cli::MailzonedArguments arguments;
  if (auto exit_code = mz::cli::ParseMailzonedArguments({argv + 1, argv + argc}, terminal, &arguments))
    return *exit_code;

  // Standard output belongs to the query log ("--query-log -").
  mz::control::DaemonLog daemon_log(
      arguments.daemon.program,
      {.info_fd = STDERR_FILENO, .error_fd = STDERR_FILENO, .syslog = arguments.syslog, .syslog_facility = 0});
  mz::Logger log(daemon_log.MakeSink());
  arguments.daemon.detached = [&] { daemon_log.Detach(); };

  mz::control::FileImageSource source(arguments.image, /*verify_threads=*/2);
  return mz::control::RunDaemon(arguments.daemon, source, log);
}
