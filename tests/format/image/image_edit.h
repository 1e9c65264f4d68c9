// Takes images apart and puts them together again with right checksums, so that tests reach the checks behind
// them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "format/image/layout.h"
#include "format/image/view.h"

namespace mz::image {

using Bytes = std::vector<uint8_t>;

struct ImageParts {
  Header header;
  std::vector<Bytes> sections;  // without padding
};

// False when the section table does not fit the bytes.
bool Split(std::span<const uint8_t> image, ImageParts* parts);

// Lays the sections out again: table, sizes, checksums and identity are made right; everything else of the
// header stays.
Bytes Join(const ImageParts& parts);

// Makes header and section checksums, identity and file size right where that is possible, and touches
// nothing else.
void FixChecksums(Bytes* image);

// An image open for edits at the places that a View finds.
class ImageEditor {
 public:
  explicit ImageEditor(Bytes image) : bytes_(std::move(image)) {}
  View view() const { return View(bytes_); }
  template <typename T>
  T& Edit(const T& seen) {  // `seen`: from view()
    return const_cast<T&>(seen);
  }
  uint8_t* Section(SectionId id) { return bytes_.data() + header().sections[id].offset; }
  Header& header() { return *reinterpret_cast<Header*>(bytes_.data()); }
  Bytes& bytes() { return bytes_; }
  Bytes Finish() {
    FixChecksums(&bytes_);
    return std::move(bytes_);
  }

 private:
  Bytes bytes_;
};

}  // namespace mz::image
