// A UDP load client for the benchmarks: asks a DNS server as fast as it answers (closed window) or at a fixed rate (open
// loop), and reads the server's CPU time itself, so that time and answers cover the same window.
//
//   udp_load --server 127.0.0.1:5300 --queries q.txt --seconds 2 --pid 1234
//   udp_load --server 127.0.0.1:5300 --queries q.txt --seconds 5 --rate 50000
//
// The query file has one "NAME TYPE" a line (dnsperf's format). Prints one JSON object. In closed mode queries of equal
// length are sent as trains with UDP_SEGMENT, so that one core can saturate a server on the other. In open mode the send
// times are fixed in advance and latency counts from the scheduled time: a stalled server cannot hide its stall. Also in
// open mode: `gap_us`, the longest time without any answer, and `late_us`, the client's own worst delay of a sending; a
// run is no better than that.
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kReceiveBatch = 64;
constexpr int kMaxTrain = 64;

struct Options {
  sockaddr_in server{};
  std::string queries;
  double seconds = 2;
  double rate = 0;  // queries per second; 0: closed window
  int window = 384;
  int sockets = 8;
  int train = 32;
  std::vector<int> pids;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "udp_load: %s\n", what.c_str());
  std::exit(2);
}

uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

// Nanoseconds on a CPU of all threads of the processes, exact (schedstat counts what times(2) rounds).
uint64_t CpuNs(const std::vector<int>& pids) {
  uint64_t total = 0;
  for (int pid : pids) {
    std::string directory = "/proc/" + std::to_string(pid) + "/task";
    DIR* d = ::opendir(directory.c_str());
    if (!d) Fail("no process " + std::to_string(pid));
    while (dirent* e = ::readdir(d)) {
      if (e->d_name[0] == '.') continue;
      std::ifstream in(directory + "/" + e->d_name + "/schedstat");
      uint64_t ns = 0;
      in >> ns;
      total += ns;
    }
    ::closedir(d);
  }
  return total;
}

std::string EncodeQuery(const std::string& name, const std::string& type) {
  static const std::map<std::string, int> kTypes = {{"A", 1}, {"NS", 2}, {"SOA", 6}, {"TXT", 16}, {"AAAA", 28}, {"ANY", 255}};
  auto it = kTypes.find(type);
  if (it == kTypes.end()) Fail("unknown type " + type);
  std::string q("\0\0\0\0\0\1\0\0\0\0\0\0", 12);
  std::stringstream labels(name);
  for (std::string label; std::getline(labels, label, '.');) {
    if (label.empty()) continue;
    q += static_cast<char>(label.size());
    q += label;
  }
  q += '\0';
  q += static_cast<char>(it->second >> 8);
  q += static_cast<char>(it->second & 255);
  q.append("\0\1", 2);
  return q;
}

// Queries in random order, in runs of equal length so that they can travel as one train.
std::vector<std::vector<std::string>> LoadQueries(const std::string& path) {
  std::ifstream in(path);
  if (!in) Fail("cannot read " + path);
  std::map<size_t, std::vector<std::string>> by_length;
  std::string name, type;
  while (in >> name >> type) {
    std::string q = EncodeQuery(name, type);
    by_length[q.size()].push_back(std::move(q));
  }
  std::mt19937_64 random(7);
  std::vector<std::vector<std::string>> trains;
  for (auto& [length, list] : by_length) {
    std::shuffle(list.begin(), list.end(), random);
    for (size_t i = 0; i < list.size(); i += kMaxTrain)
      trains.emplace_back(list.begin() + static_cast<long>(i),
                          list.begin() + static_cast<long>(std::min(list.size(), i + kMaxTrain)));
  }
  std::shuffle(trains.begin(), trains.end(), random);
  if (trains.empty()) Fail("no queries in " + path);
  return trains;
}

struct Socket {
  int fd;
  uint16_t next_id = 0;
  int outstanding = 0;
  std::vector<uint64_t> sent_at = std::vector<uint64_t>(65536, 0);  // 0: not outstanding
};

struct Counts {
  uint64_t sent = 0, answered = 0, lost = 0, unmatched = 0, send_errors = 0, nxdomain = 0, with_answer = 0, other_rcode = 0;
  uint64_t bytes = 0;                              // of the answers
  uint64_t last_answer = 0, gap = 0, latest = 0;   // nanoseconds, open mode
  std::vector<uint32_t> latency_us_tenths;
};

void CountReply(const uint8_t* p, Counts* c) {
  c->answered++;
  int rcode = p[3] & 15;
  if (rcode == 3) c->nxdomain++;
  else if (rcode != 0) c->other_rcode++;
  if (p[6] | p[7]) c->with_answer++;
}

// Open mode: the client saw answers, or has just stopped looking.
void CountGap(uint64_t now, Counts* c) {
  c->gap = std::max(c->gap, now - c->last_answer);
  c->last_answer = now;
}

