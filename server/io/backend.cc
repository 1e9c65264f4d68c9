// Chooses between the backends. See backend.h.
#include "server/io/backend.h"

#include "server/io/epoll_backend.h"
#include "server/io/uring_backend.h"

namespace mz::io {

StatusOr<std::unique_ptr<Backend>> MakeBackend(BackendKind kind, std::vector<ListenSockets> sockets,
                                               const TcpLimits& limits, Handler& handler, IoCounters& counters,
                                               std::string* chosen_because) {
  std::string ignored;
  std::string& because = chosen_because != nullptr ? *chosen_because : ignored;
  because = "epoll, as asked for";
  if (kind != BackendKind::kEpoll) {
    StatusOr<std::unique_ptr<Backend>> uring = UringBackend::Create(sockets, limits, handler, counters);
    if (uring.ok()) {
      because = kind == BackendKind::kUring ? "io_uring, as asked for" : "io_uring, which this system allows";
      return uring;
    }
    if (kind == BackendKind::kUring) return Annotate(uring.status(), "io_uring");
    because = "epoll, because io_uring is refused: " + std::string(Message(uring.status()));
  }
  return EpollBackend::Create(sockets, limits, handler, counters);
}

}  // namespace mz::io
