// Faults of the DNS server. Address types are left alone (kHealthcheckPolicyTypes): resolvers that minimise names ask for
// them on their way.
#include "compiler/healthcheck/answers.h"

namespace mz::compiler {

using namespace healthcheck;  // NOLINT: the names of the catalogue

void AddFaults(const HealthcheckContext& c) {
  const auto policy = image::kHealthcheckPolicyTypes, all = image::kHealthcheckAllTypes;
  auto act = [&](uint8_t code, image::HealthcheckAction action, image::HealthcheckTypes types,
                 std::vector<HealthcheckRecord> records = {}) {
    c.model->Fault(code, {.action = action, .types = types, .answer = c.model->Records(std::move(records))});
  };
  auto delay = [&](uint8_t code, uint16_t ms) { c.model->Fault(code, {.types = policy, .delay_ms = ms}); };
  act(kFaultServfail, image::kHealthcheckServfail, policy);
  act(kFaultRefused, image::kHealthcheckRefused, policy);
  act(kFaultNotimp, image::kHealthcheckNotimp, policy);
  act(kFaultFormerrEdns, image::kHealthcheckFormerrEdns, policy);
  act(kFaultSilence, image::kHealthcheckSilence, policy);
  delay(kFaultDelay500, 500);
  delay(kFaultDelay2000, 2000);
  delay(kFaultDelay4900, 4900);
  delay(kFaultDelay9000, 9000);
  act(kFaultTruncate, image::kHealthcheckTruncate, policy);
  act(kFaultTruncateNoTcp, image::kHealthcheckTruncateNoTcp, policy);
  act(kFaultEntNxdomain, image::kHealthcheckEntNxdomain, all);
  act(kFaultCnameLoop, image::kHealthcheckReplace, policy,
      {{kHcTypeCname, c.options.ttl, c.make.Name("loop.@D")}});
  c.model->Name("loop");
  act(kFaultWrongCase, image::kHealthcheckWrongCase, policy);
  act(kFaultExtraTxt, image::kHealthcheckAppend, policy, {c.Txt("site-verification=this-record-belongs-to-nobody")});
  // Together more than 1232 octets, the common offer, and less than an Ethernet frame: fragments would test the network.
  std::vector<HealthcheckRecord> filling;
  for (int i = 1; i <= 4; i++) filling.push_back(c.Txt("filling-" + std::to_string(i) + "=" + std::string(230, 'x')));
  act(kFaultOversize, image::kHealthcheckOversize, policy, std::move(filling));
  act(kFaultLame, image::kHealthcheckLame, policy, {{kHcTypeNs, c.options.ttl, c.make.Name("lame.@D")}});
  act(kFaultNoAddress, image::kHealthcheckNoAddress, all);
  act(kFaultNxdomain, image::kHealthcheckNxdomain, all);
}

}  // namespace mz::compiler
