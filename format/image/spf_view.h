// SPF objects of an image: where their parts lie, and which program an address gets.
//
//   const SpfDomain& d = view.spf_domain(record.a);
//   SpfMatch m = EvaluateSpf(view, d, ip);
//   const SpfProgram& p = view.spf_program(m.program);
//
// Requires everywhere: a fully verified view. Pure functions; no allocation; any thread. Cost of an evaluation:
// one search in the class map and one pass over the domain's list (at most kMaxSpfEntries).
#pragma once

#include <span>
#include <string_view>

#include "format/image/view.h"

namespace mz::image {

// The list of one family. For IPv6 a prefix's key is an index into SpfPrefixes6().
struct SpfList {
  const Le32* key;
  const uint8_t* kind;     // SpfEntryKind or a prefix length
  const uint8_t* program;  // index into SpfPrograms()
  uint32_t count;
};

inline const Le32* SpfPrograms(const SpfDomain& d) { return reinterpret_cast<const Le32*>(&d + 1); }
inline SpfList SpfList4(const SpfDomain& d) {
  const uint32_t n = d.count4;
  const Le32* key = SpfPrograms(d) + d.program_count;
  const auto* kind = reinterpret_cast<const uint8_t*>(key + n);
  return {key, kind, kind + n, n};
}
inline SpfList SpfList6(const SpfDomain& d) {
  const uint32_t n = d.count6;
  const SpfList four = SpfList4(d);
  const auto* key = reinterpret_cast<const Le32*>(four.program + four.count);
  const auto* kind = reinterpret_cast<const uint8_t*>(key + n);
  return {key, kind, kind + n, n};
}
inline const SpfPrefix6* SpfPrefixes6(const SpfDomain& d) {
  const SpfList six = SpfList6(d);
  return reinterpret_cast<const SpfPrefix6*>(six.program + six.count);
}
inline uint64_t SpfDomainBytes(const SpfDomain& d) {
  return sizeof(SpfDomain) + sizeof(Le32) * uint64_t{d.program_count} + 6 * (uint64_t{d.count4} + d.count6) +
         sizeof(SpfPrefix6) * uint64_t{d.prefix_count6};
}

inline std::span<const uint8_t> SpfPartsOfLayout(const SpfZone& z) {
  return {reinterpret_cast<const uint8_t*>(&z + 1), z.layout_count};
}
inline std::span<const SpfPart> SpfParts(const SpfZone& z) {
  return {reinterpret_cast<const SpfPart*>(reinterpret_cast<const uint8_t*>(&z + 1) + z.layout_count),
          z.part_count};
}
inline const uint8_t* SpfLabels(const SpfZone& z) {
  return reinterpret_cast<const uint8_t*>(SpfParts(z).data() + z.part_count);
}
inline std::string_view SpfLabel(const SpfZone& z, const SpfPart& p) {
  return {reinterpret_cast<const char*>(SpfLabels(z)) + p.label, p.label_bytes};
}
inline uint64_t SpfZoneBytes(const SpfZone& z) {
  return sizeof(SpfZone) + z.layout_count + sizeof(SpfPart) * uint64_t{z.part_count} + z.label_bytes;
}
inline std::span<const SpfHelperRecord> SpfHelpers(const View& view, const SpfProgram& p) {
  return {reinterpret_cast<const SpfHelperRecord*>(view.spf_base() + size_t{p.helpers} * 8), p.helper_count};
}

struct SpfMatch {
  uint32_t program = 0;  // id
  int32_t entry = -1;    // of the family's list; -1: the default
};

namespace internal {

// The shared sets that hold an address, looked up at the first use.
template <typename Address>
class SpfClassOf {
 public:
  SpfClassOf(const View& view, const Address& address) : view_(view), address_(address) {}
  SpfClassOf(const View& view, const Address& address, uint32_t class_id) : view_(view), address_(address) { Use(class_id); }

  bool Empty() {
    if (ids_ == nullptr) Find();
    return count_ == 0;
  }
  bool Holds(uint32_t set) {
    if (ids_ == nullptr) Find();
    if (count_ <= kLinear) {
      for (uint32_t i = 0; i < count_; i++)
        if (ids_[i] == set) return true;
      return false;
    }
    uint32_t base = 0, n = count_;
    while (n > 1) {
      const uint32_t half = n / 2;
      base = ids_[base + half] <= set ? base + half : base;
      n -= half;
    }
    return ids_[base] == set;
  }

 private:
  static constexpr uint32_t kLinear = 8;

  void Find() {
    const SpfHeader& h = *view_.spf();
    constexpr bool kSix = sizeof(Address) == 16;
    const uint32_t map = kSix ? h.class_map6 : h.class_map4;
    uint32_t id = 0;
    if constexpr (kSix) {
      if (map != 0) id = FindAddress(view_, view_.map(map), address_).result;
    } else {
      if (map != 0) id = FindPlain4(view_, view_.map(map), address_).result;
    }
    Use(id);
  }
  void Use(uint32_t id) {
    const SpfHeader& h = *view_.spf();
    constexpr bool kSix = sizeof(Address) == 16;
    const uint32_t words = kSix ? h.classes6 : h.classes4;
    // Without classes word 0 of the reserved first unit is as good as an empty class.
    const Le32* c = reinterpret_cast<const Le32*>(view_.spf_base() + size_t{words} * 8) + id;
    count_ = c[0];
    ids_ = c + 1;
  }

