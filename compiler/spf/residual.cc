// See residual.h.
#include "compiler/spf/residual.h"

#include <algorithm>

namespace mz::compiler::spf {
namespace {

// A record that every receiver rejects: the macro letter does not exist (section 7.1).
constexpr std::string_view kPermerrorText = "v=spf1 exists:%{x}";
constexpr size_t kMaxHelperDepth = 4;
constexpr std::string_view kHelperDigits = "0123456789abcdefghijklmnopqrstuvwxyz";

class Composer {
 public:
  Composer(ProgramPool* programs, bool is_v4, Pool* pool, SpfProgram* out, ResidualCost* cost)
      : programs_(*programs), is_v4_(is_v4), pool_(pool), out_(*out), cost_(*cost) {}

  // 0: SERVFAIL. `path`: the helper's label, "" for the record at the query name itself.
  TextId Compose(ProgramId id, const std::string& path, TextModel* shown) {
    const Program p = programs_.program(id);
    TextModel text;
    text.flags = image::kTextSpf;
    if (p.clauses.empty() && p.fallback == Default::kTemperror) return 0;
    if (p.clauses.empty() && (p.fallback == Default::kPermerror || p.fallback == Default::kNone)) {
      text.literal = kPermerrorText;
      return Intern(std::move(text), shown);
    }
    text.literal = "v=spf1";
    for (size_t i = 0; i < p.clauses.size(); i++) {
      const Clause& c = p.clauses[i];
      text.literal += ' ';
      if (c.qualifier != Qualifier::kPass) text.literal += mz::spf::QualifierSign(c.qualifier);
      const Atom& atom = programs_.atom(c.atom);
      cost_.lookups++;
      if (!atom.is_helper) {
        text.literal += atom.text;
        if (atom.text.starts_with("exists:")) cost_.exists++;
        continue;
      }
      if (path.size() >= kMaxHelperDepth || i >= kHelperDigits.size()) {
        cost_.too_deep = true;
        text.literal = kPermerrorText;
        text.holes.clear();
        return Intern(std::move(text), shown);
      }
      const std::string label = path + kHelperDigits[i];
      text.literal += "include:_h" + label + ".";
      NameHole(&text);
      const auto known = std::find_if(out_.helpers.begin(), out_.helpers.end(),
                                      [&label](const SpfHelper& h) { return h.label == label; });
      if (known == out_.helpers.end()) {
        const ProgramId helper = atom.helper;
        out_.helpers.push_back({label, 0});
        const TextId helper_text = Compose(helper, label, nullptr);
        for (SpfHelper& h : out_.helpers)
          if (h.label == label) h.text = helper_text;
      }
    }
    End(p, path, &text);
    return Intern(std::move(text), shown);
  }

 private:
  void End(const Program& p, const std::string& path, TextModel* text) {
    switch (p.fallback) {
      case Default::kPass:
        // Not "+all": receivers score it, and it would pass everybody if a client got the name wrong.
        text->literal += is_v4_ ? " ip4:" : " ip6:";
        text->holes.push_back(static_cast<uint16_t>(text->literal.size()));
        text->literal += " -all";
        break;
      case Default::kFail:
        text->literal += " -all";
        break;
      case Default::kSoftfail:
        text->literal += " ~all";
        break;
      case Default::kNeutral:
        text->literal += " ?all";
        break;
      case Default::kPermerror:
      case Default::kNone:
        text->literal += " include:_p.";  // no record there
        NameHole(text);
        cost_.lookups++;
        break;
      case Default::kTemperror:
        text->literal += " include:_t.";  // SERVFAIL there
        NameHole(text);
        cost_.lookups++;
        break;
      case Default::kRedirect:
        text->literal += " redirect=" + programs_.text(p.redirect);
        cost_.lookups++;
        break;
    }
    if (p.explanation != 0 && path.empty()) {
      text->literal += " exp=_x.";
      NameHole(text);
      if (pool_ != nullptr) {
        TextModel explanation;
        explanation.flags = image::kTextSpf;
        explanation.literal = programs_.text(p.explanation);
        out_.explanation = pool_->InternText(std::move(explanation));
      }
    }
  }

