// Why one client gets the result it gets: the terms of the records in the order in which a receiver meets them.
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
    kRecord,     // a record is entered: `term` is its text
    kNoMatch,
    kMatch,      // decides
    kReceiver,   // left to the receiver
    kError,      // decides
  } outcome = kNoMatch;
  int depth = 0;
  std::string owner;       // presentation form
  uint32_t column = 0;     // of the term in the record, 1-based; 0: the record itself
  std::string term;        // as written
  std::string note;        // "192.0.2.0/24", "lookup failed: timeout", ...
};

struct Trace {
  std::vector<TraceStep> steps;
  ProgramId program = 0;
};

// At most `limit` steps.
Trace TraceClient(Evaluator* evaluator, AnswerSource* source, const RecordKey& key, const ClientAddress& client,
                  size_t limit = 10'000);

// Every record a domain leads to, in the order of the text, repeated ones marked and not entered again.
struct TreeLine {
  int depth = 0;
  RecordKey key;
  std::string via;          // the term that leads here, as written
  std::string text;         // the record, or ""
  std::string problem;      // why there is no usable record
  bool repeated = false;
  uint32_t lookups = 0;     // terms of this record that count against the limit of 10 (RFC 7208 section 4.6.4)
  uint32_t prefixes = 0;    // ip4 and ip6 terms
};
std::vector<TreeLine> Tree(Evaluator* evaluator, AnswerSource* source, const RecordKey& key, size_t limit = 10'000);

}  // namespace mz::compiler::spf
