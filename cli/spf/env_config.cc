// See env_config.h.
#include "cli/spf/env_config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "server/control/privileges.h"

namespace mz::cli {
namespace {

constexpr const char* kStateDirectory = "/var/lib/mailzone";

bool Usable(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  return !failure && ::access(path.c_str(), W_OK | X_OK) == 0;
}

const char* Word(EnvMessage::Kind kind) {
  return kind == EnvMessage::kError ? "error: " : kind == EnvMessage::kWarning ? "warning: " : "";
}

}  // namespace

EnvConfig::~EnvConfig() {
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
}

void EnvConfig::Declare(Options* options) {
  options->Flag("--from-env", &wanted_, "instead of a configuration: expurgate's variables MY_DOMAINS, ZONE, ...");
  options->Text("--state-dir", &directory_, "DIR",
                "with --from-env: where configuration, image and state lie (/var/lib/mailzone)");
  options->Flag("--print-config", &print_, "print the configuration that --from-env makes, and end");
}

Status EnvConfig::MakeDirectory(Terminal& terminal) {
  if (!directory_.empty()) {
    std::error_code failure;
    std::filesystem::create_directories(directory_, failure);
    if (failure) return ErrnoStatus(failure.value(), directory_);
    return absl::OkStatus();
  }
  if (const char* given = std::getenv("STATE_DIRECTORY"); given != nullptr) {  // systemd; a list with colons
    const std::string first = std::string(given).substr(0, std::string_view(given).find(':'));
    if (!first.empty() && Usable(first)) {
      directory_ = first;
      return absl::OkStatus();
    }
  }
  if (Usable(kStateDirectory)) {
    directory_ = kStateDirectory;
    return absl::OkStatus();
  }
  const char* base = std::getenv("TMPDIR");
  std::string path = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/mailzone-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, path);
  ::chmod(path.c_str(), 0755);  // mailzoned may run as another user
  temporary_ = directory_ = path;
  terminal.err << "warning: " << kStateDirectory << " cannot be written: what the DNS said is forgotten at the end\n"
               << "note: give --state-dir DIR\n";
  return absl::OkStatus();
}

Status EnvConfig::MakeUsersDirectory() const {
  if (result_.user.empty()) return absl::OkStatus();
  const std::string path = (std::filesystem::path(directory_) / "run").string();
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) return ErrnoStatus(failure.value(), path);
  MZ_ASSIGN_OR_RETURN(control::Identity identity, control::LookUpIdentity(result_.user, /*refuse_root=*/false));
  if (identity.change && ::chown(path.c_str(), identity.uid, identity.gid) != 0) return ErrnoStatus(errno, path);
  return absl::OkStatus();
}

std::optional<int> EnvConfig::Prepare(char** environ_block, Terminal& terminal) {
  const Environment all = AllOf(environ_block);
  result_ = ConfigFromEnvironment(all, "spf.mzi");
  for (const EnvMessage& m : result_.messages) {
    terminal.err << Word(m.kind) << Printable(m.text) << "\n";
    if (!m.hint.empty()) terminal.err << "note: " << Printable(m.hint) << "\n";
  }
  terminal.err << std::flush;
  if (!result_.ok) return kExitUsage;
  if (print_) {
    terminal.out << result_.config;
    return kExitOk;
  }
  Status made = MakeDirectory(terminal);
  if (made.ok()) made = MakeUsersDirectory();
  if (made.ok()) {
    path_ = (std::filesystem::path(directory_) / "from-env.toml").string();
    AtomicFile file(path_, 0600);  // it may hold RESTDB_KEY
    made = file.Open();
    if (made.ok()) made = file.Write({reinterpret_cast<const uint8_t*>(result_.config.data()), result_.config.size()});
    if (made.ok()) made = file.Commit();
  }
  if (made.ok()) return std::nullopt;
  Complain(terminal, Message(made));
  const int code = ExitCodeFor(made);
  return code == kExitFindings ? kExitUsage : code;
}

}  // namespace mz::cli
