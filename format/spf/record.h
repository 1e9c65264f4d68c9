// SPF records as RFC 7208 section 12 writes them: text in, terms out.
//
//   Record record;
//   SyntaxError error;
//   if (!ParseRecord("v=spf1 ip4:192.0.2.0/24 include:_spf.example.com -all", &record, &error))
//     ... error.column, error.message, error.section
//
// Strict: what this parser refuses is permerror for every receiver that follows the RFC. Any octets are safe; the
// work is linear in the text. Names are checked for syntax only: whether a label is too long is known after macro
// expansion. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/net/address.h"
#include "format/spf/macro.h"

namespace mz::spf {

enum class Qualifier : uint8_t { kPass, kFail, kSoftfail, kNeutral };  // + - ~ ?
char QualifierSign(Qualifier q);

enum class Mechanism : uint8_t { kAll, kInclude, kA, kMx, kPtr, kIp4, kIp6, kExists };
std::string_view MechanismName(Mechanism m);  // "include"

struct Term {
  Qualifier qualifier = Qualifier::kPass;
  Mechanism mechanism = Mechanism::kAll;
  std::optional<MacroString> domain;  // include, exists: always; a, mx, ptr: when written
  net::Ip4 ip4 = 0;                   // kIp4: as written, host bits included
  net::Ip6 ip6;                       // kIp6
  uint8_t prefix4 = 32;               // kIp4, kA, kMx
  uint8_t prefix6 = 128;              // kIp6, kA, kMx
  uint32_t column = 0;                // 1-based octet of the term in the record
  uint32_t length = 0;
};

struct Modifier {
  MacroString value;
  uint32_t column = 0, length = 0;
};

struct Record {
  std::vector<Term> terms;  // in order; those behind "all" included
  std::optional<Modifier> redirect;
  std::optional<Modifier> explanation;  // exp=
};

struct SyntaxError {
  uint32_t column = 0;       // 1-based octet
  uint32_t length = 0;       // octets to underline, at least 1
  std::string message;       // "prefix length over 32"
  std::string hint;          // the likely fix, or ""
  std::string_view section;  // "RFC 7208 section 5.6"
};

// True when a TXT text is an SPF record at all: "v=spf1" alone or followed by a blank, any case (section 4.5).
bool IsSpfRecord(std::string_view text);

// Requires: IsSpfRecord(text). The first error in the text wins, also behind "all" (section 4.6).
bool ParseRecord(std::string_view text, Record* record, SyntaxError* error);

// Every error of the text, for `check`: goes on behind a bad term. At most 100.
std::vector<SyntaxError> FindErrors(std::string_view text);

// What a record without errors says but hardly means: "include=x" (an unknown modifier, ignored by receivers),
// terms behind "all", host bits. In the order of the text, at most 100; none when the record has errors. For
// `check`, never for results.
std::vector<SyntaxError> FindWarnings(std::string_view text);

}  // namespace mz::spf
