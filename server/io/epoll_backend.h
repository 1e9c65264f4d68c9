// The epoll backend: readiness from epoll, datagrams in batches through recvmmsg and sendmmsg. Works wherever Linux does.
#pragma once

#include <memory>
#include <vector>

#include "server/io/backend.h"
#include "server/io/tcp_server.h"
#include "server/io/udp_batch.h"

namespace mz::io {

class EpollBackend final : public Backend {
 public:
  // Takes the sockets only when it succeeds.
  static StatusOr<std::unique_ptr<Backend>> Create(std::vector<ListenSockets>& sockets, const TcpLimits& limits,
                                                   Handler& handler, IoCounters& counters);
  Status Run() override;
  void Stop() override;
  std::string_view name() const override { return "epoll"; }

 private:
  EpollBackend(Handler& handler, IoCounters& counters) : handler_(handler), counters_(counters) {}
  void ServeUdp(const ListenSockets& socket);

  Handler& handler_;
  IoCounters& counters_;
  UniqueFd epoll_, stop_;
  std::vector<ListenSockets> sockets_;
  std::unique_ptr<TcpServer> tcp_;
  UdpBatch batch_;
};

}  // namespace mz::io
