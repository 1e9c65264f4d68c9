// Puts a HealthcheckModel together: names, their sources, answers that are stored once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/build/healthcheck_model.h"
#include "compiler/healthcheck/record.h"
#include "format/healthcheck/settings.h"

namespace mz::compiler {

class HealthcheckModelBuilder {
 public:
  // `name` as text relative to the ID: "_dmarc", "" for the ID itself. Returns its index; a name comes into being at the
  // first mention.
  int32_t Name(std::string_view name);

  // Ids of answers, for the functions below; 0 is "nothing".
  uint32_t Records(std::vector<HealthcheckRecord> records);
  uint32_t Action(image::HealthcheckAction action, image::HealthcheckTypes types);
  uint32_t Alias(std::string rdata, uint32_t ttl, std::string_view to);  // `to`: a name relative to the ID

  // What `name` answers for this code; sources are asked in the order in which their dimensions were first named.
  void Set(std::string_view name, healthcheck::Dimension dimension, uint8_t code, uint32_t answer);
  void Always(std::string_view name, uint32_t answer);
  void Fault(uint8_t code, HealthcheckFaultModel fault) { model_.faults[code] = fault; }

  HealthcheckModel& model() { return model_; }

 private:
  uint32_t Intern(HealthcheckAnswerModel answer);
  HealthcheckSourceModel& Source(std::string_view name, uint8_t dimension);

  HealthcheckModel model_;
  std::map<std::string, int32_t, std::less<>> names_;
};

}  // namespace mz::compiler
