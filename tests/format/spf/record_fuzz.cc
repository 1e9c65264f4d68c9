// Any octets as a record and as a macro-string: no crash, columns inside the text, and what MacroText writes reads
// back as the same parts.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "format/spf/macro.h"
#include "format/spf/record.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void CheckError(const mz::spf::SyntaxError& e, size_t size) {
  Require(e.column >= 1 && e.column <= size + 1 && e.length >= 1 && e.column - 1 + e.length <= size + 1);
  Require(!e.message.empty() && e.message.size() < 500 && e.hint.size() < 500 && !e.section.empty());
}

void CheckMacros(const mz::spf::MacroString& s, bool explanation) {
  mz::spf::MacroString again;
  size_t error_at = 0;
  const std::string text = explanation ? mz::spf::ExplanationText(s) : mz::spf::MacroText(s);
  Require(mz::spf::ParseMacroString(text, explanation, &again, &error_at));
  Require(again == s);
  const auto e = mz::spf::ExpandStatic(s, {.domain = "mail.example.com", .is_v4 = false});
  Require(e.dynamic == mz::spf::IsDynamic(s));
  // What stays dynamic is a macro-string without %{d} and %{v}.
  if (e.dynamic) {
    Require(mz::spf::ParseMacroString(e.text, explanation, &again, &error_at));
    Require(!mz::spf::Uses(again, 'd') && !mz::spf::Uses(again, 'v'));
  }
  mz::spf::ExpandFor(s, {.domain = "d.example", .sender = "a.b@c.example", .helo = "h.example"}, !explanation);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  mz::spf::MacroString macros;
  for (bool explanation : {false, true}) {
    size_t error_at = 0;
    if (mz::spf::ParseMacroString(text, explanation, &macros, &error_at))
      CheckMacros(macros, explanation);
    else
      Require(error_at < size);
  }
  if (!mz::spf::IsSpfRecord(text)) return 0;
  mz::spf::Record record;
  mz::spf::SyntaxError error;
  for (const auto& w : mz::spf::FindWarnings(text)) CheckError(w, size);
  const bool good = mz::spf::ParseRecord(text, &record, &error);
  const auto errors = mz::spf::FindErrors(text);
  Require(good == errors.empty() && errors.size() <= 100);
  for (const auto& e : errors) CheckError(e, size);
  if (!good) {
    Require(errors[0].column == error.column && errors[0].message == error.message);
    return 0;
  }
  for (const auto& term : record.terms) {
    Require(term.column > 6 && term.column - 1 + term.length <= size);
    if (term.domain) CheckMacros(*term.domain, false);
  }
  for (const auto& modifier : {record.redirect, record.explanation})
    if (modifier) CheckMacros(modifier->value, false);
  return 0;
}
