// See arguments.h.
#include "cli/load/arguments.h"

#include <netdb.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <thread>

#include "base/suggest.h"
#include "cli/load/quantity.h"
#include "format/dns/query_builder.h"
#include "format/net/address.h"

namespace mz::cli {

namespace {

constexpr const char* kExamples =
    "mailzone load 127.0.0.1:5300 --queries q.txt                  as fast as it answers\n"
    "mailzone load 127.0.0.1:5300 --image bl.mzi --verify          queries of the image, answers compared\n"
    "mailzone load 192.0.2.1 --image bl.mzi --rate 50k --seconds 30 --html report.html\n"
    "mailzone load 192.0.2.1 --queries q.txt --find-max --max-p99 2ms --max-loss 0.1\n"
    "mailzone load [::1]:53 --queries q.txt --tcp --connections 100 --queries-per-connection 1\n";

// Everything as typed.
struct Words {
  std::string target, rate, ramp, max_loss, max_p99, step, seconds, warm_up, timeout, cpus, source, hits, ip6,
      unknown, zipf, types, client_subnet, proxy, from, to;
  std::optional<std::string> engine, waiting, arrivals;
  std::optional<uint64_t> threads, ports, train, reorder, connections, per_connection, window, number, edns,
      padding, pool, seed, max_udp;
  std::vector<std::string> edns_options, pids;
  bool tcp = false, find_max = false, no_edns = false, dnssec = false, cookie = false, no_rd = false;
};

void Declare(Options* o, Words* w, LoadArguments* out) {
  o->Text("-d,--queries", &out->query_file, "FILE",
          "a NAME TYPE on each line, as for dnsperf; - is standard input");
  o->Text("--image", &out->image, "FILE", "draw the queries from this zone image");
  o->Flag("--verify", &out->verify, "compare each answer with what the image says (needs --image)");
  o->Flag("--tcp", &w->tcp, "over TCP, pipelined");
  o->Number("--connections", &w->connections, 1, 100'000, "N", "TCP connections (8)");
  o->Number("--queries-per-connection", &w->per_connection, 1, 1'000'000'000, "N",
            "close a TCP connection after so many; 1: each query has its own");
  o->Flag("--retry-tcp", &out->settings.retry_tcp, "ask again over TCP when a UDP answer is truncated");
  o->Number("--window", &w->window, 1, 10'000'000, "N", "closed loop: queries on their way (256)");
  o->Text("--rate", &w->rate, "N",
          "open loop: so many queries per second, whatever the server does: 50000, 50k, 1.5M");
  o->Choice("--arrivals", &w->arrivals, {"poisson", "uniform"}, "send times of the open loop (poisson)");
  o->Text("--ramp", &w->ramp, "FROM:TO:STEP", "one open-loop step after the other: 10k:200k:10k");
  o->Flag("--find-max", &w->find_max, "search the highest rate with few losses and a good p99");
  o->Text("--max-loss", &w->max_loss, "PERCENT",
          "of --find-max, and of the exit code of other runs (0.1; others: 100)");
  o->Text("--max-p99", &w->max_p99, "TIME", "of --find-max (10ms)");
  o->Text("--from", &w->from, "N", "of --find-max: the first rate (10k)");
  o->Text("--to", &w->to, "N", "of --find-max: not beyond this rate (100M)");
  o->Text("--step", &w->step, "TIME", "of each step of --ramp and --find-max (2)");
  o->Text("-l,--seconds", &w->seconds, "TIME", "how long to measure: 10, 500ms, 2m (10)");
  o->Number("-n,--number", &w->number, 1, 1'000'000'000'000, "N", "stop after so many queries instead");
  o->Text("--warm-up", &w->warm_up, "TIME", "load before the measurement begins (0.5; 0 with --number)");
  o->Text("--timeout", &w->timeout, "TIME", "a query without an answer is lost after this (1)");
  o->Number("--threads", &w->threads, 1, 256, "N", "threads, each with its own sockets (1)");
  o->Text("--cpus", &w->cpus, "LIST", "pin the threads: 2,3 or 4-7");
  o->Number("--ports", &w->ports, 1, 60'000, "N", "UDP source ports (8)");
  o->Text("--source", &w->source, "IP", "address to send from");
  o->Choice("--engine", &w->engine, {"auto", "uring", "mmsg"}, "system calls for UDP (auto)");
  o->Number("--train", &w->train, 1, load::kMaxTrain, "N",
            "queries of one length that leave in one system call with UDP_SEGMENT; 1: none (32)");
  o->Number("--reorder", &w->reorder, 1, 1'000'000, "N",
            "sort queries by length among so many neighbours (1024)");
  o->Choice("--wait", &w->waiting, {"auto", "spin", "block"},
            "between packets: spin for exact latencies, block to spare CPU (auto: spin in open loop)");
  o->Flag("--no-edns", &w->no_edns, "queries without EDNS");
  o->Number("--edns", &w->edns, 0, 65535, "SIZE", "EDNS with this UDP size (1232)");
  o->Flag("--dnssec", &w->dnssec, "set the DO bit");
  o->Flag("--cookie", &w->cookie, "a client cookie in each query");
  o->Text("--client-subnet", &w->client_subnet, "PREFIX",
          "a random subnet of this length and within: 192.0.2.0/24");
  o->Number("--padding", &w->padding, 1, 4096, "BLOCK", "pad queries to a multiple of this (RFC 8467: 128)");
  o->Texts("--edns-option", &w->edns_options, "CODE:HEX", "any other EDNS option; may be repeated");
  o->Flag("--no-rd", &w->no_rd, "do not set the RD bit");
  o->Text("--proxy", &w->proxy, "SUBNETS",
          "PROXY protocol 2 in front, with clients from these: 192.0.2.0/24,2001:db8::/32");
  o->Text("--hits", &w->hits, "PERCENT", "image: queries for what it lists (50)");
  o->Text("--ip6", &w->ip6, "PERCENT", "image: IPv6 among address queries (10)");
  o->Text("--unknown", &w->unknown, "PERCENT", "image: queries for names that it does not have (2)");
  o->Text("--zipf", &w->zipf, "S", "image: skew of zones and domains, k-th by 1/k^S (0: all alike)");
  o->Text("--types", &w->types, "LIST", "image: types for addresses and names (A,TXT)");
  o->Number("--pool", &w->pool, 1, 100'000'000, "N",
            "image: queries drawn, then sent over and over (100000)");
  o->Number("--seed", &w->seed, 0, ~0ull, "N", "of everything random (1)");
  o->Number("--max-udp", &w->max_udp, 512, 4096, "BYTES", "verify: the server's own limit (1232)");
  o->Texts("--pid", &w->pids, "PID", "read this process's CPU time and memory; may be repeated");
  o->Flag("--json", &out->json, "one JSON document on standard output");
  o->Text("--html", &out->html, "FILE", "write a page with plots, complete in itself");
  o->Positional("SERVER", &w->target, "ADDRESS, ADDRESS:PORT or [IPV6]:PORT; port 53 when none is given",
                Options::kRequired);
}

Status Wrong(std::string_view option, const Status& why) { return Annotate(why, option); }
Status Wrong(std::string_view option, std::string_view why) {
  return MakeStatus(StatusCode::kInvalidArgument, std::string(option) + ": " + std::string(why));
}

Status ParseTarget(const std::string& text, int kind, load::SocketAddress* out) {
  std::string host = text, port = "53";
  if (!text.empty() && text[0] == '[') {
    const size_t end = text.find(']');
    if (end == std::string::npos) return Wrong("SERVER", "'" + text + "' lacks a ]");
    host = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':')
        return Wrong("SERVER", "'" + text + "' has something other than :PORT behind ]");
      port = text.substr(end + 2);
    }
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
  }
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0)
    return Wrong("SERVER", "'" + port + "' is not a port (1 to 65535)");
  addrinfo hints{};
  hints.ai_socktype = kind;
  addrinfo* found = nullptr;
  if (const int e = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); e != 0)
    return Wrong("SERVER", "'" + host + "': " + ::gai_strerror(e) +
                               "; give an address such as 127.0.0.1:5300 or [::1]:53");
  std::memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
  out->bytes = found->ai_addrlen;
  ::freeaddrinfo(found);
  return absl::OkStatus();
}

