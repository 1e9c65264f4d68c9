// See image_edit.h.
#include "tests/format/image/image_edit.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace mz::image {

namespace {

size_t Aligned(size_t n) { return (n + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment; }

void FixHeader(Header* h) {
  Header blank = *h;
  blank.created_unix = 0;
  blank.identity = 0;
  blank.checksum = 0;
  h->identity = XXH3_64bits(&blank, sizeof blank);
  h->checksum = XXH3_64bits(h, offsetof(Header, checksum));
}

}  // namespace

bool Split(std::span<const uint8_t> image, ImageParts* parts) {
  if (image.size() < sizeof(Header)) return false;
  std::memcpy(&parts->header, image.data(), sizeof(Header));
  parts->sections.clear();
  for (const SectionEntry& e : parts->header.sections) {
    if (e.offset > image.size() || e.size > image.size() - e.offset) return false;
    const auto bytes = image.subspan(e.offset, e.size);
    parts->sections.emplace_back(bytes.begin(), bytes.end());
  }
  return true;
}

Bytes Join(const ImageParts& parts) {
  Bytes out(sizeof(Header));
  Header h = parts.header;
  for (size_t i = 0; i < kSectionCount; i++) {
    const Bytes& section = parts.sections[i];
    const size_t offset = out.size(), padded = Aligned(section.size());
    out.resize(offset + padded);
    std::copy(section.begin(), section.end(), out.begin() + static_cast<ptrdiff_t>(offset));
    h.sections[i].offset = offset;
    h.sections[i].size = section.size();
    h.sections[i].checksum = XXH3_64bits(out.data() + offset, padded);
  }
  h.file_size = out.size();
  FixHeader(&h);
  std::memcpy(out.data(), &h, sizeof h);
  return out;
}

void FixChecksums(Bytes* image) {
  if (image->size() < sizeof(Header)) return;
  Header& h = *reinterpret_cast<Header*>(image->data());
  h.file_size = image->size();
  for (SectionEntry& e : h.sections) {
    const uint64_t offset = e.offset, size = e.size;
    if (offset > image->size() || size > image->size() - offset) continue;
    e.checksum = XXH3_64bits(image->data() + offset, std::min<size_t>(Aligned(size), image->size() - offset));
  }
  FixHeader(&h);
}

}  // namespace mz::image
