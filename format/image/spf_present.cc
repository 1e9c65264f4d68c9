// See spf_present.h.
#include "format/image/spf_present.h"

#include <algorithm>

#include "format/image/cursor.h"
#include "format/image/present.h"

namespace mz::image {

namespace {

struct Four {
  using Address = net::Ip4;
  using Range = net::Range4;
  static constexpr std::string_view kName = "ip4";
  static SpfList List(const SpfDomain& d) { return SpfList4(d); }
  static Range Prefix(const SpfDomain&, const SpfList& list, uint32_t i) {
    return net::PrefixRange4(list.key[i], list.kind[i]);
  }
  static bool IsLast(net::Ip4 a) { return a == ~0u; }
  static net::Ip4 Next(net::Ip4 a) { return a + 1; }
  static uint32_t Default(const SpfDomain& d) { return SpfPrograms(d)[d.default4]; }
  static uint32_t ClassMap(const SpfHeader& h) { return h.class_map4; }
  static const Le32* Words(const View& v) {
    return reinterpret_cast<const Le32*>(v.spf_base() + size_t{v.spf()->classes4} * 8);
  }
  static uint32_t SetCount(const SpfHeader& h) { return h.set_count4; }
};

struct Six {
  using Address = net::Ip6;
  using Range = net::Range6;
  static constexpr std::string_view kName = "ip6";
  static SpfList List(const SpfDomain& d) { return SpfList6(d); }
  static Range Prefix(const SpfDomain& d, const SpfList& list, uint32_t i) {
    const SpfPrefix6& p = SpfPrefixes6(d)[list.key[i]];
    return net::PrefixRange6({p.high, p.low}, list.kind[i]);
  }
  static bool IsLast(const net::Ip6& a) { return a == net::kIp6Last; }
  static net::Ip6 Next(const net::Ip6& a) { return a.Next(); }
  static uint32_t Default(const SpfDomain& d) { return SpfPrograms(d)[d.default6]; }
  static uint32_t ClassMap(const SpfHeader& h) { return h.class_map6; }
  static const Le32* Words(const View& v) {
    return reinterpret_cast<const Le32*>(v.spf_base() + size_t{v.spf()->classes6} * 8);
  }
  static uint32_t SetCount(const SpfHeader& h) { return h.set_count6; }
};

template <typename Family>
std::vector<std::string> SetTexts(const View& view) {
  const SpfHeader& h = *view.spf();
  const uint32_t map = Family::ClassMap(h);
  if (map == 0) return {};
  // The ranges of each set, joined over neighbouring classes.
  std::vector<std::vector<typename Family::Range>> sets(Family::SetCount(h));
  const Le32* words = Family::Words(view);
  MapCursor<typename Family::Address> cursor(view, map);
  while (cursor.Next()) {
    const Le32* c = words + cursor.result();
    for (uint32_t i = 1; i <= c[0]; i++) {
      auto& ranges = sets[c[i] - 1];
      if (!ranges.empty() && Family::Next(ranges.back().last) == cursor.first()) {
        ranges.back().last = cursor.last();
      } else {
        ranges.push_back(cursor.range());
      }
    }
  }
  std::vector<std::string> out(sets.size());
  for (size_t i = 0; i < sets.size(); i++)
    for (const auto& r : sets[i]) out[i] += (out[i].empty() ? "" : " ") + net::RangeText(r);
  return out;
}

template <typename Family>
bool SameList(const View& a, const std::vector<std::string>& sets_a, const SpfDomain& domain_a, const View& b,
              const std::vector<std::string>& sets_b, const SpfDomain& domain_b) {
  const SpfList x = Family::List(domain_a), y = Family::List(domain_b);
  if (x.count != y.count || !SameSpfProgram(a, Family::Default(domain_a), b, Family::Default(domain_b)))
    return false;
  for (uint32_t i = 0; i < x.count; i++) {
    if (x.kind[i] != y.kind[i]) return false;
    if (x.kind[i] == kSpfEntryMap) {
      MapCursor<typename Family::Address> p(a, x.key[i]), q(b, y.key[i]);
      for (bool more = p.Next(); more; more = p.Next())
        if (!q.Next() || p.first() != q.first() || p.last() != q.last() ||
            (p.result() == 0) != (q.result() == 0) ||
            (p.result() != 0 && !SameSpfProgram(a, p.result(), b, q.result())))
          return false;
      continue;
    }
    if (!SameSpfProgram(a, SpfPrograms(domain_a)[x.program[i]], b, SpfPrograms(domain_b)[y.program[i]]))
      return false;
    if (x.kind[i] == kSpfEntrySet ? sets_a[x.key[i] - 1] != sets_b[y.key[i] - 1]
                                  : Family::Prefix(domain_a, x, i) != Family::Prefix(domain_b, y, i))
      return false;
  }
  return true;
}

template <typename Family>
void ListLines(const View& view, const SpfDomain& d, std::vector<std::string>* out) {
  const SpfList list = Family::List(d);
  const std::string family = std::string(Family::kName) + " ";
  for (uint32_t i = 0; i < list.count; i++) {
    const std::string program = ": " + SpfProgramText(view, SpfPrograms(d)[list.program[i]]);
    if (list.kind[i] == kSpfEntrySet) {
      out->push_back(family + "set " + std::to_string(list.key[i]) + program);
    } else if (list.kind[i] != kSpfEntryMap) {
      out->push_back(family + net::RangeText(Family::Prefix(d, list, i)) + program);
    } else {
      MapCursor<typename Family::Address> cursor(view, list.key[i]);
      while (cursor.Next())
        if (cursor.result() != 0)
          out->push_back(family + net::RangeText(cursor.range()) + ": " + SpfProgramText(view, cursor.result()));
    }
  }
  out->push_back(family + "else: " + SpfProgramText(view, Family::Default(d)));
}

template <typename Family>
std::vector<typename Family::Address> Borders(const View& view, const SpfDomain& d) {
  using Address = typename Family::Address;
  std::vector<Address> out{Address{}};
  auto add_map = [&](uint32_t map) {
    MapCursor<Address> cursor(view, map);
    while (cursor.Next()) out.push_back(cursor.first());
  };
  const SpfList list = Family::List(d);
  bool classes = false;
  for (uint32_t i = 0; i < list.count; i++) {
    if (list.kind[i] == kSpfEntrySet) {
      classes = true;
    } else if (list.kind[i] == kSpfEntryMap) {
      add_map(list.key[i]);
    } else {
      const auto range = Family::Prefix(d, list, i);
      out.push_back(range.first);
      if (!Family::IsLast(range.last)) out.push_back(Family::Next(range.last));
    }
  }
  if (classes && Family::ClassMap(*view.spf()) != 0) add_map(Family::ClassMap(*view.spf()));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool SameTexts(const View& a, uint32_t text_a, const View& b, uint32_t text_b) {
  if (text_a == 0 || text_b == 0) return text_a == text_b;
  return SameText(a.text(text_a), b.text(text_b));
}

std::string TextOr(const View& view, uint32_t text, std::string_view none) {
  return text == 0 ? std::string(none) : TemplateText(view.text(text));
}

}  // namespace

std::string SpfLayoutText(const SpfZone& zone, unsigned layout) {
  std::span<const SpfPart> parts = SpfParts(zone);
  for (unsigned i = 0; i < layout; i++) parts = parts.subspan(SpfPartsOfLayout(zone)[i]);
  std::string out;
  for (const SpfPart& p : parts.first(SpfPartsOfLayout(zone)[layout])) {
    if (!out.empty()) out += '.';
    switch (p.kind) {
      case kSpfLiteral:
        out += SpfLabel(zone, p);
        break;
      case kSpfAddress:
        out += "%{i}";
        break;
      case kSpfAddressReversed:
        out += "%{ir}";
        break;
      case kSpfFamily:
        out += "%{v}";
        break;
      case kSpfDomainPart:
        out += "%{d}";
        break;
      case kSpfIgnored:
        out += "%{*}";
        break;
      default:
        out += "%{class}";
        break;
    }
  }
  return out;
}

std::string_view SpfOutcomeText(uint8_t outcome) {
  static constexpr std::string_view kNames[] = {"pass",      "fail",      "softfail", "neutral",
                                                "permerror", "temperror", "dynamic"};
  static_assert(std::size(kNames) == kSpfOutcomeLast + 1);
  return outcome <= kSpfOutcomeLast ? kNames[outcome] : "?";
}

std::string SpfProgramText(const View& view, uint32_t id) {
  const SpfProgram& p = view.spf_program(id);
  std::string out = std::string(SpfOutcomeText(p.outcome)) + " " + TextOr(view, p.text, "SERVFAIL");
  for (const SpfHelperRecord& h : SpfHelpers(view, p)) {
    const auto* label = reinterpret_cast<const char*>(h.label);
    out += " _h" + std::string(label, strnlen(label, 4)) + " " + TextOr(view, h.text, "SERVFAIL");
  }
  if (p.explanation != 0) out += " _x " + TemplateText(view.text(p.explanation));
  for (uint32_t i = 0; i < kSpfClassLabels; i++)
    if (p.class_text[i] != 0)
      out += std::string(" ") + kSpfClassLetters[i] + " " + TemplateText(view.text(p.class_text[i]));
  return out;
}

bool SameSpfProgram(const View& a, uint32_t program_a, const View& b, uint32_t program_b) {
  const SpfProgram &x = a.spf_program(program_a), &y = b.spf_program(program_b);
  if (x.outcome != y.outcome || x.helper_count != y.helper_count) return false;
  if (!SameTexts(a, x.text, b, y.text) || !SameTexts(a, x.explanation, b, y.explanation)) return false;
  for (uint32_t i = 0; i < kSpfClassLabels; i++)
    if (!SameTexts(a, x.class_text[i], b, y.class_text[i])) return false;
  const auto helpers_x = SpfHelpers(a, x), helpers_y = SpfHelpers(b, y);
  for (size_t i = 0; i < helpers_x.size(); i++)
    if (std::memcmp(helpers_x[i].label, helpers_y[i].label, 4) != 0 ||
        !SameTexts(a, helpers_x[i].text, b, helpers_y[i].text))
      return false;
  return true;
}

SpfSetTexts MakeSpfSetTexts(const View& view) {
  if (view.spf() == nullptr) return {};
  return {SetTexts<Four>(view), SetTexts<Six>(view)};
}

bool SameSpfLists(const View& a, const SpfSetTexts& sets_a, const SpfDomain& domain_a, const View& b,
                  const SpfSetTexts& sets_b, const SpfDomain& domain_b) {
  if ((domain_a.flags | domain_b.flags) & kSpfNoData) return (domain_a.flags & domain_b.flags & kSpfNoData) != 0;
  return SameList<Four>(a, sets_a.four, domain_a, b, sets_b.four, domain_b) &&
         SameList<Six>(a, sets_a.six, domain_a, b, sets_b.six, domain_b);
}

std::vector<std::string> SpfZoneLines(const View& view, const SpfZone& z) {
  std::vector<std::string> out;
  for (unsigned i = 0; i < z.layout_count; i++) out.push_back("layout " + SpfLayoutText(z, i));
  if (z.flags & kSpfAnswersA) out.push_back("answers A 127.0.0.2");
  out.push_back("unknown domain: " + (z.unknown == kSpfUnknownRefuse ? std::string("REFUSED")
                                                                     : TextOr(view, z.unknown_text, "NXDOMAIN")));
  out.push_back("no data: " + TextOr(view, z.no_data_text, "SERVFAIL"));
  return out;
}

std::string SpfDomainText(const SpfDomain& d) {
  std::string out = "ttl " + std::to_string(d.ttl);
  if (d.flags & kSpfSubdomains) out += " subdomains";
  if (d.flags & kSpfNoData) out += " no-data";
  return out;
}

std::vector<std::string> SpfDomainLines(const View& view, const SpfDomain& d) {
  std::vector<std::string> out;
  if (d.flags & kSpfNoData) return out;
  ListLines<Four>(view, d, &out);
  ListLines<Six>(view, d, &out);
  return out;
}

std::vector<net::Ip4> SpfBorders4(const View& view, const SpfDomain& d) { return Borders<Four>(view, d); }
std::vector<net::Ip6> SpfBorders6(const View& view, const SpfDomain& d) { return Borders<Six>(view, d); }

}  // namespace mz::image
