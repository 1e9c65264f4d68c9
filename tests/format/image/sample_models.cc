// See sample_models.h.
#include "tests/format/image/sample_models.h"

#include <cstdlib>
#include <cstring>
#include <random>

#include "format/dns/name.h"
#include "format/net/address.h"
#include "compiler/build/healthcheck_model.h"
#include "tests/compiler/build/spf_models.h"

namespace mz::image {

using namespace mz::compiler;  // NOLINT: the bricks are the compiler's

namespace {

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "sample: %s\n", what.c_str());
  std::abort();
}

net::Ip4 Address4(std::string_view text) { return *net::ParseIp4(text); }
net::Ip6 Address6(std::string_view text) { return *net::ParseIp6(text); }

std::unique_ptr<DatasetModel> NewDataset(DatasetKind kind, std::string spec, uint32_t ttl = 2100) {
  auto d = std::make_unique<DatasetModel>();
  d->kind = kind;
  d->spec = std::move(spec);
  d->ttl = ttl;
  d->newest_mtime = 1700000000;
  d->entries = 1;
  return d;
}

Soa SampleSoa(std::string_view mname = "ns.ex.test") {
  return {3600, WireWithRoot(mname), WireWithRoot("adm.ex.test"), 0, 7200, 600, 604800, 300};
}

uint32_t AddDataset(ImageModel* m, std::unique_ptr<DatasetModel> d) {
  m->datasets.push_back(std::move(d));
  return static_cast<uint32_t>(m->datasets.size() - 1);
}

ZoneModel* AddZone(ImageModel* m, std::string_view apex, std::vector<uint32_t> datasets) {
  ZoneModel z;
  z.apex = Wire(apex);
  z.text = apex;
  z.datasets = std::move(datasets);
  m->zones.push_back(std::move(z));
  return &m->zones.back();
}

// One zone, one listed address: the worked example of IMAGE.md.
ImageModel Tiny() {
  ImageModel m;
  auto d = NewDataset(kIp4Set, "ip4set:bl.txt");
  ResultId listed = MakeResult(&m.pool, "127.0.0.2", "listed: $");
  d->map4 = {{0, 0}, {Address4("192.0.2.1"), listed}, {Address4("192.0.2.2"), 0}};
  d->soa = SampleSoa("ns.bl.test");
  AddZone(&m, "bl.test", {AddDataset(&m, std::move(d))});
  return m;
}

ImageModel Empty() { return {}; }

// A list of `count` single addresses with `results` different values, spread over the space.
BigVector<Interval4> Scatter4(Pool* pool, uint32_t count, uint32_t results, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<ResultId> ids;
  for (uint32_t i = 0; i < results; i++)
    ids.push_back(MakeResult(pool, "127.0.0." + std::to_string(2 + i % 250), "value " + std::to_string(i)));
  BigVector<Interval4> map{{0, 0}};
  const uint64_t step = (1ull << 32) / (count + 1);
  for (uint32_t i = 1; i <= count; i++) {
    auto start = static_cast<net::Ip4>(i * step + random() % (step / 2 + 1));
    map.push_back({start, ids[i % ids.size()]});
    map.push_back({start + 1, 0});
  }
  return map;
}

ImageModel Addresses4() {
  ImageModel m;
  std::vector<uint32_t> ids;
  auto add = [&](BigVector<Interval4> map) {
    auto d = NewDataset(kIp4Trie, "ip4trie:" + std::to_string(ids.size()));
    d->map4 = std::move(map);
    ids.push_back(AddDataset(&m, std::move(d)));
  };
  ResultId one = MakeResult(&m.pool, "127.0.0.2", "one"), two = MakeResult(&m.pool, "127.0.0.3");
  add({{0, one}});            // everything
  add({{0, one}, {1, 0}});    // the first address
  add({{0, 0}, {~0u, one}});  // the last address
  add({{0, one}, {0x80000000u, two}});
  add({{0, two}, {5, 0}, {6, one}, {~0u, two}});
  for (uint32_t count : {7, 8, 15, 16, 120, 300}) add(Scatter4(&m.pool, count, 1, count));
  add(Scatter4(&m.pool, 130, 5, 1));
  add(Scatter4(&m.pool, 300, 280, 2));
  add({});
  AddZone(&m, "a4.test", ids);
  return m;
}

