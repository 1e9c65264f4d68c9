// See form_check.h.
#include "compiler/spf/form_check.h"

#include <algorithm>

namespace mz::compiler::spf {
namespace {

constexpr size_t kAddressText4 = 15, kAddressText6 = 39;
constexpr uint8_t kErrors = 1u << static_cast<int>(Default::kPermerror) | 1u << static_cast<int>(Default::kTemperror);
constexpr uint8_t kAnything = (1u << kResults) - 1;

uint8_t Bit(Default d) { return static_cast<uint8_t>(1u << static_cast<int>(d)); }

// The results that a program may have.
uint8_t Possible(const ProgramPool& programs, const Program& p) {
  uint8_t bits = 0;
  for (const Clause& c : p.clauses) {
    bits |= Bit(DefaultOf(c.qualifier));
    if (!programs.atom(c.atom).pure) bits |= kErrors;
  }
  if (p.fallback == Default::kRedirect) return bits | kAnything;
  return bits | Bit(p.fallback == Default::kNone ? Default::kPermerror : p.fallback);
}

size_t CountOf(std::string_view text, std::string_view what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) n++;
  return n;
}

class Collector {
 public:
  explicit Collector(Evaluator* evaluator) : e_(*evaluator) {}

  template <typename F>
  void Family(SetPool<F>* sets, const std::vector<Entry>& regions, std::array<SetId, kResults>* of_result,
              SetId* dynamic, size_t* text_bytes) {
    for (const Entry& region : regions) {
      const Program& p = e_.programs().program(region.program);
      const uint8_t bits = Possible(e_.programs(), p);
      for (size_t i = 0; i < kResults; i++)
        if (bits >> i & 1) (*of_result)[i] = sets->Union((*of_result)[i], region.set);
      if (!p.clauses.empty() || p.fallback == Default::kRedirect) *dynamic = sets->Union(*dynamic, region.set);
      out_.open_redirect |= p.fallback == Default::kRedirect;
      out_.explanation |= p.explanation != 0;
      Answer(region.program, F::kIsV4, text_bytes);
    }
  }
  PolicyResults out_;

 private:
  // What is served, and what it costs.
  void Answer(ProgramId id, bool is_v4, size_t* text_bytes) {
    ResidualCost cost;
    Pool pool;
    const SpfProgram served = ServedProgram(&e_.programs(), id, is_v4, Form::kRedirect, &pool, &cost);
    out_.helpers |= !served.helpers.empty();
    out_.lookups = std::max(out_.lookups, cost.lookups);
    out_.exists = std::max(out_.exists, cost.exists);
    const std::string text = ResidualText(&e_.programs(), id, is_v4, Form::kRedirect);
    const size_t addresses = CountOf(text, "$IP"), names = CountOf(text, "$NAME");
    out_.names = std::max(out_.names, names);
    const size_t bytes = text.size() - 3 * addresses - 5 * names + addresses * (is_v4 ? kAddressText4 : kAddressText6);
    *text_bytes = std::max({*text_bytes, bytes, size_t{cost.text_bytes}});
  }

  Evaluator& e_;
};

double SizeOf(const SetPool<V4>& sets, SetId id) {
  double n = 0;
  for (const net::Range4& r : sets.Get(id)) n += static_cast<double>(r.last) - static_cast<double>(r.first) + 1;
  return n;
}

constexpr Default kNotPass[] = {Default::kFail, Default::kSoftfail, Default::kNeutral};

Default OfSign(char all) {
  return all == '-' ? Default::kFail : all == '~' ? Default::kSoftfail : all == '?' ? Default::kNeutral : Default::kPass;
}
char SignOf(Default d) { return d == Default::kSoftfail ? '~' : d == Default::kNeutral ? '?' : '-'; }

class Checker {
 public:
  Checker(const PolicyResults& results, FormCheck* out) : r_(results), out_(*out) {}

  void Run() {
    out_.lookups = 1 + r_.lookups;
    const Default last = OfSign(out_.all);
    switch (out_.form) {
      case Form::kRedirect:
        break;
      case Form::kInclude:
        for (Default d : kNotPass) Lose(d, last);
        NoExplanation();
        break;
      case Form::kExists:
        if (r_.IsDynamic()) {
          out_.possible = false;
          out_.impossible = "an A record says yes or no, and for some addresses the answer depends on the message";
        }
        for (Default d : kNotPass) Lose(d, last);
        Lose(Default::kPermerror, last);
        NoExplanation();
        out_.lookups = 1;
        out_.notes.push_back("every address that does not pass costs the receiver a void lookup");
        break;
      case Form::kClasses:
        out_.lookups = 3 + r_.lookups;
        if (r_.open_redirect) {
          Lose(Default::kSoftfail, Default::kFail);
          Lose(Default::kNeutral, Default::kFail);
        }
        NoExplanation();
        break;
    }
    out_.exact = out_.possible && out_.losses.empty();
  }

 private:
  void Lose(Default was, Default becomes) {
    if (was == becomes || !r_.May(was)) return;
    const auto i = static_cast<size_t>(was);
    out_.losses.push_back({was, becomes, r_.sets4[i], r_.sets6[i]});
  }
  void NoExplanation() {
    if (r_.explanation) out_.notes.push_back("the explanation of the source record (exp=) is not shown");
  }

  const PolicyResults& r_;
  FormCheck& out_;
};

}  // namespace

std::string_view DefaultName(Default d) {
  constexpr std::string_view kNames[] = {"pass",      "fail",      "softfail", "neutral",
                                         "permerror", "temperror", "none",     "redirect"};
  return kNames[static_cast<size_t>(d)];
}

PolicyResults ResultsOf(Evaluator* evaluator, const Policy& policy) {
  Collector c(evaluator);
  PolicyResults& out = c.out_;
  c.Family<V4>(&evaluator->sets4(), evaluator->partitions4().Regions(policy.v4), &out.sets4, &out.dynamic4, &out.text4);
  c.Family<V6>(&evaluator->sets6(), evaluator->partitions6().Regions(policy.v6), &out.sets6, &out.dynamic6, &out.text6);
  double most = -1;
  for (Default d : kNotPass) {
    const double n = SizeOf(evaluator->sets4(), out.sets4[static_cast<size_t>(d)]);
    if (n > most && out.May(d)) most = n, out.common = d;
  }
  if (most < 0) out.common = Default::kFail;  // everybody passes, or nobody gets a result
  return out;
}

FormCheck CheckForm(const PolicyResults& results, Form form, char all) {
  FormCheck out;
  out.form = form;
  out.all = all;
  Checker(results, &out).Run();
  return out;
}

std::vector<FormCheck> CheckForms(const PolicyResults& results) {
  const char all = SignOf(results.common);
  return {CheckForm(results, Form::kRedirect, all), CheckForm(results, Form::kInclude, all),
          CheckForm(results, Form::kExists, all), CheckForm(results, Form::kClasses, '-')};
}

}  // namespace mz::compiler::spf
