// See exercise.h.
#include "tests/format/image/exercise.h"

#include <cstdio>
#include <cstdlib>
#include <set>

#include "format/image/cursor.h"
#include "format/image/diff.h"
#include "format/image/dump.h"
#include "format/image/healthcheck_present.h"
#include "format/image/dump_bind.h"
#include "format/image/spf_present.h"

namespace mz::image {

namespace {

void Expect(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "an accepted image contradicts itself: %s\n", what);
  std::abort();
}

template <typename Address>
void ExerciseMap(const View& view, uint32_t offset) {
  if (offset == 0) return;
  const MapHeader& map = view.map(offset);
  MapCursor<Address> cursor(view, offset);
  Address begin{};
  bool listed = false;
  int span = 0;
  auto check = [&](Address first, Address last, uint32_t result) {
    Expect(cursor.Next() && cursor.first() == first && cursor.last() == last && cursor.result() == result,
           "the walk and the cursor differ");
    Expect(FindAddress(view, map, first).result == result, "first address of an interval");
    Expect(FindAddress(view, map, last).result == result, "last address of an interval");
    Expect(AnyListed(view, map, first, last) == (result != 0), "whether an interval is listed");
    // Ranges over a few intervals.
    if (span == 0) {
      begin = first;
      listed = false;
    }
    listed |= result != 0;
    Expect(AnyListed(view, map, begin, last) == listed, "whether a range is listed");
    span = (span + 1) % 4;
  };
  if constexpr (sizeof(Address) == sizeof(net::Ip4)) {
    ForEachInterval4(view, map, check);
  } else {
    ForEachInterval6(view, map, check);
  }
  Expect(!cursor.Next(), "the cursor goes on");
}

void ExerciseNode(const View& view, uint32_t offset) {
  for (const DatasetRef& ref : Datasets(view.node(offset))) {
    if (ref.kind == kSpf) {
      SpfZoneLines(view, view.spf_zone(ref.map4));
      continue;
    }
    if (ref.kind == kHealthcheck) {
      const HealthcheckZone& zone = view.healthcheck_zone(ref.map4);
      HealthcheckZoneLines(view, zone);
      for (const HealthcheckId& id : HealthcheckRegistered(view, zone))
        Expect(FindHealthcheckId(view, zone, id.id) == &id, "a registered ID is not found");
      continue;
    }
    ExerciseMap<net::Ip4>(view, ref.map4);
    ExerciseMap<net::Ip6>(view, ref.map6);
  }
}

// Every stretch of a domain's lists: the same answer at its start and at its end.
template <typename Address, typename Previous>
void ExerciseSpfList(const View& view, const SpfDomain& d, const std::vector<Address>& borders, Address end,
                     Previous previous) {
  for (size_t i = 0; i < borders.size(); i++) {
    const Address last = i + 1 < borders.size() ? previous(borders[i + 1]) : end;
    const uint32_t program = EvaluateSpf(view, d, borders[i]).program;
    Expect(program != 0 && program < view.spf()->program_count, "a program that does not exist");
    Expect(EvaluateSpf(view, d, last).program == program, "an answer changes where there is no border");
  }
}

void ExerciseSpf(const View& view) {
  if (view.spf() == nullptr) return;
  ExerciseMap<net::Ip4>(view, view.spf()->class_map4);
  ExerciseMap<net::Ip6>(view, view.spf()->class_map6);
  for (uint32_t id = 1; id < view.spf()->program_count; id++) SpfProgramText(view, id);
}

void ExerciseSpfDomain(const View& view, const SpfDomain& d) {
  SpfDomainLines(view, d);
  if (d.flags & kSpfNoData) return;
  ExerciseSpfList(view, d, SpfBorders4(view, d), ~0u, [](net::Ip4 a) { return a - 1; });
  ExerciseSpfList(view, d, SpfBorders6(view, d), net::kIp6Last, [](const net::Ip6& a) { return a.Previous(); });
}

// Scopes of spf datasets.
std::set<uint32_t> SpfScopes(const View& view) {
  std::set<uint32_t> out;
  for (const ZoneRecord& zone : view.zones())
    for (const DatasetRef& ref : Datasets(view.node(zone.node)))
      if (ref.kind == kSpf) out.insert(ref.scope);
  return out;
}

}  // namespace

void ExerciseView(const View& view, bool text_forms) {
  if (view.has_shared_sets()) ExerciseMap<net::Ip4>(view, view.shared_sets().class_map);
  if (view.header().global_acl != 0) ExerciseNode(view, view.header().global_acl);
  for (const ZoneRecord& zone : view.zones()) {
    ExerciseNode(view, zone.node);
    if (zone.acl != 0) ExerciseNode(view, zone.acl);
    for (uint32_t i = 0; i < zone.ns_count; i++)
      DecodeAuthority(view.authority(view.rotation(zone, i)), NameView(view.name(zone.name)));
  }
  ExerciseSpf(view);
  const std::set<uint32_t> spf_scopes = SpfScopes(view);
  const auto* buckets = reinterpret_cast<const Bucket*>(view.section(kBuckets).data());
  for (uint32_t b = 0; b < view.bucket_count(); b++) {
    for (int i = 0; i < kBucketSlots && buckets[b].tag[i] != 0; i++) {
      const NameRecord& r = view.name(buckets[b].record[i]);
      const auto name = NameBytes(r);
      const uint64_t hash = HashName(view.hash_seed(), r.scope, name);
      view.PrefetchBucket(hash);
      view.GuessName(hash);
      Expect(view.FindName(r.scope, hash, name.data(), name.size()) == &r, "a name is not found");
      if ((r.flags & kNameExact) && spf_scopes.contains(r.scope)) ExerciseSpfDomain(view, view.spf_domain(r.a));
      // A name below, which is hardly ever there.
      std::string below = std::string("\x01q") + std::string(NameView(r));
      const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(below.data()), below.size());
      view.FindName(r.scope, HashName(view.hash_seed(), r.scope, bytes), bytes.data(), bytes.size());
    }
  }
  const std::string longest(255, 'x');
  for (uint32_t id = 1; id < view.value_count(); id++)
    if (uint32_t text = view.value(id).ref & kValueTextMask; text != 0) ExpandText(view.text(text), longest);
  if (!text_forms) return;
  size_t octets = 0;
  const TextSink count = [&](std::string_view lines) { octets += lines.size(); };
  Dump(view, count);
  DumpBind(view, {"now", "test"}, count);
  Expect(octets != 0, "an empty dump");
  Expect(!Diff(view, view, {}, nullptr, nullptr), "an image differs from itself");
}

}  // namespace mz::image
