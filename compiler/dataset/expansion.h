// From written values to answers: substitution variables, the base template, and the lists of values a key answers with.
//
// rbldnsd expands a template when it answers, with the variables as they are at the end of the load; so expansion happens
// here after the whole dataset has been read. What remains open is the subject (the address asked, the listed name, the
// client), which becomes a hole.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/build/model.h"
#include "compiler/dataset/value_table.h"

namespace mz::compiler {

struct Substitutions {
  std::array<std::optional<std::string>, 10> variables;  // $0..$9
  std::optional<std::string> base;                       // $=
};

// The template `raw` of one value. An empty literal without holes means: no TXT.
TextModel ExpandTemplate(std::string_view raw, const Substitutions& substitutions);

// Codes of values in builders: of the ValueTable, or an acl action.
inline constexpr uint32_t kActionCode = 1u << 30;  // | image::AclAction

// Makes results of value codes. The table and the substitutions are final and outlive it.
class ResultMap {
 public:
  ResultMap(const ValueTable& table, const Substitutions& substitutions, Pool* pool)
      : table_(table), substitutions_(substitutions), pool_(pool) {}
  // Makes the results of all values ahead, in the order they lie in memory: for lists with a text per line that is several
  // times faster than in the order of their addresses. Does nothing for less than `many` values. Afterwards several
  // threads may call Single() and Stored().
  void ResolveAll(size_t many = 1000);
  ResultId Single(uint32_t code) {
    if (code & kActionCode) return SingleAction(code);
    const uint32_t id = table_.id(code);
    return id < single_.size() && single_[id] != 0 ? single_[id] : MakeSingle(id);
  }
  // Several values of one key: ascending distinct codes, none an action. What would be answered twice is left out.
  ResultId Several(std::span<const uint32_t> codes);
  // How many of them rbldnsd stores, for its counts: equal neighbours are one.
  size_t Stored(std::span<const uint32_t> codes) const;

 private:
  ResultId SingleAction(uint32_t code);
  ResultId MakeSingle(uint32_t id);

  const ValueTable& table_;
  const Substitutions& substitutions_;
  Pool* pool_;
  std::vector<ResultId> single_;  // by id of the value, 0 = not made yet
};

}  // namespace mz::compiler
