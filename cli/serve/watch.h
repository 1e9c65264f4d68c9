// Notices that one of a set of files changed: inotify on their directories for speed, stat(2) for truth.
//
//   FileWatch watch;  watch.SetFiles(files);
//   poll watch.fd() ...  watch.Drain() -> something happened nearby: look soon
//   if (watch.Changed()) { watch.Remember(); build }
//
// Any event in a watched directory only says "look": what counts is the identity of each file (device, inode, size, mtime
// and ctime with nanoseconds, or why it cannot be read). So renames, symbolic links that are switched, and file systems
// without events (the caller looks every few seconds as well) are all noticed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"

namespace mz::cli {

class FileWatch {
 public:
  FileWatch();
  // -1 when the kernel has no inotify to give: then only looking helps.
  int fd() const { return inotify_.get(); }

  // Replaces the set. Directories that do not exist yet are tried again by every Changed().
  void SetFiles(std::vector<std::string> files);
  // Takes the events that are there. True when there were any.
  bool Drain();
  // True when a file is not as it was at the last Remember().
  bool Changed();
  void Remember();

 private:
  struct Identity {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t mtime_ns = 0, ctime_ns = 0;
    int error = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  std::vector<Identity> Look() const;
  void AddDirectories();

  UniqueFd inotify_;
  std::vector<std::string> files_;
  std::vector<std::string> directories_missing_;
  std::vector<Identity> remembered_;
};

}  // namespace mz::cli
