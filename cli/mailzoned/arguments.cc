// See arguments.h.
#include "cli/mailzoned/arguments.h"

#include <cstdlib>

#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/version.h"

namespace mz::cli {
namespace {

constexpr std::string_view kProgram = "mailzoned";
constexpr std::string_view kDefaultPort = "53";
constexpr uint64_t kDefaultCheckSeconds = 60;
constexpr uint64_t kMaxUdp = 4096;

constexpr std::string_view kExamples =
    "mailzoned --image zone.mzi --listen 127.0.0.1:5353\n"
    "mailzoned --image zone.mzi --listen 0.0.0.0:53 --listen '[::]:53' --user nobody\n"
    "mailzoned --image zone.mzi --listen 192.0.2.1 --daemon --pid-file /run/mailzoned.pid\n"
    "mailzone reload --wait zone.mzi.stats          # after a new zone.mzi was published\n";

Status BadListen(std::string_view text, std::string_view why) {
  return MakeStatus(StatusCode::kInvalidArgument,
                    "--listen: '" + std::string(text) + "': " + std::string(why) +
                        "; write HOST:PORT, [IPV6]:PORT or HOST/PORT");
}

std::optional<io::BackendKind> BackendOf(const std::string& name) {
  if (name == "auto") return io::BackendKind::kAuto;
  if (name == "uring") return io::BackendKind::kUring;
  if (name == "epoll") return io::BackendKind::kEpoll;
  return std::nullopt;
}

}  // namespace

StatusOr<control::ListenAddress> ParseListenAddress(std::string_view text) {
  std::string_view host = text, port;
  if (const size_t slash = text.find('/'); slash != text.npos) {
    host = text.substr(0, slash);
    port = text.substr(slash + 1);
    if (port.empty()) return BadListen(text, "the port is missing");
  } else if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == text.npos) return BadListen(text, "']' is missing");
    host = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && (rest[0] != ':' || rest.size() == 1)) return BadListen(text, "a port must follow ']'");
    port = rest.empty() ? rest : rest.substr(1);
  } else if (const size_t colon = text.rfind(':'); colon != text.npos && text.find(':') == colon) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return BadListen(text, "the port is missing");
  }  // several colons without brackets: an IPv6 address alone
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return BadListen(text, "the host is missing");
  control::ListenAddress out;
  out.host = host;
  out.service = port.empty() ? kDefaultPort : port;
  out.text = text;
  return out;
}

