// See privileges.h.
#include "server/control/privileges.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <optional>

#include "base/file.h"

namespace mz::control {
namespace {

std::optional<uint32_t> Decimal(const std::string& text) {
  uint32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // The all-ones id means "no change" to setuid(2).
  if (error != std::errc() || end != text.data() + text.size() || value == ~0u) return std::nullopt;
  return value;
}

Status Fail(const std::string& what) { return MakeStatus(StatusCode::kInvalidArgument, what); }

}  // namespace

StatusOr<Identity> LookUpIdentity(const std::string& spec, bool refuse_root) {
  Identity id;
  if (spec.empty()) {
    if (refuse_root && ::getuid() == 0) return Fail("daemon should not run as root, specify -u option");
    return id;
  }
  id.change = true;
  const size_t colon = spec.find(':');
  const std::string user = spec.substr(0, colon);
  if (auto number = Decimal(user)) {
    id.uid = *number;
    id.gid = *number;
  } else {
    const passwd* entry = user.empty() ? nullptr : ::getpwnam(user.c_str());
    if (!entry) return Fail("unknown user `" + user + "'");
    id.uid = entry->pw_uid;
    id.gid = entry->pw_gid;
  }
  if (colon != std::string::npos) {
    const std::string name = spec.substr(colon + 1);
    if (auto number = Decimal(name)) {
      id.gid = *number;
    } else {
      const group* entry = name.empty() ? nullptr : ::getgrnam(name.c_str());
      if (!entry) return Fail("unknown group `" + name + "'");
      id.gid = entry->gr_gid;
    }
  }
  if (refuse_root && id.uid == 0) return Fail("daemon should not run as root, specify -u option");
  return id;
}

Status EnterDirectories(const std::string& chroot_dir, const std::string& work_dir) {
  if (!chroot_dir.empty() && (::chdir(chroot_dir.c_str()) != 0 || ::chroot(".") != 0))
    return ErrnoStatus(errno, "unable to chroot to " + chroot_dir);
  if (!work_dir.empty() && ::chdir(work_dir.c_str()) != 0)
    return ErrnoStatus(errno, "unable to chdir to " + work_dir);
  return absl::OkStatus();
}

Status Assume(const Identity& id) {
  if (!id.change) return absl::OkStatus();
  // A change of identity clears the signal that a supervisor has set to be sent when it dies (prctl(2)).
  int death_signal = 0;
  ::prctl(PR_GET_PDEATHSIG, &death_signal);
  if (::setgroups(1, &id.gid) != 0 || ::setresgid(id.gid, id.gid, id.gid) != 0 ||
      ::setresuid(id.uid, id.uid, id.uid) != 0)
    return ErrnoStatus(errno,
                       "unable to setuid(" + std::to_string(id.uid) + ":" + std::to_string(id.gid) + ")");
  if (death_signal != 0) ::prctl(PR_SET_PDEATHSIG, death_signal);
  if (id.uid != 0 && ::setuid(0) == 0) return MakeStatus(StatusCode::kInternal, "root could be had back after setuid");
  return absl::OkStatus();
}

Status WritePidFile(const std::string& path) {
  constexpr std::string_view kThing = "unable to write pidfile";
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid()) return ErrnoStatus(errno, kThing);
  std::string text = std::to_string(::getpid()) + "\n";
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return ErrnoStatus(errno, kThing);
  return absl::OkStatus();
}

}  // namespace mz::control
