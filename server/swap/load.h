// Opens an image for service: the bytes end up in memory that no other process can change, verified to the last byte.
//
//   MZ_ASSIGN_OR_RETURN(auto generation, LoadImageFile("zone.mzi", options));
//
// A file that is mapped can be truncated (SIGBUS) or overwritten by a careless operator; docs/decisions tells what was
// measured. A file is therefore copied into anonymous memory (huge pages) and verified there; a memfd that is sealed
// against writing and resizing is mapped as it is. The memory of the copy's meta and provenance sections, which no
// server reads, is given back once they are verified. Errors: DataLoss (the image is damaged: why), ResourceExhausted
// (does not fit), or those of base/file.h. Control thread only.
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "server/swap/published.h"

namespace mz::swap {

struct LoadOptions {
  int verify_threads = 1;
  // Where the memory of a file's copy comes from, and goes when it is done with; null: from the kernel, and back.
  std::shared_ptr<SpareMemory> spare;
};

StatusOr<std::unique_ptr<Generation>> LoadImageFile(const std::string& path, const LoadOptions& options);
StatusOr<std::unique_ptr<Generation>> LoadSealedMemfd(UniqueFd fd, const LoadOptions& options);

}  // namespace mz::swap
