// See tcp_server.h.
#include "server/io/tcp_server.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

namespace mz::io {

namespace {

// What one Work() does at most, so that UDP is served in between: this many connections with kReadBytes each, and this
// many new or expired ones.
constexpr int kEventsPerTurn = 16;
constexpr int kAcceptsPerTurn = 64;
constexpr int kExpiriesPerTurn = 64;
constexpr int kDelayedPerTurn = 64;
constexpr int64_t kAcceptPauseMs = 100;

constexpr uint64_t kListenerTag = 1ull << 63;  // | index; connections have generation << 32 | index
constexpr uint64_t kTimerTag = ~0ull, kDelayTag = ~0ull - 1;
constexpr uint32_t kGenerationMask = 0x7fffffff;

int64_t NowMs() {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

}  // namespace

StatusOr<std::unique_ptr<TcpServer>> TcpServer::Create(std::vector<int> listeners, const TcpLimits& limits,
                                                       Handler& handler, IoCounters& counters) {
  std::unique_ptr<TcpServer> s(new TcpServer(handler, counters, limits));
  s->listeners_ = std::move(listeners);
  s->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!s->epoll_.valid()) return ErrnoStatus(errno, "epoll_create1");
  s->timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!s->timer_.valid()) return ErrnoStatus(errno, "timerfd_create");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kTimerTag}};
  if (::epoll_ctl(s->epoll_.get(), EPOLL_CTL_ADD, s->timer_.get(), &event) != 0) return ErrnoStatus(errno, "epoll_ctl");
  s->delay_timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!s->delay_timer_.valid()) return ErrnoStatus(errno, "timerfd_create");
  event.data.u64 = kDelayTag;
  if (::epoll_ctl(s->epoll_.get(), EPOLL_CTL_ADD, s->delay_timer_.get(), &event) != 0)
    return ErrnoStatus(errno, "epoll_ctl");
  s->context_.delays.SetTimer(s->delay_timer_.get());
  for (size_t i = 0; i < s->listeners_.size(); i++) {
    event.data.u64 = kListenerTag | i;
    if (::epoll_ctl(s->epoll_.get(), EPOLL_CTL_ADD, s->listeners_[i], &event) != 0)
      return ErrnoStatus(errno, "epoll_ctl");
  }
  return s;
}

void TcpServer::Work() {
  epoll_event events[kEventsPerTurn];
  const int n = ::epoll_wait(epoll_.get(), events, kEventsPerTurn, 0);
  const int64_t now = NowMs();
  for (int i = 0; i < n; i++) {
    const uint64_t tag = events[i].data.u64;
    if (tag == kTimerTag) {
      uint64_t expirations;
      [[maybe_unused]] ssize_t r = ::read(timer_.get(), &expirations, sizeof expirations);
      armed_ms_ = 0;
    } else if (tag == kDelayTag) {
      uint64_t expirations;
      [[maybe_unused]] ssize_t r = ::read(delay_timer_.get(), &expirations, sizeof expirations);
      SendDelayed(now);
    } else if (tag & kListenerTag) {
      Accept(listeners_[tag & ~kListenerTag], now);
    } else {
      const auto index = static_cast<uint32_t>(tag);
      if (connections_[index].generation == tag >> 32) OnEvent(index, events[i].events, now);
    }
  }
  Expire(now);
  ArmTimer(now);
}

void TcpServer::Accept(int listener, int64_t now_ms) {
  for (int i = 0; i < kAcceptsPerTurn; i++) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd = ::accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      context_.counters.tcp_accepted++;
      if (!Add(fd, peer, now_ms)) context_.counters.tcp_errors++;
      continue;
    }
    switch (errno) {
      case EAGAIN:
        return;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        // The newcomer stays in the backlog and would wake us again and again: make room, or look away for a moment.
        if (EvictOne()) continue;
        PauseAccept(now_ms);
        return;
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
        PauseAccept(now_ms);  // not a listener (any more): never spin on it
        return;
      default:
        continue;  // accept(2): errors of the new connection itself; the next one may be fine
    }
  }
}