  const View& view_;
  const Address& address_;
  const Le32* ids_ = nullptr;
  uint32_t count_ = 0;
};

}  // namespace internal

inline bool InPrefix(net::Ip4 ip, net::Ip4 prefix, unsigned length) {
  return length == 0 || (ip ^ prefix) >> (32 - length) == 0;
}
inline bool InPrefix(const net::Ip6& ip, const net::Ip6& prefix, unsigned length) {
  const uint64_t high = ip.high ^ prefix.high, low = ip.low ^ prefix.low;
  if (length <= 64) return length == 0 || high >> (64 - length) == 0;
  return high == 0 && low >> (128 - length) == 0;
}

namespace internal {

// What an entry of each kind needs: the bits of an address that must agree with a prefix, bit 32 where there is no prefix;
// and whether more than the list must be looked at.
struct SpfKinds {
  uint64_t mask[256];
  uint8_t look[256];
};
enum : uint8_t { kSpfLookSet = 1, kSpfLookMap = 2 };
constexpr SpfKinds MakeSpfKinds() {
  SpfKinds kinds{};
  for (unsigned kind = 0; kind < 256; kind++) {
    kinds.mask[kind] = kind > 32 ? uint64_t{1} << 32 : 0xffffffffull << (32 - kind) & 0xffffffff;
    kinds.look[kind] = kind == kSpfEntrySet ? kSpfLookSet : kind == kSpfEntryMap ? kSpfLookMap : 0;
  }
  return kinds;
}
inline constexpr SpfKinds kSpfKinds = MakeSpfKinds();

inline SpfMatch EvaluateSpf4(const View& view, const SpfDomain& d, net::Ip4 ip, SpfClassOf<net::Ip4>& sets) {
  const SpfList list = SpfList4(d);
  // Sets and prefixes alternate as each domain likes: one branch an entry, which is taken at the match, or where an entry
  // needs a look at more than the list. Most addresses are in no shared set at all.
  const unsigned looked_at = kSpfLookMap | (list.count != 0 && !sets.Empty() ? kSpfLookSet : 0);
  for (uint32_t i = 0; i < list.count; i++) {
    const unsigned kind = list.kind[i];
    const uint32_t key = list.key[i];
    const bool in_prefix = ((uint64_t{ip ^ key} | uint64_t{1} << 32) & kSpfKinds.mask[kind]) == 0;
    if (!(in_prefix | ((kSpfKinds.look[kind] & looked_at) != 0))) continue;
    if (kind == kSpfEntryMap) {
      const uint32_t program = internal::FindPlain4(view, view.map(key), ip).result;
      if (program != 0) return {program, static_cast<int32_t>(i)};
      continue;
    }
    if (in_prefix || sets.Holds(key)) return {SpfPrograms(d)[list.program[i]], static_cast<int32_t>(i)};
  }
  return {SpfPrograms(d)[d.default4], -1};
}
}  // namespace internal

// Requires: the domain has data (no kSpfNoData).
inline SpfMatch EvaluateSpf(const View& view, const SpfDomain& d, net::Ip4 ip) {
  internal::SpfClassOf<net::Ip4> sets(view, ip);
  return internal::EvaluateSpf4(view, d, ip, sets);
}
// The same when the class of the address is known already.
inline SpfMatch EvaluateSpf(const View& view, const SpfDomain& d, net::Ip4 ip, uint32_t class_id) {
  internal::SpfClassOf<net::Ip4> sets(view, ip, class_id);
  return internal::EvaluateSpf4(view, d, ip, sets);
}

namespace internal {
inline SpfMatch EvaluateSpf6(const View& view, const SpfDomain& d, const net::Ip6& ip, SpfClassOf<net::Ip6>& sets) {
  const SpfList list = SpfList6(d);
  const SpfPrefix6* prefixes = SpfPrefixes6(d);
  for (uint32_t i = 0; i < list.count; i++) {
    const unsigned kind = list.kind[i];
    bool hit;
    if (kind == kSpfEntrySet) {
      hit = sets.Holds(list.key[i]);
    } else if (kind <= 128) {
      const SpfPrefix6& p = prefixes[list.key[i]];
      hit = InPrefix(ip, {p.high, p.low}, kind);
    } else {
      const uint32_t program = FindAddress(view, view.map(list.key[i]), ip).result;
      if (program != 0) return {program, static_cast<int32_t>(i)};
      continue;
    }
    if (hit) return {SpfPrograms(d)[list.program[i]], static_cast<int32_t>(i)};
  }
  return {SpfPrograms(d)[d.default6], -1};
}
}  // namespace internal

inline SpfMatch EvaluateSpf(const View& view, const SpfDomain& d, const net::Ip6& ip) {
  internal::SpfClassOf<net::Ip6> sets(view, ip);
  return internal::EvaluateSpf6(view, d, ip, sets);
}
inline SpfMatch EvaluateSpf(const View& view, const SpfDomain& d, const net::Ip6& ip, uint32_t class_id) {
  internal::SpfClassOf<net::Ip6> sets(view, ip, class_id);
  return internal::EvaluateSpf6(view, d, ip, sets);
}

}  // namespace mz::image
