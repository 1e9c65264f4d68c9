// See notify.h.
#include "server/control/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace mz::control {

Notifier Notifier::FromEnvironment() {
  Notifier n;
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (!path) return n;
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  const size_t length = std::strlen(path);
  if ((path[0] == '/' || path[0] == '@') && length > 1 && length < sizeof a.sun_path) {
    std::memcpy(a.sun_path, path, length);
    if (path[0] == '@') a.sun_path[0] = '\0';  // abstract name space
    n.fd_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    if (n.fd_.valid() && ::connect(n.fd_.get(), reinterpret_cast<sockaddr*>(&a), size) != 0) n.fd_.reset();
  }
  ::unsetenv("NOTIFY_SOCKET");
  return n;
}

void Notifier::Send(const std::string& text) const {
  // A service manager that does not listen is no reason to stop serving.
  if (fd_.valid()) (void)!::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Notifier::Ready(std::string_view status) const {
  Send("READY=1\n" + (status.empty() ? std::string() : "STATUS=" + std::string(status) + "\n"));
}

void Notifier::Reloading() const {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  Send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(t.tv_sec * 1000000 + t.tv_nsec / 1000) + "\n");
}

void Notifier::Stopping() const { Send("STOPPING=1\n"); }

}  // namespace mz::control
