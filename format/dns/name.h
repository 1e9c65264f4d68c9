// Domain names: wire form and presentation form (RFC 1035 section 3.1, RFC 9499).
//
//   MZ_ASSIGN_OR_RETURN(std::string wire, ParseName("a\\.b.Example"));       // "\3a.b\7example" without root
//   octet std::string text = NameText(wire);                                        // "a\.b.example"
//
// Pure functions; any thread. Wire forms here are uncompressed; "relative" forms lack the root octet.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "format/dns/name_limits.h"

namespace mz::dns {

// rbldnsd's reading of a name: dots separate, trailing and doubled dots are ignored, "\." and "\DDD" escape.
// The result is relative wire form with the case as written. Errors: InvalidArgument (label over 63, name
// over 255, bad escape).
StatusOr<std::string> ParseName(std::string_view text);

// Lower-cases ASCII letters in place (RFC 4343). Length octets are below 64, so they are never touched.
void LowerName(std::string* wire);

// Presentation form of a relative wire name, rbldnsd's escapes: " . ; \ @ $ get a backslash, octets <= 32 and
// >= 127 become \DDD. No trailing dot; the empty name is ".".
std::string NameText(std::string_view wire);
// The same without allocation: FormatName() of name_limits.h.

// Labels of a relative wire name.
int CountLabels(std::string_view wire);

// True when `name` ends in `suffix` at a label border (both relative wire forms, compared exactly).
bool EndsWith(std::string_view name, std::string_view suffix);

// Mnemonics for logs: "TXT", "type257"; "IN", "class7". rbldnsd's spelling (sections 8 of its behaviour: 0 is
// INVALID).
std::string TypeText(uint16_t type);
std::string ClassText(uint16_t qclass);
std::string RcodeText(uint16_t rcode);  // "NOERROR", "NOTIMPL", ...

}  // namespace mz::dns
