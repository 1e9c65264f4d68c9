// See draw_names.h.
#include "load/draw_names.h"

#include <algorithm>

namespace mz::load {

NamesByScope::NamesByScope(const image::View& view) {
  const std::string_view section = view.section(image::kBuckets);
  const auto* buckets = reinterpret_cast<const image::Bucket*>(section.data());
  std::vector<uint64_t> all;  // scope, offset
  for (size_t b = 0; b < section.size() / sizeof(image::Bucket); b++)
    for (int i = 0; i < image::kBucketSlots && buckets[b].tag[i] != 0; i++) {
      const uint32_t offset = buckets[b].record[i], scope = view.name(offset).scope;
      if (scope != 0) all.push_back(uint64_t{scope} << 32 | offset);
    }
  std::sort(all.begin(), all.end());
  offsets_.reserve(all.size());
  for (const uint64_t entry : all) {
    const auto scope = static_cast<uint32_t>(entry >> 32), at = static_cast<uint32_t>(offsets_.size());
    if (ranges_.empty() || ranges_.back().scope != scope) ranges_.push_back({scope, at, at});
    ranges_.back().end = at + 1;
    offsets_.push_back(static_cast<uint32_t>(entry));
  }
}

std::span<const uint32_t> NamesByScope::Of(uint32_t scope) const {
  const auto it = std::lower_bound(ranges_.begin(), ranges_.end(), scope,
                                   [](const Range& r, uint32_t wanted) { return r.scope < wanted; });
  if (it == ranges_.end() || it->scope != scope) return {};
  return std::span(offsets_).subspan(it->begin, it->end - it->begin);
}

std::string RandomLabel(Random& random) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string out(1, '\x0c');
  for (int i = 0; i < 12; i++) out += kLetters[random.Below(sizeof kLetters - 1)];
  return out;
}

std::string Label(std::string_view text) { return static_cast<char>(text.size()) + std::string(text); }

std::string ReversedLabels(net::Ip4 a) {
  return Label(std::to_string(a & 255)) + Label(std::to_string(a >> 8 & 255)) +
         Label(std::to_string(a >> 16 & 255)) + Label(std::to_string(a >> 24));
}

std::string ForwardLabels(net::Ip4 a) { return ReversedLabels(ByteSwap(a)); }

std::string ReversedLabels(const net::Ip6& a) {
  std::string out;
  for (int i = 0; i < 32; i++) {
    const uint64_t half = i < 16 ? a.low : a.high;
    out += '\1';
    out += "0123456789abcdef"[half >> (4 * (i % 16)) & 15];
  }
  return out;
}

std::string ForwardLabels(const net::Ip6& a) {
  std::string out = ReversedLabels(a);
  for (size_t i = 0; i < 16; i++) std::swap(out[2 * i + 1], out[2 * (31 - i) + 1]);
  return out;
}

}  // namespace mz::load
