// Tells systemd how the service is doing (sd_notify(3)): one datagram per message, nothing when NOTIFY_SOCKET is not set.
//
// The socket is connected at construction, so messages still arrive after chroot. Owned and used by the control thread.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"

namespace mz::control {

class Notifier {
 public:
  Notifier() = default;
  // Connects to $NOTIFY_SOCKET and removes it from the environment.
  static Notifier FromEnvironment();

  bool active() const { return fd_.valid(); }
  void Ready(std::string_view status) const;
  void Reloading() const;  // with MONOTONIC_USEC, which Type=notify-reload wants
  void Stopping() const;

 private:
  void Send(const std::string& text) const;

  UniqueFd fd_;
};

}  // namespace mz::control