// Lists that share sets: few and many sets, own prefixes, own maps, several results, listed by default, exclusions.
ImageModel Sets4() {
  ImageModel m;
  std::vector<uint32_t> ids;
  const ResultId pass = MakeResult(&m.pool, "127.0.0.3", "pass"), fail = MakeResult(&m.pool, "127.0.0.99"),
                 other = MakeResult(&m.pool, "127.0.0.4");
  // Provider `p` has the /24 blocks p.0.x.0 for x below 1 + p % 4, and the addresses of a place that all share.
  auto paint = [](BigVector<Interval4>* map, net::Ip4 first, net::Ip4 last, ResultId result, ResultId rest) {
    map->push_back({first, result});
    map->push_back({last + 1, rest});
  };
  auto add = [&](std::vector<net::Ip4> providers, ResultId rest, uint32_t own, bool excludes, ResultId second) {
    auto d = NewDataset(kIp4Set, "ip4set:" + std::to_string(ids.size()));
    auto& map = d->map4;
    map.push_back({0, rest});
    bool odd = false;
    for (net::Ip4 p : providers) {
      for (net::Ip4 x = 0; x < 1 + p % 4; x++)
        paint(&map, p << 24 | x << 12, p << 24 | x << 12 | 0xff, odd && second != 0 ? second : pass, rest);
      odd = !odd;
    }
    for (uint32_t i = 0; i < own; i++) {
      const net::Ip4 at = 0xc0000000 + 64 * static_cast<net::Ip4>(ids.size()) + 0x10000 * i;
      paint(&map, at, at + i % 3, pass, rest);
    }
    if (excludes) paint(&map, 0xe0000000, 0xefffffff, 0, rest);
    ids.push_back(AddDataset(&m, std::move(d)));
  };
  std::vector<net::Ip4> many;
  for (net::Ip4 p = 1; p <= 11; p++) many.push_back(p);
  add({1, 2, 3}, 0, 0, false, 0);
  add({1, 2, 7}, fail, 3, true, 0);
  add({3, 7, 8}, fail, 3, false, other);
  add({2, 3, 8}, 0, 5, false, other);
  add({1, 5, 9}, 0, 30, false, 0);  // own map
  add({5, 6, 10}, fail, 30, false, 0);
  add({4, 6, 11}, 0, 1, false, 0);
  add({4, 9, 10}, 0, 2, false, 0);
  add({11}, 0, 0, false, 0);
  add(many, 0, 1, false, 0);
  add({1, 2, 7}, fail, 30, true, 0);  // stays a tree
  // Two blocks, one inside the other, of different lists: a class of two sets.
  for (int i = 0; i < 4; i++) {
    auto d = NewDataset(kIp4Set, "ip4set:nested" + std::to_string(i));
    d->map4 = {{0, 0}, {0x32000000u + (i < 2 ? 256u : 0u), pass}, {0x32010000u, 0}, {0x33000000u + static_cast<net::Ip4>(i), pass}, {0x33000010u, 0}};
    ids.push_back(AddDataset(&m, std::move(d)));
  }
  AddZone(&m, "s4.test", ids);
  return m;
}

// Large enough for direct tables, with all widths of values.
ImageModel Direct4() {
  ImageModel m;
  std::vector<uint32_t> ids;
  for (uint32_t results : {1, 3, 300}) {
    auto d = NewDataset(kIp4Set, "ip4set:" + std::to_string(results));
    d->map4 = Scatter4(&m.pool, 40001, results, results);
    ids.push_back(AddDataset(&m, std::move(d)));
  }
  AddZone(&m, "d4.test", ids);
  return m;
}

