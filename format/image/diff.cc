// See diff.h.
#include "format/image/diff.h"

#include <algorithm>

#include "format/dns/name.h"
#include "format/image/cursor.h"
#include "format/image/healthcheck_present.h"
#include "format/image/present.h"
#include "format/image/spf_present.h"

namespace mz::image {

namespace {

uint64_t AddressCount(const net::Range4& r) { return uint64_t{r.last} - r.first + 1; }
uint64_t AddressCount(const net::Range6&) { return 0; }

net::Ip4 PreviousAddress(net::Ip4 a) { return a - 1; }
net::Ip6 PreviousAddress(const net::Ip6& a) { return a.Previous(); }

class Differ {
 public:
  Differ(const View& before, const View& after, const DiffOptions& options, const ChangeSink& on_change,
         const ZoneSink& on_zone)
      : a_(before),
        b_(after),
        names_a_(before),
        names_b_(after),
        options_(options),
        on_change_(on_change),
        on_zone_(on_zone) {}

  bool Run() {
    Begin("");
    if (a_.profile() != b_.profile())
      Setting("", "profile", std::to_string(a_.profile()), std::to_string(b_.profile()));
    Acls(a_.header().global_acl, b_.header().global_acl);
    End(ChangeKind::kChanged);
    for (const ZoneRecord& zone : b_.zones()) {
      const ZoneRecord* old = FindZone(a_, NameBytes(b_.name(zone.name)));
      Begin(AbsoluteName(NameView(b_.name(zone.name))));
      Zones(old, &zone);
      End(old == nullptr ? ChangeKind::kAdded : ChangeKind::kChanged);
    }
    for (const ZoneRecord& zone : a_.zones()) {
      if (FindZone(b_, NameBytes(a_.name(zone.name))) != nullptr) continue;
      Begin(AbsoluteName(NameView(a_.name(zone.name))));
      Zones(&zone, nullptr);
      End(ChangeKind::kRemoved);
    }
    return any_;
  }

 private:
  static const ZoneRecord* FindZone(const View& view, std::span<const uint8_t> apex) {
    const NameRecord* r = view.FindName(0, HashName(view.hash_seed(), 0, apex), apex.data(), apex.size());
    return r == nullptr ? nullptr : &view.zones()[r->a];
  }

  void Begin(std::string zone) {
    count_ = {};
    count_.zone = std::move(zone);
  }
  void End(ChangeKind kind) {
    count_.kind = kind;
    if (count_.added + count_.removed + count_.changed + count_.settings == 0) return;
    any_ = true;
    if (on_zone_) on_zone_(count_);
  }

  void Report(std::string_view dataset, std::string_view what, bool entry, std::string before,
              std::string after) {
    Change c;
    c.kind = before.empty()  ? ChangeKind::kAdded
             : after.empty() ? ChangeKind::kRemoved
                             : ChangeKind::kChanged;
    c.zone = count_.zone;
    c.dataset = dataset;
    c.what = what;
    c.entry = entry;
    c.before = std::move(before);
    c.after = std::move(after);
    if (on_change_) on_change_(c);
  }
  void Setting(std::string_view dataset, std::string_view what, std::string before, std::string after) {
    if (before == after) return;
    count_.settings++;
    Report(dataset, what, false, std::move(before), std::move(after));
  }
  void Entry(std::string_view dataset, std::string_view what, bool had, bool has,
             const std::function<std::string()>& before, const std::function<std::string()>& after) {
    (had && has ? count_.changed : had ? count_.removed : count_.added)++;
    if (options_.entries) Report(dataset, what, true, had ? before() : "", has ? after() : "");
  }

  // Either may be null.
  void Zones(const ZoneRecord* a, const ZoneRecord* b) {
    if (a == nullptr || b == nullptr)
      Setting("", "zone", a == nullptr ? "" : "served", b == nullptr ? "" : "served");
    if (a != nullptr && b != nullptr) {
      Setting("", "flags", FlagText(*a), FlagText(*b));
      Setting("", "expires", std::to_string(a->expires_unix), std::to_string(b->expires_unix));
    }
    Authority("soa", a, b);
    Authority("ns", a, b);
    Authority("glue", a, b);
    Acls(a == nullptr ? 0 : uint32_t{a->acl}, b == nullptr ? 0 : uint32_t{b->acl});
    DatasetLists("", a == nullptr ? std::span<const DatasetRef>() : Datasets(a_.node(a->node)),
                 b == nullptr ? std::span<const DatasetRef>() : Datasets(b_.node(b->node)));
  }

