// TCP connections to one server, DNS messages pipelined on each (RFC 7766 section 6.2.1), answers in any
// order.
//
//   if (pool.Ready(i)) pool.Ask(i, query, due_ns);     // connects when needed
//   pool.Flush();                                      // one send call for each connection that has
//   something pool.Poll(wait_ns);                                // answers go to the tally
//
// A connection that has carried Settings::queries_per_connection queries is closed when the last is answered,
// with a reset, so that no TIME_WAIT is left and ports do not run out. One thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/status.h"
#include "load/clock.h"
#include "load/query_pool.h"
#include "load/settings.h"
#include "load/tally.h"

namespace mz::load {

class TcpPool {
 public:
  // `per_connection`: the most queries that wait on one.
  TcpPool(const Settings& settings, const QueryPool& pool, Tally& tally, unsigned connections,
          uint64_t per_connection, uint64_t seed);
  Status Open();

  size_t size() const { return connections_.size(); }
  // Whether the connection may carry one more query now.
  bool Ready(size_t i) const;
  void Ask(size_t i, uint32_t query, uint64_t due_ns);
  // A query that was counted as sent before; its answer is counted as a retry's.
  void Retry(size_t i, uint32_t query, uint64_t due_ns);
  void Flush();
  void Poll(uint64_t wait_ns);
  void Expire(uint64_t before_ns);
  uint64_t outstanding() const { return outstanding_; }

 private:
  struct Connection {
    explicit Connection(uint32_t slots, uint16_t first_id) : pending(slots, first_id) {}
    UniqueFd fd;
    UniqueFd spare;                // of the connection before: unconnected, with its options, in the epoll set
    bool connected = false, dirty = false;
    uint64_t asked = 0;            // on this connection
    uint64_t closed_until_ns = 0;  // after a failure
    std::string out, in;
    PendingTable pending;
  };

  void Append(size_t i, uint32_t query, uint64_t due_ns);
  bool Connect(Connection& c, size_t i);
  void Close(Connection& c, bool failed);
  void Read(Connection& c);
  // The first octets of a stream that are whole messages are taken; returns how many.
  size_t TakeMessages(Connection& c, std::span<const uint8_t> bytes, uint64_t now_ns);
  void TakeMessage(Connection& c, std::span<const uint8_t> message, uint64_t now_ns);
  bool WornOut(const Connection& c) const {
    return settings_.queries_per_connection != 0 && c.asked >= settings_.queries_per_connection;
  }

  const Settings& settings_;
  const QueryPool& pool_;
  Tally& tally_;
  uint64_t per_connection_;
  bool retries_ = false;  // Retry() was called
  UniqueFd epoll_;
  std::vector<Connection> connections_;
  std::vector<size_t> dirty_;
  std::vector<uint8_t> buffer_;
  Random random_;
  uint64_t outstanding_ = 0;
};

}  // namespace mz::load
