// The one well-formed SPF record at a name, or why there is none: for everything that shows records to people. Results
// come from the evaluator alone.
#pragma once

#include <string>

#include "compiler/spf/evaluator.h"
#include "format/spf/record.h"

namespace mz::compiler::spf {

inline constexpr uint16_t kTypeA = 1, kTypeMx = 15, kTypeTxt = 16, kTypeAaaa = 28;

struct RecordRead {
  bool ok = false;
  std::string text;            // of the record, also when it has a syntax error; "" when there is not exactly one
  mz::spf::Record record;      // when ok
  std::string problem;         // when not ok: "permerror: 2 SPF records"
  bool temporary = false;      // the lookup failed
};

RecordRead ReadRecord(AnswerSource* source, const std::string& owner);

// True for an answer that says nothing: not there yet, failed, or bogus. `*why` is set then.
bool LookupFailed(const resolve::Answer* answer, std::string* why);

}  // namespace mz::compiler::spf