int Receive(Socket& s, Counts* c, bool latencies) {
  static uint8_t buffers[kReceiveBatch][2048];
  static iovec iov[kReceiveBatch];
  static mmsghdr messages[kReceiveBatch];
  for (int i = 0; i < kReceiveBatch; i++) {
    iov[i] = {buffers[i], sizeof buffers[i]};
    messages[i] = {};
    messages[i].msg_hdr.msg_iov = &iov[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int n = ::recvmmsg(s.fd, messages, kReceiveBatch, MSG_DONTWAIT, nullptr);
  if (n <= 0) return 0;
  uint64_t now = latencies ? NowNs() : 1;
  if (latencies) CountGap(now, c);
  for (int i = 0; i < n; i++) {
    if (messages[i].msg_len < 12) continue;
    uint16_t id = static_cast<uint16_t>(buffers[i][0] << 8 | buffers[i][1]);
    if (s.sent_at[id] == 0) {
      c->unmatched++;
      continue;
    }
    if (latencies) c->latency_us_tenths.push_back(static_cast<uint32_t>((now - s.sent_at[id]) / 100));
    s.sent_at[id] = 0;
    s.outstanding--;
    c->bytes += messages[i].msg_len;
    CountReply(buffers[i], c);
  }
  return n;
}

// Sends up to `count` queries of one train as one segmented datagram.
void SendTrain(Socket& s, const std::vector<std::string>& train, int count, uint64_t stamp, Counts* c) {
  static uint8_t buffer[65536];
  count = std::min<int>(count, static_cast<int>(train.size()));
  size_t length = train[0].size();
  for (int i = 0; i < count; i++) {
    uint16_t id = s.next_id++;
    if (s.sent_at[id] != 0) {  // its answer never came and the number comes round again
      c->lost++;
      s.outstanding--;
    }
    uint8_t* p = buffer + static_cast<size_t>(i) * length;
    std::memcpy(p, train[static_cast<size_t>(i)].data(), length);
    p[0] = static_cast<uint8_t>(id >> 8);
    p[1] = static_cast<uint8_t>(id);
    s.sent_at[id] = stamp;
  }
  iovec iov{buffer, length * static_cast<size_t>(count)};
  msghdr m{};
  m.msg_iov = &iov;
  m.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))] = {};
  if (count > 1) {
    m.msg_control = control;
    m.msg_controllen = sizeof control;
    cmsghdr* h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_UDP;
    h->cmsg_type = UDP_SEGMENT;
    h->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    uint16_t segment = static_cast<uint16_t>(length);
    std::memcpy(CMSG_DATA(h), &segment, sizeof segment);
  }
  if (::sendmsg(s.fd, &m, 0) < 0) {
    c->send_errors++;
    for (int i = 1; i <= count; i++) s.sent_at[static_cast<uint16_t>(s.next_id - i)] = 0;
    return;
  }
  s.outstanding += count;
  c->sent += static_cast<uint64_t>(count);
}

void RunClosed(const Options& o, std::vector<Socket>& sockets, const std::vector<std::vector<std::string>>& trains,
               double seconds, size_t* cursor, Counts* c) {
  uint64_t end = NowNs() + static_cast<uint64_t>(seconds * 1e9);
  uint64_t last_progress = NowNs();
  const int window = std::max(1, o.window / o.sockets);
  for (uint64_t round = 0;; round++) {
    bool progress = false;
    for (Socket& s : sockets) {
      if (s.outstanding <= window - std::min(o.train, window)) {
        SendTrain(s, trains[*cursor], std::min(o.train, window), 1, c);
        *cursor = (*cursor + 1) % trains.size();
      }
      progress |= Receive(s, c, false) > 0;
    }
    if ((round & 63) != 0 && progress) continue;
    uint64_t now = NowNs();
    if (progress) last_progress = now;
    if (now > end) return;
    if (now - last_progress > 200'000'000) {  // nothing for 200 ms: what is out is lost
      for (Socket& s : sockets) {
        c->lost += static_cast<uint64_t>(s.outstanding);
        s.outstanding = 0;
        std::fill(s.sent_at.begin(), s.sent_at.end(), 0);
      }
      last_progress = now;
    }
  }
}

