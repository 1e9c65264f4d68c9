// Turns an ImageModel into image bytes, and publishes them.
//
//   WriteOptions options;
//   MZ_ASSIGN_OR_RETURN(BuildResult r, WriteImageFile(model, "zone.mzi", options));
//   r.identity ...
//
// The same model and options give the same bytes. Equal maps, texts, results and nodes are stored once. Writing to a
// file: temporary name in the same directory, large writes, read back and verified (everything), fsync, rename, fsync of
// the directory; on any error the old file is untouched. Errors: ResourceExhausted (a limit of the format or the disk),
// Internal (the written image does not verify: our bug), or the errors of base/file.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/status.h"
#include "compiler/build/model.h"
#include "compiler/build/shared_sets.h"

namespace mz::compiler {

struct WriteOptions {
  bool provenance = true;
  std::optional<uint64_t> hash_seed;      // default: derived from the content
  std::optional<uint64_t> created_unix;   // default: now; 0 pins it
  int threads = 2;
  // Called with 0..1 from the building thread, at most some hundred times.
  std::function<void(double)> progress;
  std::string build_options_json;         // kept in the meta section, opaque to the writer; "" = {}
  // A zone whose SOA, or whose NS with glue, has more octets than this together with the zone's name, is written without
  // them and with a warning. 496 is rbldnsd's limit; up to image::kMaxAuthorityBytes.
  uint32_t authority_limit_bytes = 496;
  SharedSetPolicy shared_sets = SharedSetPolicy::kWhenSmaller;
  // WriteImageFile: an image with this identity is not written; the file stays as it is.
  std::optional<uint64_t> unless_identity;
};

struct BuildWarning {       // "zone NAME: MESSAGE": too many NS, no glue found, ...
  std::string zone;
  std::string message;
};

struct BuildResult {
  uint64_t identity = 0;
  bool unchanged = false;              // WriteOptions::unless_identity held
  uint64_t file_bytes = 0;
  uint32_t zones = 0;
  uint64_t names = 0;                  // records of the name index, apexes and empty non-terminals included
  uint64_t addresses_intervals = 0;    // of all maps, equal maps counted once
  std::vector<BuildWarning> warnings;
};

// Appends the image to `out` (cleared first).
StatusOr<BuildResult> WriteImage(const ImageModel& model, const WriteOptions& options, std::vector<uint8_t>* out);
StatusOr<BuildResult> WriteImageFile(const ImageModel& model, const std::string& path, const WriteOptions& options);
// A sealed memfd (no write, shrink or grow any more) that holds the image.
StatusOr<UniqueFd> WriteImageMemfd(const ImageModel& model, const WriteOptions& options, BuildResult* result);

}  // namespace mz::compiler
