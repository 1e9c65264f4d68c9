// The SPF section of a zone image: header, programs, classes, zones with their layouts, domains. See
// verify_internal.h and the description in layout.h.
#include <algorithm>

#include "format/image/spf_view.h"
#include "format/image/verify_internal.h"

namespace mz::image::internal {

namespace {

bool IsHelperOctet(uint8_t c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); }

// 1..4 octets, then zeros.
bool HelperLabelOk(const uint8_t label[4]) {
  if (!IsHelperOctet(label[0])) return false;
  int i = 1;
  while (i < 4 && IsHelperOctet(label[i])) i++;
  while (i < 4 && label[i] == 0) i++;
  return i == 4;
}

bool IsVariable(uint8_t kind) { return kind == kSpfDomainPart || kind == kSpfIgnored; }

}  // namespace

// Programs and classes come first: what maps and domains may refer to is known from here on.
Status Verifier::CheckSpfHeader() {
  const SpfHeader* h = view_.spf();
  if (h == nullptr) return {};
  MZ_RETURN_IF_ERROR(spf_.Claim(1, sizeof(SpfHeader), "SPF header"));
  for (const Le32& r : h->reserved)
    if (r != 0) return spf_.Error("reserved octets of the SPF header are not zero", 1);
  if (h->program_count == 0) return spf_.Error("SPF header without the reserved program", 1);
  MZ_RETURN_IF_ERROR(spf_.Claim(h->programs, uint64_t{h->program_count} * sizeof(SpfProgram), "SPF programs"));
  for (uint32_t id = 0; id < h->program_count; id++) MZ_RETURN_IF_ERROR(CheckSpfProgram(id));
  MZ_RETURN_IF_ERROR(CheckClasses({spf_, h->classes4, h->class_words4, h->set_count4, ~0u}, &class_start4_));
  MZ_RETURN_IF_ERROR(CheckClasses({spf_, h->classes6, h->class_words6, h->set_count6, ~0u}, &class_start6_));
  if ((h->class_map4 == 0) != (h->classes4 == 0) || (h->class_map6 == 0) != (h->classes6 == 0) ||
      (h->classes4 == 0 && h->set_count4 != 0) || (h->classes6 == 0 && h->set_count6 != 0))
    return spf_.Error("SPF classes without map", 1);
  MZ_RETURN_IF_ERROR(AddMap(h->class_map4, /*six=*/false, MapUse::kClasses));
  return AddMap(h->class_map6, /*six=*/true, MapUse::kClasses);
}

Status Verifier::CheckSpfText(uint32_t offset, uint64_t place) {
  if (offset == 0) return {};
  MZ_RETURN_IF_ERROR(CheckText(offset));
  if (view_.text(offset).flags != kTextSpf) return spf_.Error("a text that is none of SPF", place);
  return {};
}

Status Verifier::CheckSpfProgram(uint32_t id) {
  const SpfProgram& p = view_.spf_program(id);
  const uint64_t place = view_.spf()->programs;
  auto error = [&](std::string_view what) { return spf_.Error(what, place); };
  if (id == 0)
    return AllZero(reinterpret_cast<const uint8_t*>(&p), sizeof p) ? Status()
                                                                   : error("SPF program 0 is not empty");
  if (p.outcome > kSpfOutcomeLast) return error("unknown outcome of an SPF program");
  if (p.reserved != 0 || p.reserved1 != 0) return error("reserved octets of an SPF program are not zero");
  MZ_RETURN_IF_ERROR(CheckSpfText(p.text, place));
  MZ_RETURN_IF_ERROR(CheckSpfText(p.explanation, place));
  for (const Le32& text : p.class_text) MZ_RETURN_IF_ERROR(CheckSpfText(text, place));
  if ((p.helpers == 0) != (p.helper_count == 0)) return error("wrong helpers of an SPF program");
  if (p.helpers == 0) return {};
  MZ_RETURN_IF_ERROR(
      spf_.Claim(p.helpers, uint64_t{p.helper_count} * sizeof(SpfHelperRecord), "helpers of an SPF program"));
  const uint8_t* last = nullptr;
  for (const SpfHelperRecord& helper : SpfHelpers(view_, p)) {
    if (!HelperLabelOk(helper.label)) return error("wrong label of an SPF helper");
    if (last != nullptr && std::memcmp(last, helper.label, 4) >= 0) return error("SPF helpers out of order");
    last = helper.label;
    MZ_RETURN_IF_ERROR(CheckSpfText(helper.text, place));
  }
  return {};
}