std::optional<int> ParseMailzonedArguments(const std::vector<std::string>& arguments, Terminal& terminal,
                                           MailzonedArguments* out) {
  Options options("", "Serves a zone image over DNS (UDP and TCP) until SIGTERM. SIGHUP reloads the image.", kExamples,
                  kProgram);
  std::vector<std::string> listen;
  std::optional<std::string> backend, query_log, stats_file, stats_page;
  std::optional<uint64_t> workers, max_udp, check_interval, tcp_connections, tcp_idle, tcp_message, tcp_memory;
  std::string group;
  bool no_tcp = false, no_stats_page = false, daemon = false, version = false;
  control::DaemonOptions& d = out->daemon;

  options.Text("-i,--image", &out->image, "FILE", "zone image to serve, made by `mailzone build`");
  options.Texts("-l,--listen", &listen, "ADDRESS", "HOST:PORT, [IPV6]:PORT or HOST/PORT; may be repeated; port 53 when none is given");
  options.Choice("--io", &backend, {"auto", "uring", "epoll"}, "I/O backend; auto takes io_uring where it works");
  options.Number("--workers", &workers, 1, 1024, "N", "worker threads; default: one per core");
  options.Flag("--pin", &d.pin_workers, "bind every worker to a core");
  options.Number("--max-udp", &max_udp, 512, kMaxUdp, "BYTES", "largest UDP reply; default 1232");
  options.Number("--check-interval", &check_interval, 0, 31536000, "SECONDS",
                 "look for a new image this often; 0: only at SIGHUP; default 60");
  options.Flag("--no-tcp", &no_tcp, "serve UDP only");
  options.Number("--tcp-connections", &tcp_connections, 1, 1000000, "N", "TCP connections per worker; default 10000");
  options.Number("--tcp-idle-timeout", &tcp_idle, 1, 86400, "SECONDS", "close a TCP connection idle this long; default 10");
  options.Number("--tcp-message-timeout", &tcp_message, 1, 86400, "SECONDS",
                 "time for one message in or out over TCP; default 5");
  options.Number("--tcp-memory", &tcp_memory, 1, 1 << 20, "MIB", "TCP buffers per worker; default 256");
  options.Text("--version-text", &d.version_text, "TEXT", "answer to CH TXT version.bind; default: refused");
  options.Text("--server-id", &d.server_id, "TEXT", "answer to CH TXT id.server, and NSID; default: refused");
  options.Text("--user", &d.user, "USER[:GROUP]", "run as this user after the sockets are open");
  options.Text("--group", &group, "GROUP", "run with this group");
  options.Text("--chroot", &d.chroot_dir, "DIR", "chroot there before the image is opened");
  options.Text("--chdir", &d.work_dir, "DIR", "change to this directory, inside the chroot");
  options.Flag("--daemon", &daemon, "go into the background when the image is served; log to syslog");
  options.Text("--pid-file", &d.pid_file, "FILE", "write the process id there");
  options.Text("--query-log", &query_log, "[+]FILE", "log every query; + writes each line at once; - is stdout");
  options.Text("--stats-file", &stats_file, "[+]FILE",
               "append a line of counters at every check; + writes differences");
  options.Text("--stats-page", &stats_page, "FILE", "statistics page for `mailzone status`; default IMAGE.stats");
  options.Flag("--no-stats-page", &no_stats_page, "no statistics page");
  options.Flag("-V,--version", &version, "print the version");
  if (auto exit_code = options.Parse(arguments, terminal)) return exit_code;
  if (version) {
    terminal.out << kProgram << " " << kVersionText << "\n";
    return kExitOk;
  }
  if (out->image.empty()) return options.UsageError(terminal, "--image is missing");
  if (listen.empty() && !std::getenv("LISTEN_FDS")) return options.UsageError(terminal, "--listen is missing");
  for (const std::string& text : listen) {
    StatusOr<control::ListenAddress> a = ParseListenAddress(text);
    if (!a.ok()) return options.UsageError(terminal, Message(a.status()));
    d.listen.push_back(std::move(*a));
  }
  if (!group.empty()) {
    if (d.user.empty()) return options.UsageError(terminal, "--group needs --user");
    if (d.user.find(':') != std::string::npos)
      return options.UsageError(terminal, "--user names a group already; leave --group away");
    d.user += ":" + group;
  }
  d.program = kProgram;
  d.version_line = std::string(kProgram) + " version " + std::string(kVersionText);
  if (backend) d.io = *BackendOf(*backend);
  d.workers = static_cast<int>(workers.value_or(0));
  d.max_udp_bytes = static_cast<uint16_t>(max_udp.value_or(d.max_udp_bytes));
  d.check_interval_seconds = static_cast<int>(check_interval.value_or(kDefaultCheckSeconds));
  d.tcp = !no_tcp;
  if (tcp_connections) d.tcp_limits.max_connections = static_cast<int>(*tcp_connections);
  if (tcp_idle) d.tcp_limits.idle_timeout_ms = static_cast<int>(*tcp_idle * 1000);
  if (tcp_message) d.tcp_limits.message_timeout_ms = static_cast<int>(*tcp_message * 1000);
  if (tcp_memory) d.tcp_limits.max_total_bytes = *tcp_memory << 20;
  if (query_log) {
    d.query_log_unbuffered = query_log->starts_with('+');
    d.query_log = query_log->substr(d.query_log_unbuffered ? 1 : 0);
  }
  if (stats_file) {
    d.stats_file_deltas = stats_file->starts_with('+');
    d.stats_file = stats_file->substr(d.stats_file_deltas ? 1 : 0);
  }
  if (!no_stats_page) {
    d.stats_page = stats_page.value_or(out->image + ".stats");
    d.stats_page_optional = !stats_page;  // the directory of the image need not be writable for the daemon
  }
  d.foreground = !daemon;
  out->syslog = daemon;
  return std::nullopt;
}

}  // namespace mz::cli
