// See plan.h.
#include "cli/serve/plan.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace mz::cli {
namespace {

constexpr uint64_t kDefaultPollSeconds = 5;
constexpr uint64_t kDefaultQuietMs = 200;

// Options of mailzoned(8).
class Command {
 public:
  explicit Command(std::string program) { words_.push_back(std::move(program)); }
  void Add(const std::string& option, const std::string& value) {
    if (!value.empty()) words_.push_back("--" + option + "=" + value);
  }
  void Add(const std::string& option, const std::optional<uint64_t>& value) {
    if (value) words_.push_back("--" + option + "=" + std::to_string(*value));
  }
  void Flag(const std::string& option, bool on) {
    if (on) words_.push_back("--" + option);
  }
  std::vector<std::string> Take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

std::vector<std::string> DaemonCommand(const ServeInput& input, const ServerConfig& server, const ServePlan& plan) {
  Command c(input.mailzoned_path);
  c.Add("image", plan.image);
  for (const std::string& address : input.listen.empty() ? server.listen : input.listen) c.Add("listen", address);
  c.Add("stats-page", plan.stats_page);
  c.Add("io", input.io.value_or(server.io));
  c.Add("workers", input.workers ? input.workers : server.workers);
  c.Flag("pin", server.pin_workers.value_or(false));
  c.Add("user", input.user.value_or(server.user));
  c.Add("max-udp", server.max_udp);
  c.Add("check-interval", server.check_interval);
  c.Add("query-log", server.query_log);
  c.Add("stats-file", server.stats_file);
  c.Add("pid-file", server.pid_file);
  c.Add("version-text", server.version_text);
  c.Add("server-id", server.server_id);
  c.Flag("no-tcp", !server.tcp.value_or(true));
  c.Add("tcp-connections", server.tcp_connections);
  c.Add("tcp-idle-timeout", server.tcp_idle_timeout);
  c.Add("tcp-message-timeout", server.tcp_message_timeout);
  c.Add("tcp-memory", server.tcp_memory_mib);
  return c.Take();
}

}  // namespace

StatusOr<ServePlan> MakeServePlan(const ServeInput& input, dataset::DiagnosticSink* sink) {
  MZ_ASSIGN_OR_RETURN(BuildJob job, MakeBuildJob(input.build, input.inputs, sink));
  ServePlan plan;
  plan.image = job.image.empty() ? input.default_image : job.image;
  ServerConfig server = job.config ? job.config->server : ServerConfig();
  uint64_t poll_seconds = kDefaultPollSeconds, quiet_ms = kDefaultQuietMs;
  if (job.config) {
    poll_seconds = job.config->watch.poll_seconds.value_or(poll_seconds);
    quiet_ms = job.config->watch.quiet_ms.value_or(quiet_ms);
  }
  // A page beside an image that -o moved elsewhere would be found by nobody.
  bool own_page = job.config && plan.image == server.image;
  plan.stats_page = own_page ? server.stats_page : plan.image + ".stats";
  if (input.listen.empty() && server.listen.empty())
    return MakeStatus(StatusCode::kInvalidArgument,
                      "where to listen? Give --listen HOST:PORT, or listen = [\"HOST:PORT\"] under [server]");
  BuildFlags flags = input.build;
  flags.output = plan.image;
  plan.builder_stays = job.config && job.config->HasSpf();
  plan.build_command = {input.mailzone_path, plan.builder_stays ? "refresh" : "build"};
  for (std::string& word : flags.CommandLine()) plan.build_command.push_back(std::move(word));
  plan.build_command.push_back("--");
  plan.build_command.insert(plan.build_command.end(), input.inputs.begin(), input.inputs.end());
  plan.daemon_command = DaemonCommand(input, server, plan);
  plan.daemon_owns_stdout = server.query_log == "-" || server.query_log == "+-";
  plan.files = job.Files();
  plan.poll_ms = static_cast<int>(1000 * input.poll_seconds.value_or(poll_seconds));
  plan.quiet_ms = static_cast<int>(input.quiet_ms.value_or(quiet_ms));
  return plan;
}

StatusOr<std::string> OwnPath() {
  std::error_code failure;
  std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (failure) return ErrnoStatus(failure.value(), "/proc/self/exe");
  return path.string();
}

StatusOr<std::string> FindMailzoned(const std::string& own_path) {
  std::vector<std::string> places = {std::filesystem::path(own_path).parent_path().string()};
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/sbin:/usr/bin";
  while (!rest.empty()) {
    size_t end = std::min(rest.find(':'), rest.size());
    if (end > 0) places.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  places.insert(places.begin() + 1, places[0] + "/../sbin");
  for (const std::string& place : places) {
    std::string candidate = place + "/mailzoned";
    if (::access(candidate.c_str(), X_OK) == 0) return std::filesystem::path(candidate).lexically_normal().string();
  }
  return MakeStatus(StatusCode::kNotFound, "mailzoned is neither beside " + own_path + " nor in PATH");
}

}  // namespace mz::cli
