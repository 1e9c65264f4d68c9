// See query_name.h.
#include "cli/spf/query_name.h"

#include "compiler/spf/layout.h"
#include "format/dns/name.h"

namespace mz::cli {

spf::MessageMacros MacrosOf(const MessageFacts& facts, std::string_view domain) {
  spf::MessageMacros out;
  out.domain = domain;
  out.sender = facts.sender;
  out.helo = facts.helo;
  out.is_v4 = facts.client.is_v4;
  out.ip4 = facts.client.v4;
  out.ip6 = facts.client.v6;
  return out;
}

std::string NameFor(std::string_view macro_string, const MessageFacts& facts, std::string_view domain) {
  spf::MacroString parts;
  size_t error_at = 0;
  if (!spf::ParseMacroString(macro_string, false, &parts, &error_at)) return std::string(macro_string);
  if (!facts.known()) {
    // The address is known in any case.
    spf::MacroString left;
    for (spf::MacroPart& part : parts) {
      const bool fill = part.letter == 'i' || part.letter == 'd' || part.letter == 'v';
      if (fill) part = {.literal = spf::ExpandFor({part}, MacrosOf(facts, domain), false), .delimiters = {}};
      left.push_back(std::move(part));
    }
    const spf::Expansion e = spf::ExpandStatic(left, {.domain = domain, .is_v4 = facts.client.is_v4});
    return e.text;
  }
  return spf::ExpandFor(parts, MacrosOf(facts, domain), true);
}

std::string QueryName(const ServedDomain& served, const MessageFacts& facts) {
  const std::string target = compiler::spf::PublishedTarget(served.zone->settings.layouts.front(),
                                                            dns::NameText(served.zone->settings.apex), 'p');
  return NameFor(target, facts, served.domain_text);
}

}  // namespace mz::cli