Status Verifier::CheckClasses(const ClassTableShape& shape, Bitmap* starts) {
  auto error = [&](std::string_view what) { return shape.heap.Error(what, shape.offset); };
  const uint32_t words = shape.words, set_count = shape.set_count;
  if ((shape.offset == 0) != (words == 0)) return error("wrong classes");
  if (shape.offset == 0) return {};
  MZ_RETURN_IF_ERROR(shape.heap.Claim(shape.offset, uint64_t{words} * sizeof(Le32), "classes"));
  const Le32* word = reinterpret_cast<const Le32*>(shape.heap.at(shape.offset));
  if (word[0] != 0) return error("class 0 is not empty");
  if (set_count >= words) return error("more sets than classes can hold");
  *starts = Bitmap(words);
  Bitmap used(uint64_t{set_count} + 1);
  uint64_t used_count = 0;
  for (uint64_t i = 1; i < words;) {
    const uint64_t count = word[i];
    if (count == 0 || count >= words - i || count > shape.max_members) return error("a class has an impossible size");
    starts->Set(i);
    uint32_t last = 0;
    for (uint64_t k = i + 1; k <= i + count; k++) {
      const uint32_t set = word[k];
      if (set <= last || set > set_count) return error("sets of a class out of order");
      last = set;
      used_count += !used.Set(set);
    }
    i += 1 + count;
  }
  if (used_count != set_count) return error("a set in no class");
  return {};
}

Status Verifier::CheckSpfZone(uint32_t offset, uint64_t place) {
  if (view_.spf() == nullptr) return Damaged(kNodes, "an spf dataset in an image without SPF", place);
  if (!spf_.Holds(offset, sizeof(SpfZone))) return Damaged(kNodes, "an SPF zone lies outside the section", place);
  if (spf_zone_seen_.Set(offset)) return {};
  const SpfZone& z = view_.spf_zone(offset);
  auto error = [&](std::string_view what) { return spf_.Error(what, offset); };
  MZ_RETURN_IF_ERROR(spf_.Claim(offset, SpfZoneBytes(z), "SPF zone"));
  if ((z.flags & ~uint32_t{kSpfZoneKnownFlags}) != 0 || z.unknown > kSpfUnknownRefuse)
    return error("unknown flags of an SPF zone");
  if (z.reserved != 0) return error("reserved octets of an SPF zone are not zero");
  if ((z.unknown == kSpfUnknownText) != (z.unknown_text != 0)) return error("wrong text for unknown SPF domains");
  MZ_RETURN_IF_ERROR(CheckSpfText(z.unknown_text, offset));
  MZ_RETURN_IF_ERROR(CheckSpfText(z.no_data_text, offset));
  if (z.default_domain != 0) MZ_RETURN_IF_ERROR(CheckSpfDomain(z.default_domain));
  if (z.layout_count == 0 || z.layout_count > kMaxSpfLayouts) return error("impossible number of SPF layouts");
  std::span<const SpfPart> parts = SpfParts(z);
  const uint8_t* labels = SpfLabels(z);
  uint32_t labels_seen = 0;
  for (const uint8_t count : SpfPartsOfLayout(z)) {
    if (count == 0 || count > kMaxSpfParts || count > parts.size())
      return error("impossible number of parts of an SPF layout");
    for (const SpfPart& part : parts.first(count)) {
      if (part.kind != kSpfLiteral) continue;
      if (part.label != labels_seen || part.label_bytes == 0 || part.label_bytes > 63 ||
          part.label_bytes > z.label_bytes - labels_seen)
        return error("a label of an SPF layout lies outside its zone");
      for (uint32_t i = 0; i < part.label_bytes; i++)
        if (labels[labels_seen + i] >= 'A' && labels[labels_seen + i] <= 'Z')
          return error("a label of an SPF layout is not in lower case");
      labels_seen += part.label_bytes;
    }
    MZ_RETURN_IF_ERROR(CheckSpfLayout(parts.first(count), offset));
    parts = parts.subspan(count);
  }
  if (!parts.empty() || labels_seen != z.label_bytes) return error("octets behind the last SPF layout");
  return {};
}

