// See file_source.h.
#include "server/control/file_source.h"

#include "server/swap/load.h"

namespace mz::control {

std::optional<FileImageSource::Stamp> FileImageSource::StampNow() const {
  struct stat st;
  if (::stat(path_.c_str(), &st) != 0) return std::nullopt;
  return Stamp{st.st_dev, st.st_ino, st.st_size, st.st_mtim};
}

LoadOutcome FileImageSource::Load(LoadReason reason, const swap::Generation* current, const Logger&) {
  LoadOutcome out;
  // Before the file is opened: a change in between is then seen by the next check.
  const std::optional<Stamp> stamp = StampNow();
  if (reason == LoadReason::kTick && stamp && stamp == good_) return out;

  swap::LoadOptions options;
  options.verify_threads = verify_threads_;
  options.spare = spare_;
  StatusOr<std::unique_ptr<swap::Generation>> loaded = swap::LoadImageFile(path_, options);
  if (!loaded.ok()) {
    good_.reset();
    out.problem = loaded.status();
    return out;
  }
  good_ = stamp;
  const bool same = current && (*loaded)->view.header().identity == current->view.header().identity;
  if (!same) {
    out.next = std::move(*loaded);
    out.reloaded = true;
  }
  return out;
}

}  // namespace mz::control
