// AtomicFile: see file.h.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/file.h"

namespace mz {

namespace {

// How long Commit() waits for another process that is between linking and renaming.
constexpr auto kLinkPause = std::chrono::milliseconds(5);
constexpr int kLinkAttempts = 1000;

std::string DescriptorPath(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// The file behind `fd` is the one that `path` names.
bool IsNamedBy(int fd, const std::string& path) {
  struct stat mine, named;
  return ::fstat(fd, &mine) == 0 && ::lstat(path.c_str(), &named) == 0 && mine.st_dev == named.st_dev &&
         mine.st_ino == named.st_ino;
}

Status Busy(const std::string& path) {
  return MakeStatus(StatusCode::kUnavailable, "another process is writing " + path + "; try again when it is done");
}

}  // namespace

AtomicFile::~AtomicFile() {
  if (named_ && IsNamedBy(fd_.get(), temporary_)) ::unlink(temporary_.c_str());
}

Status AtomicFile::Open() {
  temporary_ = path_ + ".tmp";
  std::string directory = std::filesystem::path(path_).parent_path().string();
  if (directory.empty()) directory = ".";
  directory_.reset(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_.valid()) return ErrnoStatus(errno, "cannot create " + path_ + ": directory " + directory);
  if (anonymous_allowed_) {
    fd_.reset(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode_));
    if (fd_.valid() && ::access(DescriptorPath(fd_.get()).c_str(), F_OK) == 0) {
      anonymous_ = true;
      // Held until after the rename: who finds PATH.tmp can tell a live process from a dead one.
      if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) return ErrnoStatus(errno, "cannot lock a file beside " + path_);
      return absl::OkStatus();
    }
    // EISDIR, EOPNOTSUPP, EINVAL: how file systems and old kernels say that they have no O_TMPFILE.
    if (!fd_.valid() && errno != EISDIR && errno != EOPNOTSUPP && errno != EINVAL)
      return ErrnoStatus(errno, "cannot create a file beside " + path_);
  }
  return OpenNamed();
}

Status AtomicFile::OpenNamed() {
  for (int attempt = 0; attempt < kLinkAttempts; attempt++) {
    fd_.reset(::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_));
    if (fd_.valid()) {
      // Another process may have found the new file before its lock, and then removes it.
      if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) return Busy(temporary_);
      if (!IsNamedBy(fd_.get(), temporary_)) continue;
      named_ = true;
      return absl::OkStatus();
    }
    if (errno != EEXIST) return ErrnoStatus(errno, "cannot create " + temporary_);
    // A new file, not the old one again: that could be a hard link to something else, or have another mode.
    MZ_RETURN_IF_ERROR(RemoveStale());
  }
  return Busy(temporary_);
}

Status AtomicFile::Write(std::span<const uint8_t> bytes) { return WriteAll(fd_.get(), bytes, path_); }

// Removes a PATH.tmp whose maker is dead. Unavailable: it is alive. Nobody else removes or replaces that file while its
// lock is held here, so what is unlinked is what was looked at.
Status AtomicFile::RemoveStale() {
  UniqueFd stale(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!stale.valid() && errno == ENOENT) return absl::OkStatus();
  if (stale.valid()) {
    if (::flock(stale.get(), LOCK_EX | LOCK_NB) != 0) return Busy(temporary_);
    if (!IsNamedBy(stale.get(), temporary_)) return absl::OkStatus();
  }
  if (::unlink(temporary_.c_str()) != 0 && errno != ENOENT) return ErrnoStatus(errno, "cannot remove " + temporary_);
  return absl::OkStatus();
}

// Gives the anonymous file its temporary name.
Status AtomicFile::Link() {
  for (int attempt = 0;; attempt++) {
    if (::linkat(AT_FDCWD, DescriptorPath(fd_.get()).c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      named_ = true;
      return absl::OkStatus();
    }
    if (errno != EEXIST) return ErrnoStatus(errno, "cannot create " + temporary_);
    Status removed = RemoveStale();
    if (removed.ok()) continue;
    if (removed.code() != StatusCode::kUnavailable || attempt == kLinkAttempts) return removed;
    std::this_thread::sleep_for(kLinkPause);
  }
}

Status AtomicFile::Commit() {
  if (::fsync(fd_.get()) != 0) return ErrnoStatus(errno, "cannot sync the new " + path_);
  if (anonymous_) MZ_RETURN_IF_ERROR(Link());
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    return ErrnoStatus(errno, "cannot rename " + temporary_ + " to " + path_);
  named_ = false;
  fd_.reset();
  // EINVAL: a file system whose directories cannot be synced.
  if (::fsync(directory_.get()) != 0 && errno != EINVAL)
    return ErrnoStatus(errno, path_ + " is replaced, but its directory cannot be synced");
  return absl::OkStatus();
}

}  // namespace mz
