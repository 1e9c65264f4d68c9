// What tests/data/images holds: images of the samples, broken ones, and what is expected of both.
#pragma once

#include <string>
#include <vector>

namespace mz::image {

struct CorpusFile {
  std::string path;  // "bad/bucket-hole.mzi", relative to tests/data/images
  std::string content;
};

std::vector<CorpusFile> MakeCorpus();

}  // namespace mz::image