Status ParseCpus(const std::string& text, std::vector<int>* out) {
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    int first = -1, last = -1;
    auto [p, error] = std::from_chars(text.data() + at, text.data() + end, first);
    last = first;
    if (error == std::errc() && p != text.data() + end && *p == '-')
      std::tie(p, error) = [&] {
        auto r = std::from_chars(p + 1, text.data() + end, last);
        return std::pair(r.ptr, r.ec);
      }();
    if (error != std::errc() || p != text.data() + end || first < 0 || last < first || last >= CPU_SETSIZE)
      return Wrong("--cpus", "'" + text + "' is not a list of processors such as 2,3 or 4-7");
    for (int cpu = first; cpu <= last; cpu++) out->push_back(cpu);
    at = end + 1;
  }
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  for (const int cpu : *out)
    if (!CPU_ISSET(static_cast<size_t>(cpu), &allowed))
      return Wrong("--cpus", "this process may not run on processor " + std::to_string(cpu));
  return absl::OkStatus();
}

Status ParsePercent(std::string_view option, const std::string& text, double* out) {
  if (text.empty()) return absl::OkStatus();
  const std::string_view digits(text.data(), text.size() - (text.back() == '%'));
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !(value >= 0 && value <= 100))
    return Wrong(option, "'" + text + "' is not a percentage from 0 to 100");
  *out = value / 100;
  return absl::OkStatus();
}

