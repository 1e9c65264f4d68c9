// See model_builder.h.
#include "compiler/healthcheck/model_builder.h"

#include <algorithm>

namespace mz::compiler {

int32_t HealthcheckModelBuilder::Name(std::string_view name) {
  auto it = names_.find(name);
  if (it != names_.end()) return it->second;
  const auto index = static_cast<int32_t>(model_.names.size());
  model_.names.push_back({.name = SubName(name), .sources = {}});
  names_.emplace(name, index);
  return index;
}

uint32_t HealthcheckModelBuilder::Intern(HealthcheckAnswerModel answer) {
  auto& all = model_.answers;
  const auto it = std::find(all.begin(), all.end(), answer);  // a hundred or two
  if (it != all.end()) return static_cast<uint32_t>(it - all.begin()) + 1;
  all.push_back(std::move(answer));
  return static_cast<uint32_t>(all.size());
}

uint32_t HealthcheckModelBuilder::Records(std::vector<HealthcheckRecord> records) {
  if (records.empty()) return 0;
  return Intern({.records = std::move(records)});
}

uint32_t HealthcheckModelBuilder::Action(image::HealthcheckAction action, image::HealthcheckTypes types) {
  return Intern({.action = action, .types = types, .records = {}});
}

uint32_t HealthcheckModelBuilder::Alias(std::string rdata, uint32_t ttl, std::string_view to) {
  return Intern({.records = {{kHcTypeCname, ttl, std::move(rdata)}}, .chase = Name(to)});
}

HealthcheckSourceModel& HealthcheckModelBuilder::Source(std::string_view name, uint8_t dimension) {
  std::vector<HealthcheckSourceModel>& sources = model_.names[static_cast<size_t>(Name(name))].sources;
  for (HealthcheckSourceModel& s : sources)
    if (s.dimension == dimension) return s;
  sources.push_back({.dimension = dimension, .answers = {}});
  return sources.back();
}

void HealthcheckModelBuilder::Set(std::string_view name, healthcheck::Dimension dimension, uint8_t code, uint32_t answer) {
  if (answer == 0) return;
  std::vector<uint32_t>& answers = Source(name, dimension).answers;
  if (answers.size() <= code) answers.resize(code + 1u);
  answers[code] = answer;
}

void HealthcheckModelBuilder::Always(std::string_view name, uint32_t answer) {
  if (answer != 0) Source(name, HealthcheckSourceModel::kAlways).answers = {answer};
}

}  // namespace mz::compiler
