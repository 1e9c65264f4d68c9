// See spf_range.h.
#include "server/answer/spf_range.h"

namespace mz::answer {
namespace {

// Addresses tried one by one: one octet, or two nibbles.
constexpr unsigned kMaxTried = 256;

struct Family4 {
  using Address = net::Ip4;
  static image::SpfList List(const image::SpfDomain& d) { return image::SpfList4(d); }
  static uint32_t Default(const image::SpfDomain& d) { return image::SpfPrograms(d)[d.default4]; }
  static uint32_t ClassMap(const image::SpfHeader& h) { return h.class_map4; }
  static net::Range4 Prefix(const image::SpfDomain&, const image::SpfList& list, uint32_t i) {
    const unsigned length = list.kind[i];
    const net::Ip4 first = list.key[i];
    return {first, length == 32 ? first : first | ~0u >> length};
  }
  static constexpr net::Ip4 kLast = ~0u;
  static net::Ip4 Next(net::Ip4 a) { return a + 1; }
  static net::Ip4 Previous(net::Ip4 a) { return a - 1; }
};

struct Family6 {
  using Address = net::Ip6;
  static image::SpfList List(const image::SpfDomain& d) { return image::SpfList6(d); }
  static uint32_t Default(const image::SpfDomain& d) { return image::SpfPrograms(d)[d.default6]; }
  static uint32_t ClassMap(const image::SpfHeader& h) { return h.class_map6; }
  static net::Range6 Prefix(const image::SpfDomain& d, const image::SpfList& list, uint32_t i) {
    const image::SpfPrefix6& p = image::SpfPrefixes6(d)[list.key[i]];
    const unsigned length = list.kind[i];
    const net::Ip6 first{p.high, p.low};
    net::Ip6 last = first;
    if (length < 64) {
      last.high |= ~0ull >> length;
      last.low = ~0ull;
    } else if (length < 128) {
      last.low |= length == 64 ? ~0ull : ~0ull >> (length - 64);
    }
    return {first, last};
  }
  static constexpr net::Ip6 kLast{~0ull, ~0ull};
  static net::Ip6 Next(const net::Ip6& a) { return a.Next(); }
  static net::Ip6 Previous(const net::Ip6& a) { return a.Previous(); }
};

// The start of a stretch of addresses up to `at` that all entries treat alike.
template <typename Family>
typename Family::Address StretchStart(const image::View& view, const image::SpfDomain& d,
                                      typename Family::Address at) {
  using Address = typename Family::Address;
  Address start{};
  auto border = [&](const Address& a) {
    if (a <= at && a > start) start = a;
  };
  auto map_border = [&](uint32_t map) {
    const auto interval = image::FindAddress(view, view.map(map), at);
    if (interval.has_start) border(interval.start);
  };
  const image::SpfList list = Family::List(d);
  bool classes = false;
  for (uint32_t i = 0; i < list.count; i++) {
    if (list.kind[i] == image::kSpfEntrySet) {
      classes = true;
    } else if (list.kind[i] == image::kSpfEntryMap) {
      map_border(list.key[i]);
    } else {
      const auto range = Family::Prefix(d, list, i);
      border(range.first);
      if (range.last != Family::kLast) border(Family::Next(range.last));
    }
  }
  const uint32_t map = Family::ClassMap(*view.spf());
  if (classes && map != 0) map_border(map);
  return start;
}

template <typename Family>
uint32_t CommonOfRange(const image::View& view, const image::SpfDomain& d, const typename Family::Address& first,
                       const typename Family::Address& last) {
  const uint32_t steps = kSpfRangeWork / 2 / (Family::List(d).count + 8) + 1;
  const uint32_t id = image::EvaluateSpf(view, d, last).program;
  typename Family::Address at = last;
  for (uint32_t step = 0; step < steps; step++) {
    if (image::EvaluateSpf(view, d, at).program != id) return 0;
    const auto start = StretchStart<Family>(view, d, at);
    if (start <= first) return id;
    at = Family::Previous(start);
  }
  return 0;
}

}  // namespace

uint32_t CommonProgram4(const image::View& view, const image::SpfDomain& d, bool reversed, net::Ip4 known,
                        unsigned labels) {
  if (d.count4 == 0) return Family4::Default(d);
  if (labels == 0) return CommonOfRange<Family4>(view, d, 0, ~0u);
  if (reversed) return CommonOfRange<Family4>(view, d, known, known | ~0u >> (8 * labels));
  if (labels < 3 || kMaxTried * (d.count4 + 8u) > kSpfRangeWork) return 0;
  uint32_t id = 0;
  for (uint32_t octet = 0; octet < 256; octet++) {
    const uint32_t program = image::EvaluateSpf(view, d, known | octet << 24).program;
    if (octet != 0 && program != id) return 0;
    id = program;
  }
  return id;
}

uint32_t CommonProgram6(const image::View& view, const image::SpfDomain& d, bool reversed, const net::Ip6& known,
                        unsigned labels) {
  if (d.count6 == 0) return Family6::Default(d);
  if (labels == 0) return CommonOfRange<Family6>(view, d, {}, net::kIp6Last);
  if (reversed) {
    net::Ip6 last = known;
    const unsigned bits = 4 * labels;
    if (bits < 64) {
      last.high |= ~0ull >> bits;
      last.low = ~0ull;
    } else {
      last.low |= bits == 64 ? ~0ull : ~0ull >> (bits - 64);
    }
    return CommonOfRange<Family6>(view, d, known, last);
  }
  if (labels < 30 || kMaxTried * (d.count6 + 8u) > kSpfRangeWork) return 0;
  const unsigned open = labels == 31 ? 16 : 256;
  uint32_t id = 0;
  for (uint64_t i = 0; i < open; i++) {
    const net::Ip6 address{known.high | i << (labels == 31 ? 60 : 56), known.low};
    const uint32_t program = image::EvaluateSpf(view, d, address).program;
    if (i != 0 && program != id) return 0;
    id = program;
  }
  return id;
}

}  // namespace mz::answer
