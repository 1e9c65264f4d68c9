// Macro strings of RFC 7208 section 7.
//
//   MacroString spec = ...;                                    // "%{ir}._spf.%{d2}"
//   Expansion e = ExpandStatic(spec, {.domain = "a.example", .is_v4 = true});
//   e.text = "%{ir}._spf.a.example", e.dynamic = true
//
// What a compiler knows is %{d} (the name whose record it is) and %{v} (the address family); %{i s l o h p} are
// the receiver's and stay as written. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/net/address.h"

namespace mz::spf {

struct MacroPart {
  // Literal text (letter 0), "%%", "%_" and "%-" already read as "%", " " and "%20"; or one macro.
  std::string literal;
  char letter = 0;          // lower case: s l o d i p v h, in explanations also c r t
  bool url_escape = false;  // written in upper case
  uint32_t keep = 0;        // right-hand parts to keep, 0: all (section 7.3, transformers)
  bool reverse = false;
  std::string delimiters;  // as written; "" means "."
  friend bool operator==(const MacroPart&, const MacroPart&) = default;
};
using MacroString = std::vector<MacroPart>;

// True when the string has a macro other than %{d} and %{v}.
bool IsDynamic(const MacroString& s);
// True when some part is the macro `letter`.
bool Uses(const MacroString& s, char letter);

struct KnownMacros {
  std::string_view domain;  // presentation form, no trailing dot
  bool is_v4 = true;
};
struct Expansion {
  std::string text;  // dynamic: a macro-string again, literals escaped; else the name itself
  bool dynamic = false;
};
// A static result over 253 octets loses labels on the left (section 7.3); a trailing dot is dropped.
Expansion ExpandStatic(const MacroString& s, const KnownMacros& known);

// %{d} and %{v} become literals, the rest stays: what a compiler does with an explanation text before
// ExplanationText.
MacroString FillKnown(const MacroString& s, const KnownMacros& known);

// Everything, for one message: what a receiver would do (explain, tests).
struct MessageMacros {
  std::string_view domain;
  std::string_view sender;  // local@domain
  std::string_view helo;
  bool is_v4 = true;
  net::Ip4 ip4 = 0;
  net::Ip6 ip6;
  std::string_view receiver;  // %{r}
  int64_t now_unix = 0;       // %{t}
};
// `is_name`: cut to 253 octets as above. %{p} is "unknown" (section 7.3 lets a receiver say so), an empty receiver
// too. An empty sender is postmaster at the HELO name, a sender without local part is postmaster's (sections 2.4
// and 4.3).
std::string ExpandFor(const MacroString& s, const MessageMacros& message, bool is_name);

// The macro-string as text, in canonical form: lower-case letters unless url_escape, digits, r, delimiters.
// Parsing it gives equal parts. ExplanationText writes blanks as themselves: explain-strings may hold them,
// domain-specs may not.
std::string MacroText(const MacroString& s);
std::string ExplanationText(const MacroString& s);

// A macro-string by itself, without the rules of domain-spec: explanation texts (letters c, r, t allowed) and
// layouts. False: `*error_at` is the 0-based octet of the mistake.
bool ParseMacroString(std::string_view text, bool explanation, MacroString* out, size_t* error_at);

}  // namespace mz::spf
