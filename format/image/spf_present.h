// SPF zones as text, for dump and diff: layouts, programs, lists. Requires everywhere: a fully verified view.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/image/spf_view.h"

namespace mz::image {

// "%{ir}.%{d}"; a class label is "%{class}", free text "%{*}".
std::string SpfLayoutText(const SpfZone& zone, unsigned layout);

std::string_view SpfOutcomeText(uint8_t outcome);

// `pass "v=spf1 ip4:$ -all"`, with helpers and explanation behind it where there are any.
std::string SpfProgramText(const View& view, uint32_t program);
bool SameSpfProgram(const View& a, uint32_t program_a, const View& b, uint32_t program_b);

// "192.0.2.0/24 198.51.100.0/24", one for each shared set of the image; the set with id n is [n - 1].
struct SpfSetTexts {
  std::vector<std::string> four, six;
};
SpfSetTexts MakeSpfSetTexts(const View& view);

// Layouts and settings of a zone, one per line.
std::vector<std::string> SpfZoneLines(const View& view, const SpfZone& zone);

// "ttl 300 subdomains"
std::string SpfDomainText(const SpfDomain& domain);

// The lists of a domain in order, as stored: "ip4 set 1: pass ...", "ip4 192.0.2.1: ...", "ip4 else: ...".
std::vector<std::string> SpfDomainLines(const View& view, const SpfDomain& domain);

// Whether two domains have the same lists with the same programs and defaults, entry by entry. False negatives
// only: lists that are written in another way may still say the same.
bool SameSpfLists(const View& a, const SpfSetTexts& sets_a, const SpfDomain& domain_a, const View& b,
                  const SpfSetTexts& sets_b, const SpfDomain& domain_b);

// Borders of the stretches of addresses inside which a domain's answer is the same: the first address of each,
// ascending, beginning with the first address of all. Neighbouring stretches may still have the same answer.
std::vector<net::Ip4> SpfBorders4(const View& view, const SpfDomain& domain);
std::vector<net::Ip6> SpfBorders6(const View& view, const SpfDomain& domain);

}  // namespace mz::image
