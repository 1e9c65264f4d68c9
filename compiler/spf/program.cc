// The algebra of residual programs; see program.h.
#include "compiler/spf/program.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"

namespace mz::compiler::spf {

ProgramPool::ProgramPool() { InternText(""); }

TextRef ProgramPool::InternText(std::string_view text) {
  auto [it, fresh] = text_index_.try_emplace(std::string(text), static_cast<TextRef>(texts_.size()));
  if (fresh) texts_.emplace_back(text);
  return it->second;
}

ProgramId ProgramPool::Intern(Program p) {
  auto [it, fresh] = program_index_.try_emplace(p, static_cast<ProgramId>(programs_.size()));
  if (fresh) programs_.push_back(std::move(p));
  return it->second;
}

AtomId ProgramPool::MechanismAtom(std::string_view text) {
  auto [it, fresh] = atom_index_.try_emplace(std::string(text), static_cast<AtomId>(atoms_.size()));
  // A dynamic include can end in permerror when its target has no record; exists, a, mx and ptr only match or not.
  if (fresh) atoms_.push_back({std::string(text), 0, false, !text.starts_with("include:")});
  return it->second;
}

AtomId ProgramPool::HelperAtom(ProgramId program) {
  auto [it, fresh] = helper_index_.try_emplace(program, static_cast<AtomId>(atoms_.size()));
  if (fresh) {
    const Program& p = programs_[program];
    const bool pure = IsResult(p.fallback) && std::all_of(p.clauses.begin(), p.clauses.end(), [this](const Clause& c) {
                        return atoms_[c.atom].pure;
                      });
    atoms_.push_back({"", program, true, pure});
  }
  return it->second;
}

ProgramId ProgramPool::Decided(Default d, TextRef explanation) {
  return Intern({{}, d, 0, d == Default::kFail ? explanation : 0});
}

ProgramId ProgramPool::Redirect(std::string_view macro_string) {
  return Intern({{}, Default::kRedirect, InternText(macro_string), 0});
}

ProgramId ProgramPool::Normal(Program p) {
  std::vector<Clause> kept;
  kept.reserve(p.clauses.size());
  absl::flat_hash_set<AtomId> seen;
  for (const Clause& c : p.clauses)
    if (seen.insert(c.atom).second) kept.push_back(c);
  p.clauses = std::move(kept);
  return Trimmed(std::move(p));
}

ProgramId ProgramPool::Trimmed(Program p) {
  std::vector<Clause>& kept = p.clauses;
  while (!kept.empty() && IsResult(p.fallback) && DefaultOf(kept.back().qualifier) == p.fallback &&
         atoms_[kept.back().atom].pure)
    kept.pop_back();
  const bool can_fail = p.fallback == Default::kFail ||
                        std::any_of(p.clauses.begin(), p.clauses.end(),
                                    [](const Clause& c) { return c.qualifier == Qualifier::kFail; });
  if (!can_fail) p.explanation = 0;
  return Intern(std::move(p));
}

ProgramId ProgramPool::Cons(Qualifier q, AtomId atom, ProgramId rest, TextRef explanation) {
  Program p = programs_[rest];
  std::erase_if(p.clauses, [atom](const Clause& c) { return c.atom == atom; });
  p.clauses.insert(p.clauses.begin(), {q, atom});
  if (q == Qualifier::kFail && p.explanation == 0) p.explanation = explanation;
  return Trimmed(std::move(p));
}

ProgramId ProgramPool::AsIncluded(ProgramId id) {
  if (auto it = included_.find(id); it != included_.end()) return it->second;
  Program p = programs_[id];
  p.explanation = 0;
  for (Clause& c : p.clauses)
    if (c.qualifier != Qualifier::kPass) c.qualifier = Qualifier::kFail;
  switch (p.fallback) {
    case Default::kRedirect:
      p.clauses.push_back({Qualifier::kPass, MechanismAtom("include:" + texts_[p.redirect])});
      p.fallback = Default::kFail;
      p.redirect = 0;
      break;
    case Default::kSoftfail:
    case Default::kNeutral:
      p.fallback = Default::kFail;
      break;
    case Default::kNone:
      p.fallback = Default::kPermerror;
      break;
    default:
      break;
  }
  const ProgramId result = Normal(std::move(p));
  included_[id] = result;
  return result;
}

ProgramId ProgramPool::Include(Qualifier q, ProgramId included, ProgramId rest, TextRef explanation) {
  const Program x = programs_[included];
  const Program k = programs_[rest];
  const Default matched = DefaultOf(q);
  const TextRef own = q == Qualifier::kFail ? explanation : 0;
  if (x.clauses.empty()) {
    if (x.fallback == Default::kPass) return Decided(matched, explanation);
    if (x.fallback == Default::kFail) return rest;
    return Decided(x.fallback);
  }
  const bool only_plus = std::all_of(x.clauses.begin(), x.clauses.end(),
                                     [](const Clause& c) { return c.qualifier == Qualifier::kPass; });
  Program out;
  if (only_plus) {
    for (const Clause& c : x.clauses) out.clauses.push_back({q, c.atom});
    if (x.fallback == Default::kFail) {
      out.clauses.insert(out.clauses.end(), k.clauses.begin(), k.clauses.end());
      out.fallback = k.fallback;
      out.redirect = k.redirect;
      out.explanation = own != 0 ? own : k.explanation;
    } else {
      out.fallback = x.fallback == Default::kPass ? matched : x.fallback;
      out.explanation = own;
    }
    return Normal(std::move(out));
  }
  if (k.clauses.empty() && IsResult(k.fallback)) {
    for (const Clause& c : x.clauses)
      out.clauses.push_back({c.qualifier == Qualifier::kPass ? q : QualifierOf(k.fallback), c.atom});
    out.fallback = x.fallback == Default::kPass ? matched : x.fallback == Default::kFail ? k.fallback : x.fallback;
    out.explanation = own != 0 ? own : k.explanation;
    return Normal(std::move(out));
  }
  out = k;
  out.clauses.insert(out.clauses.begin(), {q, HelperAtom(included)});
  if (own != 0) out.explanation = own;
  return Normal(std::move(out));
}

ProgramId ProgramPool::NoneToPermerror(ProgramId id) {
  return programs_[id].fallback == Default::kNone ? Decided(Default::kPermerror) : id;
}

ProgramId ProgramPool::ClassOf(ProgramId id, Qualifier wanted, bool negated) {
  Program p = programs_[id];
  p.explanation = 0;
  const auto in_class = [&](Default d) { return (d == DefaultOf(wanted)) != negated; };
  for (Clause& c : p.clauses)
    c.qualifier = in_class(DefaultOf(c.qualifier)) ? Qualifier::kPass : Qualifier::kFail;
  if (IsResult(p.fallback)) {
    p.fallback = in_class(p.fallback) ? Default::kPass : Default::kFail;
  } else if (p.fallback == Default::kNone) {
    p.fallback = Default::kPermerror;
  } else if (p.fallback == Default::kRedirect) {
    // An include can only tell whether the target passes: softfail and neutral of the target are in no class.
    const bool by_pass = wanted == Qualifier::kPass;
    if (by_pass)
      p.clauses.push_back({negated ? Qualifier::kFail : Qualifier::kPass, MechanismAtom("include:" + texts_[p.redirect])});
    p.fallback = by_pass && negated ? Default::kPass : Default::kFail;
    p.redirect = 0;
  }
  return Normal(std::move(p));
}

}  // namespace mz::compiler::spf
