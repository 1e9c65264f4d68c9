// ImageModel -> the sections of an image, in memory. The steps: maps and values, names and nodes, zones with their
// authority blocks, metadata, provenance, name index, header.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "compiler/build/heap.h"
#include "compiler/build/image_writer.h"
#include "format/image/layout.h"

namespace mz::compiler {

struct BuiltImage {
  image::Header header;
  std::array<Bytes, image::kSectionCount> sections;  // without padding
};

// Fills `out`. Errors: as WriteImage().
StatusOr<BuildResult> BuildImage(const ImageModel& model, const WriteOptions& options, BuiltImage* out);

}  // namespace mz::compiler
