// The listening sockets of all workers, from the daemon's options and from systemd.
#pragma once

#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "server/control/daemon.h"

namespace mz::control {

struct Listeners {
  std::vector<std::vector<io::ListenSockets>> per_worker;  // [worker][address]
  int addresses = 0;
};

// How many sockets systemd passed (sd_listen_fds(3)), from descriptor 3 on. Reads LISTEN_FDS and LISTEN_PID and removes
// them from the environment; call it before the process forks.
int TakeSystemdSocketCount();

// Logs one "listening on" line per address. Errors: those of io/sockets.h.
StatusOr<Listeners> OpenListeners(const DaemonOptions& options, int workers, int systemd_sockets, const Logger& log);

}  // namespace mz::control
