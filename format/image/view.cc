// See view.h and name_hash.h.
#include "format/image/view.h"

namespace mz::image {

View::View(std::span<const uint8_t> bytes) : bytes_(bytes) {
  const Header& h = header();
  auto base = [&](SectionId id) { return bytes_.data() + h.sections[id].offset; };
  zones_ = reinterpret_cast<const ZoneRecord*>(base(kZones));
  zone_count_ = static_cast<uint32_t>(h.sections[kZones].size / sizeof(ZoneRecord));
  buckets_ = reinterpret_cast<const Bucket*>(base(kBuckets));
  bucket_count_ = static_cast<uint32_t>(h.sections[kBuckets].size / sizeof(Bucket));
  nodes_ = base(kNodes);
  maps_ = base(kMaps);
  result_tables_ = reinterpret_cast<const Le32*>(base(kResultTables));
  values_ = reinterpret_cast<const Value*>(base(kValues));
  value_count_ = static_cast<uint32_t>(h.sections[kValues].size / sizeof(Value));
  texts_ = base(kTexts);
  rrsets_ = base(kRrsets);
  spf_ = base(kSpfData);
  healthcheck_ = base(kHealthcheckData);
  has_spf_ = h.sections[kSpfData].size >= 8 + sizeof(SpfHeader);
  for (const SectionId id :
       {kBuckets, kNodes, kMaps, kResultTables, kValues, kTexts, kRrsets, kSpfData, kHealthcheckData})
    served_bytes_ += h.sections[id].size;
  hash_seed_ = h.hash_seed;
  max_probes_ = h.max_probes;
  profile_ = h.profile;
  shared_sets_ = h.shared_sets;
  zone_depths_ = h.zone_depths;
}

std::string_view View::section(SectionId id) const {
  const SectionEntry& e = header().sections[id];
  return {reinterpret_cast<const char*>(bytes_.data()) + e.offset, static_cast<size_t>(e.size)};
}

uint64_t HashName(uint64_t seed, uint32_t scope, std::span<const uint8_t> name) {
  // A copy with 8 octets behind it that may be read; then label starts left to right, hashes right to left.
  constexpr size_t kMaxName = 255;
  uint8_t padded[kMaxName + 8];
  const size_t size = name.size() < kMaxName ? name.size() : kMaxName;
  std::memcpy(padded, name.data(), size);
  std::memset(padded + size, 0, 8);
  uint8_t starts[128];
  size_t labels = 0;
  for (size_t i = 0; i < size && labels < 128; i += 1u + name[i]) starts[labels++] = static_cast<uint8_t>(i);
  NameHasher hasher(seed, scope);
  while (labels > 0) {
    const size_t start = starts[--labels];
    // Not more than there is, should the name be malformed.
    const size_t length = padded[start] < size - start ? padded[start] : size - start - 1;
    hasher.Add(HashLabel(seed, padded + start + 1, static_cast<unsigned>(length)));
  }
  return hasher.Finish();
}

}  // namespace mz::image
