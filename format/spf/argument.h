// The arguments of SPF terms: addresses, prefix lengths, domain-specs. Internal to the record parser.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/net/address.h"
#include "format/spf/macro.h"

namespace mz::spf {

// What is wrong with a piece of a record. `where` is a view into the record, so that its column is a subtraction.
struct Mistake {
  std::string_view where;
  std::string message;
  std::string hint;
  std::string_view section;
};

// Text of a user in a message: at most 40 octets.
std::string Quoted(std::string_view text);

// Digits of a prefix length: no leading zeros, at most `max`. `where`: what to underline when there are none.
bool ParsePrefixLength(std::string_view digits, std::string_view where, int max, uint8_t* length,
                       Mistake* mistake);

// Behind "ip4:" and "ip6:", prefix length included. Section 5.6.
bool ParseIp4Argument(std::string_view argument, net::Ip4* address, uint8_t* length, Mistake* mistake);
bool ParseIp6Argument(std::string_view argument, net::Ip6* address, uint8_t* length, Mistake* mistake);

// macro-string domain-end, section 7.1. `name` is the word in front, "include", for hints; `where` is underlined
// when the argument is empty.
bool ParseDomainSpec(std::string_view argument, std::string_view name, std::string_view where, MacroString* spec,
                     Mistake* mistake);

// A macro-string at the end of the term, with explanation letters: the value of an unknown modifier. Section 6.
bool ParseModifierValue(std::string_view value, MacroString* out, Mistake* mistake);

}  // namespace mz::spf
