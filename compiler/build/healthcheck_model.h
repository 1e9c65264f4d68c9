// The compiler's model of one healthcheck zone: what compiler/healthcheck hands to the image writer. See the description in
// format/image/layout.h. Plain data, owned by value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/healthcheck/id.h"
#include "format/image/layout.h"

namespace mz::compiler {

// Stands for one of the 32 digits of an ID in RDATA: kHealthcheckHole times 32.
inline constexpr char kHealthcheckHole = '\x01';

struct HealthcheckRecord {
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string rdata;  // wire form, names uncompressed; runs of 32 kHealthcheckHole are holes
  friend bool operator==(const HealthcheckRecord&, const HealthcheckRecord&) = default;
};

struct HealthcheckAnswerModel {
  image::HealthcheckAction action = image::kHealthcheckRecords;
  image::HealthcheckTypes types = image::kHealthcheckAllTypes;
  std::vector<HealthcheckRecord> records;  // grouped by type; with another action: none
  int32_t chase = -1;                      // an alias: index into names; the records are one CNAME
  friend bool operator==(const HealthcheckAnswerModel&, const HealthcheckAnswerModel&) = default;
};

struct HealthcheckSourceModel {
  static constexpr uint8_t kAlways = image::kHealthcheckDimensions;
  uint8_t dimension = kAlways;
  std::vector<uint32_t> answers;  // by code: 1 + index into HealthcheckModel::answers, 0: nothing
};

struct HealthcheckNameModel {
  std::string name;  // relative to the ID: wire form without root, lower case; "" is the ID's own name
  std::vector<HealthcheckSourceModel> sources;
};

struct HealthcheckFaultModel {
  image::HealthcheckAction action = image::kHealthcheckRecords;
  image::HealthcheckTypes types = image::kHealthcheckAllTypes;
  uint16_t delay_ms = 0;
  uint32_t answer = 0;  // 1 + index into answers, 0: none
};

struct RegisteredId {
  healthcheck::IdBytes id{};
  healthcheck::Settings settings;
};

struct HealthcheckModel {
  healthcheck::IdKeys keys;
  uint32_t expiry_minutes = healthcheck::kDefaultExpiryMinutes;
  std::vector<HealthcheckAnswerModel> answers;
  std::vector<HealthcheckNameModel> names;  // no two with one name
  HealthcheckFaultModel faults[image::kHealthcheckCodes];
  std::vector<RegisteredId> registered;     // ascending, none twice
};

}  // namespace mz::compiler
