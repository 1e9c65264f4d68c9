// Where a daemon gets its images from: a file (mailzoned) or a compiler in another process (the rbldnsd personality).
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/status.h"
#include "server/swap/published.h"

namespace mz::control {

class ImageSource {
 public:
  virtual ~ImageSource() = default;
  // Produces a generation ready for publication, or null when nothing has changed since the last one. Called by the
  // control thread; may take long, the workers go on. Errors: the daemon logs them, keeps the image in service and
  // records the verdict in the statistics page. `current` is null at the first call.
  virtual StatusOr<std::unique_ptr<swap::Generation>> Load(const swap::Generation* current, const Logger& log) = 0;
  // Names the source in the statistics page and in log lines.
  virtual std::string description() const = 0;
};

}  // namespace mz::control
