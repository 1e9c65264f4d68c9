// IsEmptyNonTerminal(); see dataset_query.h.
//
// A name above something that is listed exists without records: resolvers that walk down label by label (RFC
// 9156) or that take NXDOMAIN for everything below (RFC 8020) would lose whole listings otherwise. Exact, and
// bounded: two searches per address map, one probe per name dataset.
#include <algorithm>
#include <cstring>

#include "server/answer/dataset_query.h"
#include "server/answer/name_search.h"

namespace mz::answer {
namespace {

constexpr net::Ip6 kMappedFirst{0, 0xffff00000000ull}, kMappedLast{0, 0xffffffffffffull};
constexpr net::Ip6 k6To4First{0x2002000000000000ull, 0}, k6To4Last{0x2002ffffffffffffull, ~0ull};

bool Overlap(const net::Range6& range, const net::Ip6& first, const net::Ip6& last, net::Range6* out) {
  out->first = range.first < first ? first : range.first;
  out->last = last < range.last ? last : range.last;
  return out->first <= out->last;
}

// Bounds the work for a denial in a zone that has others inside; of more zones the rest is not looked at.
constexpr int32_t kMaxNestedZones = 64;

// True when `name` without its first `labels` labels is `suffix`.
bool EndsAtBorder(std::span<const uint8_t> name, std::span<const uint8_t> suffix, unsigned labels) {
  size_t at = 0;
  for (; labels > 0; labels--) at += 1u + name[at];
  return name.size() - at == suffix.size() &&
         std::memcmp(name.data() + at, suffix.data(), suffix.size()) == 0;
}

// What the labels [0, left) stand for when they are the leading part of a reversed address.
struct PartialAddress {
  bool has_range4 = false, has_range6 = false;
  net::Range4 range4;
  net::Range6 range6;
};

PartialAddress PartOf(const Job& job, unsigned left) {
  PartialAddress part;
  if (left >= 1 && left <= 3) {
    net::Ip4 first;
    if (ReversedOctets(job.query, job.name, left, &first)) {
      part.has_range4 = true;
      part.range4 = {first, first | (~0u >> (8 * left))};
    }
  }
  if (left >= 1 && left <= 31) {
    net::Ip6 first;
    if (ReversedNibbles(job, left, &first)) {
      part.has_range6 = true;
      const unsigned bits = 4 * left;
      part.range6 = {first, first};
      if (bits < 64) {
        part.range6.last.high |= ~0ull >> bits;
        part.range6.last.low = ~0ull;
      } else {
        part.range6.last.low |= bits == 64 ? ~0ull : ~0ull >> (bits - 64);
      }
    }
  }
  return part;
}

class NonTerminalSearch {
 public:
  explicit NonTerminalSearch(Search& search) : s_(search) {}

  template <bool kNested>
  bool NodeHasBelow(const image::Node& node, unsigned left) {
    const PartialAddress part = PartOf(s_.job, left);
    const bool has_ip4 = node.flags & image::kNodeHasIp4;
    for (const image::DatasetRef& ref : image::Datasets(node)) {
      bool below = false;
      switch (ref.kind) {
        case image::kIp4Set:
        case image::kIp4Tset:
        case image::kIp4Trie:
          below = (part.has_range4 && Listed4(ref, part.range4)) ||
                  (part.has_range6 && ListedAsIp6(ref, part.range6));
          break;
        case image::kIp6Tset:
        case image::kIp6Trie:
          below = part.has_range6 && Listed6(ref, part.range6, has_ip4);
          break;
        case image::kDnset:
          below = !s_.job.access.empty() && DnsetBelow(ref, left);
          break;
        case image::kGeneric:
          below = StoredBelow(ref.scope, ref.exact_depths, left);
          break;
        case image::kCombined:
          if constexpr (!kNested) below = CombinedBelow(ref, left);
          break;
        default:
          break;
      }
      if (below) return true;
    }
    return false;
  }