bool TcpServer::Add(int fd, const sockaddr_storage& peer, int64_t now_ms) {
  if (open_ >= context_.limits.max_connections) EvictOne();
  uint32_t index;
  if (free_.empty()) {
    index = static_cast<uint32_t>(connections_.size());
    connections_.emplace_back();
    free_.reserve(connections_.size());
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Connection& c = connections_[index];
  c.session.Open(fd, peer);
  c.interest = EPOLLIN;
  open_++;
  context_.counters.tcp_open++;
  Append(index, kIdle, now_ms);
  epoll_event event{.events = c.interest, .data = {.u64 = uint64_t{c.generation} << 32 | index}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return true;
  Close(index);
  return false;
}

void TcpServer::OnEvent(uint32_t index, uint32_t events, int64_t now_ms) {
  Connection& c = connections_[index];
  TcpSession& session = c.session;
  const bool trouble = (events & (EPOLLERR | EPOLLHUP)) != 0;  // the call below says what it is
  context_.connection = uint64_t{c.generation} << 32 | index;
  auto verdict = TcpSession::Verdict::kOpen;
  bool completed = false, sent = false;
  if ((trouble || (events & EPOLLOUT)) && session.wants_write()) {
    verdict = session.OnWritable(context_);
    completed = session.completed_message();
    sent = session.sent();
  }
  if (verdict == TcpSession::Verdict::kOpen && (trouble || (events & EPOLLIN)) && session.wants_read()) {
    verdict = session.OnReadable(context_);
    completed |= session.completed_message();
    sent |= session.sent();
  }
  Settle(index, verdict, completed, sent, now_ms);
}

// After something was read or written: closes the connection, or notes what it waits for now.
void TcpServer::Settle(uint32_t index, TcpSession::Verdict verdict, bool completed, bool sent, int64_t now_ms) {
  Connection& c = connections_[index];
  TcpSession& session = c.session;
  if (verdict != TcpSession::Verdict::kOpen) {
    if (verdict == TcpSession::Verdict::kBroken) context_.counters.tcp_errors++;
    Close(index);
    return;
  }
  const State state = session.wants_write() ? kSending : session.message_begun() ? kReceiving : kIdle;
  const bool progress = state == kSending     ? sent
                        : state == kReceiving ? completed  // another message has begun
                                              : completed || sent;
  if (state != c.state || progress) {
    Remove(index);
    Append(index, state, now_ms);
  }
  const uint32_t interest = (session.wants_read() ? EPOLLIN : 0u) | (session.wants_write() ? EPOLLOUT : 0u);
  if (interest == c.interest) return;
  c.interest = interest;
  epoll_event event{.events = interest, .data = {.u64 = uint64_t{c.generation} << 32 | index}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, session.fd(), &event) != 0) {
    context_.counters.tcp_errors++;
    Close(index);
  }
}

void TcpServer::SendDelayed(int64_t now_ms) {
  for (int i = 0; i < kDelayedPerTurn; i++) {
    const DelayQueue::Entry* e = context_.delays.NextDue(now_ms);
    if (e == nullptr) break;
    if (e->fd >= 0) {
      iovec iov{const_cast<uint8_t*>(e->reply), e->bytes};
      const msghdr message{.msg_name = const_cast<sockaddr_storage*>(&e->peer),
                           .msg_namelen = e->peer_bytes,
                           .msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = e->control_bytes == 0 ? nullptr : const_cast<uint8_t*>(e->control),
                           .msg_controllen = e->control_bytes,
                           .msg_flags = 0};
      if (::sendmsg(e->fd, &message, MSG_DONTWAIT) >= 0)
        context_.counters.udp_sent++;
      else
        context_.counters.udp_send_failed++;
    } else if (const auto index = static_cast<uint32_t>(e->connection);
               connections_[index].generation == e->connection >> 32 && connections_[index].session.fd() >= 0) {
      const TcpSession::Verdict verdict = connections_[index].session.Send(context_, {e->reply, e->bytes});
      Settle(index, verdict, /*completed=*/false, connections_[index].session.sent(), now_ms);
    }
    context_.delays.Pop();
  }
  context_.delays.ArmTimer(now_ms);
}

void TcpServer::Close(uint32_t index) {
  Connection& c = connections_[index];
  Remove(index);
  c.session.Close(context_.pool);  // closing takes the socket out of the epoll set
  c.generation = (c.generation + 1) & kGenerationMask;
  free_.push_back(index);
  open_--;
  context_.counters.tcp_open--;
}

void TcpServer::CloseAll() {
  for (const List& list : lists_)
    while (list.head != kNone) Close(list.head);
}

bool TcpServer::EvictOne() {
  uint32_t victim = lists_[kIdle].head;
  if (victim == kNone) {
    const uint32_t receiving = lists_[kReceiving].head, sending = lists_[kSending].head;
    if (receiving == kNone || sending == kNone)
      victim = receiving == kNone ? sending : receiving;
    else
      victim = connections_[receiving].since_ms <= connections_[sending].since_ms ? receiving : sending;
  }
  if (victim == kNone) return false;
  context_.counters.tcp_evicted++;
  Close(victim);
  return true;
}

void TcpServer::Expire(int64_t now_ms) {
  int left = kExpiriesPerTurn;
  for (const State state : {kIdle, kReceiving, kSending}) {
    const List& list = lists_[state];
    while (list.head != kNone && connections_[list.head].since_ms + Timeout(state) <= now_ms && left-- > 0) {
      context_.counters.tcp_timeouts++;
      Close(list.head);
    }
  }
  if (accept_again_ms_ != 0 && accept_again_ms_ <= now_ms) {
    accept_again_ms_ = 0;
    WatchListeners(EPOLLIN);
  }
}

void TcpServer::PauseAccept(int64_t now_ms) {
  if (accept_again_ms_ == 0) WatchListeners(0);
  accept_again_ms_ = now_ms + kAcceptPauseMs;
}

void TcpServer::WatchListeners(uint32_t events) {
  for (size_t i = 0; i < listeners_.size(); i++) {
    epoll_event event{.events = events, .data = {.u64 = kListenerTag | i}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listeners_[i], &event);
  }
}

// The timer is set only when a deadline comes before the one it is set to: a deadline that moves away costs one idle
// wake-up later, instead of a call for every message now.
void TcpServer::ArmTimer(int64_t now_ms) {
  int64_t deadline = std::numeric_limits<int64_t>::max();
  for (const State state : {kIdle, kReceiving, kSending})
    if (const uint32_t head = lists_[state].head; head != kNone)
      deadline = std::min(deadline, connections_[head].since_ms + Timeout(state));
  if (accept_again_ms_ != 0) deadline = std::min(deadline, accept_again_ms_);
  if (deadline == std::numeric_limits<int64_t>::max()) return;
  if (armed_ms_ != 0 && armed_ms_ <= deadline) return;
  const int64_t wait = std::max<int64_t>(deadline - now_ms, 1);
  const itimerspec when{.it_interval = {}, .it_value = {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1'000'000}};
  ::timerfd_settime(timer_.get(), 0, &when, nullptr);
  armed_ms_ = now_ms + wait;
}

void TcpServer::Append(uint32_t index, State state, int64_t now_ms) {
  Connection& c = connections_[index];
  List& list = lists_[state];
  c.state = state;
  c.since_ms = now_ms;
  c.previous = list.tail;
  c.next = kNone;
  (list.tail == kNone ? list.head : connections_[list.tail].next) = index;
  list.tail = index;
}

void TcpServer::Remove(uint32_t index) {
  Connection& c = connections_[index];
  List& list = lists_[c.state];
  (c.previous == kNone ? list.head : connections_[c.previous].next) = c.next;
  (c.next == kNone ? list.tail : connections_[c.next].previous) = c.previous;
}

}  // namespace mz::io
