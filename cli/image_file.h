// A verified image of a file, for the verbs that read one.
#pragma once

#include <string>

#include "base/file.h"
#include "base/status.h"
#include "format/image/view.h"

namespace mz::cli {

struct ImageFile {
  Mapping bytes;      // owns what the view reads
  image::View view;   // verified (everything)
};

// Errors: DataLoss (not an image, or a damaged one), or those of base/file.h; the path is in the message.
StatusOr<ImageFile> OpenImageFile(const std::string& path);

// True when the file begins like an image. False also when it cannot be read.
bool LooksLikeImage(const std::string& path);

// "1 zone", "2 zones"
std::string Count(uint64_t n, std::string_view noun);
// "512 B", "12.3 kB", "1.0 GB"; decimal units
std::string SizeText(uint64_t bytes);
// "0.04 s"
std::string SecondsText(double seconds);

}  // namespace mz::cli
