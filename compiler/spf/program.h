// Residual programs: what is left of check_host() for one class of addresses, once everything that does not depend on the
// message is decided.
//
// A program is a decision list: clauses (qualifier, atom) in order, then a default. An atom is a mechanism that only the
// receiver can decide ("exists:%{l}.example.com", "ptr:example.com"), or another program that is asked through a helper
// record ("include:_h0.<query name>"). Programs and atoms are stored once each; equal programs have equal ids. The algebra
// keeps a normal form: no atom twice, no clause at the end that says what the default says (unless the atom could also be
// an error). Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "format/spf/record.h"

namespace mz::compiler::spf {

using mz::spf::Qualifier;

enum class Default : uint8_t {
  kPass, kFail, kSoftfail, kNeutral,  // the order of Qualifier
  kPermerror, kTemperror,
  kNone,      // no record at all; only where a record is read, never behind clauses
  kRedirect,  // to a name with macros
};
inline Default DefaultOf(Qualifier q) { return static_cast<Default>(q); }
inline bool IsResult(Default d) { return d <= Default::kNeutral; }
inline Qualifier QualifierOf(Default d) { return static_cast<Qualifier>(d); }

using AtomId = uint32_t;
using ProgramId = uint32_t;
using TextRef = uint32_t;  // ProgramPool::text(); 0 is ""

struct Clause {
  Qualifier qualifier;
  AtomId atom;
  friend bool operator==(const Clause&, const Clause&) = default;
};

struct Program {
  std::vector<Clause> clauses;
  Default fallback = Default::kNeutral;
  TextRef redirect = 0;      // kRedirect: the macro-string
  TextRef explanation = 0;   // macro-string that a receiver shows when the result is fail; 0: none
  friend bool operator==(const Program&, const Program&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Program& p) {
    for (const Clause& c : p.clauses) h = H::combine(std::move(h), c.qualifier, c.atom);
    return H::combine(std::move(h), p.clauses.size(), p.fallback, p.redirect, p.explanation);
  }
};

struct Atom {
  std::string text;          // "exists:%{i}.x.example"; "" when it is a helper
  ProgramId helper = 0;
  bool is_helper = false;
  bool pure = true;          // says match or no match, never an error of its own
};

class ProgramPool {
 public:
  ProgramPool();

  ProgramId Decided(Default d, TextRef explanation = 0);
  ProgramId Redirect(std::string_view macro_string);
  // `text` as written in a record, without qualifier.
  AtomId MechanismAtom(std::string_view text);
  AtomId HelperAtom(ProgramId program);
  TextRef InternText(std::string_view text);

  const Program& program(ProgramId id) const { return programs_[id]; }
  const Atom& atom(AtomId id) const { return atoms_[id]; }
  const std::string& text(TextRef id) const { return texts_[id]; }
  size_t size() const { return programs_.size(); }
  bool IsDecided(ProgramId id) const { return programs_[id].clauses.empty(); }

  // The clause in front of a program. `explanation`: of the record that holds the clause, used when it can fail.
  ProgramId Cons(Qualifier q, AtomId atom, ProgramId rest, TextRef explanation);
  // As include sees it (RFC 7208 section 5.2): clauses are + or -, the default is pass, fail (no match), permerror or
  // temperror.
  ProgramId AsIncluded(ProgramId id);
  // include with qualifier q of `included` (normal form of AsIncluded), followed by `rest`.
  ProgramId Include(Qualifier q, ProgramId included, ProgramId rest, TextRef explanation);
  // What a redirect target's none means (RFC 7208 section 6.1).
  ProgramId NoneToPermerror(ProgramId id);
  // For class labels: pass where the program says `wanted` (z: anything but pass), else fail.
  ProgramId ClassOf(ProgramId id, Qualifier wanted, bool negated);

 private:
  ProgramId Intern(Program p);
  ProgramId Normal(Program p);
  ProgramId Trimmed(Program p);  // requires: no atom twice

  std::deque<Program> programs_;
  std::deque<Atom> atoms_;
  std::deque<std::string> texts_;
  absl::flat_hash_map<Program, ProgramId> program_index_;
  absl::flat_hash_map<std::string, AtomId> atom_index_;
  absl::flat_hash_map<ProgramId, AtomId> helper_index_;
  absl::flat_hash_map<std::string, TextRef> text_index_;
  absl::flat_hash_map<ProgramId, ProgramId> included_;
};

}  // namespace mz::compiler::spf