ImageModel Addresses6() {
  ImageModel m;
  std::vector<uint32_t> ids;
  auto add = [&](DatasetKind kind, BigVector<Interval6> map) {
    auto d = NewDataset(kind,
                        std::string(kind == kIp6Trie ? "ip6trie:" : "ip6tset:") + std::to_string(ids.size()));
    d->map6 = std::move(map);
    ids.push_back(AddDataset(&m, std::move(d)));
  };
  ResultId one = MakeResult(&m.pool, "127.0.0.2", "six $"), two = MakeResult(&m.pool, "127.0.0.3");
  const net::Ip6 zero{};
  add(kIp6Trie, {{zero, one}});
  add(kIp6Trie, {{zero, 0}, {Address6("2001:db8::"), one}, {Address6("2001:db9::"), 0}});
  add(kIp6Trie, {{zero, 0},
                 {Address6("2001:db8::1"), one},
                 {Address6("2001:db8::2"), two},
                 {Address6("2001:db8::3"), 0},
                 {net::kIp6Last, one}});
  add(kIp6Trie, {{zero, 0}, {Address6("ffff:ffff:ffff:ffff::"), two}});
  for (uint64_t count : {7, 9, 64, 70}) {
    BigVector<Interval6> high{{zero, 0}}, full{{zero, two}};
    for (uint64_t i = 1; i <= count; i++) {
      high.push_back({{i << 40, 0}, i % 3 == 0 ? one : i % 3 == 1 ? two : 0});
      full.push_back({{i << 40, i}, i % 2 == 0 ? two : 0});
    }
    add(kIp6Tset, std::move(high));
    add(kIp6Trie, std::move(full));
  }
  AddZone(&m, "a6.test", ids);
  return m;
}

void AddNames(Pool* pool, DatasetModel* d) {
  ResultId x = MakeResult(pool, "127.0.0.2", "name $"), y = MakeResult(pool, "127.0.0.9");
  auto add = [&](std::string_view name, uint8_t flags, ResultId exact, ResultId wild) {
    d->dnset.push_back({d->names.Add(Wire(name)), flags, exact, wild, 1});
  };
  add("com", kNameExact, x, 0);
  add("a.com", kNameExact | kNameWild, x, y);
  add("x.a.com", kNameExact, 0, 0);
  add("q.a.com", kNameWild, 0, 0);
  add("deep.er.than.this.org", kNameWild, 0, x);
  add("w\\.ird\\007", kNameExact, y, 0);
}

void AddGeneric(DatasetModel* d) {
  auto name = [](std::string text) { return WireWithRoot(text); };
  auto add = [&](std::string_view owner, std::vector<GenericRecord> records) {
    d->generic.push_back({d->names.Add(Wire(owner)), std::move(records)});
  };
  const std::string a("\x01\x02\x03\x04", 4), txt("\x05hello", 6);
  add("", {{1, 60, a, 1}, {1, 60, std::string("\x05\x06\x07\x08", 4), 2}, {16, 60, txt, 3}});
  add("www", {{15, 300, std::string("\0\x0a", 2) + name("mail.gen.test"), 4}});
  add("a.b.www", {{1, 2100, a, 5}});
}

// Every kind of dataset, SOA, NS with glue, acls, nested zones.
ImageModel EveryKind() {
  ImageModel m;
  ResultId listed = MakeResult(&m.pool, "127.0.0.2", "listed");
  ResultId both;
  {
    TextModel t{"cut $ here", {4}, 0};
    both = m.pool.InternResult({{{127, 0, 0, 3}, m.pool.InternText(t), false}, {{127, 0, 0, 4}, 0, false}});
  }
  auto ip4 = NewDataset(kIp4Set, "ip4set:bl");
  ip4->map4 = {
      {0, 0}, {Address4("10.0.0.0"), listed}, {Address4("10.1.0.0"), both}, {Address4("10.2.0.0"), 0}};
  ip4->soa = SampleSoa("ns1.bl.test");
  ip4->ns = NameServers{
      7200, {WireWithRoot("NS1.bl.test"), WireWithRoot("ns2.other.test"), WireWithRoot("2.0.0.10.bl.test")}};
  ip4->expires_unix = 1900000000;
  auto ip6 = NewDataset(kIp6Trie, "ip6trie:six", 60);
  ip6->map6 = {{net::Ip6{}, 0}, {Address6("2001:db8::"), listed}, {Address6("2001:db8:1::"), 0}};
  auto names = NewDataset(kDnset, "dnset:dn");
  AddNames(&m.pool, names.get());
  auto generic = NewDataset(kGeneric, "generic:g");
  AddGeneric(generic.get());
  auto acl = NewDataset(kAcl, "acl:acl");
  acl->map4 = {{0, 0},
               {Address4("10.0.0.0"), MakeAction(&m.pool, kAclRefuse)},
               {Address4("10.0.1.0"), 0},
               {Address4("172.16.0.0"), MakeAction(&m.pool, kAclEmpty)},
               {Address4("172.17.0.0"), listed},
               {~0u, 0}};
  acl->map6 = {{net::Ip6{}, 0},
               {Address6("2001:db8::"), MakeAction(&m.pool, kAclIgnore)},
               {Address6("2001:db8::1"), 0}};
  auto combined = NewDataset(kCombined, "combined:c", 99);
  combined->soa = SampleSoa();
  auto part = [&](DatasetKind kind) {
    combined->parts.push_back(NewDataset(kind, "part", 77));
    return combined->parts.back().get();
  };
  part(kIp4Set)->map4 = {{0, 0}, {Address4("10.0.0.0"), both}, {Address4("10.0.0.1"), 0}};
  AddNames(&m.pool, part(kDnset));
  AddGeneric(part(kGeneric));
  part(kIp6Trie)->map6 = {{net::Ip6{}, listed}};
  combined->subzones.push_back({combined->names.Add(""), {0}});
  combined->subzones.push_back({combined->names.Add(Wire("sub")), {1, 0}});
  combined->subzones.push_back({combined->names.Add(Wire("deep.dn.sub")), {2}});
  combined->subzones.push_back({combined->names.Add(Wire("six")), {3}});

  const uint32_t ids[] = {AddDataset(&m, std::move(ip4)),      AddDataset(&m, std::move(ip6)),
                          AddDataset(&m, std::move(names)),    AddDataset(&m, std::move(generic)),
                          AddDataset(&m, std::move(combined)), AddDataset(&m, std::move(acl))};
  AddZone(&m, "inner.bl.test", {ids[2], ids[0]});
  AddZone(&m, "bl.test", {ids[0], ids[1]})->acl = ids[5];
  AddZone(&m, "gen.test", {ids[3], ids[2]})->flags = kZoneMinimal | kZoneEntNxdomain;
  AddZone(&m, "c.test", {ids[4]});
  AddZone(&m, "all.c.test", {ids[4], ids[0], ids[1], ids[2], ids[3]})->acl = ids[5];
  m.global_acl = ids[5];
  m.profile = kProfileRbldnsd;
  return m;
}

