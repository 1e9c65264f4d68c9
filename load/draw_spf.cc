// See draw_spf.h.
#include "load/draw_spf.h"

#include <vector>

#include "format/image/spf_view.h"
#include "load/draw_address.h"
#include "load/draw_names.h"

namespace mz::load {

namespace {

using image::SpfPart;

struct Four {
  using Address = net::Ip4;
  static image::SpfList List(const image::SpfDomain& d) { return image::SpfList4(d); }
  static uint32_t ClassMap(const image::SpfHeader& h) { return h.class_map4; }
  static net::Ip4 InPrefix(const image::SpfDomain&, const image::SpfList& list, uint32_t i, Random& random) {
    const net::Range4 r = net::PrefixRange4(list.key[i], list.kind[i]);
    return r.first | (static_cast<net::Ip4>(random.Next()) & (r.first ^ r.last));
  }
};

struct Six {
  using Address = net::Ip6;
  static image::SpfList List(const image::SpfDomain& d) { return image::SpfList6(d); }
  static uint32_t ClassMap(const image::SpfHeader& h) { return h.class_map6; }
  static net::Ip6 InPrefix(const image::SpfDomain& d, const image::SpfList& list, uint32_t i,
                           Random& random) {
    const image::SpfPrefix6& p = image::SpfPrefixes6(d)[list.key[i]];
    const net::Range6 r = net::PrefixRange6({p.high, p.low}, list.kind[i]);
    return {r.first.high | (random.Next() & (r.first.high ^ r.last.high)),
            r.first.low | (random.Next() & (r.first.low ^ r.last.low))};
  }
};

template <typename Family>
std::optional<typename Family::Address> DrawClient(const SpfDraw& draw, Random& random) {
  using Address = typename Family::Address;
  if (draw.domain.flags & image::kSpfNoData) {
    if (draw.hit) return std::nullopt;
    return AnyAddress<Address>(random);
  }
  const image::SpfList list = Family::List(draw.domain);
  auto named = [&](const Address& a) { return EvaluateSpf(draw.view, draw.domain, a).entry >= 0; };
  if (draw.hit && list.count == 0) return std::nullopt;
  for (int i = 0; i < internal::kTries; i++) {
    std::optional<Address> a;
    if (draw.hit) {
      const auto entry = static_cast<uint32_t>(random.Below(list.count));
      if (list.kind[entry] == image::kSpfEntryMap)
        a = DrawListed<Address>(draw.view, list.key[entry], random);
      else if (list.kind[entry] == image::kSpfEntrySet)
        a = DrawBoundary<Address>(draw.view, Family::ClassMap(*draw.view.spf()), random,
                                  [](uint32_t) { return true; });
      else
        a = Family::InPrefix(draw.domain, list, entry, random);
    } else {
      a = AnyAddress<Address>(random);
    }
    if (a && named(*a) == draw.hit) return a;
  }
  return std::nullopt;
}

// The parts of each layout.
std::vector<std::span<const SpfPart>> Layouts(const image::SpfZone& zone) {
  std::vector<std::span<const SpfPart>> out;
  size_t at = 0;
  for (const uint8_t n : SpfPartsOfLayout(zone)) {
    out.push_back(SpfParts(zone).subspan(at, n));
    at += n;
  }
  return out;
}

bool HasDomain(std::span<const SpfPart> parts) {
  for (const SpfPart& p : parts)
    if (p.kind == image::kSpfDomainPart) return true;
  return false;
}

}  // namespace

std::optional<SpfQuestion> DrawSpf(const SpfDraw& draw, Random& random) {
  std::vector<std::span<const SpfPart>> layouts = Layouts(draw.zone), with_domain;
  for (const auto& parts : layouts)
    if (HasDomain(parts)) with_domain.push_back(parts);
  if (!with_domain.empty()) layouts = with_domain;
  const std::span<const SpfPart> parts = layouts[random.Below(layouts.size())];

  std::optional<net::Ip4> four;
  std::optional<net::Ip6> six;
  if (draw.six) six = DrawClient<Six>(draw, random);
  if (!six) four = DrawClient<Four>(draw, random);
  if (!four && !six) six = DrawClient<Six>(draw, random);
  if (!four && !six) return std::nullopt;

  SpfQuestion out{{}, 0};
  for (const SpfPart& p : parts) {
    switch (p.kind) {
      case image::kSpfLiteral:
        out.name += Label(SpfLabel(draw.zone, p));
        break;
      case image::kSpfAddress:
        out.name += six ? ForwardLabels(*six) : ForwardLabels(*four);
        out.family = six ? 6 : 4;
        break;
      case image::kSpfAddressReversed:
        out.name += six ? ReversedLabels(*six) : ReversedLabels(*four);
        out.family = six ? 6 : 4;
        break;
      case image::kSpfFamily:
        out.name += Label(six ? "ip6" : "in-addr");
        break;
      case image::kSpfDomainPart:
        out.name += draw.domain_name;
        break;
      case image::kSpfClassPart:
        out.name +=
            Label(std::string_view(&image::kSpfClassLetters[random.Below(image::kSpfClassLabels)], 1));
        break;
      default:  // kSpfIgnored
        out.name += Label("x");
        break;
    }
  }
  return out;
}

}  // namespace mz::load
