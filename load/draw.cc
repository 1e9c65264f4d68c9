// See draw.h.
#include "load/draw.h"

#include <algorithm>
#include <cmath>

#include "format/dns/message.h"
#include "format/dns/name_limits.h"
#include "format/image/present.h"
#include "load/draw_address.h"
#include "load/draw_names.h"
#include "load/draw_spf.h"

namespace mz::load {

net::Ip4 Nearby(net::Ip4 address, Random& random) {
  return address ^ static_cast<net::Ip4>(random.Next() & ((1ull << random.Below(17)) - 1));
}

net::Ip6 Nearby(const net::Ip6& address, Random& random) {
  const uint64_t bits = random.Below(97);
  const uint64_t low = bits >= 64 ? ~0ull : (1ull << bits) - 1,
                 high = bits > 64 ? (1ull << (bits - 64)) - 1 : 0;
  return {address.high ^ (random.Next() & high), address.low ^ (random.Next() & low)};
}

namespace {

using image::DatasetRef;
using image::NameRecord;
using image::View;

constexpr double kApexShare = 1.0 / 128;  // SOA and NS of a zone are asked for too

constexpr uint32_t kNoSpf = ~0u;

struct Unit {
  uint32_t zone;
  uint32_t node;  // the Node with its datasets; of an SPF domain: the SpfDomain
  uint32_t name;  // NameRecord of the subzone or the domain; 0: the zone itself
  uint32_t spf;   // which of the zone's datasets the SPF domain belongs to; else kNoSpf
};
static_assert(sizeof(Unit) == 16);

bool IsAddressKind4(uint8_t kind) {
  return kind == image::kIp4Set || kind == image::kIp4Tset || kind == image::kIp4Trie;
}
bool IsAddressKind6(uint8_t kind) { return kind == image::kIp6Tset || kind == image::kIp6Trie; }
bool IsNameKind(uint8_t kind) { return kind == image::kDnset || kind == image::kGeneric; }

class ImageDrawer final : public Drawer {
 public:
  ImageDrawer(const View& view, const DrawSettings& settings)
      : view_(view), settings_(settings), random_(settings.seed), names_(view) {
    FindUnits();
    // The k-th most wanted unit is a random one.
    for (size_t i = units_.size(); i > 1; i--) std::swap(units_[i - 1], units_[random_.Below(i)]);
    if (settings.zipf > 0) {
      weight_.resize(units_.size());
      double sum = 0;
      for (size_t i = 0; i < units_.size(); i++)
        weight_[i] = sum += std::pow(static_cast<double>(i + 1), -settings.zipf);
    }
  }

  size_t units() const override { return units_.size(); }

  Question Next() override {
    if (units_.empty() || random_.Chance(kApexShare)) return ApexQuestion();
    // Once, so that units that have no hit (or nothing else) to offer do not shift the shares.
    const bool unknown = random_.Chance(settings_.unknown);
    const bool hit = !unknown && random_.Chance(settings_.hits);
    if (std::optional<Question> q = Try(unknown, hit)) return *std::move(q);
    // The other way round, for images that list everything, or nothing.
    if (std::optional<Question> q = Try(false, !hit)) return *std::move(q);
    return ApexQuestion();
  }

 private:
  static constexpr int kUnitTries = 16;
  static constexpr int kHopeless = 64;  // draws without one success: there is nothing of the kind

  std::optional<Question> Try(bool unknown, bool hit) {
    Luck& luck = luck_[hit];
    if (luck.found == 0 && luck.missed >= kHopeless && !unknown) return std::nullopt;
    for (int i = 0; i < kUnitTries; i++) {
      const Unit& unit = Pick();
      std::optional<Question> q =
          unit.spf != kNoSpf ? FromSpf(unit, unknown, hit) : FromNode(unit, unknown, hit);
      if (!q || q->name.size() >= dns::kMaxNameBytes) continue;
      luck.found += !unknown;
      last_.apply(&counts_);
      return q;
    }
    luck.missed++;
    return std::nullopt;
  }