Status ParseTime(std::string_view option, const std::string& text, uint64_t* out) {
  if (text.empty()) return absl::OkStatus();
  const StatusOr<uint64_t> ns = ParseDuration(text);
  if (!ns.ok()) return Wrong(option, ns.status());
  *out = *ns;
  return absl::OkStatus();
}

Status ParseNumber(std::string_view option, const std::string& text, double* out) {
  if (text.empty()) return absl::OkStatus();
  const StatusOr<double> value = ParseQuantity(text);
  if (!value.ok()) return Wrong(option, value.status());
  if (*value <= 0) return Wrong(option, "must be more than 0");
  *out = *value;
  return absl::OkStatus();
}

Status ParseEdnsOption(const std::string& text, QueryForm* form) {
  const Status bad = Wrong("--edns-option", "'" + text + "' is not CODE:HEX, such as 65001:c0ffee or 3:");
  const size_t colon = text.find(':');
  uint16_t code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + std::min(colon, text.size()), code);
  if (colon == std::string::npos || error != std::errc() || end != text.data() + colon) return bad;
  const std::string hex = text.substr(colon + 1);
  std::string bytes;
  if (hex.size() % 2 != 0 || hex.size() > 1024) return bad;
  for (size_t i = 0; i < hex.size(); i += 2) {
    uint8_t octet = 0;
    const auto [p, e] = std::from_chars(hex.data() + i, hex.data() + i + 2, octet, 16);
    if (e != std::errc() || p != hex.data() + i + 2) return bad;
    bytes += static_cast<char>(octet);
  }
  form->edns_options.emplace_back(code, bytes);
  return absl::OkStatus();
}

Status ParseForm(const Words& w, QueryForm* form) {
  form->recursion_desired = !w.no_rd;
  form->edns = !w.no_edns;
  form->edns_bytes = static_cast<uint16_t>(w.edns.value_or(1232));
  form->dnssec_ok = w.dnssec;
  form->cookie = w.cookie;
  form->padding = static_cast<uint16_t>(w.padding.value_or(0));
  for (const std::string& o : w.edns_options) MZ_RETURN_IF_ERROR(ParseEdnsOption(o, form));
  if (!w.client_subnet.empty()) {
    StatusOr<std::vector<load::Subnet>> subnets = load::ParseSubnets(w.client_subnet);
    if (!subnets.ok()) return Wrong("--client-subnet", subnets.status());
    if (subnets->size() != 1) return Wrong("--client-subnet", "takes one prefix");
    form->client_subnet = *subnets;
    const size_t slash = w.client_subnet.find('/');
    form->client_subnet_bits = slash == std::string::npos ? ((*subnets)[0].is_v4 ? 32 : 128)
                                                          : std::stoi(w.client_subnet.substr(slash + 1));
  }
  if (w.no_edns &&
      (w.edns || w.dnssec || w.cookie || w.padding || !w.edns_options.empty() || !w.client_subnet.empty()))
    return Wrong("--no-edns", "contradicts the options that EDNS would carry");
  return absl::OkStatus();
}

