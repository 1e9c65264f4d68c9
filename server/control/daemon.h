// The daemon around the workers: privileges, signals, reloads, query log, statistics.
//
//   DaemonOptions options = ...;                     // from the command line
//   return RunDaemon(options, source, log);          // until SIGTERM or SIGINT; the process exit code
//
// Runs on the main thread (the control thread) and starts one worker thread per core. The order of start-up work is that
// of spec'd rbldnsd: sockets, user look-up, pid file, chroot, chdir, setuid, first load, "started".
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
  int family = AF_UNSPEC;
  bool udp = true, tcp = true;
};

struct DaemonOptions {
  std::string program = "mailzoned";       // log prefix
  std::string version_line;                // "NAME version X": printed as "VERSION_LINE started (N socket(s), M zone(s))"
  std::vector<ListenAddress> listen;
  int workers = 0;                         // 0: one per core of the affinity mask
  bool pin_workers = false;
  io::BackendKind io = io::BackendKind::kAuto;
  io::TcpLimits tcp;
  uint16_t max_udp_bytes = 1232;
  std::string version_text;                // CH TXT version.bind; empty: REFUSED
  std::string server_id;
  // Process
  bool foreground = true;
  bool start_without_data = false;         // rbldnsd -q: a failing first load is not fatal
  std::string user, group, chroot_dir, work_dir, pid_file;
  bool refuse_root = false;
  int syslog_facility = 0;
  // Data
  int check_interval_seconds = 0;          // rbldnsd -c: look for changes and write a statistics line; 0: never
  // Files
  std::string query_log;                   // "-": stdout; "" off
  bool query_log_unbuffered = false;
  std::string stats_file;                  // rbldnsd's format
  bool stats_file_deltas = false;
  std::string stats_page;                  // memory-mapped page for `mailzone status`; "" off
  // Called once in the control thread after privileges are dropped and before any thread is started: the place to fork a
  // compiler process that has the daemon's rights.
  std::function<Status()> before_threads;
};

int RunDaemon(const DaemonOptions& options, ImageSource& source, const Logger& log);

}  // namespace mz::control