// Enough names for several buckets, long ones and deep ones among them.
ImageModel Names() {
  ImageModel m;
  auto d = NewDataset(kDnset, "dnset:n");
  ResultId x = MakeResult(&m.pool, "127.0.0.2", "$");
  auto add = [&](const std::string& wire, uint8_t flags) {
    d->dnset.push_back({d->names.Add(wire), flags, flags & kNameExact ? x : 0, flags & kNameWild ? x : 0, 1});
  };
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; i++) {
    std::string wire = Wire("host" + std::to_string(i) + ".d" + std::to_string(random() % 20) + ".test");
    add(wire, static_cast<uint8_t>(i % 3 + 1) & (kNameExact | kNameWild));
  }
  std::string longest;
  for (int i = 0; i < 3; i++) longest += std::string(1, 63) + std::string(63, static_cast<char>('a' + i));
  add(longest + std::string(1, 40) + std::string(40, 'z'), kNameExact);
  std::string deepest;
  for (int i = 0; i < 100; i++) deepest += std::string(1, 1) + static_cast<char>('a' + i % 26);
  add(deepest, kNameExact | kNameWild);
  AddZone(&m, "n.test", {AddDataset(&m, std::move(d))});
  return m;
}

// Two SPF zones with every form of set, program and layout.
ImageModel Spf() {
  using compiler::testing::SpfModelBuilder;
  ImageModel m;
  // Sets of one zone alone become maps, others shared sets.
  auto fill = [&](SpfModelBuilder& spf, const std::string& zone) {
    const uint32_t pass = spf.Program(SpfOutcome::kPass, "v=spf1 ip4:$ -all");
    const uint32_t fail = spf.Program(SpfOutcome::kFail, "v=spf1 -all");
    const uint32_t none = spf.Program(SpfOutcome::kTemperror, "");
    const uint32_t dynamic = spf.Program(SpfOutcome::kDynamic, "v=spf1 ?include:_hab.@ include:_p.@ ~all");
    spf.program(dynamic).helpers = {{"1", 0}, {"ab", spf.Text("v=spf1 exists:%{l}.x.test -all")}};
    spf.program(fail).explanation = spf.Text("$ may not send");
    for (int c = 0; c < kSpfClasses; c++)
      spf.program(pass).class_text[c] = spf.Text(c == 0 ? "v=spf1 ip4:$ -all" : "v=spf1 -all");
    const uint32_t big = spf.Set4({"192.0.2.0/28", "192.0.2.32/28", "192.0.2.64/28", "198.51.100.0/24"});
    const uint32_t other = spf.Set4({"192.0.2.40", "192.0.2.70", "192.0.2.80", "203.0.113.0/24"});
    const uint32_t big6 = spf.Set6({"2001:db8::/48", "2001:db8:2::/48", "2001:db8:4::/64"});
    std::vector<std::string> many;
    for (int i = 0; i < 20; i++) many.push_back("10.0." + std::to_string(i) + "." + zone);
    const uint32_t own = spf.Set4(many), single = spf.Set4({"10.9.8.7"});
    std::vector<std::string> many6;
    for (int i = 0; i < 10; i++) many6.push_back("2001:db8:ffff:" + zone + "::" + std::to_string(2 * i));
    const uint32_t own6 = spf.Set6(many6), single6 = spf.Set6({"2001:db8:9::" + zone});
    spf.Domain("a.test", {{single, fail}, {big, pass}, {other, dynamic}}, {{single6, pass}, {big6, fail}}, fail, fail);
    spf.Domain("b.test", {{own, pass}, {other, pass}, {big, none}}, {{big6, pass}, {own6, none}}, fail, dynamic);
    spf.Domain("c.b.test", {{single, none}, {big, pass}}, {}, dynamic, fail).subdomains = true;
    spf.Domain("new.test", {}, {}, fail, fail).no_data = true;
  };
  SpfModelBuilder first(&m.pool, {"%{ir}.%{d}", "i.%{ir}._d.%{d}"});
  fill(first, "1");
  auto one = NewDataset(kSpf, "spf:one");
  one->spf = first.Finish();
  SpfModelBuilder second(&m.pool, {"%{c}.%{i}._ip.%{h}._ehlo.%{d}", "%{ir}.%{v}.%{d}._spf"});
  fill(second, "2");
  second.model().answers_a = true;
  second.model().unknown_domain = SpfUnknown::kText;
  second.model().unknown_text = second.Text("v=spf1 ?all");
  second.model().no_data_text = second.Text("v=spf1 ~all");
  auto two = NewDataset(kSpf, "spf:two", 60);
  two->spf = second.Finish();
  one->soa = SampleSoa();
  const uint32_t ids[] = {AddDataset(&m, std::move(one)), AddDataset(&m, std::move(two))};
  AddZone(&m, "x.spf.test", {ids[1]});
  AddZone(&m, "spf.test", {ids[0]});
  return m;
}

