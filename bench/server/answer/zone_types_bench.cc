// The answer engine for each kind of zone: 100,000 entries (combined: 1,000 subzones of 100), random queries that hit (1) or miss
// (0), one at a time or in batches of 32. SPF zones: 1,000 and 1,000,000 domains, half hits. All packets in, all replies out.
#include <random>
#include <vector>

#include "bench/support/asking.h"
#include "bench/support/fixture.h"
#include "compiler/build/spf_model.h"
#include "format/dns/name.h"
#include "format/dns/query_builder.h"

namespace mz::bench {
namespace {

constexpr uint32_t kEntries = 100000;
constexpr uint32_t kSubzones = 1000;

// Odd multiplication: distinct, scattered numbers. Listed ones have an even index.
uint32_t Scatter(uint32_t i) { return i * 0x9e3779b1u; }

std::string Dotted(uint32_t a) {
  return std::to_string(a >> 24) + "." + std::to_string(a >> 16 & 255) + "." + std::to_string(a >> 8 & 255) + "." +
         std::to_string(a & 255);
}
std::string Reversed(uint32_t a) { return Dotted(__builtin_bswap32(a)); }

std::string Hex(uint32_t a) {
  char text[16];
  std::snprintf(text, sizeof text, "%x:%x", a >> 16, a & 0xffff);
  return text;
}
std::string Reversed6(uint32_t a) {  // of 2001:db8:HHHH:LLLL::1
  static const char kDigits[] = "0123456789abcdef";
  std::string text = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0";
  for (int i = 0; i < 8; i++) text += std::string(".") + kDigits[a >> (4 * i) & 15];
  return text + ".8.b.d.0.1.0.0.2";
}

struct Kind {
  image::DatasetKind kind;
  uint16_t type;
  std::string (*line)(uint32_t);      // a data line of entry i
  std::string (*question)(uint32_t);  // the name below the apex that entry i lists
};

std::string Listed(uint32_t i) { return "name" + std::to_string(Scatter(i)) + ".example"; }

const Kind kKinds[] = {
    {image::kIp4Set, dns::kTypeA, [](uint32_t i) { return Dotted(Scatter(i)) + "\n"; },
     [](uint32_t i) { return Reversed(Scatter(i)); }},
    {image::kIp4Trie, dns::kTypeA, [](uint32_t i) { return Dotted(Scatter(i)) + "\n"; },
     [](uint32_t i) { return Reversed(Scatter(i)); }},
    {image::kIp6Trie, dns::kTypeA, [](uint32_t i) { return "2001:db8:" + Hex(Scatter(i)) + "::/64\n"; },
     [](uint32_t i) { return Reversed6(Scatter(i)); }},
    {image::kDnset, dns::kTypeA, [](uint32_t i) { return Listed(i) + "\n"; }, [](uint32_t i) { return Listed(i); }},
    {image::kGeneric, dns::kTypeTxt, [](uint32_t i) { return Listed(i) + " TXT some text\n"; },
     [](uint32_t i) { return Listed(i); }},
    {image::kCombined, dns::kTypeTxt,
     [](uint32_t i) {
       std::string text;
       if (i % (2 * kEntries / kSubzones) == 0)
         text = "$DATASET ip4set:s" + std::to_string(i) + " sub" + std::to_string(i / (2 * kEntries / kSubzones)) +
                "\n:127.0.0.2:v=spf1 ip4:$ -all\n";
       return text + Dotted(Scatter(i)) + "\n";
     },
     [](uint32_t i) { return Reversed(Scatter(i)) + ".sub" + std::to_string(i / (2 * kEntries / kSubzones)); }},
};

const image::View& ZoneOf(const Kind& kind) {
  return Cached("zone/" + std::to_string(kind.kind), [&] {
    std::string text = "$NS 3600 ns1.bench.test\n$SOA 3600 ns1.bench.test hostmaster.bench.test 1 10800 3600 604800 3600\n";
    if (kind.kind != image::kGeneric && kind.kind != image::kCombined) text += ":127.0.0.2:Listed, see $\n";
    for (uint32_t i = 0; i < 2 * kEntries; i += 2) text += kind.line(i);
    return FromText(kind.kind, text);
  });
}

std::string Packet(const std::string& question, uint16_t type) {
  return dns::BuildQuery(dns::ParseName(question + ".bench.test").value(), type, dns::kClassIn, {});
}

void BM_ZoneType(benchmark::State& state, size_t which) {
  const Kind& kind = kKinds[which];
  const image::View& view = ZoneOf(kind);
  const bool hit = state.range(0) != 0;
  std::mt19937 random(9);
  std::vector<std::string> packets;
  for (int i = 0; i < 1 << 16; i++) {
    const auto entry = static_cast<uint32_t>(random() % kEntries) * 2;
    packets.push_back(Packet(kind.question(entry + (hit ? 0 : 1)), kind.type));
  }
  Ask(state, view, packets, static_cast<size_t>(state.range(1)));
  if ((state.counters["answered"] > 0.99) != hit) state.SkipWithError("hits and misses are not what they should be");
}
#define MZ_ZONE_TYPE(name, which) \
  BENCHMARK_CAPTURE(BM_ZoneType, name, which)->ArgNames({"hit", "batch"})->ArgsProduct({{1, 0}, {1, 32}})->UseManualTime()
MZ_ZONE_TYPE(ip4set, 0);
MZ_ZONE_TYPE(ip4trie, 1);
MZ_ZONE_TYPE(ip6trie, 2);
MZ_ZONE_TYPE(dnset, 3);
MZ_ZONE_TYPE(generic, 4);
MZ_ZONE_TYPE(combined, 5);

// Customers with 4 of 200 shared provider sets and five addresses of their own.
Loaded Customers(uint32_t count) {
  std::mt19937_64 random(1);
  compiler::Pool pool;
  auto m = std::make_shared<compiler::SpfModel>();
  m->layouts.push_back({{compiler::SpfLayoutPart::kAddressReversed, ""}, {compiler::SpfLayoutPart::kDomain, ""}});
  for (const char* literal : {"v=spf1 ip4: -all", "v=spf1 ~all"}) {
    compiler::TextModel text{.literal = literal, .holes = {}, .flags = image::kTextSpf};
    const bool pass = m->programs.empty();
    if (pass) text.holes = {11};
    compiler::SpfProgram program;
    program.outcome = pass ? compiler::SpfOutcome::kPass : compiler::SpfOutcome::kSoftfail;
    program.text = pool.InternText(text);
    m->programs.push_back(program);
  }
  for (uint32_t provider = 0; provider < 200; provider++) {
    std::vector<net::Range4> ranges;
    for (uint64_t k = 0; k < 65; k++)
      ranges.push_back(net::PrefixRange4(static_cast<net::Ip4>((k << 32) / 65 + random() % (1u << 24)),
                                         static_cast<int>(20 + random() % 13)));
    m->sets4.push_back(std::move(ranges));
  }
  for (uint32_t i = 0; i < count; i++) {
    compiler::SpfDomain d;
    d.name = m->names.Add(dns::ParseName("customer" + std::to_string(i) + ".example").value());
    std::vector<net::Range4> own;
    for (uint64_t k = 0; k < 5; k++) {
      const auto a = static_cast<net::Ip4>((k << 32) / 5 + random() % (1u << 29));
      own.push_back({a, a});
    }
    m->sets4.push_back(std::move(own));
    d.entries4.push_back({static_cast<uint32_t>(m->sets4.size() - 1), 0});
    for (int k = 0; k < 4; k++) d.entries4.push_back({static_cast<uint32_t>(random() % 200), 0});
    d.default4 = d.default6 = 1;
    m->domains.push_back(std::move(d));
  }
  auto dataset = std::make_unique<compiler::DatasetModel>();
  dataset->kind = image::kSpf;
  dataset->spec = "spf:bench";
  dataset->spf = std::move(m);
  return FromDataset(std::move(dataset), std::move(pool));
}

void BM_SpfZone(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const image::View& view = Cached("spf/" + std::to_string(count), [count] { return Customers(count); });
  std::mt19937 random(9);
  std::vector<std::string> packets;
  for (int i = 0; i < 1 << 18; i++)
    packets.push_back(Packet(Reversed(static_cast<uint32_t>(random())) + ".customer" + std::to_string(random() % count) +
                                 ".example", dns::kTypeTxt));
  Ask(state, view, packets, static_cast<size_t>(state.range(1)));
  if (state.counters["answered"] < 1) state.SkipWithError("not all were answered");
}
BENCHMARK(BM_SpfZone)
    ->ArgNames({"domains", "batch"})
    ->ArgsProduct({{1, 1000, 20000, 1000000}, {1, 32}})
    ->UseManualTime();

}  // namespace
}  // namespace mz::bench
