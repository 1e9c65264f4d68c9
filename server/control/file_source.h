// An image file as the source of a daemon's data (mailzoned).
//
// The file is replaced by rename (mailzone build does so); then a tick or SIGHUP loads the new one. A file that was
// truncated, overwritten or replaced by garbage is refused with the reason, and what is in service stays there: it lies
// in this process's own memory.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>

#include "server/control/image_source.h"
#include "server/swap/spare.h"

namespace mz::control {

class FileImageSource final : public ImageSource {
 public:
  FileImageSource(std::string path, int verify_threads) : path_(std::move(path)), verify_threads_(verify_threads) {}

  // Unchanged: kTick when stat(2) tells so; kSignal when the whole file verifies and has the identity in service.
  LoadOutcome Load(LoadReason reason, const swap::Generation* current, const Logger& log) override;
  std::string description() const override { return path_; }

 private:
  struct Stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    timespec modified;
    bool operator==(const Stamp& o) const {
      return device == o.device && inode == o.inode && size == o.size && modified.tv_sec == o.modified.tv_sec &&
             modified.tv_nsec == o.modified.tv_nsec;
    }
  };
  std::optional<Stamp> StampNow() const;

  const std::string path_;
  const int verify_threads_;
  const std::shared_ptr<swap::SpareMemory> spare_ = std::make_shared<swap::SpareMemory>();
  std::optional<Stamp> good_;  // of the file that was last found good
};

}  // namespace mz::control
