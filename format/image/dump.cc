// See dump.h.
#include "format/image/dump.h"

#include "format/dns/name.h"
#include "format/image/cursor.h"
#include "format/image/healthcheck_present.h"
#include "format/image/spf_present.h"

namespace mz::image {

namespace {

class Dumper {
 public:
  Dumper(const View& view, const TextSink& sink) : view_(view), names_(view), out_(sink) {}

  void Run() {
    char profile[16];
    std::snprintf(profile, sizeof profile, "0x%x", view_.profile());
    out_.Line({"profile ", profile});
    if (uint32_t acl = view_.header().global_acl; acl != 0) {
      out_.Line({"global acl"});
      Acl(Datasets(view_.node(acl))[0], "  ");
    }
    SpfSets();
    for (const ZoneRecord& zone : view_.zones()) Zone(zone);
  }

 private:
  void SpfSets() {
    const SpfSetTexts sets = MakeSpfSetTexts(view_);
    for (size_t i = 0; i < sets.four.size(); i++)
      out_.Line({"spf ip4 set ", std::to_string(i + 1), ": ", sets.four[i]});
    for (size_t i = 0; i < sets.six.size(); i++)
      out_.Line({"spf ip6 set ", std::to_string(i + 1), ": ", sets.six[i]});
  }

  void Zone(const ZoneRecord& zone) {
    const std::string_view apex = NameView(view_.name(zone.name));
    out_.Line({"zone ", AbsoluteName(apex)});
    std::string flags;
    if (zone.flags & kZoneNotLoaded) flags += " not-loaded";
    if (zone.flags & kZoneEntNxdomain) flags += " ent-nxdomain";
    if (zone.flags & kZoneMinimal) flags += " minimal";
    if (!flags.empty()) out_.Line({"  flags", flags});
    out_.Line({"  serial ", std::to_string(zone.serial)});
    if (zone.expires_unix != 0) out_.Line({"  expires ", std::to_string(zone.expires_unix)});
    for (const std::string& line : AuthorityLines(view_, zone)) out_.Line({"  ", line});
    if (zone.acl != 0) {
      out_.Line({"  acl"});
      Acl(Datasets(view_.node(zone.acl))[0], "    ");
    }
    for (const DatasetRef& ref : Datasets(view_.node(zone.node))) Dataset(ref, "  ");
  }

  void Dataset(const DatasetRef& ref, const std::string& indent) {
    out_.Line({indent, "dataset ", KindText(ref.kind), " ttl ", std::to_string(ref.ttl)});
    const std::string inner = indent + "  ";
    if (ref.kind == kSpf) {
      for (const std::string& line : SpfZoneLines(view_, view_.spf_zone(ref.map4))) out_.Line({inner, line});
    } else if (ref.kind == kHealthcheck) {
      for (const std::string& line : HealthcheckZoneLines(view_, view_.healthcheck_zone(ref.map4)))
        out_.Line({inner, line});
    } else {
      Map<net::Ip4>(ref.map4, inner);
      Map<net::Ip6>(ref.map6, inner);
    }
    if (ref.scope == 0) return;
    for (uint32_t offset : names_.Sorted(ref.scope)) {
      const NameRecord& r = view_.name(offset);
      if (ref.kind == kDnset) DnsetName(r, inner);
      if (ref.kind == kGeneric && (r.flags & kNameExact)) GenericName(r, inner);
      if (ref.kind == kSpf && (r.flags & kNameExact)) {
        const SpfDomain& d = view_.spf_domain(r.a);
        out_.Line({inner, "domain ", AbsoluteName(NameView(r)), " ", SpfDomainText(d)});
        for (const std::string& line : SpfDomainLines(view_, d)) out_.Line({inner, "  ", line});
      }
      if (ref.kind == kHealthcheck && (r.flags & kNameExact)) {
        out_.Line({inner, "below an ID: ", RelativeName(r)});
        for (const std::string& line : HealthcheckNameLines(view_, view_.healthcheck_name(r.a)))
          out_.Line({inner, "  ", line});
      }
      if (ref.kind == kCombined && (r.flags & kNameExact)) {
        out_.Line({inner, "subzone ", RelativeName(r)});
        for (const DatasetRef& part : Datasets(view_.node(r.a)))
          Dataset(part, inner + "  ");  // parts do not nest
      }
    }
  }

  void Acl(const DatasetRef& ref, const std::string& indent) {
    out_.Line({indent, "ttl ", std::to_string(ref.ttl)});
    Map<net::Ip4>(ref.map4, indent);
    Map<net::Ip6>(ref.map6, indent);
  }

  template <typename Address>
  void Map(uint32_t offset, const std::string& indent) {
    if (offset == 0) return;
    MapCursor<Address> cursor(view_, offset);
    while (cursor.Next()) {
      if (cursor.result() == 0) continue;
      out_.Line({indent, net::RangeText(cursor.range()), " ", ResultText(view_, cursor.result())});
    }
  }

  void DnsetName(const NameRecord& r, const std::string& indent) {
    const std::string name = RelativeName(r);
    if (r.flags & kNameExact) out_.Line({indent, name, " ", ResultText(view_, r.a)});
    if (r.flags & kNameWild) out_.Line({indent, "*.", name, " ", ResultText(view_, r.b)});
  }

  void GenericName(const NameRecord& r, const std::string& indent) {
    const std::string name = RelativeName(r);
    for (const GenericRr& rr : DecodeRrset(view_.rrset(r.a)))
      out_.Line({indent, name, " ", std::to_string(rr.ttl), " ", dns::TypeText(rr.type), " ",
                 RdataText(rr.type, rr.rdata)});
  }

  const View& view_;
  const ScopeNames names_;
  LineWriter out_;
};

}  // namespace

void Dump(const View& view, const TextSink& sink) { Dumper(view, sink).Run(); }

}  // namespace mz::image
