// All TCP of one worker: listeners, connections, timeouts, the connection limit. Shared by both backends, which wait for
// one descriptor beside their UDP work:
//
//   MZ_ASSIGN_OR_RETURN(auto tcp, TcpServer::Create({listener}, limits, handler, counters));
//   when tcp->fd() is readable: tcp->Work();       // bounded; fd() stays readable when there is more to do
//
// It has an epoll instance and a timerfd of its own. TCP over readiness and plain calls instead of ring operations is a
// choice: a connection then costs no pinned buffer and no pending operation, closing it is one call, and both backends
// behave alike to the last octet. UDP is the hot path.
//
// Every connection is in one of three lists, each in the order of its deadlines, so that every step is O(1):
//   idle       between messages; idle_timeout_ms
//   receiving  a message has begun; message_timeout_ms from its first octet to its last
//   sending    replies wait; message_timeout_ms without progress
// At max_connections, or out of file descriptors, the longest idle one is closed for a newcomer; when none is idle, the
// one that has gone longest without progress. Used by the worker's thread only.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "server/io/tcp_session.h"

namespace mz::io {

class TcpServer {
 public:
  // The listeners stay the caller's, and must stay open as long as this object works.
  static StatusOr<std::unique_ptr<TcpServer>> Create(std::vector<int> listeners, const TcpLimits& limits,
                                                     Handler& handler, IoCounters& counters);
  ~TcpServer() { CloseAll(); }
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  int fd() const { return epoll_.get(); }
  void Work();
  void CloseAll();
  size_t buffered_bytes() const { return context_.pool.bytes_out(); }
  // Replies to be sent later, UDP and TCP: sent by Work().
  DelayQueue& delays() { return context_.delays; }

 private:
  enum State : uint8_t { kIdle, kReceiving, kSending, kStates };
  static constexpr uint32_t kNone = ~0u;
  struct Connection {
    TcpSession session;
    int64_t since_ms = 0;       // when the present state began, or made its last progress
    uint32_t generation = 0;    // tells an event for a closed connection from one for its successor
    uint32_t previous = kNone, next = kNone;
    uint32_t interest = 0;      // epoll events asked for
    State state = kIdle;
  };
  struct List {
    uint32_t head = kNone, tail = kNone;
  };

  TcpServer(Handler& handler, IoCounters& counters, const TcpLimits& limits) : context_(handler, counters, limits) {}
  void Accept(int listener, int64_t now_ms);
  bool Add(int fd, const sockaddr_storage& peer, int64_t now_ms);
  void OnEvent(uint32_t index, uint32_t events, int64_t now_ms);
  void Settle(uint32_t index, TcpSession::Verdict verdict, bool completed, bool sent, int64_t now_ms);
  void SendDelayed(int64_t now_ms);
  void Close(uint32_t index);
  bool EvictOne();
  void Expire(int64_t now_ms);
  void PauseAccept(int64_t now_ms);
  void WatchListeners(uint32_t events);
  void ArmTimer(int64_t now_ms);
  void Append(uint32_t index, State state, int64_t now_ms);
  void Remove(uint32_t index);
  int64_t Timeout(State state) const {
    return state == kIdle ? context_.limits.idle_timeout_ms : context_.limits.message_timeout_ms;
  }

  TcpContext context_;
  UniqueFd epoll_, timer_, delay_timer_;
  std::vector<int> listeners_;
  std::deque<Connection> connections_;   // grows to the most that were open at once; addresses are stable
  std::vector<uint32_t> free_;
  std::array<List, kStates> lists_;
  int open_ = 0;
  int64_t armed_ms_ = 0;                 // when the timer will fire; 0: not armed
  int64_t accept_again_ms_ = 0;          // accepting is paused until then; 0: it is not
};

}  // namespace mz::io
