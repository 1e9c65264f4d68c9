// See arguments.h.
#include "cli/rbldnsd/arguments.h"

#include <getopt.h>
#include <syslog.h>

#include <charconv>
#include <cstring>
#include <string_view>

#include "cli/version.h"

namespace mz::cli {
namespace {

constexpr char kShortOptions[] = "u:r:b:w:t:c:p:nel:qs:h46dvaAfF:Cx:X:";
constexpr size_t kMaxProgramName = 30;
constexpr int kDefaultCheckSeconds = 60;
constexpr uint16_t kDefaultMaxUdp = 2048;  // rbldnsd's EDNS size

enum LongOption { kEnt = 256, kIo, kWorkers, kMaxUdp, kStatsPage, kVersion, kHelp };
constexpr option kLongOptions[] = {
    {"ent", required_argument, nullptr, kEnt},         {"io", required_argument, nullptr, kIo},
    {"workers", required_argument, nullptr, kWorkers}, {"max-udp", required_argument, nullptr, kMaxUdp},
    {"stats-page", required_argument, nullptr, kStatsPage},
    {"version", no_argument, nullptr, kVersion},       {"help", no_argument, nullptr, kHelp},
    {nullptr, 0, nullptr, 0}};

struct Facility {
  std::string_view name;
  int value;
};
constexpr Facility kFacilities[] = {
    {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},     {"daemon", LOG_DAEMON},
    {"ftp", LOG_FTP},       {"kern", LOG_KERN},         {"lpr", LOG_LPR},       {"mail", LOG_MAIL},
    {"news", LOG_NEWS},     {"syslog", LOG_SYSLOG},     {"user", LOG_USER},     {"uucp", LOG_UUCP},
    {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
    {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},     {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
};

constexpr std::string_view kUsage = R"(Usage: rbldnsd OPTION... ZONESPEC...
Options:
 -b HOST[/PORT]   listen on this address; may be repeated; required
 -4, -6           host names of -b mean IPv4, IPv6 addresses only
 -u USER[:GROUP]  run as this user (when started as root: rbldns)
 -r DIR           chroot to this directory
 -w DIR           change to this directory; data files are relative to it
 -t TTL[:MIN[:MAX]]
                  default TTL, and bounds of the TTLs in data files (35m)
 -c TIME          look for changed data files this often (1m); 0: never
 -e               mask the host bits of CIDR ranges instead of rejecting them
 -p FILE          write the process id to this file
 -n               stay in the foreground
 -q               start at once, load data afterwards
 -f               accepted: queries are always answered during a reload
 -l [+]FILE       log queries to this file; + writes every line at once; - is stdout
 -s [+]FILE       append a line of statistics at every check; + writes differences
 -a, -A           without, with name servers in the authority section of answers
 -v               answer version.bind without the version; twice: refuse it
 -F FACILITY      syslog facility (daemon)
 -C               refuse compressed data files
 -d               write all zones in BIND's format to stdout and exit
 --ent=nodata     names that only have names below them exist (default); --ent=nxdomain: they do not
 --io=auto|uring|epoll, --workers=N, --max-udp=BYTES, --stats-page=FILE
A ZONESPEC is NAME:TYPE:FILE[,FILE...]; equal names make one zone. Types:
 ip4set   IPv4 ranges with values         ip4tset  IPv4 addresses, one value
 ip4trie  IPv4 prefixes with values       ip6trie  IPv6 prefixes with values
 ip6tset  IPv6 /64 networks, one value    dnset    domain names with values
 generic  A, TXT and MX records           combined several of these in one file
 acl      what which client may see
)";

RbldnsdExit Fatal(const RbldnsdArguments& a, std::string_view text) {
  return {1, "", a.program + ": " + std::string(text) + "\n"};
}

std::optional<int> Number(const char* text, int low, int high) {
  int value = 0;
  const char* end = text + std::strlen(text);
  auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc() || stop != end || value < low || value > high) return std::nullopt;
  return value;
}

// "[+]FILE"
void SplitPlus(std::string_view text, std::string* file, bool* plus) {
  *plus = text.starts_with('+');
  *file = text.substr(*plus ? 1 : 0);
}

}  // namespace

StatusOr<compiler::TtlBounds> ParseTtlOption(const std::string& text) {
  auto fail = [](const std::string& message) { return MakeStatus(StatusCode::kInvalidArgument, message); };
  compiler::TtlBounds bounds;
  uint32_t* const fields[] = {&bounds.default_ttl, &bounds.min_ttl, &bounds.max_ttl};
  const char* const names[] = {"ttl", "minttl", "maxttl"};
  size_t at = 0;
  for (int i = 0;; i++) {
    if (i == 3) return fail("invalid value for -t (ttl) option: `" + text + "'");
    const size_t end = std::min(text.find(':', at), text.size());
    const std::string part = text.substr(at, end - at);
    const bool last = end == text.size();
    if (!part.empty()) {
      StatusOr<uint32_t> value = compiler::ParseTime(part);
      if (!value.ok() || (i == 0 && *value == 0))
        return fail(std::string("invalid ") + names[i] + " (-t) value `" + text + "'");
      *fields[i] = *value;
    } else if (i == 0 && last) {
      return fail("invalid ttl (-t) value `" + text + "'");
    }
    if (last) break;
    at = end + 1;
  }
  const auto [def, low, high] = bounds;
  if ((high != 0 && (low > high || def > high)) || def < low)
    return fail("inconsistent def:min:max ttl: " + std::to_string(def) + ":" + std::to_string(low) + ":" +
                std::to_string(high));
  return bounds;
}

StatusOr<control::ListenAddress> ParseBindOption(const std::string& text) {
  control::ListenAddress a;
  a.text = text;
  const size_t slash = text.find('/');
  a.host = text.substr(0, slash);
  if (slash != std::string::npos) a.service = text.substr(slash + 1);
  if (a.service.empty()) a.service = "domain";
  if (a.host.empty())
    return MakeStatus(StatusCode::kInvalidArgument, slash == std::string::npos
                                                        ? ": Name or service not known"
                                                        : "missing host part in bind address `" + text + "'");
  return a;
}

std::optional<RbldnsdExit> ParseRbldnsdArguments(int argc, char** argv, bool is_root, bool has_systemd_sockets,
                                                 RbldnsdArguments* out) {
  RbldnsdArguments& a = *out;
  control::DaemonOptions& d = a.daemon;
  const std::string_view path = argc > 0 && argv[0] ? argv[0] : "rbldnsd";
  a.program = path.substr(path.rfind('/') + 1).substr(0, kMaxProgramName);
  const std::string title = a.program + ": rbl dns daemon version " + kRbldnsdVersion + ", as mailzone " +
                            std::string(kVersionText) + "\n";
  if (argc <= 1) return RbldnsdExit{1, title + std::string(kUsage), ""};

  std::vector<std::string> binds;
  std::string facility = "daemon";
  int family = AF_UNSPEC, version_flags = 0;
  d.check_interval_seconds = kDefaultCheckSeconds;
  d.max_udp_bytes = kDefaultMaxUdp;
  d.foreground = false;

  std::string program = a.program;  // getopt's messages begin with argv[0]
  argv[0] = program.data();
  ::optind = 0;                     // GNU: start anew
  int c;
  while ((c = ::getopt_long(argc, argv, kShortOptions, kLongOptions, nullptr)) != -1) {
    switch (c) {
      case 'u': d.user = ::optarg; break;
      case 'r': d.chroot_dir = ::optarg; break;
      case 'b': binds.push_back(::optarg); break;
      case 'w': d.work_dir = ::optarg; break;
      case 't': {
        StatusOr<compiler::TtlBounds> bounds = ParseTtlOption(::optarg);
        if (!bounds.ok()) return Fatal(a, Message(bounds.status()));
        a.compile.ttl = *bounds;
        break;
      }
      case 'c': {
        StatusOr<uint32_t> interval = compiler::ParseTime(::optarg);
        if (!interval.ok() || *interval > 0x7fffffff)
          return Fatal(a, std::string("invalid check interval (-c) value `") + ::optarg + "'");
        d.check_interval_seconds = static_cast<int>(*interval);
        break;
      }
      case 'p': d.pid_file = ::optarg; break;
      case 'n': d.foreground = true; break;
      case 'e': a.compile.mask_host_bits = true; break;
      case 'l': SplitPlus(::optarg, &d.query_log, &d.query_log_unbuffered); break;
      case 's': SplitPlus(::optarg, &d.stats_file, &d.stats_file_deltas); break;
      case 'q': a.quick_start = true; break;
      case 'h':
      case kHelp: return RbldnsdExit{0, title + std::string(kUsage), ""};
      case '4': family = AF_INET; break;
      case '6': family = AF_INET6; break;
      case 'd': a.dump = true; break;
      case 'v': version_flags++; break;
      case 'a': a.compile.minimal = true; break;
      case 'A': a.compile.minimal = false; break;
      case 'f': break;
      case 'F': facility = ::optarg; break;
      case 'C': a.compile.refuse_gzip = true; break;
      case 'x':
      case 'X': return Fatal(a, "extension support is not compiled in");
      case kEnt:
        if (std::string_view(::optarg) != "nodata" && std::string_view(::optarg) != "nxdomain")
          return Fatal(a, std::string("invalid --ent value `") + ::optarg + "': nodata or nxdomain");
        a.compile.ent_nxdomain = std::string_view(::optarg) == "nxdomain";
        break;
      case kIo:
        if (std::string_view(::optarg) == "auto") d.io = io::BackendKind::kAuto;
        else if (std::string_view(::optarg) == "uring") d.io = io::BackendKind::kUring;
        else if (std::string_view(::optarg) == "epoll") d.io = io::BackendKind::kEpoll;
        else return Fatal(a, std::string("invalid --io value `") + ::optarg + "': auto, uring or epoll");
        break;
      case kWorkers: {
        std::optional<int> n = Number(::optarg, 1, 1024);
        if (!n) return Fatal(a, std::string("invalid --workers value `") + ::optarg + "': 1 to 1024");
        d.workers = *n;
        break;
      }
      case kMaxUdp: {
        std::optional<int> n = Number(::optarg, 512, 4096);
        if (!n) return Fatal(a, std::string("invalid --max-udp value `") + ::optarg + "': 512 to 4096");
        d.max_udp_bytes = static_cast<uint16_t>(*n);
        break;
      }
      case kStatsPage: d.stats_page = ::optarg; break;
      case kVersion: return RbldnsdExit{0, title, ""};
      default: return RbldnsdExit{1, "", a.program + ": type `" + a.program + " -h' for help\n"};
    }
  }
  for (int i = ::optind; i < argc; i++) a.zones.push_back(argv[i]);
  if (a.zones.empty()) return Fatal(a, "no zone(s) to service specified (-h for help)");
  if (a.dump) return std::nullopt;

  if (binds.empty() && !has_systemd_sockets) return Fatal(a, "no address to listen on (-b option) specified");
  for (const std::string& text : binds) {
    StatusOr<control::ListenAddress> bind = ParseBindOption(text);
    if (!bind.ok()) return Fatal(a, Message(bind.status()));
    bind->family = family;
    d.listen.push_back(std::move(*bind));
  }
  for (const Facility& f : kFacilities)
    if (f.name == facility) a.syslog_facility = f.value;
  if (a.syslog_facility == 0 && facility != "kern") return Fatal(a, "log facility " + facility + " is not valid");

  d.program = a.program;
  d.version_line = std::string("rbldnsd version ") + kRbldnsdVersion;
  d.version_text = version_flags == 0 ? std::string("rbldnsd ") + kRbldnsdVersion
                                      : version_flags == 1 ? "rbldnsd" : "";
  d.log_details = false;
  d.tcp_optional = true;
  d.v6_only = false;
  d.start_without_data = a.quick_start;
  d.refuse_root = true;
  if (d.user.empty() && is_root) d.user = "rbldns";
  return std::nullopt;
}

}  // namespace mz::cli
