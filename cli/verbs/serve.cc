// mailzone serve: the deployment in one command.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/serve/plan.h"
#include "cli/serve/supervisor.h"
#include "cli/spf/env_config.h"
#include "cli/verb.h"
#include "server/control/privileges.h"

namespace mz::cli {
namespace {

// "2026-11-21T02:33:10Z LINE"
Logger::Sink TimedSink(std::ostream& err) {
  return [&err](LogLevel, std::string_view line) {
    std::time_t now = std::time(nullptr);
    std::tm tm{};
    char text[32] = "";
    if (::gmtime_r(&now, &tm) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ ", &tm);
    err << text << line << "\n" << std::flush;
  };
}

// A directory for the image of zone specifications, which nobody asked to keep.
class TemporaryDirectory {
 public:
  Status Make(const std::string& user) {
    const char* base = std::getenv("TMPDIR");
    std::string path = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/mailzone-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, path);
    path_ = path;
    // mailzoned reads the image and writes its statistics page with the rights of that user.
    MZ_ASSIGN_OR_RETURN(control::Identity identity, control::LookUpIdentity(user, /*refuse_root=*/false));
    if (identity.change && ::chown(path_.c_str(), identity.uid, identity.gid) != 0) return ErrnoStatus(errno, path_);
    return absl::OkStatus();
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

int RunServeVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  ServeInput input;
  std::string mailzoned;
  Options options("serve",
                  "Builds the image, starts mailzoned, watches the files, rebuilds and swaps. Ctrl-C ends all of it.",
                  "mailzone serve mailzone.toml\n"
                  "mailzone serve --listen 127.0.0.1:5353 bl.example.org:ip4set:bl.txt\n"
                  "MY_DOMAINS=\"customer.example\" ZONE=_spf.example.com mailzone serve --from-env\n");
  options.Texts("-l,--listen", &input.listen, "ADDRESS", "HOST:PORT, [IPV6]:PORT; may be repeated (server.listen)");
  options.Choice("--io", &input.io, {"auto", "uring", "epoll"}, "I/O backend of mailzoned (server.io)");
  options.Number("--workers", &input.workers, 1, 1024, "N", "threads of mailzoned (server.workers)");
  options.Text("--user", &input.user, "USER[:GROUP]", "mailzoned runs as this user (server.user)");
  options.Number("--poll", &input.poll_seconds, 1, 86400, "SECONDS",
                 "look at the files so often, besides inotify (watch.poll_seconds, 5)");
  options.Number("--quiet", &input.quiet_ms, 0, 60000, "MS",
                 "build when nothing changed for so long (watch.quiet_ms, 200)");
  options.Text("--mailzoned", &mailzoned, "FILE", "the daemon's program (beside this one, or in PATH)");
  input.build.Declare(&options, /*writes_image=*/true);
  EnvConfig env;
  env.Declare(&options);
  options.Rest("CONFIG|ZONE:TYPE:FILES", &input.inputs, "one configuration, or rbldnsd zone specifications",
               Options::kOptional);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  if (env.wanted() != input.inputs.empty())
    return options.UsageError(terminal, env.wanted() ? "--from-env and a configuration exclude each other"
                                                     : "what to serve? Give CONFIG, ZONE:TYPE:FILES, or --from-env");
  if (env.wanted()) {
    if (auto exit = env.Prepare(environ, terminal)) return *exit;
    input.inputs = {env.path()};
  }

  StatusOr<std::string> own = OwnPath();
  StatusOr<std::string> daemon = !own.ok() ? own : mailzoned.empty() ? FindMailzoned(*own) : StatusOr<std::string>(mailzoned);
  if (!daemon.ok()) {
    Complain(terminal, Message(daemon.status()));
    return kExitUsage;
  }
  input.mailzone_path = *own;
  input.mailzoned_path = *daemon;
  TemporaryDirectory temporary;
  if (!IsConfiguration(input.inputs) && input.build.output.empty()) {
    if (Status made = temporary.Make(input.user.value_or("")); !made.ok()) {
      Complain(terminal, Message(made));
      return ExitCodeFor(made) == kExitFindings ? kExitUsage : ExitCodeFor(made);
    }
    input.default_image = temporary.path() + "/zone.mzi";
  }

  DiagnosticLog diagnostics({.err = &terminal.err, .colour = terminal.err_colour});
  StatusOr<ServePlan> plan = MakeServePlan(input, &diagnostics);
  if (!plan.ok()) {
    Complain(terminal, Printable(Message(plan.status())));
    return plan.status().code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(plan.status());
  }
  Logger log(TimedSink(terminal.err));
  auto replan = [&input]() -> StatusOr<ServePlan> {
    DiagnosticLog silent({});  // the build that follows tells what is wrong
    return MakeServePlan(input, &silent);
  };
  log.Info("serving from " + plan->image + (IsConfiguration(input.inputs) ? ", configured by " + input.inputs[0] : ""));
  Supervisor supervisor(std::move(*plan), replan, log);
  return supervisor.Run();
}

}  // namespace mz::cli
