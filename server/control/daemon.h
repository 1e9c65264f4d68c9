// The daemon around the workers: privileges, signals, reloads, query log, statistics.
//
//   DaemonOptions options = ...;                     // from the command line
//   return RunDaemon(options, source, log);          // until SIGTERM or SIGINT; the process exit code
//
// Runs on the main thread (the control thread) and starts one worker thread per core, and one loader thread on which the
// image source works, so that signals are served during a long load. The order of start-up work is that of rbldnsd:
// sockets, user look-up, pid file, chroot, chdir, setuid, first load, "started".
//
// Signals: SIGHUP reopens the query log and reloads; SIGUSR1 logs statistics; SIGUSR2 logs and zeroes them; SIGTERM and
// SIGINT end the process, at any moment, with exit code 0. None is lost during a load.
//
// Exit codes: 0 ended by signal; else what stopped the start: 1 the image is rejected, 2 the set-up is wrong (address,
// user, directory), 3 a file is missing or unreadable, 4 temporary (no memory), 5 internal.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "server/answer/answer.h"
#include "server/control/image_source.h"
#include "server/io/backend.h"

namespace mz::control {

struct ListenAddress {
  std::string host;     // getaddrinfo text; every address returned is bound
  std::string service;  // port number or service name
  std::string text;     // as the operator wrote it, for messages
  int family = AF_UNSPEC;
};

struct DaemonOptions {
  std::string program = "mailzoned";
  std::string version_line;                // "NAME version X": logged as "VERSION_LINE started (N socket(s), M zone(s))"
  std::vector<ListenAddress> listen;
  bool udp = true, tcp = true;
  bool tcp_optional = false;               // a TCP address in use is a warning, not an error
  bool v6_only = true;                     // a [::] socket leaves IPv4 to others; false: the system's default
  int workers = 0;                         // 0: one per core of the affinity mask
  bool pin_workers = false;
  io::BackendKind io = io::BackendKind::kAuto;
  io::TcpLimits tcp_limits;
  uint16_t max_udp_bytes = 1232;
  std::string version_text;                // CH TXT version.bind; empty: REFUSED
  std::string server_id;                   // CH TXT id.server and NSID; empty: REFUSED, no NSID
  bool log_details = true;                 // log lines that rbldnsd has not got: the I/O backend, the image
  // Process
  bool foreground = true;
  bool start_without_data = false;         // rbldnsd -q: a failing first load is not fatal
  std::string user;                        // "USER[:GROUP]", names or decimal ids; "": stay as is
  bool refuse_root = false;
  std::string chroot_dir, work_dir, pid_file;
  // Data
  int check_interval_seconds = 0;          // look for changes and write a statistics line; 0: never
  // Files, opened with the rights of `user` inside chroot_dir
  std::string query_log;                   // "-": stdout; "" off
  bool query_log_unbuffered = false;
  std::string stats_file;                  // rbldnsd's format; "" off
  bool stats_file_deltas = false;
  std::string stats_page;                  // memory-mapped page for `mailzone status`; "" off
  bool stats_page_optional = false;        // a page that cannot be created is a warning, not an error

  // Called once in the control thread after privileges are dropped and before any thread is started: the place to fork a
  // compiler process that has the daemon's rights. All signals that the daemon handles are blocked at that time.
  std::function<Status()> before_threads;
  // Called when a background daemon has closed its terminal: log lines must not go to stdout and stderr any more.
  std::function<void()> detached;
};

int RunDaemon(const DaemonOptions& options, ImageSource& source, const Logger& log);

// The exit code for an error before the daemon serves.
int ExitCodeFor(const Status& status);

}  // namespace mz::control
