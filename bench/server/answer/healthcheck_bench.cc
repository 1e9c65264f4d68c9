// The answer engine for names of a healthcheck zone: IDs with a MAC, opaque ones, forged ones (which cost the MAC and nothing
// else), and 1,000,000 registered ones; and what the MAC alone costs. Compare with BM_SpfZone and BM_ZoneType.
#include <algorithm>
#include <random>
#include <vector>

#include "bench/support/asking.h"
#include "bench/support/fixture.h"
#include "compiler/healthcheck/record.h"
#include "compiler/healthcheck/zone.h"
#include "format/dns/query_builder.h"

namespace mz::bench {
namespace {

constexpr uint32_t kNow = 1795250000;
constexpr uint32_t kRegistered = 1000000;
constexpr size_t kPackets = 1 << 16;

enum IdKind { kPlain, kOpaque, kForged, kTable };

healthcheck::IdKeys Keys(bool opaque) {
  healthcheck::IdKeys keys;
  const std::vector<uint8_t> key(32, 7);
  keys.key[0] = healthcheck::DeriveKey(key);
  keys.opaque_ids = opaque;
  return keys;
}

// The settings of ID number i: outcomes that are answered with a TXT record.
healthcheck::Settings SettingsOf(uint32_t i) {
  healthcheck::Settings s;
  s[healthcheck::kSpf] = static_cast<uint8_t>(1 + i % 4);
  s[healthcheck::kDmarc] = static_cast<uint8_t>(1 + i % 3);
  s[healthcheck::kDkim] = healthcheck::kDkimPass;
  return s;
}

healthcheck::IdBytes RegisteredId(uint32_t i) {
  std::mt19937_64 random(i);
  healthcheck::IdBytes id;
  for (uint8_t& c : id) c = static_cast<uint8_t>(random());
  return id;
}

Loaded Zone(IdKind kind) {
  compiler::HealthcheckOptions o;
  o.apex = std::string(kApex);
  o.keys = Keys(kind == kOpaque);
  o.mail_hosts = {{.name = compiler::SubName("mail.bench.test"), .ip4 = {0xc0000219}, .ip6 = {}}};
  for (std::string& p : o.dkim_keys) p = std::string(392, 'A');
  if (kind == kTable) {
    for (uint32_t i = 0; i < kRegistered; i++) o.registered.push_back({RegisteredId(i), SettingsOf(i)});
    std::sort(o.registered.begin(), o.registered.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  auto dataset = std::make_unique<compiler::DatasetModel>();
  dataset->kind = image::kHealthcheck;
  dataset->spec = "healthcheck:bench";
  dataset->healthcheck = std::make_shared<const compiler::HealthcheckModel>(compiler::CompileHealthcheck(o).value());
  return FromDataset(std::move(dataset), {});
}

void BM_HealthcheckZone(benchmark::State& state, IdKind kind) {
  const image::View& view = Cached("healthcheck/" + std::to_string(kind), [kind] { return Zone(kind); });
  const healthcheck::IdKeys keys = Keys(kind == kOpaque);
  std::mt19937 random(9);
  std::vector<std::string> packets;
  for (size_t i = 0; i < kPackets; i++) {
    const uint32_t n = random() % kRegistered;
    healthcheck::IdBytes id = RegisteredId(n);
    if (kind != kTable)
      id = SealId({.settings = SettingsOf(n), .minutes = healthcheck::MinutesOf(kNow), .nonce = static_cast<uint16_t>(i)}, keys);
    if (kind == kForged) id[15] ^= 1;
    static constexpr const char* kSubs[] = {"", "_dmarc.", "s1._domainkey."};
    const std::string name = kSubs[random() % 3] + healthcheck::IdText(id);
    packets.push_back(dns::BuildQuery(compiler::SubName(name) + std::string(kApex), dns::kTypeTxt, dns::kClassIn, {}));
  }
  Ask(state, view, packets, static_cast<size_t>(state.range(0)), kNow);
  if ((state.counters["answered"] > 0.99) != (kind != kForged)) state.SkipWithError("not all were answered as they should be");
}
BENCHMARK_CAPTURE(BM_HealthcheckZone, plain, kPlain)->ArgName("batch")->Arg(1)->Arg(32)->UseManualTime();
BENCHMARK_CAPTURE(BM_HealthcheckZone, opaque, kOpaque)->ArgName("batch")->Arg(1)->Arg(32)->UseManualTime();
BENCHMARK_CAPTURE(BM_HealthcheckZone, forged, kForged)->ArgName("batch")->Arg(1)->Arg(32)->UseManualTime();
BENCHMARK_CAPTURE(BM_HealthcheckZone, registered, kTable)->ArgName("batch")->Arg(1)->Arg(32)->UseManualTime();

void BM_HealthcheckMac(benchmark::State& state) {
  const healthcheck::IdKeys keys = Keys(false);
  const healthcheck::IdBytes id = SealId({}, keys);
  for (auto _ : state) benchmark::DoNotOptimize(healthcheck::MacMatches(id, keys.key[0].mac));
}
BENCHMARK(BM_HealthcheckMac);

}  // namespace
}  // namespace mz::bench