  // A zone of ours below this name, though it is served as a zone of its own. The index stores apexes only,
  // so the zones are looked through; they lie before their ancestors (layout.h). Zones with others inside are
  // rare and few.
  bool ZoneBelow() {
    const Job& job = s_.job;
    if ((s_.view.name(job.zone->name).flags & image::kNameBelow) == 0) return false;
    const int32_t first = std::max(job.zone_index - kMaxNestedZones, 0);
    for (int32_t i = first; i < job.zone_index; i++) {
      const image::NameRecord& apex = s_.view.name(s_.view.zones()[static_cast<size_t>(i)].name);
      if (apex.labels <= job.labels()) continue;
      const unsigned bytes = job.LabelBytes(0, job.labels());
      if (EndsAtBorder(image::NameBytes(apex), {job.Labels(0), bytes}, apex.labels - job.labels()))
        return true;
    }
    return false;
  }

 private:
  // With an acl value every address is listed, with "empty" none is.
  bool Listed4(const image::DatasetRef& ref, const net::Range4& range) {
    if (s_.job.access.empty()) return false;
    if (s_.job.access.always()) return true;
    return ref.map4 != 0 && image::AnyListed(s_.view, s_.view.map(ref.map4), range.first, range.last);
  }

  bool ListedAsIp6(const image::DatasetRef& ref, const net::Range6& range) {
    net::Range6 part;
    if (Overlap(range, kMappedFirst, kMappedLast, &part) &&
        Listed4(ref, {static_cast<net::Ip4>(part.first.low), static_cast<net::Ip4>(part.last.low)}))
      return true;
    return Overlap(range, k6To4First, k6To4Last, &part) &&
           Listed4(ref, {static_cast<net::Ip4>(part.first.high >> 16),
                         static_cast<net::Ip4>(part.last.high >> 16)});
  }

  // Where IPv4 datasets take the v4-mapped addresses, IPv6 datasets are never asked for them.
  bool Listed6(const image::DatasetRef& ref, const net::Range6& range, bool without_mapped) {
    if (!without_mapped) return ListedRange6(ref, range);
    net::Range6 part;
    return (Overlap(range, {}, kMappedFirst.Previous(), &part) && ListedRange6(ref, part)) ||
           (Overlap(range, kMappedLast.Next(), net::kIp6Last, &part) && ListedRange6(ref, part));
  }
  bool ListedRange6(const image::DatasetRef& ref, const net::Range6& range) {
    if (s_.job.access.empty()) return false;
    if (s_.job.access.always()) return true;
    return ref.map6 != 0 && image::AnyListed(s_.view, s_.view.map(ref.map6), range.first, range.last);
  }

  bool StoredBelow(uint32_t scope, uint32_t depths, unsigned left) {
    if (!HasDeeper(depths, left)) return false;
    const image::NameRecord* r = FindRelative(s_.view, scope, 0, left, &s_.job);
    return r != nullptr && (r->flags & image::kNameBelow);
  }

  // A wildcard lists names below its own; the record of its name says so.
  bool DnsetBelow(const image::DatasetRef& ref, unsigned left) {
    if (left == 0) return false;
    if (!HasDepth(ref.wild_depths, left) && !HasDeeper(ref.wild_depths | ref.exact_depths, left))
      return false;
    const image::NameRecord* r = FindRelative(s_.view, ref.scope, 0, left, &s_.job);
    return r != nullptr && (r->flags & image::kNameBelow);
  }

  bool CombinedBelow(const image::DatasetRef& ref, unsigned left) {
    if (StoredBelow(ref.scope, ref.exact_depths, left)) return true;
    uint8_t depth;
    const image::NameRecord* subzone = FindSubzone(s_.view, ref, left, &s_.job, &depth);
    return subzone != nullptr && NodeHasBelow<true>(s_.view.node(subzone->a), left - depth);
  }

  Search& s_;
};

}  // namespace

bool IsEmptyNonTerminal(Search& search) {
  NonTerminalSearch below(search);
  return below.ZoneBelow() ||
         below.NodeHasBelow<false>(search.view.node(search.job.zone->node), search.job.apex);
}

}  // namespace mz::answer