// A healthcheck zone with every form of answer, and the generic names beside it. With registered IDs it is large: their
// index is.
ImageModel HealthcheckSample(bool registered) {
  using compiler::HealthcheckSourceModel;
  ImageModel m;
  auto model = std::make_shared<compiler::HealthcheckModel>();
  const std::vector<uint8_t> key(32, 1);
  model->keys.key[0] = healthcheck::DeriveKey(key);
  const std::string digits(kHealthcheckIdDigits, compiler::kHealthcheckHole);
  auto txt = [](const std::string& text) { return std::string(1, static_cast<char>(text.size())) + text; };
  const std::string target = std::string("\1c\x20", 3) + digits + Wire("hc.test") + '\0';
  model->answers = {
      {.records = {{16, 60, txt("v=spf1 -all")}, {99, 60, txt("v=spf1 -all")}}},
      {.records = {{5, 60, target}}, .chase = 1},
      {.action = kHealthcheckServfail, .types = kHealthcheckTextTypes, .records = {}},
      {.records = {{16, 60, txt("id=" + digits + "; again=" + digits)}, {16, 60, txt("two")}}},
      {.action = kHealthcheckSilence, .types = kHealthcheckPolicyTypes, .records = {}},
      {.records = {{15, 30, std::string("\0\12", 2) + target}}},
  };
  model->names = {{.name = "", .sources = {{0, {0, 1, 2, 3}}, {3, {0, 6}}}},
                  {.name = Wire("c"), .sources = {{HealthcheckSourceModel::kAlways, {1}}}},
                  {.name = Wire("_dmarc"), .sources = {{2, {0, 4, 5}}}},
                  {.name = Wire("s._domainkey"), .sources = {}}};
  model->faults[1] = {.types = kHealthcheckPolicyTypes, .delay_ms = 500};
  model->faults[2] = {.action = kHealthcheckReplace, .types = kHealthcheckPolicyTypes, .answer = 1};
  model->faults[31] = {.action = kHealthcheckSilence, .types = kHealthcheckAllTypes};
  if (registered) {
    for (const uint8_t first : {0x12, 0x12, 0xff}) {
      compiler::RegisteredId id;
      id.id.fill(first);
      id.id[15] = static_cast<uint8_t>(model->registered.size());
      id.settings[healthcheck::kSpf] = 3;
      model->registered.push_back(id);
    }
  }
  auto d = NewDataset(kHealthcheck, "healthcheck:hc.test", 60);
  d->healthcheck = std::move(model);
  d->soa = SampleSoa();
  auto names = NewDataset(kGeneric, "healthcheck-names:hc.test", 60);
  names->generic.push_back({names->names.Add(Wire("mail")), {{1, 60, std::string("\xc0\0\2\x19", 4), 0}}});
  const uint32_t ids[] = {AddDataset(&m, std::move(d)), AddDataset(&m, std::move(names))};
  AddZone(&m, "hc.test", {ids[0], ids[1]});
  return m;
}
ImageModel HealthcheckSmall() { return HealthcheckSample(false); }
ImageModel HealthcheckRegistered() { return HealthcheckSample(true); }

