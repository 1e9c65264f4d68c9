// The last images, kept beside the one in service for rollback: DIR/000042.mzi, hard links where the file system allows.
//
// A rollback puts an old image back and leaves the marker IMAGE.hold: until it is removed (`mailzone rollback --resume`),
// nothing new is published over the operator's choice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace mz::cli {

struct Generation {
  uint64_t number = 0;
  std::string path;
  int64_t written_unix = 0;
  uint64_t bytes = 0;
};

// Ascending. A missing directory is an empty list.
std::vector<Generation> ListGenerations(const std::string& directory);
// Keeps the image at `path` as the newest generation and drops the oldest ones beyond `keep`. Returns its number.
StatusOr<uint64_t> KeepGeneration(const std::string& path, const std::string& directory, uint64_t keep);
// Publishes a generation at `image` by rename and sets the marker. Errors: NotFound, those of the file system.
Status RollBack(const Generation& generation, const std::string& image);

std::string HoldMarker(const std::string& image);
bool IsHeld(const std::string& image);
Status Resume(const std::string& image);   // ok when it was not held

}  // namespace mz::cli