Status Verifier::CheckSpfLayout(std::span<const SpfPart> parts, uint64_t offset) {
  int addresses = 0, domains = 0, classes = 0;
  bool variable = false;
  for (const SpfPart& part : parts) {
    if (part.kind > kSpfPartLast || (part.kind != kSpfLiteral && (part.label_bytes != 0 || part.label != 0)))
      return spf_.Error("unknown part of an SPF layout", offset);
    addresses += part.kind == kSpfAddress || part.kind == kSpfAddressReversed;
    domains += part.kind == kSpfDomainPart;
    classes += part.kind == kSpfClassPart;
    if (variable && IsVariable(part.kind))
      return spf_.Error("parts of an SPF layout with nothing between them", offset);
    variable = IsVariable(part.kind);
  }
  if (addresses > 1 || domains > 1 || classes > 1) return spf_.Error("a part of an SPF layout twice", offset);
  return {};
}

Status Verifier::CheckSpfDomain(uint32_t offset) {
  if (view_.spf() == nullptr || !spf_.Holds(offset, sizeof(SpfDomain)))
    return spf_.Error("an SPF domain lies outside the section", offset);
  if (spf_domain_seen_.Set(offset)) return {};
  const SpfDomain& d = view_.spf_domain(offset);
  const SpfHeader& h = *view_.spf();
  auto error = [&](std::string_view what) { return spf_.Error(what, offset); };
  MZ_RETURN_IF_ERROR(spf_.Claim(offset, SpfDomainBytes(d), "SPF domain"));
  if ((d.flags & ~uint32_t{kSpfDomainKnownFlags}) != 0) return error("unknown flags of an SPF domain");
  if (d.reserved != 0) return error("reserved octets of an SPF domain are not zero");
  if (d.count4 > kMaxSpfEntries || d.count6 > kMaxSpfEntries) return error("too many entries of an SPF domain");
  if (d.flags & kSpfNoData) {
    if (d.program_count != 0 || d.default4 != 0 || d.default6 != 0 || d.count4 != 0 || d.count6 != 0 ||
        d.prefix_count6 != 0)
      return error("an SPF domain without data has some");
    return {};
  }
  if (d.default4 >= d.program_count || d.default6 >= d.program_count)
    return error("impossible default of an SPF domain");
  for (uint32_t i = 0; i < d.program_count; i++)
    if (SpfPrograms(d)[i] == 0 || SpfPrograms(d)[i] >= h.program_count)
      return error("impossible program of an SPF domain");
  uint32_t prefixes = 0;
  for (const bool six : {false, true}) {
    const SpfList list = six ? SpfList6(d) : SpfList4(d);
    for (uint32_t i = 0; i < list.count; i++) {
      const uint32_t key = list.key[i];
      const unsigned kind = list.kind[i];
      if (list.program[i] >= d.program_count) return error("impossible program of an SPF entry");
      if (kind == kSpfEntrySet) {
        if (key == 0 || key > (six ? h.set_count6 : h.set_count4)) return error("impossible set of an SPF entry");
      } else if (kind == kSpfEntryMap) {
        if (key == 0 || list.program[i] != 0) return error("impossible map of an SPF entry");
        std::lock_guard lock(map_mutex_);
        MZ_RETURN_IF_ERROR(AddMap(key, six, MapUse::kPrograms));
      } else if (!six) {
        if (kind > 32 || net::PrefixRange4(key, static_cast<int>(kind)).first != key)
          return error("impossible prefix of an SPF entry");
      } else {
        if (kind > 128 || key != prefixes || prefixes == d.prefix_count6)
          return error("impossible prefix of an SPF entry");
        const SpfPrefix6& p = SpfPrefixes6(d)[prefixes++];
        const net::Ip6 address{p.high, p.low};
        if (net::PrefixRange6(address, static_cast<int>(kind)).first != address)
          return error("impossible prefix of an SPF entry");
      }
    }
  }
  if (prefixes != d.prefix_count6) return error("an SPF prefix without entry");
  return {};
}

}  // namespace mz::image::internal
