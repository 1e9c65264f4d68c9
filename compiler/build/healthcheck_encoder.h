// Healthcheck datasets -> the healthcheck section and the names of their scopes.
//
//   HealthcheckEncoder healthcheck(&names);
//   for (...) MZ_RETURN_IF_ERROR(healthcheck.Encode(*model, &ref));      // sets map4 and exact_depths; the scope is given
//   section = healthcheck.Take();
//
// Errors: Internal (a model breaks the rules of healthcheck_model.h), ResourceExhausted.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "compiler/build/heap.h"
#include "compiler/build/healthcheck_model.h"
#include "compiler/build/name_index_builder.h"

namespace mz::compiler {

class HealthcheckEncoder {
 public:
  explicit HealthcheckEncoder(NameIndexBuilder* names) : names_(names) {}

  Status Encode(const HealthcheckModel& model, image::DatasetRef* ref);
  Bytes Take() { return heap_.Take(); }

 private:
  Status EncodeZone(const HealthcheckModel& model, const std::vector<uint32_t>& answers, image::DatasetRef* ref);
  Status EncodeRegistered(const HealthcheckModel& model, uint32_t zone);
  StatusOr<uint32_t> EncodeAnswer(const HealthcheckAnswerModel& answer);
  StatusOr<uint32_t> EncodeName(const HealthcheckModel& model, const HealthcheckNameModel& name,
                                const std::vector<uint32_t>& answers);

  NameIndexBuilder* names_;
  Heap heap_{8};
};

}  // namespace mz::compiler
