// See signals.h.
#include "server/control/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace mz::control {

sigset_t HandledSignals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (int s : {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGALRM}) ::sigaddset(&set, s);
  return set;
}

Status SignalQueue::Open() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set = HandledSignals();
  // A disposition of "ignore" that was inherited (nohup) would throw the signal away before it is queued.
  for (int s : {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGALRM}) ::signal(s, SIG_DFL);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_.valid()) return ErrnoStatus(errno, "signalfd");
  return absl::OkStatus();
}

std::optional<int> SignalQueue::Next() {
  signalfd_siginfo info;
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace mz::control