  static std::string FlagText(const ZoneRecord& zone) {
    std::string out = "none";
    if (zone.flags & kZoneNotLoaded) out += " not-loaded";
    if (zone.flags & kZoneEntNxdomain) out += " ent-nxdomain";
    if (zone.flags & kZoneMinimal) out += " minimal";
    return out.size() > 4 ? out.substr(5) : out;
  }

  // The lines of one word, which is their first; a single line is a change, of several each one comes or
  // goes.
  void Authority(std::string_view word, const ZoneRecord* a, const ZoneRecord* b) {
    auto lines = [&](const View& view, const ZoneRecord* zone) {
      std::vector<std::string> out;
      if (zone == nullptr) return out;
      for (std::string& line : AuthorityLines(view, *zone))
        if (line.starts_with(word) && line[word.size()] == ' ') out.push_back(line.substr(word.size() + 1));
      return out;
    };
    const std::vector<std::string> old_lines = lines(a_, a), new_lines = lines(b_, b);
    if (old_lines.size() == 1 && new_lines.size() == 1) return Setting("", word, old_lines[0], new_lines[0]);
    for (const std::string& line : old_lines)
      if (std::find(new_lines.begin(), new_lines.end(), line) == new_lines.end()) Setting("", word, line, "");
    for (const std::string& line : new_lines)
      if (std::find(old_lines.begin(), old_lines.end(), line) == old_lines.end()) Setting("", word, "", line);
    if (old_lines != new_lines &&
        std::is_permutation(old_lines.begin(), old_lines.end(), new_lines.begin(), new_lines.end()))
      Setting("", word, "order of records", "another order of records");
  }

  void Acls(uint32_t a, uint32_t b) {
    const DatasetRef* old_ref = a == 0 ? nullptr : &Datasets(a_.node(a))[0];
    const DatasetRef* new_ref = b == 0 ? nullptr : &Datasets(b_.node(b))[0];
    if (old_ref != nullptr || new_ref != nullptr) Dataset("acl", old_ref, new_ref);
  }

  void DatasetLists(const std::string& prefix, std::span<const DatasetRef> a, std::span<const DatasetRef> b) {
    for (uint8_t kind = 1; kind <= kDatasetKindLast; kind++) {
      std::vector<const DatasetRef*> old_refs, new_refs;
      for (const DatasetRef& ref : a)
        if (ref.kind == kind) old_refs.push_back(&ref);
      for (const DatasetRef& ref : b)
        if (ref.kind == kind) new_refs.push_back(&ref);
      for (size_t i = 0; i < std::max(old_refs.size(), new_refs.size()); i++) {
        std::string path = prefix + std::string(KindText(kind));
        if (i > 0) path += "#" + std::to_string(i + 1);
        Dataset(path, i < old_refs.size() ? old_refs[i] : nullptr,
                i < new_refs.size() ? new_refs[i] : nullptr);
      }
    }
    auto same_order = [](const DatasetRef& x, const DatasetRef& y) { return x.kind == y.kind; };
    if (a.size() == b.size() && !std::equal(a.begin(), a.end(), b.begin(), same_order) &&
        std::is_permutation(a.begin(), a.end(), b.begin(), same_order))
      Setting(prefix, "dataset", "order", "another order");
  }

  // At most one of them is null.
  void Dataset(const std::string& path, const DatasetRef* a, const DatasetRef* b) {
    if (a == nullptr || b == nullptr) {
      auto text = [](const DatasetRef* ref) {
        return ref == nullptr ? std::string() : "ttl " + std::to_string(ref->ttl);
      };
      Setting(path, "dataset", text(a), text(b));
    } else if (a->ttl != b->ttl) {
      Setting(path, "ttl", std::to_string(a->ttl), std::to_string(b->ttl));
    }
    if ((a != nullptr ? a : b)->kind == kSpf) return SpfZones(path, a, b);
    if ((a != nullptr ? a : b)->kind == kHealthcheck) return HealthcheckZones(path, a, b);
    Maps<net::Ip4>(path, a == nullptr ? 0 : uint32_t{a->map4}, b == nullptr ? 0 : uint32_t{b->map4});
    Maps<net::Ip6>(path, a == nullptr ? 0 : uint32_t{a->map6}, b == nullptr ? 0 : uint32_t{b->map6});
    const uint8_t kind = (a != nullptr ? a : b)->kind;
    if (kind == kDnset || kind == kGeneric || kind == kCombined)
      Names(path, kind, a == nullptr ? 0 : uint32_t{a->scope}, b == nullptr ? 0 : uint32_t{b->scope});
  }

