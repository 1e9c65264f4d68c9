// Which published forms keep all results of one domain, and what the others lose: computed from the residual programs of
// the domain, so that it holds for every client, sender and HELO name.
//
//   const PolicyResults r = ResultsOf(&evaluator, policy);
//   for (const FormCheck& f : CheckForms(r)) ... f.exact, f.losses
//
// The rules are those of RFC 7208 sections 5.2 (include) and 5.7 (exists). Not thread-safe, like the evaluator.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/spf/evaluator.h"
#include "compiler/spf/residual.h"

namespace mz::compiler::spf {

// Pass to temperror, in the order of Default.
inline constexpr size_t kResults = 6;
std::string_view DefaultName(Default d);  // "softfail"; kNone "none", kRedirect "redirect"

struct PolicyResults {
  // Where each result may occur; none at the domain itself counts as permerror, which it is behind a published record.
  std::array<SetId, kResults> sets4{}, sets6{};
  // Addresses whose result depends on the message.
  SetId dynamic4 = kEmptySet, dynamic6 = kEmptySet;
  // Of them those that end in a redirect to a name with macros.
  bool open_redirect = false;
  bool explanation = false;   // some fail has an explanation text (exp=)
  uint32_t lookups = 0;       // most that one answer leaves to the receiver
  uint32_t exists = 0;        // most exists mechanisms in one answer
  size_t text4 = 0, text6 = 0;  // octets of the longest answer to a 15- or 39-octet address, without query names in it
  size_t names = 0;           // most holes for the query name in one text
  bool helpers = false;       // some answer uses a helper record below the query name
  Default common = Default::kNeutral;  // what most IPv4 addresses get

  bool May(Default d) const {
    return sets4[static_cast<size_t>(d)] != kEmptySet || sets6[static_cast<size_t>(d)] != kEmptySet;
  }
  bool IsDynamic() const { return dynamic4 != kEmptySet || dynamic6 != kEmptySet; }
};
PolicyResults ResultsOf(Evaluator* evaluator, const Policy& policy);

struct FormLoss {
  Default was = Default::kSoftfail, becomes = Default::kFail;
  SetId set4 = kEmptySet, set6 = kEmptySet;  // where; both empty: somewhere
};
struct FormCheck {
  Form form = Form::kRedirect;
  char all = '-';                 // qualifier of the all at the end; redirect has none
  bool possible = true;           // false: `impossible` says why
  std::string impossible;
  bool exact = false;             // possible, and every result is kept
  std::vector<FormLoss> losses;
  std::vector<std::string> notes;  // "the explanation (exp=) is not shown"
  uint32_t lookups = 1;           // of the receiver's ten, at most
};
// Redirect, include, exists, class labels. The qualifier is the one that keeps most.
std::vector<FormCheck> CheckForms(const PolicyResults& results);
// One form with a given qualifier.
FormCheck CheckForm(const PolicyResults& results, Form form, char all);

}  // namespace mz::compiler::spf
