// The catalogue of broken images: each is a good sample with one thing wrong and, where that is the point,
// with all checksums made right again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/format/image/image_edit.h"

namespace mz::image {

struct BadImage {
  std::string name;    // file name without extension
  std::string sample;  // what it was made of
  std::function<Bytes(Bytes)> make;
  std::string reason;  // part of the verifier's message
  bool stored = true;  // false: too large to keep as a file
};

const std::vector<BadImage>& BadImages();

// A part of it: the healthcheck section.
std::vector<BadImage> HealthcheckDamage();

}  // namespace mz::image
