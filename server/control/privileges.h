// Who the daemon runs as: user look-up, chroot, and giving up root for good.
//
//   MZ_ASSIGN_OR_RETURN(Identity id, LookUpIdentity("rbldns", refuse_root));   // before chroot: /etc/passwd is outside
//   MZ_RETURN_IF_ERROR(EnterDirectories(chroot_dir, work_dir));
//   MZ_RETURN_IF_ERROR(Assume(id));
//
// Error texts are rbldnsd's.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/status.h"

namespace mz::control {

struct Identity {
  bool change = false;  // false: stay as the process is
  uid_t uid = 0;
  gid_t gid = 0;
};

// `spec` is "USER[:GROUP]", names or decimal ids; "" keeps the process as it is. A decimal user without group means the
// group of the same number; a name without group its login group. Errors: InvalidArgument (unknown user or group, or
// root although refuse_root).
StatusOr<Identity> LookUpIdentity(const std::string& spec, bool refuse_root);

// chroot (when not empty), then chdir (when not empty; inside the new root).
Status EnterDirectories(const std::string& chroot_dir, const std::string& work_dir);

// setgroups, setgid, setuid: supplementary groups become exactly {gid}. Verifies that root cannot be had back.
Status Assume(const Identity& identity);

// "PID\n", mode 0644. Errors: those of base/file.h.
Status WritePidFile(const std::string& path);

}  // namespace mz::control
