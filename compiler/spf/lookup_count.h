// Lookups as a limited receiver counts them (RFC 7208 section 4.6.4), for a client that no term matches: the worst case.
//
//   LookupCount c = CountLookups(&source, key, limits, {});
//   if (c.over) ... c.over->term, c.over->root_column
//
// Records behind a term that is permerror are counted as well, though a receiver would stop there. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/spf/evaluator.h"

namespace mz::compiler::spf {

inline constexpr uint32_t kReceiverLookups = 10, kReceiverVoids = 2, kReceiverExchanges = 10;

struct LookupCount {
  // A term, and the term of the domain's own record that leads to it (or is it).
  struct Place {
    std::string owner;             // presentation form
    std::string term;              // as written
    uint32_t root_column = 0, root_length = 0;
    uint32_t exchanges = 0;        // MX names, of `many_exchanges`
  };
  uint32_t lookups = 0;
  uint32_t records = 0;            // read, repeated ones counted again
  uint32_t by_receiver = 0;        // of the lookups, those with names that depend on the message
  uint32_t exists_by_receiver = 0; // of these exists: each miss is a void lookup
  // Terms whose lookup finds nothing, for clients of each family.
  std::vector<Place> void4, void6;
  std::optional<Place> over;       // the term with the 11th lookup
  std::vector<Place> many_exchanges;
  bool cut = false;                // gave up counting
};

struct CountOptions {
  // False: the owner of the record is unknown; terms that mean it by %{d} or by saying no name are not looked up.
  bool domain_known = true;
};
LookupCount CountLookups(AnswerSource* source, const RecordKey& key, const Limits& limits, const CountOptions& options);

}  // namespace mz::compiler::spf
