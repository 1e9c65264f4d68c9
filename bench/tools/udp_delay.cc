// A relay that makes a near DNS server a far one, for the benchmarks: passes each query on after a fixed delay, and the
// answer at once.
//
//   udp_delay LISTEN_PORT TARGET_PORT DELAY_MS     (127.0.0.1, until SIGTERM or SIGINT)
//
// Prints "ready" when it listens, and one JSON object of counts at the end.
//
// UDP only: "truncated" counts the answers whose asker will come again over TCP, where nobody listens. One thread. The
// delay is the same for all, so the waiting queries are a queue in order of arrival. Bounded: kMaxWaiting queries in the
// queue, kWindow of them asked and not answered at a time, so that the target's socket buffer never overflows; what is
// not answered within kPatienceNs is given up.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <vector>

namespace {

constexpr size_t kMaxWaiting = 65536;
constexpr int kWindow = 192;
constexpr uint64_t kPatienceNs = 2'000'000'000;
constexpr size_t kHeaderBytes = 12;

uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

int UdpSocket() {
  int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int size = 8 << 20;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return fd;
}

sockaddr_in Loopback(const char* port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

class Relay {
 public:
  Relay(int front, int back, uint64_t delay_ns) : front_(front), back_(back), delay_ns_(delay_ns), asked_(65536) {}

  void TakeQueries() {
    uint8_t buffer[4096];
    Waiting w;
    socklen_t length = sizeof w.peer;
    for (;; length = sizeof w.peer) {
      ssize_t n = ::recvfrom(front_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&w.peer), &length);
      if (n < 0) return;
      if (static_cast<size_t>(n) < kHeaderBytes) continue;
      queries_++;
      if (waiting_.size() == kMaxWaiting) {
        dropped_++;
        continue;
      }
      w.due = NowNs() + delay_ns_;
      w.message.assign(reinterpret_cast<char*>(buffer), static_cast<size_t>(n));
      waiting_.push_back(w);
      most_waiting_ = std::max(most_waiting_, waiting_.size());
    }
  }

  void TakeAnswers() {
    uint8_t buffer[65536];
    for (ssize_t n; (n = ::recv(back_, buffer, sizeof buffer, 0)) >= 0;) {
      if (static_cast<size_t>(n) < kHeaderBytes) continue;
      Asked& a = asked_[static_cast<size_t>(buffer[0] << 8 | buffer[1])];
      if (!a.busy) continue;
      a.busy = false;
      outstanding_--;
      answers_++;
      if (buffer[2] & 2) truncated_++;
      std::memcpy(buffer, a.id, sizeof a.id);
      ::sendto(front_, buffer, static_cast<size_t>(n), 0, reinterpret_cast<sockaddr*>(&a.peer), sizeof a.peer);
    }
  }

  void PassOn(uint64_t now) {
    while (outstanding_ < kWindow && !waiting_.empty() && waiting_.front().due <= now) {
      Waiting& w = waiting_.front();
      Asked& a = asked_[next_id_];
      a.busy = true;  // 65536 numbers for at most kWindow: it was free
      a.since = now;
      a.peer = w.peer;
      std::memcpy(a.id, w.message.data(), sizeof a.id);
      w.message[0] = static_cast<char>(next_id_ >> 8);
      w.message[1] = static_cast<char>(next_id_);
      next_id_++;
      outstanding_++;
      ::send(back_, w.message.data(), w.message.size(), 0);
      waiting_.pop_front();
    }
  }

  void GiveUp(uint64_t now) {
    for (Asked& a : asked_) {
      if (!a.busy || now - a.since < kPatienceNs) continue;
      a.busy = false;
      outstanding_--;
      unanswered_++;
    }
  }

  // Nanoseconds until there is something to do without a packet.
  uint64_t Wait(uint64_t now) const {
    if (waiting_.empty() || outstanding_ >= kWindow) return kPatienceNs;
    return waiting_.front().due > now ? waiting_.front().due - now : 0;
  }

  void Print() const {
    std::printf("{\"queries\":%lu,\"answers\":%lu,\"truncated\":%lu,\"dropped\":%lu,\"unanswered\":%lu,\"most_waiting\":%zu}\n",
                queries_, answers_, truncated_, dropped_, unanswered_, most_waiting_);
  }

 private:
  struct Waiting {
    uint64_t due = 0;
    sockaddr_in peer{};
    std::string message;
  };
  struct Asked {
    bool busy = false;
    uint8_t id[2] = {};
    uint64_t since = 0;
    sockaddr_in peer{};
  };

  const int front_, back_;
  const uint64_t delay_ns_;
  std::deque<Waiting> waiting_;
  std::vector<Asked> asked_;  // by the number under which the target was asked
  uint16_t next_id_ = 0;
  int outstanding_ = 0;
  size_t most_waiting_ = 0;
  uint64_t queries_ = 0, answers_ = 0, truncated_ = 0, dropped_ = 0, unanswered_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: udp_delay LISTEN_PORT TARGET_PORT DELAY_MS\n");
    return 2;
  }
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  int signals = ::signalfd(-1, &set, SFD_CLOEXEC);
  int front = UdpSocket(), back = UdpSocket();
  sockaddr_in here = Loopback(argv[1]), there = Loopback(argv[2]);
  if (::bind(front, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0 ||
      ::connect(back, reinterpret_cast<sockaddr*>(&there), sizeof there) != 0) {
    std::perror("udp_delay");
    return 1;
  }
  Relay relay(front, back, static_cast<uint64_t>(std::atof(argv[3]) * 1e6));
  std::puts("ready");
  std::fflush(stdout);
  uint64_t looked = NowNs();
  for (;;) {
    uint64_t now = NowNs();
    relay.PassOn(now);
    if (now - looked > kPatienceNs / 2) {
      relay.GiveUp(now);
      looked = now;
    }
    uint64_t wait = relay.Wait(now);
    timespec timeout{static_cast<time_t>(wait / 1'000'000'000), static_cast<long>(wait % 1'000'000'000)};
    pollfd fds[] = {{signals, POLLIN, 0}, {front, POLLIN, 0}, {back, POLLIN, 0}};
    if (::ppoll(fds, 3, &timeout, nullptr) < 0) continue;
    if (fds[0].revents != 0) break;
    if (fds[2].revents != 0) relay.TakeAnswers();
    if (fds[1].revents != 0) relay.TakeQueries();
  }
  relay.Print();
  return 0;
}
