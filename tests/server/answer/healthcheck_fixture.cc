// See healthcheck_fixture.h.
#include "tests/server/answer/healthcheck_fixture.h"

#include <gtest/gtest.h>

namespace mz::answer {

namespace {

healthcheck::IdKeys Keys(bool opaque) {
  healthcheck::IdKeys keys;
  const std::vector<uint8_t> first(32, 7), second(32, 8);
  keys.key[0] = healthcheck::DeriveKey(first);
  keys.key[1] = healthcheck::DeriveKey(second);
  keys.opaque_ids = opaque;
  return keys;
}

}  // namespace

compiler::HealthcheckOptions HealthcheckSettings(const HealthcheckZoneOptions& options) {
  compiler::HealthcheckOptions o;
  o.apex = Wire("hc.example");
  if (options.keys) o.keys = Keys(options.opaque);
  o.ttl = 30;
  o.mail_hosts = {{.name = Wire("mail.hc.example"), .ip4 = {*net::ParseIp4("192.0.2.25")},
                   .ip6 = {*net::ParseIp6("2001:db8::25")}}};
  o.hosts = {{.name = Wire("ns1.hc.example"), .ip4 = {*net::ParseIp4("192.0.2.1")}, .ip6 = {}}};
  for (int k = 0; k < healthcheck::kDkimKeyCount; k++)
    o.dkim_keys[static_cast<size_t>(k)] = "KEY" + std::string(healthcheck::DkimKeyWord(static_cast<healthcheck::DkimKey>(k)));
  o.dmarc_rua = "mailto:r@hc.example";
  o.tlsa = std::string("\3\1\1", 3) + std::string(32, 'k');
  o.registered = options.registered;
  return o;
}

void AddHealthcheckZone(TestImage* image, const HealthcheckZoneOptions& options) {
  const compiler::HealthcheckOptions o = HealthcheckSettings(options);
  StatusOr<compiler::HealthcheckModel> model = compiler::CompileHealthcheck(o);
  ASSERT_TRUE(model.ok()) << Message(model.status());
  const auto d = image->AddDataset(image::kHealthcheck, o.ttl);
  image->dataset(d).healthcheck = std::make_shared<const compiler::HealthcheckModel>(std::move(*model));
  image->dataset(d).spec = "healthcheck:hc.example";
  image->model().datasets.push_back(compiler::HelperNames(o));
  compiler::ZoneModel& zone = image->AddZone("hc.example", {d, d + 1});
  TestImage::AddSoa(zone, 3600, 60);
  TestImage::AddNs(zone, {"ns1.hc.example"});
}

std::string HealthcheckIdFor(std::string_view words, bool opaque, uint32_t now_unix, uint8_t key) {
  healthcheck::Id id;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    std::string problem;
    EXPECT_TRUE(healthcheck::ApplySetting(word, &id.settings, &problem)) << problem;
  }
  id.key = key;
  id.minutes = healthcheck::MinutesOf(now_unix);
  id.nonce = 0x1234;
  return healthcheck::IdText(healthcheck::SealId(id, Keys(opaque)));
}

}  // namespace mz::answer
