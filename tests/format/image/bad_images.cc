// See bad_images.h.
#include "tests/format/image/bad_images.h"

#include <cstring>

#include "format/image/spf_view.h"

namespace mz::image {

namespace {

using Edit = std::function<void(ImageEditor&)>;

BadImage WithEdit(std::string name, std::string sample, std::string reason, Edit edit) {
  auto make = [edit = std::move(edit)](Bytes image) {
    ImageEditor editor(std::move(image));
    edit(editor);
    return editor.Finish();
  };
  return {std::move(name), std::move(sample), make, std::move(reason), true};
}

// Places in the samples.
ZoneRecord& Zone(ImageEditor& e, size_t i) { return e.Edit(e.view().zones()[i]); }
Node& NodeOf(ImageEditor& e, size_t zone) { return e.Edit(e.view().node(Zone(e, zone).node)); }
DatasetRef& Ref(ImageEditor& e, size_t zone, size_t i) { return e.Edit(Datasets(NodeOf(e, zone))[i]); }
MapHeader& Map4(ImageEditor& e, size_t zone, size_t i) { return e.Edit(e.view().map(Ref(e, zone, i).map4)); }
MapHeader& Map6(ImageEditor& e, size_t zone, size_t i) { return e.Edit(e.view().map(Ref(e, zone, i).map6)); }
TreeNode4* Nodes4(MapHeader& map) { return reinterpret_cast<TreeNode4*>(&map + 1); }
Bucket* Buckets(ImageEditor& e) { return reinterpret_cast<Bucket*>(e.Section(kBuckets)); }
Value* Values(ImageEditor& e) { return reinterpret_cast<Value*>(e.Section(kValues)); }
uint8_t* NameOctets(NameRecord& r) { return reinterpret_cast<uint8_t*>(&r + 1); }

// The first name that the predicate likes.
NameRecord& FindRecord(ImageEditor& e, const std::function<bool(const NameRecord&)>& wanted) {
  const View view = e.view();
  for (uint32_t b = 0; b < view.bucket_count(); b++)
    for (int i = 0; i < kBucketSlots && Buckets(e)[b].tag[i] != 0; i++) {
      NameRecord& r = e.Edit(view.name(Buckets(e)[b].record[i]));
      if (wanted(r)) return r;
    }
  std::abort();
}
NameRecord& NameIn(ImageEditor& e, size_t zone, size_t dataset, uint8_t flag) {
  const uint32_t scope = Ref(e, zone, dataset).scope;
  return FindRecord(
      e, [=](const NameRecord& r) { return r.scope == scope && (r.flags & flag) == flag && r.name_bytes > 0; });
}

// The zones of the sample "every-kind", and the trees of "addresses4".
constexpr size_t kInner = 0, kBl = 1, kGen = 2, kC = 3;
constexpr size_t kTwoResults = 4, kOnePadding = 5, kSixteenKeys = 8, kWideValues = 12;

AuthorityBlock& SoaOf(ImageEditor& e, size_t zone) { return e.Edit(e.view().authority(Zone(e, zone).soa)); }
AuthorityBlock& NsOf(ImageEditor& e, size_t zone) {
  return e.Edit(e.view().authority(e.view().rotation(Zone(e, zone), 0)));
}
Relocation* RelocationsOf(AuthorityBlock& b) { return reinterpret_cast<Relocation*>(&b + 1); }
uint8_t* RecordsOf(AuthorityBlock& b) { return const_cast<uint8_t*>(AuthorityRecords(b)); }
RrsetHeader& RrsetOf(ImageEditor& e, size_t zone, size_t dataset, std::string_view wire) {
  const uint32_t scope = Ref(e, zone, dataset).scope;
  return e.Edit(e.view().rrset(FindRecord(e, [&](const NameRecord& r) {
                                 return r.scope == scope && (r.flags & kNameExact) &&
                                        std::string_view(reinterpret_cast<const char*>(&r + 1),
                                                         r.name_bytes) == wire;
                               }).a));
}

Bytes Raw(std::string_view text) { return {text.begin(), text.end()}; }

std::vector<BadImage> FileDamage() {
  std::vector<BadImage> out;
  auto add = [&](std::string name, std::string reason, std::function<Bytes(Bytes)> make) {
    out.push_back({std::move(name), "tiny", std::move(make), std::move(reason), true});
  };
  add("file-empty", "not a zone image", [](Bytes) { return Bytes(); });
  add("file-text", "not a zone image", [](Bytes) { return Raw("127.0.0.2 listed\n"); });
  add("file-newlines-converted", "not a zone image", [](Bytes b) {
    b.erase(b.begin() + 4);  // CR LF became LF on the way
    return b;
  });
  add("file-ends-in-header", "ends inside the header page", [](Bytes b) {
    b.resize(1000);
    return b;
  });
  add("file-cut", "octets instead of", [](Bytes b) {
    b.resize(b.size() - 4096);
    return b;
  });
  add("file-one-octet-more", "octets instead of", [](Bytes b) {
    b.push_back(0);
    return b;
  });
  add("file-page-more", "goes on behind the last section", [](Bytes b) {
    b.resize(b.size() + 4096);
    FixChecksums(&b);
    return b;
  });
  add("header-bit-flip", "checksum of the header page", [](Bytes b) {
    b[100] ^= 1;
    return b;
  });
  add("section-bit-flip", "section values: checksum", [](Bytes b) {
    b[reinterpret_cast<Header*>(b.data())->sections[kValues].offset + 8] ^= 1;
    return b;
  });
  return out;
}

std::vector<BadImage> HeaderDamage() {
  std::vector<BadImage> out;
  auto add = [&](std::string name, std::string reason, std::function<void(Header&)> edit) {
    out.push_back(
        WithEdit(std::move(name), "tiny", std::move(reason), [edit](ImageEditor& e) { edit(e.header()); }));
  };
  add("header-version", "format version", [](Header& h) { h.version = kVersion + 1; });
  add("header-size", "unknown header size", [](Header& h) { h.header_bytes = 8192u; });
  add("header-sections", "unknown number of sections", [](Header& h) { h.section_count = kSectionCount + 1; });
  add("header-profile", "unknown profile bits", [](Header& h) { h.profile = 0x80000000u; });
  add("header-probes-none", "number of probes", [](Header& h) { h.max_probes = 0u; });
  add("header-probes-many", "number of probes", [](Header& h) { h.max_probes = kMaxProbes + 1; });
  add("header-reserved", "reserved octets", [](Header& h) { h.reserved[77] = 1; });
  add("header-depths", "label counts of the zones", [](Header& h) { h.zone_depths = 1u; });
  add("table-gap", "does not follow the one before",
      [](Header& h) { h.sections[kMaps].offset = h.sections[kMaps].offset + 4096; });
  add("table-overlap", "does not follow the one before",
      [](Header& h) { h.sections[kMaps].offset = h.sections[kNodes].offset; });
  add("table-size-huge", "ends behind the end", [](Header& h) { h.sections[kTexts].size = ~0ull - 100; });
  add("table-size-odd", "impossible size",
      [](Header& h) { h.sections[kValues].size = h.sections[kValues].size - 1; });
  add("table-no-buckets", "impossible size", [](Header& h) { h.sections[kBuckets].size = 0ull; });
  add("header-acl-outside", "outside the section", [](Header& h) { h.global_acl = 0x00ffffffu; });
  out.push_back({"header-identity", "tiny",
                 [](Bytes b) {
                   ImageEditor e(std::move(b));
                   e.header().hash_seed = 1ull;
                   const uint64_t old = e.header().identity;
                   Bytes fixed = e.Finish();
                   reinterpret_cast<Header*>(fixed.data())->identity = old;
                   return fixed;  // the header checksum is wrong as well, and is looked at first
                 },
                 "checksum of the header page", true});
  out.push_back(WithEdit("section-padding", "tiny", "padding behind the section",
                         [](ImageEditor& e) { e.Section(kValues)[e.header().sections[kValues].size] = 1; }));
  return out;
}

std::vector<BadImage> NameDamage() {
  std::vector<BadImage> out;
  auto add = [&](std::string name, std::string reason, Edit edit) {
    out.push_back(WithEdit(std::move(name), "every-kind", std::move(reason), std::move(edit)));
  };
  add("bucket-hole", "broken slots", [](ImageEditor& e) {
    Buckets(e)[0].tag[7] = 5u;
    Buckets(e)[0].record[7] = 1u;
    Buckets(e)[0].tag[6] = 0u;
    Buckets(e)[0].record[6] = 0u;
  });
  add("bucket-record-outside", "a name lies outside", [](ImageEditor& e) {
    for (int b = 0;; b++)
      if (Buckets(e)[b].tag[0] != 0) return void(Buckets(e)[b].record[0] = 0x0fffffffu);
  });
  add("bucket-wrong-tag", "index does not find", [](ImageEditor& e) {
    for (int b = 0;; b++)
      if (Buckets(e)[b].tag[0] != 0) return void(Buckets(e)[b].tag[0] = Buckets(e)[b].tag[0] ^ 8u);
  });
  add("bucket-name-twice", "overlaps another object", [](ImageEditor& e) {
    for (int b = 0;; b++)
      if (Buckets(e)[b].tag[1] != 0) {
        Buckets(e)[b].tag[1] = uint32_t{Buckets(e)[b].tag[0]};
        Buckets(e)[b].record[1] = uint32_t{Buckets(e)[b].record[0]};
        return;
      }
  });
  add("hash-seed", "index does not find", [](ImageEditor& e) { e.header().hash_seed = 77ull; });
  add("name-upper-case", "malformed name",
      [](ImageEditor& e) { NameOctets(NameIn(e, kInner, 0, kNameExact))[1] = 'C'; });
  add("name-label-too-long", "malformed name",
      [](ImageEditor& e) { NameOctets(NameIn(e, kInner, 0, kNameExact))[0] = 0x41; });
  add("name-label-count", "malformed name",
      [](ImageEditor& e) { NameIn(e, kInner, 0, kNameExact).labels++; });
  add("name-flags", "wrong flags of a name",
      [](ImageEditor& e) { NameIn(e, kInner, 0, kNameExact).flags |= 0x80; });
  add("name-reserved", "wrong flags of a name",
      [](ImageEditor& e) { NameIn(e, kInner, 0, kNameExact).reserved = 1; });
  add("name-padding", "not padded with zeros", [](ImageEditor& e) {
    NameRecord& r = NameIn(e, kInner, 0, kNameExact);
    NameOctets(r)[r.name_bytes] = 1;
  });
  add("name-below-forgotten", "a name below one that has nothing below", [](ImageEditor& e) {
    NameRecord& r = FindRecord(e, [](const NameRecord& n) { return n.flags == (kNameExact | kNameBelow); });
    r.flags = kNameExact;
  });
  add("name-wildcard-below", "a wildcard with nothing below", [](ImageEditor& e) {
    NameRecord& r = FindRecord(e, [](const NameRecord& n) { return (n.flags & kNameWild) && n.b != 0; });
    r.flags &= static_cast<uint8_t>(~kNameBelow);
  });
  add("name-scope-unknown", "index does not find",
      [](ImageEditor& e) { NameIn(e, kInner, 0, kNameExact).scope = 9999u; });
  add("name-result-outside", "impossible result",
      [](ImageEditor& e) { NameIn(e, kInner, 0, kNameExact).a = 0xffffffu; });
  add("name-result-unused", "unused content", [](ImageEditor& e) { NameIn(e, kGen, 0, kNameExact).b = 1u; });
  add("name-wildcard-in-generic", "a wildcard in a dataset without them",
      [](ImageEditor& e) { NameIn(e, kGen, 0, kNameExact).flags |= kNameWild; });
  add("name-records-outside", "records lie outside",
      [](ImageEditor& e) { NameIn(e, kGen, 0, kNameExact).a = 0xffffffu; });
  add("name-subzone-outside", "dataset list lies outside",
      [](ImageEditor& e) { NameIn(e, kC, 0, kNameExact).a = 0xffffffu; });
  add("name-depths", "label counts of scope", [](ImageEditor& e) {
    for (size_t z = 0; z < e.view().zones().size(); z++)
      for (const DatasetRef& ref : Datasets(NodeOf(e, z)))
        if (ref.scope == Ref(e, kInner, 0).scope) e.Edit(ref).exact_depths = 0x80000000u;
  });
  add("zone-name-outside", "apex lies outside", [](ImageEditor& e) { Zone(e, kBl).name = 0xffffffu; });
  add("zone-name-of-another", "not the name of this zone",
      [](ImageEditor& e) { Zone(e, kBl).name = uint32_t{Zone(e, kGen).name}; });
  add("zone-flags", "unknown flags", [](ImageEditor& e) { Zone(e, kBl).flags = 8u; });
  add("zone-reserved", "reserved octets", [](ImageEditor& e) { Zone(e, kBl).reserved[1] = 1u; });
  add("zone-datasets-outside", "dataset list lies outside",
      [](ImageEditor& e) { Zone(e, kBl).node = 0xffffffu; });
  add("zone-datasets-are-acl", "acl and datasets are confused",
      [](ImageEditor& e) { Zone(e, kBl).node = uint32_t{Zone(e, kBl).acl}; });
  add("zone-acl-is-datasets", "acl and datasets are confused",
      [](ImageEditor& e) { Zone(e, kBl).acl = uint32_t{Zone(e, kBl).node}; });
  add("node-count", "too many datasets",
      [](ImageEditor& e) { NodeOf(e, kBl).count = static_cast<uint16_t>(60000); });
  add("node-flags", "wrong flags of a dataset list",
      [](ImageEditor& e) { NodeOf(e, kBl).flags = static_cast<uint16_t>(0); });
  add("node-reserved", "reserved octets of a dataset list",
      [](ImageEditor& e) { NodeOf(e, kBl).reserved[0] = 1u; });
  add("node-leftover", "belong to no object",
      [](ImageEditor& e) { Zone(e, kBl).node = uint32_t{Zone(e, kInner).node}; });
  add("dataset-kind", "unknown dataset kind", [](ImageEditor& e) { Ref(e, kBl, 1).kind = kDatasetKindLast + 1; });
  add("dataset-reserved", "reserved octets of a dataset",
      [](ImageEditor& e) { Ref(e, kBl, 1).reserved[2] = 1; });
  add("dataset-wrong-map", "in a dataset of another kind",
      [](ImageEditor& e) { Ref(e, kBl, 1).kind = kDnset; });
  add("dataset-no-scope", "wrong scope", [](ImageEditor& e) { Ref(e, kInner, 0).scope = 0u; });
  add("scope-two-kinds", "disagree about their scope", [](ImageEditor& e) {
    for (size_t z = 0; z < e.view().zones().size(); z++)
      for (const DatasetRef& ref : Datasets(NodeOf(e, z)))
        if (ref.kind == kGeneric) return void(e.Edit(ref).scope = uint32_t{Ref(e, kInner, 0).scope});
  });
  return out;
}

std::vector<BadImage> MapDamage() {
  std::vector<BadImage> out;
  auto add = [&](std::string name, std::string sample, std::string reason, Edit edit) {
    out.push_back(WithEdit(std::move(name), std::move(sample), std::move(reason), std::move(edit)));
  };
  add("map-outside", "addresses4", "a map lies outside",
      [](ImageEditor& e) { Ref(e, 0, 0).map4 = 0xffffffu; });
  add("map-kind", "addresses4", "unknown kind of map",
      [](ImageEditor& e) { Map4(e, 0, kTwoResults).kind = kMapTree6; });
  add("map-reserved", "addresses4", "reserved octets of a map",
      [](ImageEditor& e) { Map4(e, 0, kTwoResults).reserved[4] = 1u; });
  add("map-value-width", "addresses4", "unknown value width",
      [](ImageEditor& e) { Map4(e, 0, kTwoResults).value_bytes = 3; });
  add("map-node-count", "addresses4", "wrong number of tree nodes",
      [](ImageEditor& e) { Map4(e, 0, kTwoResults).node_count = 2u; });
  add("map-count-huge", "addresses4", "map: outside the section", [](ImageEditor& e) {
    Map4(e, 0, kTwoResults).count = 0xfffffff0u;
    Map4(e, 0, kTwoResults).node_count = 0x11111110u;
  });
  add("map-overlap", "addresses4", "overlaps another object", [](ImageEditor& e) {
    Map4(e, 0, kTwoResults).count = 30u;
    Map4(e, 0, kTwoResults).node_count = 2u;
  });
  add("map-result", "addresses4", "impossible result",
      [](ImageEditor& e) { Map4(e, 0, kTwoResults).result[1] = 0xffffffu; });
  add("map-before", "addresses4", "impossible result",
      [](ImageEditor& e) { Map4(e, 0, 0).before = 0xffffffu; });
  add("map-first-key-zero", "addresses4", "keys out of order",
      [](ImageEditor& e) { Nodes4(Map4(e, 0, kTwoResults))[0].key[0] = 0u; });
  add("map-keys-unsorted", "addresses4", "keys out of order", [](ImageEditor& e) {
    TreeNode4& n = Nodes4(Map4(e, 0, kSixteenKeys))[1];
    const uint32_t key = n.key[3];
    n.key[3] = uint32_t{n.key[4]};
    n.key[4] = key;
  });
  add("map-child-out-of-range", "addresses4", "keys out of order",
      [](ImageEditor& e) { Nodes4(Map4(e, 0, kSixteenKeys))[1].key[14] = 0xfffffff0u; });
  add("map-equal-neighbours", "addresses4", "same result", [](ImageEditor& e) {
    TreeNode4& n = Nodes4(Map4(e, 0, kSixteenKeys))[1];
    n.bits = n.bits ^ 4u;
  });
  add("map-padding-key", "addresses4", "padding key",
      [](ImageEditor& e) { Nodes4(Map4(e, 0, kTwoResults))[0].key[14] = 0xfffffffeu; });
  add("map-padding-result", "addresses4", "padding key with another result", [](ImageEditor& e) {
    TreeNode4& n = Nodes4(Map4(e, 0, kOnePadding))[0];
    n.bits = n.bits ^ 0x4000u;
  });
  add("map-spare-bit", "addresses4", "reserved bits", [](ImageEditor& e) {
    TreeNode4& n = Nodes4(Map4(e, 0, kTwoResults))[0];
    n.bits = n.bits | 0x8000u;
  });
  add("map-value-index", "addresses4", "outside the result table", [](ImageEditor& e) {
    MapHeader& m = Map4(e, 0, kWideValues);
    reinterpret_cast<Le16*>(e.Section(kMaps) + size_t{m.values} * 64)[3] = static_cast<uint16_t>(60000);
  });
  add("map-result-table", "addresses4", "impossible result table",
      [](ImageEditor& e) { Map4(e, 0, kWideValues).result_table = 0xfffffff0u; });
  add("map-values-missing", "addresses4", "wrong value array",
      [](ImageEditor& e) { Map4(e, 0, kWideValues).values = 0u; });
  add("map-values-padding", "addresses4", "not padded with zeros", [](ImageEditor& e) {
    MapHeader& m = Map4(e, 0, kWideValues);
    e.Section(kMaps)[size_t{m.values} * 64 + size_t{m.node_count} * 30] = 1;
  });
  add("map-unit-0", "addresses4", "reserved first unit", [](ImageEditor& e) { e.Section(kMaps)[5] = 1; });
  add("map6-as-map4", "every-kind", "IPv4 and IPv6 maps are confused",
      [](ImageEditor& e) { Ref(e, kBl, 1).map6 = uint32_t{Ref(e, kBl, 0).map4}; });
  add("map6-keys-unsorted", "addresses6", "keys out of order", [](ImageEditor& e) {
    MapHeader& m = Map6(e, 0, 4);
    reinterpret_cast<TreeNode6High*>(&m + 1)[0].key[3] = 1ull;
  });
  add("map6-low-unsorted", "addresses6", "keys out of order", [](ImageEditor& e) {
    MapHeader& m = Map6(e, 0, 2);
    reinterpret_cast<TreeNode6*>(&m + 1)[0].low[1] = 0ull;
  });
  add("map6-reserved", "addresses6", "reserved bits", [](ImageEditor& e) {
    MapHeader& m = Map6(e, 0, 2);
    reinterpret_cast<TreeNode6*>(&m + 1)[0].reserved = 1ull;
  });
  add("result-table-entry", "addresses4", "entry is no result",
      [](ImageEditor& e) { reinterpret_cast<Le32*>(e.Section(kResultTables))[2] = 0xffffffu; });
  auto direct = [&](std::string name, std::string reason,
                    std::function<void(ImageEditor&, MapHeader&)> edit) {
    add(std::move(name), "direct4", std::move(reason), [edit](ImageEditor& e) { edit(e, Map4(e, 0, 0)); });
    out.back().stored = false;
  };
  auto table = [](ImageEditor& e, MapHeader& m) {
    return reinterpret_cast<Le32*>(e.Section(kMaps) + size_t{m.direct} * 64);
  };
  auto lows = [](ImageEditor& e, MapHeader& m) {
    return reinterpret_cast<Le16*>(e.Section(kMaps) + size_t{m.lows} * 64);
  };
  direct("direct-not-ascending", "not ascending",
         [=](ImageEditor& e, MapHeader& m) { table(e, m)[100] = uint32_t{table(e, m)[101]}; });
  direct("direct-end", "does not span", [=](ImageEditor& e, MapHeader& m) { table(e, m)[65536] = 7u; });
  direct("direct-lows-start", "is not its start",
         [=](ImageEditor& e, MapHeader& m) { lows(e, m)[table(e, m)[500]] = static_cast<uint16_t>(1); });
  direct("direct-lows-unsorted", "", [=](ImageEditor& e, MapHeader& m) {
    for (uint32_t h = 0;; h++)
      if (table(e, m)[h + 1] - table(e, m)[h] > 2)
        return void(lows(e, m)[table(e, m)[h] + 1] = static_cast<uint16_t>(0xffff));
  });
  direct("direct-spare-bit", "bits behind the last entry", [=](ImageEditor& e, MapHeader& m) {
    e.Section(kMaps)[size_t{m.values} * 64 + m.count / 8] |= static_cast<uint8_t>(1u << m.count % 8);
  });
  return out;
}

// Shared sets, and the maps of the sample "sets4" that are made of them.
std::vector<BadImage> SetDamage() {
  std::vector<BadImage> out;
  auto add = [&](std::string name, std::string reason, Edit edit) {
    out.push_back(WithEdit(std::move(name), "sets4", std::move(reason), std::move(edit)));
  };
  auto shared = [](ImageEditor& e) -> SharedSets& { return e.Edit(e.view().shared_sets()); };
  auto words = [=](ImageEditor& e) {
    return reinterpret_cast<Le32*>(e.Section(kMaps) + size_t{shared(e).classes} * 64);
  };
  auto firsts = [=](ImageEditor& e) {
    return reinterpret_cast<Le32*>(e.Section(kMaps) + size_t{shared(e).first_range} * 64);
  };
  auto ranges = [=](ImageEditor& e) {
    return reinterpret_cast<SetRange4*>(e.Section(kMaps) + size_t{shared(e).ranges} * 64);
  };
  auto map = [](ImageEditor& e, size_t i) -> SetMap4& { return e.Edit(AsSetMap(Map4(e, 0, i))); };
  auto set = [=](ImageEditor& e, size_t i) { return const_cast<Le16*>(PartsOf(map(e, i)).set); };
  auto result = [=](ImageEditor& e, size_t i) { return const_cast<Le32*>(PartsOf(map(e, i)).result); };
  auto own = [=](ImageEditor& e, size_t i) { return const_cast<Le32*>(PartsOf(map(e, i)).own); };
  auto length = [=](ImageEditor& e, size_t i) { return const_cast<uint8_t*>(PartsOf(map(e, i)).length); };
  auto set_result = [=](ImageEditor& e, size_t i) { return const_cast<uint8_t*>(PartsOf(map(e, i)).set_result); };
  // Maps of the sample: pass and fail with three prefixes and an exclusion; two results; an own map; eleven sets.
  constexpr size_t kExcludes = 1, kTwoResultsOfSets = 3, kWithOwnMap = 4, kElevenSets = 9;

  add("sets-outside", "shared sets: outside", [](ImageEditor& e) { e.header().shared_sets = 0xffffffu; });
  add("sets-missing", "in an image without them", [](ImageEditor& e) { e.header().shared_sets = 0u; });
  add("sets-reserved", "reserved octets of the shared sets", [=](ImageEditor& e) { shared(e).reserved[8] = 1u; });
  add("sets-count-none", "number of shared sets", [=](ImageEditor& e) { shared(e).set_count = 0u; });
  add("sets-count-many", "number of shared sets", [=](ImageEditor& e) { shared(e).set_count = 0x10000u; });
  add("sets-count", "a set in no class", [=](ImageEditor& e) { shared(e).set_count = shared(e).set_count + 1; });
  add("sets-class-words", "classes", [=](ImageEditor& e) { shared(e).class_words = 0xffffffffu; });
  add("sets-class-size", "impossible size", [=](ImageEditor& e) { words(e)[1] = kMaxClassSets + 1; });
  add("sets-class-set", "sets of a class", [=](ImageEditor& e) { words(e)[2] = 60000u; });
  add("sets-no-class-map", "shared sets without classes", [=](ImageEditor& e) { shared(e).class_map = 0u; });
  add("sets-no-classes", "shared sets without classes", [=](ImageEditor& e) {
    shared(e).classes = 0u;
    shared(e).class_words = 0u;
  });
  add("sets-class-map-result", "impossible result", [=](ImageEditor& e) {
    const MapHeader& classes = e.view().map(shared(e).class_map);
    reinterpret_cast<Le32*>(e.Section(kMaps) + size_t{classes.values} * 64)[0] = 2u;
  });
  add("sets-class-map-of-sets", "unknown kind of map",
      [=](ImageEditor& e) { shared(e).class_map = uint32_t{Ref(e, 0, 0).map4}; });
  add("sets-class-map-as-map", "are confused",
      [=](ImageEditor& e) { Ref(e, 0, 0).map4 = uint32_t{shared(e).class_map}; });
  add("sets-ranges-start", "not all ranges", [=](ImageEditor& e) { firsts(e)[0] = 1u; });
  add("sets-ranges-end", "not all ranges", [=](ImageEditor& e) { firsts(e)[shared(e).set_count] = 0u; });
  add("sets-ranges-none", "without ranges", [=](ImageEditor& e) { firsts(e)[1] = uint32_t{firsts(e)[2]}; });
  add("sets-ranges-outside", "ranges: ", [=](ImageEditor& e) { shared(e).range_count = 0x7fffffffu; });
  add("sets-range-backwards", "out of order", [=](ImageEditor& e) { ranges(e)[0].last = ranges(e)[0].first - 1; });
  add("sets-range-longer", "classes and ranges",
      [=](ImageEditor& e) { ranges(e)[0].last = ranges(e)[0].last + 1; });
  add("sets-range-last-longer", "classes and ranges", [=](ImageEditor& e) {
    SetRange4& range = ranges(e)[shared(e).range_count - 1];
    range.last = range.last + 1;
  });
  add("sets-range-later", "classes and ranges",
      [=](ImageEditor& e) { ranges(e)[0].first = ranges(e)[0].first + 1; });
  add("sets-range-elsewhere", "classes and ranges", [=](ImageEditor& e) {
    const uint32_t last = shared(e).range_count - 1;
    ranges(e)[last].first = 0xffff0000u;
    ranges(e)[last].last = 0xffff0000u;
  });
  add("set-map-no-sets", "number of sets", [=](ImageEditor& e) { map(e, 0).set_blocks = 0; });
  add("set-map-many-sets", "number of sets", [=](ImageEditor& e) { map(e, 0).set_blocks = kMaxSetBlocks + 1; });
  add("set-map-many-prefixes", "number of prefixes",
      [=](ImageEditor& e) { map(e, 0).own_count = kMaxOwnPrefixes + 1; });
  add("set-map-no-results", "without results", [=](ImageEditor& e) { map(e, 0).result_count = 0; });
  add("set-map-too-long", "", [=](ImageEditor& e) { map(e, 0).result_count = 200; });
  add("set-map-rest", "impossible result", [=](ImageEditor& e) { map(e, 0).rest = 0xffffffu; });
  add("set-map-result", "impossible result", [=](ImageEditor& e) { result(e, 0)[0] = 0xffffffu; });
  add("set-map-result-index", "impossible result",
      [=](ImageEditor& e) { set_result(e, kTwoResultsOfSets)[1] = 9; });
  add("set-map-result-of-nothing", "impossible result",
      [=](ImageEditor& e) { set_result(e, kTwoResultsOfSets)[7] = 1; });
  add("set-map-set-zero", "sets of a map out of order",
      [=](ImageEditor& e) { set(e, 0)[0] = static_cast<uint16_t>(0); });
  add("set-map-set-unknown", "sets of a map out of order",
      [=](ImageEditor& e) { set(e, 0)[2] = static_cast<uint16_t>(0xffff); });
  add("set-map-set-behind", "sets of a map out of order",
      [=](ImageEditor& e) { set(e, kElevenSets)[10] = static_cast<uint16_t>(shared(e).set_count + 1); });
  add("set-map-block-empty", "sets of a map out of order", [=](ImageEditor& e) {
    for (size_t i = 8; i < 16; i++) set(e, kElevenSets)[i] = static_cast<uint16_t>(0);
  });
  add("set-map-set-twice", "sets of a map out of order",
      [=](ImageEditor& e) { set(e, 0)[1] = uint16_t{set(e, 0)[0]}; });
  add("set-map-set-hole", "sets of a map out of order",
      [=](ImageEditor& e) { set(e, kElevenSets)[9] = static_cast<uint16_t>(0); });
  add("set-map-set-not-listed", "that is not listed", [=](ImageEditor& e) { result(e, 0)[0] = 0u; });
  add("set-map-prefix-length", "impossible prefix", [=](ImageEditor& e) { length(e, kExcludes)[0] = 33; });
  add("set-map-prefix-bits", "impossible prefix", [=](ImageEditor& e) { length(e, kExcludes)[0] = 8; });
  add("set-map-prefix-order", "impossible prefix",
      [=](ImageEditor& e) { own(e, kExcludes)[2] = uint32_t{own(e, kExcludes)[0]}; });
  add("set-map-prefix-twice", "impossible prefix",
      [=](ImageEditor& e) { own(e, kExcludes)[1] = uint32_t{own(e, kExcludes)[0]}; });
  add("set-map-prefix-result-index", "impossible result",
      [=](ImageEditor& e) { const_cast<uint8_t*>(PartsOf(map(e, kExcludes)).own_result)[0] = 9; });
  add("set-map-prefix-excludes-nothing", "not listed where nothing is",
      [=](ImageEditor& e) { map(e, kExcludes).rest = 0u; });
  add("set-map-padding", "not padded with zeros", [=](ImageEditor& e) {
    reinterpret_cast<uint8_t*>(&map(e, 0))[SetMapBytes(map(e, 0).set_blocks, map(e, 0).own_count, map(e, 0).result_count)] = 1;
  });
  add("set-map-no-own-map", "without its own map", [=](ImageEditor& e) { own(e, kWithOwnMap)[0] = 0u; });
  add("set-map-own-map-outside", "a map lies outside",
      [=](ImageEditor& e) { own(e, kWithOwnMap)[0] = 0xffffffu; });
  add("set-map-own-map-of-sets", "unknown kind of map",
      [=](ImageEditor& e) { own(e, kWithOwnMap)[0] = uint32_t{Ref(e, 0, 9).map4}; });
  add("set-map-own-map-itself", "are confused",
      [=](ImageEditor& e) { own(e, kWithOwnMap)[0] = uint32_t{Ref(e, 0, kWithOwnMap).map4}; });
  add("set-map-own-map-excludes", "impossible result", [=](ImageEditor& e) {
    MapHeader& m = e.Edit(e.view().map(own(e, kWithOwnMap)[0]));
    m.result[1] = 1u;
  });
  return out;
}

std::vector<BadImage> ValueDamage() {
  std::vector<BadImage> out;
  auto add = [&](std::string name, std::string reason, Edit edit) {
    out.push_back(WithEdit(std::move(name), "every-kind", std::move(reason), std::move(edit)));
  };
  auto first_with = [](ImageEditor& e, uint32_t bits) -> Value& {
    for (uint32_t id = 1; id < e.view().value_count(); id++)
      if (Values(e)[id].ref & bits) return Values(e)[id];
    std::abort();
  };
  add("value-0", "entry 0 is not empty", [](ImageEditor& e) { Values(e)[0].a[0] = 127; });
  add("value-list-without-end", "does not end", [](ImageEditor& e) {
    Value& last = Values(e)[e.view().value_count() - 1];
    last.a[0] = last.a[3] = 0;
    last.ref = static_cast<uint32_t>(kValueMore);
  });
  add("value-middle-of-list", "impossible result", [=](ImageEditor& e) {
    NameIn(e, kInner, 0, kNameExact).a = static_cast<uint32_t>(&first_with(e, kValueMore) - Values(e) + 1);
  });
  add("value-action-unknown", "acl action", [=](ImageEditor& e) { first_with(e, kValueAction).a[3] = 9; });
  add("value-action-listed", "with an impossible result", [=](ImageEditor& e) {
    NameIn(e, kInner, 0, kNameExact).a = static_cast<uint32_t>(&first_with(e, kValueAction) - Values(e));
  });
  add("value-action-in-map", "acl action outside an acl", [=](ImageEditor& e) {
    Map6(e, kBl, 1).result[1] = static_cast<uint32_t>(&first_with(e, kValueAction) - Values(e));
  });
  add("text-outside", "a text lies outside",
      [=](ImageEditor& e) { first_with(e, kValueTextMask).ref = 0x0fffffffu; });
  auto text_of = [=](ImageEditor& e) -> Text& {
    for (uint32_t id = 1; id < e.view().value_count(); id++)
      if (uint32_t t = Values(e)[id].ref & kValueTextMask; t != 0 && e.view().text(t).holes != 0)
        return e.Edit(e.view().text(t));
    std::abort();
  };
  add("text-hole", "holes of a text",
      [=](ImageEditor& e) { *reinterpret_cast<Le16*>(&text_of(e) + 1) = static_cast<uint16_t>(1000); });
  add("text-flags", "unknown flags of a text", [=](ImageEditor& e) { text_of(e).flags = 0x40; });
  add("text-length", "text", [=](ImageEditor& e) { text_of(e).bytes = static_cast<uint16_t>(0xffff); });
  add("text-overlap", "overlaps another object",
      [=](ImageEditor& e) { text_of(e).bytes = static_cast<uint16_t>(text_of(e).bytes + 8); });
  return out;
}

std::vector<BadImage> RecordDamage() {
  std::vector<BadImage> out;
  auto add = [&](std::string name, std::string reason, Edit edit) {
    out.push_back(WithEdit(std::move(name), "every-kind", std::move(reason), std::move(edit)));
  };
  auto www = [](ImageEditor& e) -> RrsetHeader& { return RrsetOf(e, kGen, 0, "\x03www"); };
  auto apex = [](ImageEditor& e) -> RrsetHeader& { return RrsetOf(e, kGen, 0, ""); };
  auto octets = [](RrsetHeader& r) { return reinterpret_cast<uint8_t*>(&r + 1); };
  add("rrset-count", "record outside its set",
      [=](ImageEditor& e) { www(e).count = static_cast<uint16_t>(2); });
  add("rrset-empty", "empty record set", [=](ImageEditor& e) { www(e).count = static_cast<uint16_t>(0); });
  add("rrset-length", "record outside its set", [=](ImageEditor& e) { octets(www(e))[8] = 0x7f; });
  add("rrset-behind", "octets behind the last record",
      [=](ImageEditor& e) { apex(e).count = static_cast<uint16_t>(2); });
  add("rrset-type", "impossible type or class", [=](ImageEditor& e) { octets(www(e))[1] = 250; });
  add("rrset-class", "impossible type or class", [=](ImageEditor& e) { octets(www(e))[3] = 3; });
  add("rrset-data", "malformed record data", [=](ImageEditor& e) { octets(www(e))[12] = 63; });
  add("rrset-not-grouped", "not grouped by type", [=](ImageEditor& e) {
    for (size_t record : {0, 14, 28}) octets(apex(e))[record + 1] = record == 14 ? 98 : 99;  // opaque types
  });
  add("rrset-reserved", "reserved octets of a record set",
      [=](ImageEditor& e) { www(e).reserved = static_cast<uint16_t>(1); });
  add("soa-serial", "SOA record and zone disagree", [](ImageEditor& e) { Zone(e, kBl).serial = 5u; });
  add("soa-outside", "authority records lie outside", [](ImageEditor& e) { Zone(e, kBl).soa = 0xffffffu; });
  add("soa-is-ns", "SOA and NS records are confused",
      [](ImageEditor& e) { Zone(e, kBl).soa = e.view().rotation(Zone(e, kInner), 0); });
  add("soa-count", "wrong number of authority records",
      [](ImageEditor& e) { SoaOf(e, kBl).rr_count = static_cast<uint16_t>(2); });
  add("soa-length", "authority",
      [](ImageEditor& e) { SoaOf(e, kBl).rr_bytes = static_cast<uint16_t>(SoaOf(e, kBl).rr_bytes - 1); });
  add("soa-owner", "", [](ImageEditor& e) {
    RelocationsOf(SoaOf(e, kBl))[0].target = static_cast<uint16_t>(kRelocateQuestion | 3);
  });
  add("soa-pointer-into-label", "no label of the apex", [](ImageEditor& e) {
    RelocationsOf(SoaOf(e, kBl))[1].target = static_cast<uint16_t>(kRelocateQuestion | 1);
  });
  add("soa-pointer-not-relocated", "",
      [](ImageEditor& e) { RelocationsOf(SoaOf(e, kBl))[1].position = static_cast<uint16_t>(1); });
  add("soa-pointer-mark", "no pointer", [](ImageEditor& e) { RecordsOf(SoaOf(e, kBl))[0] = 0xc1; });
  add("soa-pointer-forward", "no earlier name",
      [](ImageEditor& e) { RelocationsOf(SoaOf(e, kBl))[1].target = static_cast<uint16_t>(500); });
  add("soa-type", "another type or class", [](ImageEditor& e) { RecordsOf(SoaOf(e, kBl))[3] = 5; });
  add("ns-label", "authority", [](ImageEditor& e) { RecordsOf(NsOf(e, kBl))[12] = 0x3f; });
  add("ns-count", "name servers", [](ImageEditor& e) { Zone(e, kBl).ns_count = 0u; });
  add("ns-count-many", "name servers", [](ImageEditor& e) { Zone(e, kBl).ns_count = kMaxNs + 1; });
  add("ns-rotation-outside", "lie outside", [](ImageEditor& e) { Zone(e, kBl).ns = 0xffffffu; });
  add("ns-glue-length", "authority", [](ImageEditor& e) {
    AuthorityBlock& b = NsOf(e, kBl);
    b.glue_bytes = static_cast<uint16_t>(b.glue_bytes - 1);
  });
  return out;
}

std::vector<BadImage> SpfDamage() {
  std::vector<BadImage> out;
  auto add = [&](std::string name, std::string reason, Edit edit) {
    out.push_back(WithEdit(std::move(name), "spf", std::move(reason), std::move(edit)));
  };
  auto header = [](ImageEditor& e) -> SpfHeader& { return e.Edit(*e.view().spf()); };
  auto zone = [](ImageEditor& e) -> SpfZone& { return e.Edit(e.view().spf_zone(Ref(e, 1, 0).map4)); };
  auto parts = [=](ImageEditor& e) { return const_cast<SpfPart*>(SpfParts(zone(e)).data()); };
  auto domain = [](ImageEditor& e, std::string_view wire) -> SpfDomain& {
    const uint32_t scope = Ref(e, 1, 0).scope;
    return e.Edit(e.view().spf_domain(FindRecord(e, [&](const NameRecord& r) {
                                        return r.scope == scope && (r.flags & kNameExact) &&
                                               std::string_view(reinterpret_cast<const char*>(&r + 1),
                                                                r.name_bytes) == wire;
                                      }).a));
  };
  auto a = [=](ImageEditor& e) -> SpfDomain& { return domain(e, "\x01" "a\x04" "test"); };
  auto b = [=](ImageEditor& e) -> SpfDomain& { return domain(e, "\x01" "b\x04" "test"); };
  auto program = [](ImageEditor& e, uint32_t id) -> SpfProgram& { return e.Edit(e.view().spf_program(id)); };
  auto words = [=](ImageEditor& e) {
    return reinterpret_cast<Le32*>(e.Section(kSpfData) + size_t{header(e).classes4} * 8);
  };
  // Entry of a list with this kind.
  auto entry = [](const SpfList& list, unsigned kind) {
    for (uint32_t i = 0; i < list.count; i++)
      if (list.kind[i] == kind) return i;
    std::abort();
  };
  auto key = [](const SpfList& list, uint32_t i) -> Le32& { return const_cast<Le32&>(list.key[i]); };
  auto octet = [](const uint8_t* p, uint32_t i) -> uint8_t& { return const_cast<uint8_t&>(p[i]); };

  add("spf-header-reserved", "reserved octets of the SPF header", [=](ImageEditor& e) { header(e).reserved[5] = 1u; });
  add("spf-programs-outside", "SPF programs: outside", [=](ImageEditor& e) { header(e).programs = 0xffffffu; });
  add("spf-program-count", "SPF programs", [=](ImageEditor& e) { header(e).program_count = 0xffffffffu; });
  add("spf-no-programs", "without the reserved program", [=](ImageEditor& e) { header(e).program_count = 0u; });
  add("spf-program-0", "program 0 is not empty", [=](ImageEditor& e) { program(e, 0).outcome = 1; });
  add("spf-outcome", "unknown outcome", [=](ImageEditor& e) { program(e, 1).outcome = kSpfOutcomeLast + 1; });
  add("spf-text-outside", "a text lies outside", [=](ImageEditor& e) { program(e, 1).text = 0xffffffu; });
  add("spf-text-of-value", "none of SPF", [=](ImageEditor& e) { e.Edit(e.view().text(program(e, 1).text)).flags = 0; });
  add("spf-text-flags", "contradicting flags", [=](ImageEditor& e) { e.Edit(e.view().text(program(e, 1).text)).flags = 3; });
  auto helpers = [](ImageEditor& e) -> SpfProgram& {
    for (uint32_t id = 1;; id++)
      if (e.view().spf_program(id).helper_count != 0) return e.Edit(e.view().spf_program(id));
  };
  auto helper = [=](ImageEditor& e) -> SpfHelperRecord& { return e.Edit(SpfHelpers(e.view(), helpers(e))[0]); };
  add("spf-helper-label", "wrong label", [=](ImageEditor& e) { helper(e).label[1] = 'A'; });
  add("spf-helper-order", "helpers out of order", [=](ImageEditor& e) { helper(e).label[0] = 'z'; });
  add("spf-helper-count", "wrong helpers", [=](ImageEditor& e) { helpers(e).helper_count = 0; });
  add("spf-class-count", "impossible size", [=](ImageEditor& e) { words(e)[1] = 0x10000u; });
  add("spf-class-empty", "impossible size", [=](ImageEditor& e) { words(e)[1] = 0u; });
  add("spf-class-0", "class 0 is not empty", [=](ImageEditor& e) { words(e)[0] = 1u; });
  add("spf-class-set", "sets of a class", [=](ImageEditor& e) { words(e)[2] = 1000u; });
  add("spf-set-count", "set in no class", [=](ImageEditor& e) { header(e).set_count4 = header(e).set_count4 + 1; });
  add("spf-set-count-many", "more sets than", [=](ImageEditor& e) { header(e).set_count4 = 0xfffffff0u; });
  add("spf-class-map-missing", "without map", [=](ImageEditor& e) { header(e).class_map4 = 0u; });
  add("spf-class-map-six", "unknown kind of map", [=](ImageEditor& e) { header(e).class_map4 = header(e).class_map6; });
  add("spf-class-map-result", "impossible result", [=](ImageEditor& e) {
    const MapHeader& map = e.view().map(header(e).class_map4);
    if (map.value_bytes == 4)
      reinterpret_cast<Le32*>(e.Section(kMaps) + size_t{map.values} * 64)[0] = 2u;
    else
      e.Edit(map).result[1] = 2u;
  });
  add("spf-zone-outside", "an SPF zone lies outside", [](ImageEditor& e) { Ref(e, 1, 0).map4 = 0xffffffu; });
  add("spf-zone-missing", "an SPF zone lies outside", [](ImageEditor& e) { Ref(e, 1, 0).map4 = 0u; });
  add("spf-zone-flags", "unknown flags of an SPF zone", [=](ImageEditor& e) { zone(e).flags = 0x80; });
  add("spf-zone-subdomains", "in a zone without them", [=](ImageEditor& e) { zone(e).flags = 0; });
  add("spf-zone-unknown-text", "text for unknown", [=](ImageEditor& e) { zone(e).unknown = kSpfUnknownText; });
  add("spf-layouts-none", "SPF zone", [=](ImageEditor& e) { zone(e).layout_count = 0; });
  add("spf-parts-none", "number of parts", [=](ImageEditor& e) { octet(SpfPartsOfLayout(zone(e)).data(), 0) = 0; });
  add("spf-parts-many", "SPF", [=](ImageEditor& e) { zone(e).part_count = static_cast<uint16_t>(0xffff); });
  add("spf-part-kind", "unknown part", [=](ImageEditor& e) { parts(e)[0].kind = kSpfPartLast + 1; });
  add("spf-part-twice", "a part of an SPF layout twice", [=](ImageEditor& e) { parts(e)[1].kind = kSpfAddress; });
  add("spf-part-neighbours", "nothing between", [=](ImageEditor& e) { parts(e)[0].kind = kSpfIgnored; });
  add("spf-label", "a label of an SPF layout", [=](ImageEditor& e) { parts(e)[2].label_bytes = 64; });
  add("spf-label-case", "lower case", [=](ImageEditor& e) { octet(SpfLabels(zone(e)), 0) = 'I'; });
  add("spf-labels-behind", "SPF", [=](ImageEditor& e) { zone(e).label_bytes = static_cast<uint16_t>(zone(e).label_bytes + 1); });
  add("spf-default-domain", "SPF domain", [=](ImageEditor& e) { zone(e).default_domain = 0xffffffu; });
  add("spf-domain-outside", "an SPF domain lies outside", [](ImageEditor& e) { NameIn(e, 1, 0, kNameExact).a = 0xffffffu; });
  add("spf-domain-flags", "unknown flags of an SPF domain", [=](ImageEditor& e) { a(e).flags = 0x10; });
  add("spf-domain-no-data", "without data has some", [=](ImageEditor& e) { a(e).flags = kSpfNoData; });
  add("spf-domain-default", "impossible default", [=](ImageEditor& e) { a(e).default4 = 200; });
  add("spf-domain-count", "SPF", [=](ImageEditor& e) { a(e).count4 = static_cast<uint16_t>(1000); });
  add("spf-domain-count-many", "SPF", [=](ImageEditor& e) { a(e).count4 = static_cast<uint16_t>(0xffff); });
  add("spf-domain-program", "impossible program of an SPF domain", [=](ImageEditor& e) { const_cast<Le32&>(SpfPrograms(a(e))[0]) = 0u; });
  add("spf-entry-program", "impossible program of an SPF entry", [=](ImageEditor& e) { octet(SpfList4(a(e)).program, 0) = 99; });
  add("spf-entry-set", "impossible set", [=](ImageEditor& e) { key(SpfList4(a(e)), entry(SpfList4(a(e)), kSpfEntrySet)) = 99u; });
  add("spf-entry-prefix", "impossible prefix", [=](ImageEditor& e) { octet(SpfList4(a(e)).kind, 0) = 8; });
  add("spf-entry-kind", "impossible prefix", [=](ImageEditor& e) { octet(SpfList4(a(e)).kind, 0) = 33; });
  add("spf-entry-prefix6", "impossible prefix", [=](ImageEditor& e) { key(SpfList6(a(e)), 0) = 1u; });
  add("spf-entry-map", "a map lies outside", [=](ImageEditor& e) { key(SpfList4(b(e)), entry(SpfList4(b(e)), kSpfEntryMap)) = 0xffffffu; });
  add("spf-entry-map-confused", "are confused", [=](ImageEditor& e) {
    key(SpfList4(b(e)), entry(SpfList4(b(e)), kSpfEntryMap)) = header(e).class_map4;
  });
  add("spf-entry-map-result", "impossible result", [=](ImageEditor& e) {
    const uint32_t map = SpfList4(b(e)).key[entry(SpfList4(b(e)), kSpfEntryMap)];
    e.Edit(e.view().map(map)).result[1] = 0xffffu;
  });
  return out;
}

}  // namespace

const std::vector<BadImage>& BadImages() {
  static const auto* const kAll = [] {
    auto* all = new std::vector<BadImage>;
    for (auto part : {FileDamage, HeaderDamage, NameDamage, MapDamage, SetDamage, ValueDamage, RecordDamage, SpfDamage,
                      HealthcheckDamage})
      for (BadImage& b : part()) all->push_back(std::move(b));
    return all;
  }();
  return *kAll;
}

}  // namespace mz::image