  // What the question being made will be counted as.
  struct Tag {
    bool unknown = false, hit = false;
    int family = 0;  // 4, 6; 0: a name
    void apply(Counts* c) const {
      (unknown ? c->unknown : hit ? c->hits : c->misses)++;
      (family == 4 ? c->ip4 : family == 6 ? c->ip6 : c->names)++;
    }
  };

  void FindUnits() {
    for (uint32_t z = 0; z < view_.zones().size(); z++) {
      const image::Node& node = view_.node(view_.zones()[z].node);
      bool plain = false;
      uint32_t index = 0;
      for (const DatasetRef& ref : image::Datasets(node)) {
        if (ref.kind == image::kCombined || ref.kind == image::kSpf) {
          for (const uint32_t offset : names_.Of(ref.scope)) {
            const NameRecord& r = view_.name(offset);
            if ((r.flags & image::kNameExact) == 0) continue;
            units_.push_back({z, r.a, offset, ref.kind == image::kSpf ? index : kNoSpf});
          }
        } else {
          plain |= IsAddressKind4(ref.kind) || IsAddressKind6(ref.kind) || IsNameKind(ref.kind);
        }
        index++;
      }
      if (plain) units_.push_back({z, view_.zones()[z].node, 0, kNoSpf});
    }
  }

  const Unit& Pick() {
    if (weight_.empty()) return units_[random_.Below(units_.size())];
    const double at = random_.Unit() * weight_.back();
    const size_t i =
        static_cast<size_t>(std::upper_bound(weight_.begin(), weight_.end(), at) - weight_.begin());
    return units_[std::min(i, units_.size() - 1)];
  }

  std::string Apex(uint32_t zone) const {
    return std::string(image::NameView(view_.name(view_.zones()[zone].name)));
  }
  uint16_t AnyType() { return settings_.types[random_.Below(settings_.types.size())]; }

  Question ApexQuestion() {
    last_ = {false, true, 0};
    last_.apply(&counts_);
    const auto zone = static_cast<uint32_t>(random_.Below(view_.zones().size()));
    return {Apex(zone), random_.Chance(0.5) ? uint16_t{dns::kTypeSoa} : uint16_t{dns::kTypeNs}};
  }

  std::optional<Question> FromNode(const Unit& unit, bool unknown, bool hit) {
    std::string suffix = Apex(unit.zone);
    if (unknown)
      suffix = RandomLabel(random_) + suffix;
    else if (unit.name != 0)
      suffix = std::string(image::NameView(view_.name(unit.name))) + suffix;
    const std::span<const DatasetRef> refs = image::Datasets(view_.node(unit.node));
    if (refs.empty()) return std::nullopt;
    const DatasetRef* ref = &refs[random_.Below(refs.size())];
    if (IsNameKind(ref->kind)) return FromNames(*ref, suffix, unknown, hit);
    // The family is drawn first, where there is a choice.
    const bool four = Has(refs, IsAddressKind4), six = Has(refs, IsAddressKind6);
    if (!four && !six) return std::nullopt;
    const bool want_six = six && (!four || random_.Chance(settings_.ip6));
    do ref = &refs[random_.Below(refs.size())];
    while (!(want_six ? IsAddressKind6(ref->kind) : IsAddressKind4(ref->kind)));
    last_ = {unknown, hit, want_six ? 6 : 4};
    if (unknown)  // below a name that is not there any address will do
      return Question{(want_six ? ReversedLabels(AnyAddress<net::Ip6>(random_))
                                : ReversedLabels(AnyAddress<net::Ip4>(random_))) +
                          suffix,
                      AnyType()};
    if (want_six) return FromAddress<net::Ip6>(refs, ref->map6, suffix, hit);
    return FromAddress<net::Ip4>(refs, ref->map4, suffix, hit);
  }

  static bool Has(std::span<const DatasetRef> refs, bool (*is)(uint8_t)) {
    return std::any_of(refs.begin(), refs.end(), [is](const DatasetRef& r) { return is(r.kind); });
  }