  // At most one of them is null.
  void SpfZones(const std::string& path, const DatasetRef* a, const DatasetRef* b) {
    if (a != nullptr && b != nullptr) {
      const std::vector<std::string> x = SpfZoneLines(a_, a_.spf_zone(a->map4)),
                                     y = SpfZoneLines(b_, b_.spf_zone(b->map4));
      for (const std::string& line : x)
        if (std::find(y.begin(), y.end(), line) == y.end()) Setting(path, "setting", line, "");
      for (const std::string& line : y)
        if (std::find(x.begin(), x.end(), line) == x.end()) Setting(path, "setting", "", line);
      if (x != y && std::is_permutation(x.begin(), x.end(), y.begin(), y.end()))
        Setting(path, "setting", "order of layouts", "another order of layouts");
    }
    if (!has_spf_sets_) {
      spf_sets_a_ = MakeSpfSetTexts(a_);
      spf_sets_b_ = MakeSpfSetTexts(b_);
      has_spf_sets_ = true;
    }
    Names(path, kSpf, a == nullptr ? 0 : uint32_t{a->scope}, b == nullptr ? 0 : uint32_t{b->scope});
  }

  // At most one of them is null. A changed key does not show but as a key: nobody can tell two of them apart by a text that
  // may be seen.
  void HealthcheckZones(const std::string& path, const DatasetRef* a, const DatasetRef* b) {
    if (a != nullptr && b != nullptr) {
      const HealthcheckZone &old_zone = a_.healthcheck_zone(a->map4), &new_zone = b_.healthcheck_zone(b->map4);
      Lines(path, HealthcheckZoneLines(a_, old_zone), HealthcheckZoneLines(b_, new_zone));
      if (old_zone.flags == new_zone.flags && std::memcmp(old_zone.keys, new_zone.keys, sizeof old_zone.keys) != 0)
        Setting(path, "key", "a key", "another key");
      const std::span<const HealthcheckId> x = HealthcheckRegistered(a_, old_zone), y = HealthcheckRegistered(b_, new_zone);
      if (x.size() == y.size() && !x.empty() && std::memcmp(x.data(), y.data(), x.size_bytes()) != 0)
        Setting(path, "registered", "registered IDs", "other registered IDs");
    }
    Names(path, kHealthcheck, a == nullptr ? 0 : uint32_t{a->scope}, b == nullptr ? 0 : uint32_t{b->scope});
  }

  void Lines(const std::string& path, const std::vector<std::string>& x, const std::vector<std::string>& y) {
    for (const std::string& line : x)
      if (std::find(y.begin(), y.end(), line) == y.end()) Setting(path, "setting", line, "");
    for (const std::string& line : y)
      if (std::find(x.begin(), x.end(), line) == x.end()) Setting(path, "setting", "", line);
  }

  void SpfDomains(const std::string& path, const std::string& name, const SpfDomain* a, const SpfDomain* b) {
    const std::string domain = path + "/" + name;
    if (a == nullptr || b == nullptr) {
      Entry(
          path, name, a != nullptr, b != nullptr, [&] { return SpfDomainText(*a); }, [&] { return SpfDomainText(*b); });
      return;
    }
    Setting(domain, "domain", SpfDomainText(*a), SpfDomainText(*b));
    if (SameSpfLists(a_, spf_sets_a_, *a, b_, spf_sets_b_, *b)) return;
    if ((a->flags | b->flags) & kSpfNoData) return;  // the settings tell
    SpfRanges(domain, SpfBorders4(a_, *a), SpfBorders4(b_, *b), ~0u, *a, *b);
    SpfRanges(domain, SpfBorders6(a_, *a), SpfBorders6(b_, *b), net::kIp6Last, *a, *b);
  }

