// The record that a domain publishes today, as far as it leads to an SPF zone.
//
//   Published p = ReadPublished(&source, domain_wire, settings);
//   if (p.kind == Published::kOurs) ... CheckForm(results, p.form, p.all)
#pragma once

#include <string>
#include <vector>

#include "compiler/spf/evaluator.h"
#include "compiler/spf/layout.h"
#include "compiler/spf/zone.h"

namespace mz::compiler::spf {

struct Published {
  enum Kind : uint8_t {
    kUnknown,    // the lookup failed
    kNothing,    // no SPF record
    kBroken,     // several, or a syntax error
    kElsewhere,  // does not lead to the zone
    kOurs,
  } kind = kUnknown;
  std::string text;            // the record, or ""
  std::string problem;         // of kUnknown, kNothing and kBroken
  Form form = Form::kRedirect; // kOurs
  char all = '?';              // qualifier of its all; '?' without one
  bool fits_layout = false;    // kOurs: the name it builds is one that the zone answers
  std::string target;          // kOurs: of the first term that leads to the zone
  std::vector<std::string> others;  // terms that lead elsewhere, as written
};
Published ReadPublished(AnswerSource* source, const std::string& domain, const ZoneSettings& zone);

// What the zone must say so that it answers this form; "" when it does already: `form = "exists"`.
std::string NeededSettings(const ZoneSettings& zone, Form form);

// The layout that a form uses: the first one of the zone that fits, or one made of it.
std::string LayoutFor(const ZoneSettings& zone, Form form);

std::string_view FormName(Form form);  // "redirect"

}  // namespace mz::compiler::spf
