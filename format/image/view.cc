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
  hash_seed_ = h.hash_seed;
  max_probes_ = h.max_probes;
  profile_ = h.profile;
  zone_depths_ = h.zone_depths;
}

std::string_view View::section(SectionId id) const {
  const SectionEntry& e = header().sections[id];
  return {reinterpret_cast<const char*>(bytes_.data()) + e.offset, static_cast<size_t>(e.size)};
}

uint64_t HashName(uint64_t seed, uint32_t scope, std::span<const uint8_t> name) {
  // Collect label starts left to right, then hash right to left from a padded copy of each label.
  size_t starts[128];
  size_t labels = 0;
  for (size_t i = 0; i < name.size() && labels < 128; i += 1u + name[i]) starts[labels++] = i;
  NameHasher hasher(seed, scope);
  while (labels > 0) {
    size_t start = starts[--labels];
    uint8_t padded[72] = {};
    unsigned length = name[start];
    std::memcpy(padded, name.data() + start + 1, length <= 63 ? length : 63);
    hasher.Add(HashLabel(seed, padded, length));
  }
  return hasher.Finish();
}

}  // namespace mz::image
