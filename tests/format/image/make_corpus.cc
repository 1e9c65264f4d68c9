// Writes the corpus of good and broken images: make_image_corpus DIRECTORY (tests/data/images).
//
// good/NAME.mzi with NAME.dump beside it; bad/NAME.mzi with NAME.txt, the verifier's message. corpus_test
// compares the stored files with what this program would write.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/format/image/corpus.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  for (const mz::image::CorpusFile& file : mz::image::MakeCorpus()) {
    const std::filesystem::path path = std::filesystem::path(argv[1]) / file.path;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(file.content.data(), static_cast<std::streamsize>(file.content.size()));
    if (!out.flush()) {
      std::fprintf(stderr, "cannot write %s\n", path.c_str());
      return 1;
    }
  }
  return 0;
}