Status ParseModes(const Words& w, LoadArguments* a) {
  load::Settings& s = a->settings;
  MZ_RETURN_IF_ERROR(ParseNumber("--rate", w.rate, &s.rate));
  if (!w.rate.empty() + !w.ramp.empty() + w.find_max + w.window.has_value() > 1)
    return Wrong("--rate, --ramp, --find-max, --window", "only one of them");
  if (!w.ramp.empty()) {
    a->mode = LoadMode::kRamp;
    const size_t one = w.ramp.find(':'), two = one == std::string::npos ? one : w.ramp.find(':', one + 1);
    if (two == std::string::npos)
      return Wrong("--ramp", "'" + w.ramp + "' is not FROM:TO:STEP, such as 10k:200k:10k");
    MZ_RETURN_IF_ERROR(ParseNumber("--ramp", w.ramp.substr(0, one), &a->ramp.from));
    MZ_RETURN_IF_ERROR(ParseNumber("--ramp", w.ramp.substr(one + 1, two - one - 1), &a->ramp.to));
    MZ_RETURN_IF_ERROR(ParseNumber("--ramp", w.ramp.substr(two + 1), &a->ramp.step));
    if (!(a->ramp.from > 0 && a->ramp.step > 0 && a->ramp.to >= a->ramp.from))
      return Wrong("--ramp", "'" + w.ramp + "': FROM and STEP must be more than 0, and TO not below FROM");
    if ((a->ramp.to - a->ramp.from) / a->ramp.step > 1000) return Wrong("--ramp", "more than 1000 steps");
  }
  if (w.find_max) a->mode = LoadMode::kFindMax;
  a->limits.max_loss = w.find_max ? 0.001 : 1;
  MZ_RETURN_IF_ERROR(ParsePercent("--max-loss", w.max_loss, &a->limits.max_loss));
  MZ_RETURN_IF_ERROR(ParseTime("--max-p99", w.max_p99, &a->limits.max_p99_ns));
  MZ_RETURN_IF_ERROR(ParseNumber("--from", w.from, &a->limits.from));
  MZ_RETURN_IF_ERROR(ParseNumber("--to", w.to, &a->limits.to));
  if (a->limits.from < 1) return Wrong("--from", "is below 1 per second");
  if (a->limits.from > a->limits.to) return Wrong("--from", "is above --to");
  if (!w.find_max && !(w.max_p99.empty() && w.from.empty() && w.to.empty()))
    return Wrong("--max-p99, --from, --to", "belong to --find-max");
  MZ_RETURN_IF_ERROR(ParseTime("--step", w.step, &a->step_ns));
  s.duration_ns = 10'000'000'000;
  MZ_RETURN_IF_ERROR(ParseTime("--seconds", w.seconds, &s.duration_ns));
  s.max_queries = w.number.value_or(0);
  if (a->mode != LoadMode::kOnce && (w.number || !w.seconds.empty()))
    return Wrong("--seconds, --number", "--ramp and --find-max take --step");
  if (s.duration_ns == 0 || a->step_ns == 0) return Wrong("--seconds, --step", "must be more than 0");
  s.warm_up_ns = w.number ? 0 : 500'000'000;
  MZ_RETURN_IF_ERROR(ParseTime("--warm-up", w.warm_up, &s.warm_up_ns));
  MZ_RETURN_IF_ERROR(ParseTime("--timeout", w.timeout, &s.timeout_ns));
  if (s.timeout_ns == 0) return Wrong("--timeout", "must be more than 0");
  s.window = w.window.value_or(256);
  s.arrivals =
      w.arrivals.value_or("poisson") == "poisson" ? load::Arrivals::kPoisson : load::Arrivals::kUniform;
  return absl::OkStatus();
}

