// Small models that between them use every kind of object an image can hold. Tests, the image corpus and the
// fuzz target build their images from these.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/build/image_writer.h"
#include "compiler/build/model.h"

namespace mz::image {

// Names of the samples: "tiny", "every-kind", ...
std::vector<std::string> SampleNames();
// Those whose image stays below 32 KiB besides its fixed parts.
std::vector<std::string> SmallSampleNames();
compiler::ImageModel MakeSample(std::string_view name);

// The image of a sample, reproducible: pinned creation time and hash seed.
std::vector<uint8_t> SampleImage(std::string_view name);

// The models' bricks.
std::string Wire(std::string_view text);          // relative wire form, lower case
std::string WireWithRoot(std::string_view text);  // case as written
compiler::ResultId MakeResult(compiler::Pool* pool, std::string_view address, std::string_view text = "");
compiler::ResultId MakeAction(compiler::Pool* pool, AclAction action);

}  // namespace mz::image
