// See dump_bind.h.
#include "format/image/dump_bind.h"

#include <algorithm>
#include <list>
#include <unordered_map>

#include "format/dns/name.h"
#include "format/image/blocks4.h"
#include "format/image/cursor.h"

namespace mz::image {

namespace {

// "\tTXT\t\"...\"": only what would end the string or escape something is escaped, other octets stay as they
// are.
std::string MasterText(std::string_view octets) {
  std::string out = "\"";
  for (char c : octets) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

// Owner name of a block of addresses: the octets that are fixed, last one first, behind "*." when some are
// open.
std::string OwnerName(net::Ip4 address, uint32_t octets) {
  std::string out = octets < 4 ? "*" : "";
  for (uint32_t i = octets; i > 0; i--) {
    if (!out.empty()) out += '.';
    out += std::to_string(address >> (32 - 8 * i) & 0xff);
  }
  return out;
}

std::string OwnerName(const net::Ip6& address, uint32_t nibbles) {
  std::string out = nibbles < 32 ? "*" : "";
  for (uint32_t i = nibbles; i > 0; i--) {
    if (!out.empty()) out += '.';
    const uint64_t half = i > 16 ? address.low : address.high;
    out += "0123456789abcdef"[half >> (64 - 4 * ((i - 1) % 16 + 1)) & 15];
  }
  return out;
}

class BindDumper {
 public:
  BindDumper(const View& view, const TextSink& sink) : view_(view), names_(view), out_(sink) {}

  void Run(const DumpBindOptions& options) {
    out_.Line({"; zone dump made ", options.now_text});
    out_.Line({"; ", options.program});
    for (const ZoneRecord& zone : view_.zones()) Zone(zone);
  }

 private:
  void Zone(const ZoneRecord& zone) {
    const std::string_view apex = NameView(view_.name(zone.name));
    const std::string origin = AbsoluteName(apex);
    out_.Line({"$ORIGIN\t", origin});
    if (zone.soa != 0) {
      const AuthorityRr soa = DecodeAuthority(view_.authority(zone.soa), apex)[0];
      std::string numbers;
      for (uint32_t n : soa.numbers) numbers += (numbers.empty() ? "" : " ") + std::to_string(n);
      out_.Line({"@\t", std::to_string(zone.soa_ttl), "\tSOA\t", AbsoluteName(soa.names[0]), "\t",
                 AbsoluteName(soa.names[1]), "\t(", numbers, ")"});
    }
    if (zone.ns != 0)
      for (const AuthorityRr& rr : DecodeAuthority(view_.authority(view_.rotation(zone, 0)), apex))
        if (!rr.names.empty()) out_.Line({"\t", std::to_string(rr.ttl), "\tNS\t", AbsoluteName(rr.names[0])});
    bool in_subzone = false;
    for (const DatasetRef& ref : Datasets(view_.node(zone.node))) {
      if (in_subzone) out_.Line({"$ORIGIN\t", origin});
      in_subzone = false;
      Ttl(ref.ttl);
      if (ref.kind == kCombined) {
        in_subzone = Combined(ref, origin);
      } else {
        Dataset(ref);
      }
    }
  }

  void Ttl(uint32_t ttl) {
    out_.Line({"$TTL ", std::to_string(ttl)});
    ttl_ = ttl;
  }

  void Dataset(const DatasetRef& ref) {
    if (ref.kind == kSpf) {
      out_.Line({"; SPF zone: its names are made of addresses and domains, and cannot be listed"});
      return;
    }
    if (ref.kind == kHealthcheck) {
      out_.Line({"; healthcheck zone: its names are made of IDs, and cannot be listed"});
      return;
    }
    if (ref.map4 != 0) {
      if (ref.kind == kIp4Set) {
        Ip4Set(ref.map4);
      } else {
        Gaps4(ref.map4);
      }
    }
    if (ref.map6 != 0) Gaps6(ref.map6);
    if (ref.kind == kDnset) Dnset(ref.scope);
    if (ref.kind == kGeneric) Generic(ref.scope);
  }

  void Ip4Set(uint32_t map) {
    MapCursor<net::Ip4> cursor(view_, map);
    cursor.Next();
    for (uint32_t top = 0; top < 256; top++) {
      const MapCursor<net::Ip4> start = cursor;
      blocks_.Load(&cursor, top);
      blocks_.Emit(start, [&](net::Ip4 address, uint32_t octets, uint32_t result) {
        Answer(OwnerName(address, octets), result, net::ToString(address));
      });
    }
  }

  // The fewest blocks of whole octets that make up each listed interval, the largest being a /8 (IPv6: a /4).
  void Gaps4(uint32_t map) {
    MapCursor<net::Ip4> cursor(view_, map);
    while (cursor.Next()) {
      if (cursor.result() == 0) continue;
      for (uint64_t at = cursor.first(); at <= cursor.last();) {
        uint32_t octets = 4;
        uint64_t size = 1;
        while (octets > 1 && at % (size << 8) == 0 && at + (size << 8) - 1 <= cursor.last()) {
          size <<= 8;
          octets--;
        }
        Answer(OwnerName(static_cast<net::Ip4>(at), octets), cursor.result(),
               net::ToString(static_cast<net::Ip4>(at)));
        at += size;
      }
    }
  }

  void Gaps6(uint32_t map) {
    MapCursor<net::Ip6> cursor(view_, map);
    while (cursor.Next()) {
      if (cursor.result() == 0) continue;
      for (net::Ip6 at = cursor.first();;) {
        uint32_t nibbles = 32;
        while (nibbles > 1) {
          const net::Range6 larger = net::PrefixRange6(at, static_cast<int>(4 * (nibbles - 1)));
          if (larger.first != at || larger.last > cursor.last()) break;
          nibbles--;
        }
        Answer(OwnerName(at, nibbles), cursor.result(), net::ToString(at));
        const net::Ip6 last = net::PrefixRange6(at, static_cast<int>(4 * nibbles)).last;
        if (last == cursor.last()) break;
        at = last.Next();
      }
    }
  }

  void Answer(const std::string& owner, uint32_t result, std::string_view subject) {
    if (result == 0) {
      out_.Line({owner, "\tCNAME\texcluded"});
      return;
    }
    for (uint32_t id = result;; id++) {
      const Value& v = view_.value(id);
      const net::Ip4 a = net::Ip4{v.a[0]} << 24 | net::Ip4{v.a[1]} << 16 | net::Ip4{v.a[2]} << 8 | v.a[3];
      out_.Line({owner, "\tA\t", net::ToString(a)});
      if (uint32_t text = v.ref & kValueTextMask; text != 0) {
        const std::string content = ExpandText(view_.text(text), subject);
        if (!content.empty()) out_.Line({"\tTXT\t", MasterText(content)});
      }
      if ((v.ref & kValueMore) == 0) return;
    }
  }

  // Names of a scope that have the flag, shorter wire forms first, then octet by octet.
  std::vector<uint32_t> ByLength(uint32_t scope, uint8_t flag) const {
    std::vector<uint32_t> out;
    for (uint32_t offset : names_.Sorted(scope))
      if (view_.name(offset).flags & flag) out.push_back(offset);
    std::sort(out.begin(), out.end(), [&](uint32_t x, uint32_t y) {
      const std::string_view a = NameView(view_.name(x)), b = NameView(view_.name(y));
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    return out;
  }

  void Dnset(uint32_t scope) {
    for (uint32_t offset : ByLength(scope, kNameExact)) {
      const std::string name = RelativeName(view_.name(offset));
      Answer(name, view_.name(offset).a, name);
    }
    for (uint32_t offset : ByLength(scope, kNameWild)) {
      const std::string name = RelativeName(view_.name(offset));
      Answer("*." + name, view_.name(offset).b, name);
    }
  }

  void Generic(uint32_t scope) {
    for (uint32_t offset : ByLength(scope, kNameExact)) {
      std::string owner = RelativeName(view_.name(offset));
      std::vector<GenericRr> records = DecodeRrset(view_.rrset(view_.name(offset).a));
      std::stable_sort(records.begin(), records.end(),
                       [](const GenericRr& a, const GenericRr& b) { return a.type < b.type; });
      for (const GenericRr& rr : records) {
        std::string data = RdataText(rr.type, rr.rdata);
        if (rr.type == 15) data[data.find(' ')] = '\t';
        out_.Line({owner, "\t", std::to_string(rr.ttl), "\t", dns::TypeText(rr.type), "\t", data});
        owner.clear();
      }
    }
  }

  // Subzones in the order in which rbldnsd keeps them: as written, but each before its nearest ancestor.
  std::vector<uint32_t> SubzoneOrder(uint32_t scope) const {
    std::vector<uint32_t> written;  // records lie in the order of the source
    for (uint32_t offset : names_.Sorted(scope))
      if (view_.name(offset).flags & kNameExact) written.push_back(offset);
    std::sort(written.begin(), written.end());
    std::list<uint32_t> order;
    std::unordered_map<std::string_view, std::list<uint32_t>::iterator> place;
    for (uint32_t offset : written) {
      const std::string_view name = NameView(view_.name(offset));
      auto before = order.end();
      for (std::string_view up = name; !up.empty() && before == order.end();) {
        up.remove_prefix(1u + static_cast<uint8_t>(up[0]));
        if (auto it = place.find(up); it != place.end()) before = it->second;
      }
      place[name] = order.insert(before, offset);
    }
    return {order.begin(), order.end()};
  }

  // Returns true when the origin is no longer the zone's.
  bool Combined(const DatasetRef& ref, const std::string& origin) {
    bool moved = false;
    for (uint32_t offset : SubzoneOrder(ref.scope)) {
      const NameRecord& r = view_.name(offset);
      out_.Line({"$ORIGIN ", r.name_bytes == 0 ? "" : dns::NameText(NameView(r)) + ".", origin});
      for (const DatasetRef& part : Datasets(view_.node(r.a))) {
        if (part.ttl != ttl_) Ttl(part.ttl);
        Dataset(part);
      }
      moved = r.name_bytes != 0;
    }
    return moved;
  }

  const View& view_;
  const ScopeNames names_;
  LineWriter out_;
  Blocks4 blocks_;
  uint32_t ttl_ = 0;  // in effect
};

}  // namespace

void DumpBind(const View& view, const DumpBindOptions& options, const TextSink& sink) {
  BindDumper(view, sink).Run(options);
}

}  // namespace mz::image