  // Both sides' answers over the whole address space; neighbours with the same change are one change.
  template <typename Address>
  void SpfRanges(const std::string& path, const std::vector<Address>& borders_a, const std::vector<Address>& borders_b,
                 const Address& end, const SpfDomain& a, const SpfDomain& b) {
    std::vector<Address> borders;
    std::set_union(borders_a.begin(), borders_a.end(), borders_b.begin(), borders_b.end(), std::back_inserter(borders));
    typename MapCursor<Address>::Range pending{};
    uint32_t pending_a = 0, pending_b = 0;  // 0: none
    auto flush = [&] {
      if (pending_a == 0) return;
      Entry(
          path, net::RangeText(pending), true, true, [&] { return SpfProgramText(a_, pending_a); },
          [&] { return SpfProgramText(b_, pending_b); });
      count_.addresses4_changed += AddressCount(pending);
      pending_a = pending_b = 0;
    };
    for (size_t i = 0; i < borders.size(); i++) {
      Address last = end;
      if (i + 1 < borders.size()) last = PreviousAddress(borders[i + 1]);
      const uint32_t program_a = EvaluateSpf(a_, a, borders[i]).program;
      const uint32_t program_b = EvaluateSpf(b_, b, borders[i]).program;
      if (SameSpfProgram(a_, program_a, b_, program_b)) {
        flush();
      } else if (pending_a == program_a && pending_b == program_b) {
        pending.last = last;
      } else {
        flush();
        pending = {borders[i], last};
        pending_a = program_a;
        pending_b = program_b;
      }
    }
    flush();
  }

  // Two cursors side by side; neighbouring pieces with the same change are one change.
  template <typename Address>
  void Maps(const std::string& path, uint32_t map_a, uint32_t map_b) {
    if (map_a == 0 && map_b == 0) return;
    using Range = typename MapCursor<Address>::Range;
    MapCursor<Address> a(a_, map_a), b(b_, map_b);
    a.Next();
    b.Next();
    Range pending{};
    uint32_t pending_a = 0, pending_b = 0;
    bool has_pending = false;
    auto flush = [&] {
      if (!has_pending) return;
      has_pending = false;
      const bool had = pending_a != 0, has = pending_b != 0;
      (had && has ? count_.addresses4_changed
       : had      ? count_.addresses4_removed
                  : count_.addresses4_added) += AddressCount(pending);
      Entry(
          path, net::RangeText(pending), had, has, [&] { return ResultText(a_, pending_a); },
          [&] { return ResultText(b_, pending_b); });
    };
    for (;;) {
      const Range piece{std::max(a.first(), b.first()), std::min(a.last(), b.last())};
      if (SameResult(a_, a.result(), b_, b.result())) {
        flush();
      } else if (has_pending && pending_a == a.result() && pending_b == b.result()) {
        pending.last = piece.last;
      } else {
        flush();
        pending = piece;
        pending_a = a.result();
        pending_b = b.result();
        has_pending = true;
      }
      const bool a_ends = a.last() == piece.last, b_ends = b.last() == piece.last;
      if (a_ends && !a.Next()) break;
      if (b_ends && !b.Next()) break;
    }
    flush();
  }

  void Names(const std::string& path, uint8_t kind, uint32_t scope_a, uint32_t scope_b) {
    const auto of = [](const ScopeNames& names, uint32_t scope) {
      return scope == 0 ? std::span<const uint32_t>() : names.Sorted(scope);
    };
    std::span<const uint32_t> a = of(names_a_, scope_a), b = of(names_b_, scope_b);
    while (!a.empty() || !b.empty()) {
      int order = a.empty()   ? 1
                  : b.empty() ? -1
                              : CompareCanonical(NameBytes(a_.name(a[0])), NameBytes(b_.name(b[0])));
      const NameRecord* x = order <= 0 ? &a_.name(a[0]) : nullptr;
      const NameRecord* y = order >= 0 ? &b_.name(b[0]) : nullptr;
      if (x != nullptr) a = a.subspan(1);
      if (y != nullptr) b = b.subspan(1);
      Name(path, kind, x, y);
    }
  }