struct Sample {
  const char* name;
  ImageModel (*make)();
  bool small;
  bool sets = false;  // with shared sets wherever that is possible
};
constexpr Sample kSamples[] = {
    {"tiny", Tiny, true},
    {"empty", Empty, true},
    {"addresses4", Addresses4, true},
    {"addresses6", Addresses6, true},
    {"sets4", Sets4, true, true},
    {"names", Names, true},
    {"every-kind", EveryKind, true},
    {"spf", Spf, true},
    {"healthcheck", HealthcheckSmall, true},
    {"healthcheck-registered", HealthcheckRegistered, false},
    {"direct4", Direct4, false},
};

}  // namespace

std::vector<std::string> SampleNames() {
  std::vector<std::string> out;
  for (const Sample& s : kSamples) out.push_back(s.name);
  return out;
}

std::vector<std::string> SmallSampleNames() {
  std::vector<std::string> out;
  for (const Sample& s : kSamples)
    if (s.small) out.push_back(s.name);
  return out;
}

ImageModel MakeSample(std::string_view name) {
  for (const Sample& s : kSamples)
    if (name == s.name) return s.make();
  Fail("no sample " + std::string(name));
}

std::vector<uint8_t> SampleImage(std::string_view name) {
  WriteOptions options;
  options.created_unix = 0;
  options.hash_seed = 0x0123456789abcdef;
  options.threads = 1;
  for (const Sample& s : kSamples)
    if (name == s.name && s.sets) options.shared_sets = SharedSetPolicy::kAlways;
  std::vector<uint8_t> bytes;
  StatusOr<BuildResult> built = WriteImage(MakeSample(name), options, &bytes);
  if (!built.ok()) Fail(std::string(name) + ": " + std::string(Message(built.status())));
  return bytes;
}

std::string Wire(std::string_view text) {
  StatusOr<std::string> wire = dns::ParseName(text);
  if (!wire.ok()) Fail(std::string(Message(wire.status())));
  dns::LowerName(&*wire);
  return *wire;
}

std::string WireWithRoot(std::string_view text) {
  StatusOr<std::string> wire = dns::ParseName(text);
  if (!wire.ok()) Fail(std::string(Message(wire.status())));
  return *wire + '\0';
}

// `text` with "$" as the hole.
ResultId MakeResult(Pool* pool, std::string_view address, std::string_view text) {
  ValueModel v;
  const net::Ip4 a = Address4(address);
  for (int i = 0; i < 4; i++) v.a[i] = static_cast<uint8_t>(a >> (24 - 8 * i));
  if (!text.empty()) {
    TextModel t;
    for (char c : text) {
      if (c == '$')
        t.holes.push_back(static_cast<uint16_t>(t.literal.size()));
      else
        t.literal += c;
    }
    v.text = pool->InternText(t);
  }
  return pool->InternResult({v});
}

ResultId MakeAction(Pool* pool, AclAction action) {
  ValueModel v;
  v.is_action = true;
  v.a[0] = v.a[1] = v.a[2] = 0;
  v.a[3] = action;
  return pool->InternResult({v});
}

}  // namespace mz::image