void RunOpen(const Options& o, std::vector<Socket>& sockets, const std::vector<std::vector<std::string>>& trains, Counts* c) {
  std::mt19937_64 random(11);
  std::exponential_distribution<double> gap(o.rate);
  uint64_t start = NowNs();
  uint64_t end = start + static_cast<uint64_t>(o.seconds * 1e9);
  double next = 0;
  size_t cursor = 0, index = 0, turn = 0;
  c->last_answer = start;
  c->latency_us_tenths.reserve(static_cast<size_t>(o.rate * o.seconds * 1.1) + 1000);
  for (;;) {
    uint64_t now = NowNs();
    if (now > end) break;
    for (int burst = 0; burst < 64 && start + static_cast<uint64_t>(next * 1e9) <= now; burst++) {
      std::vector<std::string> one{trains[cursor][index]};
      const uint64_t scheduled = start + static_cast<uint64_t>(next * 1e9);
      c->latest = std::max(c->latest, now - scheduled);
      SendTrain(sockets[turn], one, 1, scheduled, c);
      turn = (turn + 1) % sockets.size();
      if (++index == trains[cursor].size()) {
        index = 0;
        cursor = (cursor + 1) % trains.size();
      }
      next += gap(random);
    }
    for (Socket& s : sockets) Receive(s, c, true);
  }
  CountGap(NowNs(), c);
  const uint64_t gap_so_far = c->gap;  // what comes later comes because nothing is asked any more
  auto waiting = [&] { return std::any_of(sockets.begin(), sockets.end(), [](const Socket& s) { return s.outstanding > 0; }); };
  for (uint64_t drain = NowNs() + 500'000'000; waiting() && NowNs() < drain;)
    for (Socket& s : sockets) Receive(s, c, true);
  c->gap = gap_so_far;
}

Options ParseOptions(int argc, char** argv) {
  Options o;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string key = argv[i], value = argv[i + 1];
    if (key == "--server") {
      size_t colon = value.rfind(':');
      o.server.sin_family = AF_INET;
      if (colon == std::string::npos || ::inet_pton(AF_INET, value.substr(0, colon).c_str(), &o.server.sin_addr) != 1)
        Fail("--server wants IPV4:PORT");
      o.server.sin_port = htons(static_cast<uint16_t>(std::stoi(value.substr(colon + 1))));
    } else if (key == "--queries") o.queries = value;
    else if (key == "--seconds") o.seconds = std::stod(value);
    else if (key == "--rate") o.rate = std::stod(value);
    else if (key == "--window") o.window = std::stoi(value);
    else if (key == "--sockets") o.sockets = std::stoi(value);
    else if (key == "--train") o.train = std::clamp(std::stoi(value), 1, kMaxTrain);
    else if (key == "--pid") o.pids.push_back(std::stoi(value));
    else Fail("unknown option " + key);
  }
  if (o.queries.empty() || o.server.sin_port == 0) Fail("--server and --queries are needed");
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  Options o = ParseOptions(argc, argv);
  auto trains = LoadQueries(o.queries);
  std::vector<Socket> sockets(static_cast<size_t>(o.sockets));
  for (Socket& s : sockets) {
    s.fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int size = 8 << 20;
    if (::setsockopt(s.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
      ::setsockopt(s.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (::connect(s.fd, reinterpret_cast<sockaddr*>(&o.server), sizeof o.server) != 0) Fail(std::strerror(errno));
  }
  Counts warm, c;
  size_t cursor = 0;
  if (o.rate == 0) RunClosed(o, sockets, trains, std::min(0.3, o.seconds / 4), &cursor, &warm);
  uint64_t cpu = CpuNs(o.pids), wall = NowNs();
  if (o.rate == 0) RunClosed(o, sockets, trains, o.seconds, &cursor, &c);
  else RunOpen(o, sockets, trains, &c);
  cpu = CpuNs(o.pids) - cpu;
  wall = NowNs() - wall;
  const double seconds = o.rate == 0 ? static_cast<double>(wall) / 1e9 : o.seconds;  // without the wait for stragglers
  if (o.rate != 0)
    for (Socket& s : sockets) c.lost += static_cast<uint64_t>(s.outstanding);
  auto& l = c.latency_us_tenths;
  std::sort(l.begin(), l.end());
  auto percentile = [&](double p) {
    return l.empty() ? 0.0 : l[std::min(l.size() - 1, static_cast<size_t>(p * static_cast<double>(l.size())))] / 10.0;
  };
  const double answered = static_cast<double>(c.answered);
  std::printf("{\"sent\":%lu,\"answered\":%lu,\"lost\":%lu,\"unmatched\":%lu,\"send_errors\":%lu,\"nxdomain\":%lu,"
              "\"with_answer\":%lu,\"other_rcode\":%lu,\"answer_bytes\":%.1f,\"seconds\":%.3f,\"qps\":%.0f,"
              "\"cpu_us_per_query\":%.4f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
              "\"gap_us\":%.1f,\"late_us\":%.1f}\n",
              c.sent, c.answered, c.lost, c.unmatched, c.send_errors, c.nxdomain, c.with_answer, c.other_rcode,
              c.answered ? static_cast<double>(c.bytes) / answered : 0.0, seconds, answered / seconds,
              c.answered ? static_cast<double>(cpu) / 1000.0 / answered : 0.0, percentile(0.5), percentile(0.99),
              percentile(0.999), percentile(1.0), static_cast<double>(c.gap) / 1000.0,
              static_cast<double>(c.latest) / 1000.0);
  return 0;
}