  void NameHole(TextModel* text) {
    cost_.below_name = true;
    text->holes.push_back(static_cast<uint16_t>(text->literal.size() | image::kHoleQueryName));
  }

  TextId Intern(TextModel text, TextModel* shown) {
    // Positions of holes have 15 bits; a residual near that size is no use to any receiver.
    if (text.literal.size() >= image::kHoleQueryName) {
      text.literal = kPermerrorText;
      text.holes.clear();
      cost_.too_deep = true;
    }
    cost_.text_bytes = std::max(cost_.text_bytes, static_cast<uint32_t>(text.literal.size()));
    if (shown != nullptr) *shown = text;
    return pool_ != nullptr ? pool_->InternText(std::move(text)) : 1;
  }

  ProgramPool& programs_;
  const bool is_v4_;
  Pool* pool_;
  SpfProgram& out_;
  ResidualCost& cost_;
};

SpfOutcome OutcomeOf(const Program& p) {
  if (!p.clauses.empty()) return SpfOutcome::kDynamic;
  switch (p.fallback) {
    case Default::kPass:
      return SpfOutcome::kPass;
    case Default::kFail:
      return SpfOutcome::kFail;
    case Default::kSoftfail:
      return SpfOutcome::kSoftfail;
    case Default::kNeutral:
      return SpfOutcome::kNeutral;
    case Default::kTemperror:
      return SpfOutcome::kTemperror;
    case Default::kPermerror:
    case Default::kNone:
      return SpfOutcome::kPermerror;
    case Default::kRedirect:
      break;
  }
  return SpfOutcome::kDynamic;
}

}  // namespace

SpfProgram ServedProgram(ProgramPool* programs, ProgramId id, bool is_v4, Form form, Pool* pool, ResidualCost* cost) {
  SpfProgram out;
  out.outcome = OutcomeOf(programs->program(id));
  const ProgramId served = form == Form::kInclude ? programs->AsIncluded(id) : id;
  Composer composer(programs, is_v4, pool, &out, cost);
  out.text = composer.Compose(served, "", nullptr);
  if (form == Form::kClasses) {
    constexpr Qualifier kWanted[kSpfClasses] = {Qualifier::kPass, Qualifier::kSoftfail, Qualifier::kNeutral,
                                                Qualifier::kFail, Qualifier::kPass};
    // The helpers of every class are those of the program itself: only qualifiers differ. A clause that a class drops
    // leaves its label unused.
    for (int c = 0; c < kSpfClasses; c++) {
      SpfProgram unused;
      ResidualCost unused_cost;
      Composer of_class(programs, is_v4, pool, &unused, &unused_cost);
      out.class_text[c] = of_class.Compose(programs->ClassOf(id, kWanted[c], c == kSpfClassNotPass), "", nullptr);
      for (const SpfHelper& h : unused.helpers) {
        const bool known = std::any_of(out.helpers.begin(), out.helpers.end(),
                                       [&h](const SpfHelper& k) { return k.label == h.label; });
        if (!known) out.helpers.push_back(h);
      }
    }
  }
  std::sort(out.helpers.begin(), out.helpers.end(),
            [](const SpfHelper& a, const SpfHelper& b) { return a.label < b.label; });
  return out;
}

std::string ResidualText(ProgramPool* programs, ProgramId id, bool is_v4, Form form) {
  SpfProgram unused;
  ResidualCost cost;
  TextModel text;
  const ProgramId served = form == Form::kInclude ? programs->AsIncluded(id) : id;
  if (Composer(programs, is_v4, nullptr, &unused, &cost).Compose(served, "", &text) == 0) return "SERVFAIL";
  std::string out;
  size_t at = 0;
  for (uint16_t hole : text.holes) {
    const size_t position = hole & ~unsigned{image::kHoleQueryName};
    out += text.literal.substr(at, position - at);
    out += hole & image::kHoleQueryName ? "$NAME" : "$IP";
    at = position;
  }
  return out + text.literal.substr(at);
}

}  // namespace mz::compiler::spf
