// Which addresses one term of a record matches by itself, whatever stands before it.
#pragma once

#include <string>

#include "compiler/spf/evaluator.h"
#include "format/spf/record.h"

namespace mz::compiler::spf {

struct TermSet {
  SetId v4 = kEmptySet, v6 = kEmptySet;  // matched for certain
  bool complete = true;                  // no other address may be matched, and none meets an error
};

class TermSets {
 public:
  // `domain`: of the record, wire.
  TermSets(Evaluator* evaluator, AnswerSource* source, const std::string& domain);
  TermSet Of(const mz::spf::Term& term);

 private:
  TermSet OfInclude(const mz::spf::Term& term);
  TermSet OfHosts(const mz::spf::Term& term);
  std::optional<std::string> Name(const mz::spf::Term& term, bool v4) const;

  Evaluator& e_;
  AnswerSource* source_;
  std::string domain_text_;
};

}  // namespace mz::compiler::spf
