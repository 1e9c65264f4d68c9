// A healthcheck zone "hc.example" with keys that are known, and IDs for it.
#pragma once

#include <string>

#include "compiler/healthcheck/zone.h"
#include "tests/server/answer/answer_fixture.h"

namespace mz::answer {

inline constexpr uint32_t kHealthcheckNow = 1795250000;

struct HealthcheckZoneOptions {
  bool opaque = false;
  std::vector<compiler::RegisteredId> registered;
  bool keys = true;
};

compiler::HealthcheckOptions HealthcheckSettings(const HealthcheckZoneOptions& options = {});
// Mail hosts mail.hc.example 192.0.2.25 2001:db8::25; selector s1; TTL 30.
void AddHealthcheckZone(TestImage* image, const HealthcheckZoneOptions& options = {});

// The ID's text for words as "spf=softfail fault=silence".
std::string HealthcheckIdFor(std::string_view words, bool opaque = false, uint32_t now_unix = kHealthcheckNow,
                             uint8_t key = 0);

}  // namespace mz::answer