  // At most one of them is null.
  void Name(const std::string& path, uint8_t kind, const NameRecord* a, const NameRecord* b) {
    const std::string name = RelativeName(a != nullptr ? *a : *b);
    const auto has = [](const NameRecord* r, uint8_t flag) { return r != nullptr && (r->flags & flag) != 0; };
    const bool in_a = has(a, kNameExact), in_b = has(b, kNameExact);
    if (kind == kDnset) {
      Listed(path, name, in_a, in_b, a == nullptr ? 0 : uint32_t{a->a}, b == nullptr ? 0 : uint32_t{b->a});
      Listed(path, "*." + name, has(a, kNameWild), has(b, kNameWild), a == nullptr ? 0 : uint32_t{a->b},
             b == nullptr ? 0 : uint32_t{b->b});
    } else if (!in_a && !in_b) {
      return;
    } else if (kind == kSpf) {
      SpfDomains(path, AbsoluteName(NameView(a != nullptr ? *a : *b)), in_a ? &a_.spf_domain(a->a) : nullptr,
                 in_b ? &b_.spf_domain(b->a) : nullptr);
    } else if (kind == kHealthcheck) {
      auto text = [](const View& view, bool in, const NameRecord* r) {
        std::string out;
        if (!in) return out;
        for (const std::string& line : HealthcheckNameLines(view, view.healthcheck_name(r->a)))
          out += (out.empty() ? "" : "; ") + line;
        return out.empty() ? std::string("no records") : out;
      };
      const std::string before = text(a_, in_a, a), after = text(b_, in_b, b);
      if (before != after)
        Entry(
            path, name, in_a, in_b, [&] { return before; }, [&] { return after; });
    } else if (kind == kGeneric) {
      const std::string before = in_a ? RrsetText(a_, a->a) : "", after = in_b ? RrsetText(b_, b->a) : "";
      if (before != after)
        Entry(
            path, name, in_a, in_b, [&] { return before; }, [&] { return after; });
    } else {
      const std::string sub = path + "/" + name;
      if (in_a != in_b) Setting(sub, "subzone", in_a ? "served" : "", in_b ? "served" : "");
      DatasetLists(sub + "/", in_a ? Datasets(a_.node(a->a)) : std::span<const DatasetRef>(),
                   in_b ? Datasets(b_.node(b->a)) : std::span<const DatasetRef>());
    }
  }

  void Listed(const std::string& path, const std::string& name, bool in_a, bool in_b, uint32_t a,
              uint32_t b) {
    if (!in_a && !in_b) return;
    if (in_a && in_b && SameResult(a_, a, b_, b)) return;
    Entry(
        path, name, in_a, in_b, [&] { return ResultText(a_, a); }, [&] { return ResultText(b_, b); });
  }

  static std::string RrsetText(const View& view, uint32_t offset) {
    std::string out;
    for (const GenericRr& rr : DecodeRrset(view.rrset(offset)))
      out += (out.empty() ? "" : " + ") + std::to_string(rr.ttl) + " " + dns::TypeText(rr.type) + " " +
             RdataText(rr.type, rr.rdata);
    return out;
  }

  const View &a_, &b_;
  const ScopeNames names_a_, names_b_;
  const DiffOptions options_;
  const ChangeSink& on_change_;
  const ZoneSink& on_zone_;
  ZoneChanges count_;
  SpfSetTexts spf_sets_a_, spf_sets_b_;
  bool has_spf_sets_ = false;
  bool any_ = false;
};

}  // namespace

bool Diff(const View& before, const View& after, const DiffOptions& options, const ChangeSink& on_change,
          const ZoneSink& on_zone) {
  return Differ(before, after, options, on_change, on_zone).Run();
}

std::string ChangeText(const Change& c) {
  std::string out = c.kind == ChangeKind::kAdded ? "+ " : c.kind == ChangeKind::kRemoved ? "- " : "~ ";
  out += c.zone.empty() ? "(image)" : c.zone;
  if (!c.dataset.empty()) out += " " + c.dataset;
  out += " " + c.what + " " + c.before;
  if (c.kind == ChangeKind::kChanged) out += " -> ";
  return out + c.after;
}

}  // namespace mz::image