Status ParseSending(const Words& w, LoadArguments* a) {
  load::Settings& s = a->settings;
  s.transport = w.tcp ? load::Transport::kTcp : load::Transport::kUdp;
  MZ_RETURN_IF_ERROR(ParseTarget(w.target, w.tcp ? SOCK_STREAM : SOCK_DGRAM, &s.target));
  if (!w.source.empty()) {
    s.source.emplace();
    if (!net::ParseIp4(w.source) && !net::ParseIp6(w.source))
      return Wrong("--source", "'" + w.source + "' is not an IP address");
    std::string text = net::ParseIp6(w.source) ? "[" + w.source + "]:1" : w.source + ":1";
    MZ_RETURN_IF_ERROR(ParseTarget(text, SOCK_DGRAM, &*s.source));
    reinterpret_cast<sockaddr_in*>(&s.source->storage)->sin_port = 0;  // the port lies alike in sockaddr_in6
    if (s.source->storage.ss_family != s.target.storage.ss_family)
      return Wrong("--source", "is of another address family than SERVER");
  }
  s.threads = static_cast<unsigned>(w.threads.value_or(1));
  if (!w.cpus.empty()) MZ_RETURN_IF_ERROR(ParseCpus(w.cpus, &s.cpus));
  s.ports = static_cast<unsigned>(
      std::max<uint64_t>(w.ports.value_or(std::max<uint64_t>(8, s.threads)), s.threads));
  s.train = static_cast<unsigned>(w.train.value_or(32));
  a->reorder = w.reorder.value_or(1024);
  s.connections = static_cast<unsigned>(std::max<uint64_t>(w.connections.value_or(8), s.threads));
  s.queries_per_connection = w.per_connection.value_or(0);
  if (!w.tcp && (w.connections || w.per_connection))
    return Wrong("--connections, --queries-per-connection", "need --tcp");
  if (w.tcp && (w.ports || w.train || w.engine || s.retry_tcp))
    return Wrong("--ports, --train, --engine, --retry-tcp", "are for UDP");
  // io_uring saves the generator 2 to 5 % of its CPU on loopback (bench/load_vs_dnsperf.py): too little to depend on it.
  s.engine = w.engine.value_or("auto") == "uring" ? load::EngineKind::kUring : load::EngineKind::kMmsg;
  const bool open = s.rate > 0 || a->mode != LoadMode::kOnce;
  const bool room = std::thread::hardware_concurrency() > s.threads;
  const std::string waiting = w.waiting.value_or("auto");
  s.waiting =
      waiting == "spin" || (waiting == "auto" && open && room) ? load::Waiting::kSpin : load::Waiting::kBlock;
  if (!w.proxy.empty()) {
    StatusOr<std::vector<load::Subnet>> subnets = load::ParseSubnets(w.proxy);
    if (!subnets.ok()) return Wrong("--proxy", subnets.status());
    s.proxy = *subnets;
  }
  for (const std::string& text : w.pids) {
    int pid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (error != std::errc() || end != text.data() + text.size() || pid <= 0)
      return Wrong("--pid", "'" + text + "' is not a process ID");
    s.pids.push_back(pid);
  }
  return absl::OkStatus();
}

Status ParseDraws(const Words& w, LoadArguments* a) {
  if (a->image.empty() == a->query_file.empty())
    return MakeStatus(StatusCode::kInvalidArgument, a->image.empty()
                                                        ? "no queries: give --queries FILE or --image FILE"
                                                        : "--queries and --image exclude each other");
  if (a->verify && a->image.empty()) return Wrong("--verify", "needs --image, which says what is right");
  MZ_RETURN_IF_ERROR(ParsePercent("--hits", w.hits, &a->draw.hits));
  MZ_RETURN_IF_ERROR(ParsePercent("--ip6", w.ip6, &a->draw.ip6));
  MZ_RETURN_IF_ERROR(ParsePercent("--unknown", w.unknown, &a->draw.unknown));
  if (!w.zipf.empty()) {
    const auto [end, error] = std::from_chars(w.zipf.data(), w.zipf.data() + w.zipf.size(), a->draw.zipf);
    if (error != std::errc() || end != w.zipf.data() + w.zipf.size() ||
        !(a->draw.zipf >= 0 && a->draw.zipf <= 5))
      return Wrong("--zipf", "'" + w.zipf + "' is not a number from 0 to 5");
  }
  if (!w.types.empty()) {
    a->draw.types.clear();
    for (size_t at = 0; at <= w.types.size();) {
      const size_t end = std::min(w.types.find(',', at), w.types.size());
      const StatusOr<uint16_t> type = dns::ParseType(w.types.substr(at, end - at));
      if (!type.ok()) return Wrong("--types", type.status());
      a->draw.types.push_back(*type);
      at = end + 1;
    }
  }
  a->pool = w.pool.value_or(100'000);
  a->settings.seed = a->draw.seed = w.seed.value_or(1);
  a->max_udp_bytes = static_cast<uint16_t>(w.max_udp.value_or(1232));
  return absl::OkStatus();
}

}  // namespace

std::optional<int> ParseLoadArguments(const std::vector<std::string>& words, Terminal& terminal,
                                      LoadArguments* out) {
  Words w;
  Options options(
      "load",
      "Sends DNS queries, matches the answers, and says how many a second, how fast and how right. "
      "Exit 0: all is well; 1: wrong answers, or more losses than --max-loss; 4: nothing answers.",
      kExamples);
  Declare(&options, &w, out);
  if (auto exit = options.Parse(words, terminal)) return exit;
  out->target_text = w.target;
  for (const Status& s :
       {ParseModes(w, out), ParseSending(w, out), ParseDraws(w, out), ParseForm(w, &out->form)})
    if (!s.ok()) return options.UsageError(terminal, Message(s));
  return std::nullopt;
}

}  // namespace mz::cli
