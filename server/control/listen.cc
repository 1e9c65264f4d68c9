// See listen.h.
#include "server/control/listen.h"

#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <set>
#include <string>

#include "server/io/sockets.h"

namespace mz::control {
namespace {

constexpr int kFirstSystemdFd = 3;  // SD_LISTEN_FDS_START
constexpr int kMaxSystemdFds = 4096;

void Append(std::vector<std::vector<io::ListenSockets>> from, Listeners* to) {
  for (size_t w = 0; w < from.size(); w++)
    std::move(from[w].begin(), from[w].end(), std::back_inserter(to->per_worker[w]));
}

}  // namespace

int TakeSystemdSocketCount() {
  int count = 0;
  const char* fds = std::getenv("LISTEN_FDS");
  const char* pid = std::getenv("LISTEN_PID");
  if (fds && pid && std::atol(pid) == ::getpid()) count = std::atoi(fds);
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDNAMES");
  return count < 0 || count > kMaxSystemdFds ? 0 : count;
}

StatusOr<Listeners> OpenListeners(const DaemonOptions& options, int workers, int systemd_sockets, const Logger& log) {
  Listeners out;
  out.per_worker.resize(static_cast<size_t>(workers));
  io::SocketOptions socket_options;
  socket_options.workers = workers;
  socket_options.v6only = options.v6_only;
  socket_options.max_udp_bytes = options.max_udp_bytes;
  std::set<std::string> addresses;  // UDP and TCP of one address count once

  if (systemd_sockets > 0) {
    MZ_ASSIGN_OR_RETURN(io::OpenedSockets passed, io::AdoptSockets(kFirstSystemdFd, systemd_sockets, socket_options));
    for (const io::BoundAddress& a : passed.bound) {
      log.Info("systemd socket listening on " + a.Text() + " (fd " + std::to_string(a.fd) + ")");
      addresses.insert(a.Text());
    }
    Append(std::move(passed.workers), &out);
  }

  std::vector<io::ListenSpec> specs;
  for (const ListenAddress& l : options.listen) specs.push_back({l.host, l.service, l.family, options.udp, options.tcp});
  if (!specs.empty()) {
    StatusOr<io::OpenedSockets> opened = io::OpenListenSockets(specs, socket_options);
    if (!opened.ok() && options.tcp_optional && options.tcp && options.udp) {
      // Somebody else may have the TCP port: no reason to refuse UDP, which is all that rbldnsd served.
      Status with_tcp = opened.status();
      for (io::ListenSpec& s : specs) s.tcp = false;
      opened = io::OpenListenSockets(specs, socket_options);
      if (opened.ok()) log.Warning("TCP: " + std::string(Message(with_tcp)) + "; only UDP is served");
    }
    if (!opened.ok()) return opened.status();
    for (const io::BoundAddress& a : opened->bound) {
      log.Info("listening on " + a.Text());
      addresses.insert(a.Text());
    }
    Append(std::move(opened->workers), &out);
  }
  out.addresses = static_cast<int>(addresses.size());
  return out;
}

}  // namespace mz::control
