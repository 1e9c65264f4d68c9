// rbldnsd: mailzone in the clothes of rbldnsd. Same command line, data files, answers, signals and log lines; text is
// compiled in another process, and answering never stops for it.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "cli/rbldnsd/arguments.h"
#include "cli/rbldnsd/compiled_source.h"
#include "cli/rbldnsd/dump.h"
#include "server/control/daemon_log.h"

namespace {

// Before the background: like a foreground program, and to syslog too. With -q, or with the query log on it, stdout is
// not for messages. Under a service manager: syslog only.
mz::control::DaemonLog::Options LogOptions(const mz::cli::RbldnsdArguments& a, bool managed) {
  mz::control::DaemonLog::Options o;
  const bool background = !a.daemon.foreground;
  o.syslog = !a.dump && (background || managed);
  o.syslog_facility = managed ? 0 : a.syslog_facility;
  if (!managed) {
    o.error_fd = STDERR_FILENO;
    o.info_fd = background && (a.quick_start || a.daemon.query_log == "-") ? -1 : STDOUT_FILENO;
  }
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  const bool managed = std::getenv("NOTIFY_SOCKET") != nullptr;
  mz::cli::RbldnsdArguments arguments;
  if (auto stop = mz::cli::ParseRbldnsdArguments(argc, argv, ::getuid() == 0, std::getenv("LISTEN_FDS") != nullptr,
                                                 &arguments)) {
    std::fputs(stop->out.c_str(), stdout);
    std::fputs(stop->err.c_str(), stderr);
    return stop->code;
  }
  mz::control::DaemonLog daemon_log(arguments.program, LogOptions(arguments, managed));
  mz::Logger log(daemon_log.MakeSink());
  if (arguments.dump) return mz::cli::RunRbldnsdDump(arguments, log);

  mz::control::DaemonOptions& options = arguments.daemon;
  if (managed) options.foreground = true;
  const bool background = !options.foreground;
  mz::cli::CompiledSource source(arguments.compile, arguments.quick_start);
  options.before_threads = [&] { return source.Start(arguments.zones, background); };
  options.detached = [&] { daemon_log.Detach(); };
  // rbldnsd knows one exit code for everything that goes wrong.
  return mz::control::RunDaemon(options, source, log) == 0 ? 0 : 1;
}
