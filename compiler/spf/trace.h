// Why one client gets the result it gets: the terms of the records in the order in which a receiver meets them.
//
//   Trace t = TraceClient(&evaluator, &source, key, *ParseClient("192.0.2.1"));
//   for (const TraceStep& s : t.steps) ...          // s.decides: the terms the result comes from
//
// An explanation beside the evaluator's result, not its source: `program` is what is served. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/spf/evaluator.h"
#include "format/net/address.h"

namespace mz::compiler::spf {

struct ClientAddress {
  bool is_v4 = true;
  net::Ip4 v4 = 0;
  net::Ip6 v6;
};
// A mapped IPv6 address is an IPv4 client. Nothing: not an address.
std::optional<ClientAddress> ParseClient(std::string_view text);

struct TraceStep {
  enum Outcome : uint8_t {
    kRecord,     // a record is entered: `term` is its text, or why there is none
    kNoMatch,
    kMatch,
    kReceiver,   // depends on sender, HELO or names: left to the receiver
    kError,      // permerror or temperror from here on
    kFollowed,   // redirect= to a record that comes next
  } outcome = kNoMatch;
  int depth = 0;           // of the record
  std::string owner;       // presentation form
  uint32_t column = 0;     // of the term in the record, 1-based; 0: the record itself
  std::string term;        // as written
  std::string note;        // "mx.example has 192.0.2.1", "lookup failed: timeout", ...
  bool ok = true;          // kRecord: a well-formed record
  // The result comes from here, from the outermost record inwards; with steps before it that are left to the receiver:
  // when none of those matches.
  bool decides = false;
};

struct Trace {
  std::vector<TraceStep> steps;
  ProgramId program = 0;
  bool cut = false;        // there were more steps than the limit
};

// At most `limit` steps.
Trace TraceClient(Evaluator* evaluator, AnswerSource* source, const RecordKey& key, const ClientAddress& client,
                  size_t limit = 10'000);

}  // namespace mz::compiler::spf