  template <typename Address>
  std::optional<Question> FromAddress(std::span<const DatasetRef> refs, uint32_t map,
                                      const std::string& suffix, bool hit) {
    std::optional<Address> address = DrawListed<Address>(view_, map, random_);
    if (hit && !address) return std::nullopt;
    if (!hit) {
      // Half of the misses are neighbours of what is listed.
      const std::optional<Address> near = address;
      address.reset();
      for (int i = 0; i < internal::kTries && !address; i++) {
        const Address a = near && (i & 1) == 0 ? Nearby(*near, random_) : AnyAddress<Address>(random_);
        const bool listed = std::any_of(refs.begin(), refs.end(), [&](const DatasetRef& r) {
          const bool mine =
              sizeof(Address) == sizeof(net::Ip4) ? IsAddressKind4(r.kind) : IsAddressKind6(r.kind);
          return mine && Listed(view_, sizeof(Address) == sizeof(net::Ip4) ? r.map4 : r.map6, a);
        });
        if (!listed) address = a;
      }
      if (!address) return std::nullopt;
    }
    return Question{ReversedLabels(*address) + suffix, AnyType()};
  }

  std::optional<Question> FromNames(const DatasetRef& ref, const std::string& suffix, bool unknown,
                                    bool hit) {
    last_ = {unknown, hit, 0};
    if (!hit) return Question{RandomLabel(random_) + suffix, AnyType()};
    const std::span<const uint32_t> names = names_.Of(ref.scope);
    if (names.empty()) return std::nullopt;
    const NameRecord& r = view_.name(names[random_.Below(names.size())]);
    const std::string name = std::string(image::NameView(r)) + suffix;
    if (ref.kind == image::kGeneric) {
      if ((r.flags & image::kNameExact) == 0) return std::nullopt;
      const std::vector<image::GenericRr> records = image::DecodeRrset(view_.rrset(r.a));
      return Question{name, records[random_.Below(records.size())].type};
    }
    const bool exact = (r.flags & image::kNameExact) && r.a != 0,
               wild = (r.flags & image::kNameWild) && r.b != 0;
    if (!exact && !wild) return std::nullopt;
    if (exact && (!wild || random_.Chance(0.5))) return Question{name, AnyType()};
    return Question{RandomLabel(random_) + name, AnyType()};
  }

  std::optional<Question> FromSpf(const Unit& unit, bool unknown, bool hit) {
    const DatasetRef& ref = image::Datasets(view_.node(view_.zones()[unit.zone].node))[unit.spf];
    const NameRecord& r = view_.name(unit.name);
    const SpfDraw draw{.view = view_,
                       .zone = view_.spf_zone(ref.map4),
                       .domain = view_.spf_domain(unit.node),
                       .domain_name = unknown ? RandomLabel(random_) : std::string(image::NameView(r)),
                       .six = random_.Chance(settings_.ip6),
                       .hit = hit};
    std::optional<SpfQuestion> q = DrawSpf(draw, random_);
    if (!q) return std::nullopt;
    last_ = {unknown, hit, q->family};
    const bool a = (draw.zone.flags & image::kSpfAnswersA) && random_.Chance(0.5);
    return Question{q->name + Apex(unit.zone), a ? uint16_t{dns::kTypeA} : uint16_t{dns::kTypeTxt}};
  }

  const View view_;
  const DrawSettings settings_;
  Random random_;
  const NamesByScope names_;
  std::vector<Unit> units_;
  std::vector<double> weight_;  // cumulative; empty: all alike
  Tag last_;
  struct Luck {
    int found = 0, missed = 0;
  } luck_[2];  // by hit
};

}  // namespace

StatusOr<std::unique_ptr<Drawer>> Drawer::Make(const View& view, const DrawSettings& settings) {
  if (view.zones().empty())
    return MakeStatus(StatusCode::kFailedPrecondition,
                      "the image has no zone, so there is nothing to ask for");
  return std::unique_ptr<Drawer>(new ImageDrawer(view, settings));
}

}  // namespace mz::load
