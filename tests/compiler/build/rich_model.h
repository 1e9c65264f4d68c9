// A model with something of everything, for tests that look at whole images.
#pragma once

#include "tests/compiler/build/model_tools.h"

namespace mz::compiler::testing {

inline BigVector<Interval4> RandomMap4(size_t boundaries, std::vector<ResultId> results, std::mt19937* random) {
  std::vector<net::Ip4> starts{0};
  for (size_t i = 0; i < boundaries; i++) starts.push_back(static_cast<net::Ip4>((*random)()));
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  results.push_back(0);
  BigVector<Interval4> map;
  for (net::Ip4 start : starts) {
    ResultId r;
    do {
      r = results[(*random)() % results.size()];
    } while (!map.empty() && map.back().result == r);
    map.push_back({start, r});
  }
  return map;
}

inline BigVector<Interval6> RandomMap6(size_t boundaries, std::vector<ResultId> results, std::mt19937* random) {
  BigVector<Interval6> map;
  for (const Interval4& i : RandomMap4(boundaries, std::move(results), random))
    map.push_back({{uint64_t{i.start} << 32, i.start & 1 ? 1u : 0u}, i.result});
  map[0].start = {};
  return map;
}

inline void FillDataset(ImageModel* model, DatasetModel* d, std::mt19937* random) {
  Pool* pool = &model->pool;
  auto text = [&](std::string literal, std::vector<uint16_t> holes) {
    ValueModel v;
    v.a[3] = static_cast<uint8_t>(1 + (*random)() % 3);
    v.text = pool->InternText({std::move(literal), std::move(holes), image::kTextCut254});
    return v;
  };
  ResultId plain = Result(pool, 2);
  ResultId templated = pool->InternResult({text("see http://x.test/?", {19}), text("$ and $", {0, 7})});
  ResultId bytes = pool->InternResult({text(std::string("high \xff\x80 zero \0 end", 18), {})});
  d->ttl = 300 + (*random)() % 100;
  d->newest_mtime = 1700000000;
  d->counts = "e32/24/16/8=1/0/0/1";
  d->entries = 17;
  d->files = {{"dir/list-\xff.txt", 1700000000, 123456789, 999, 4711}, {"liste-\xc3\xbc", 1600000000, 1, 2, 3}};
  switch (d->kind) {
    case image::kIp4Set:
    case image::kIp4Tset:
    case image::kIp4Trie:
      d->map4 = RandomMap4(300, {plain, templated, bytes}, random);
      for (uint32_t i = 0; i < 200000; i += 997)
        d->provenance4.push_back({i * 4096, i * 4096 + 255, i * 3 + 1, static_cast<uint16_t>(i & 1), i % 5 == 0});
      break;
    case image::kIp6Tset:
    case image::kIp6Trie:
      d->map6 = RandomMap6(100, {plain, templated}, random);
      d->provenance6 = {{{1, 0}, {1, ~0ull}, 9, 0, false}, {{2, 3}, {2, 3}, 4, 1, true}, {{}, net::kIp6Last, 77, 0, false}};
      break;
    case image::kDnset:
      AddDnset(d, "example.com", image::kNameExact | image::kNameWild, plain, templated);
      AddDnset(d, "a.b.c.example.net", image::kNameExact, bytes, 0);
      AddDnset(d, "no.example.com", image::kNameExact, 0, 0);
      AddDnset(d, "only.wild.org", image::kNameWild, 0, plain);
      for (int i = 0; i < 50; i++)
        AddDnset(d, "n" + std::to_string(i) + ".host.example.org", image::kNameExact, i % 2 ? plain : bytes, 0);
      for (const DnsetName& n : d->dnset) d->provenance_names.push_back({n.name, 5, 0, n.exact == 0, (n.flags & 2) != 0});
      break;
    case image::kGeneric:
      d->generic.push_back({d->names.Add(""), {ARecord(100, 1), {16, 200, "\5hello", 0}}});
      d->generic.push_back({d->names.Add(Wire("ns1")), {ARecord(300, 4), ARecord(300, 5)}});
      d->generic.push_back({d->names.Add(Wire("www.deep")), {ARecord(100, 1), {16, 200, "\5hello", 0}}});
      d->generic.push_back({d->names.Add(Wire("mail")), {{15, 60, std::string("\0\12", 2) + FullWire("mx.Example"), 0}}});
      break;
    case image::kSpf:          // spf_models.h has them
    case image::kHealthcheck:  // tests/compiler/healthcheck has them
      break;
    case image::kAcl: {
      ValueModel refuse{{0, 0, 0, image::kAclRefuse}, 0, true};
      ResultId action = pool->InternResult({refuse});
      d->map4 = RandomMap4(20, {action, plain}, random);
      d->map6 = RandomMap6(20, {action}, random);
      d->extra_load_lines = {"acl:a: ip4 trie: ents=1", "acl:a: ip6 trie: ents=0"};
      break;
    }
    case image::kCombined: {
      for (image::DatasetKind kind : {image::kIp4Set, image::kDnset, image::kGeneric, image::kIp6Trie, image::kIp4Trie}) {
        auto part = std::make_unique<DatasetModel>();
        part->kind = kind;
        part->spec = "part" + std::to_string(kind);
        FillDataset(model, part.get(), random);
        d->parts.push_back(std::move(part));
      }
      d->subzones.push_back({d->names.Add(""), {1, 2}});
      d->subzones.push_back({d->names.Add(Wire("a.b.sub")), {0, 3}});
      d->subzones.push_back({d->names.Add(Wire("same.sub")), {0, 3}});
      d->subzones.push_back({d->names.Add(Wire("ip")), {0}});
      d->extra_load_lines = {"combined:f: ip4set: e=1"};  // parts[4] is in no subzone
      break;
    }
  }
}

inline std::unique_ptr<ImageModel> RichModel(uint32_t seed = 1) {
  auto model = std::make_unique<ImageModel>();
  std::mt19937 random(seed);
  const image::DatasetKind kinds[] = {image::kIp4Set, image::kIp4Tset, image::kIp4Trie, image::kIp6Tset, image::kIp6Trie,
                                      image::kDnset,  image::kGeneric, image::kCombined, image::kAcl};
  for (image::DatasetKind kind : kinds) {
    DatasetModel* d = AddDataset(model.get(), kind, "kind" + std::to_string(kind) + ":a,b");
    FillDataset(model.get(), d, &random);
  }
  DatasetModel* first = model->datasets[0].get();
  first->soa = Soa{3600, FullWire("ns.example"), FullWire("adm\\.x.Example"), 0, 1, 2, 3, 4};
  first->ns = NameServers{60, {FullWire("ns1.gen.test"), FullWire("out.example")}};
  first->expires_unix = 2000000000;
  AddZone(model.get(), "sub.bl.test", {0, 4, 5});
  AddZone(model.get(), "bl.test", {1, 2, 3, 0})->acl = 8;
  AddZone(model.get(), "gen.test", {6});
  AddZone(model.get(), "comb.test", {7, 0})->flags = image::kZoneMinimal | image::kZoneEntNxdomain;
  AddZone(model.get(), "again.test", {7, 0});
  model->global_acl = 8;
  model->profile = image::kProfileRbldnsd;
  return model;
}

}  // namespace mz::compiler::testing
