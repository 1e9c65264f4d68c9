// Everything a domain's record leads to, as a tree: its includes and redirects, and its other lookups as leaves.
//
//   for (const TreeLine& line : Tree(source, {.domain = d, .owner = o}, limits)) ... indent by line.depth
//
// Counts are those of a receiver for which no term matches (RFC 7208 section 4.6.4). One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/spf/evaluator.h"

namespace mz::compiler::spf {

struct TreeLine {
  enum Kind : uint8_t {
    kRecord,     // the domain itself, an include or a redirect
    kLookup,     // a, mx, exists with a known name
    kReceiver,   // depends on the message: ptr, or a name with %{i}, %{s}, %{l}, %{o}, %{h}, %{p}
  } kind = kRecord;
  int depth = 0;
  RecordKey key;            // kRecord: where it is read; kLookup: domain is the name that is looked up
  std::string via;          // the term that leads here, as written; "" for the domain itself
  std::string text;         // kRecord: the record, or ""
  std::string problem;      // why there is no usable record or answer
  bool repeated = false;    // shown before: not entered again
  uint32_t lookups = 0;     // terms of this record that count against the limit of 10
  uint32_t total_lookups = 0;  // with everything below, repeated ones counted again
  uint32_t prefixes4 = 0, prefixes6 = 0;        // ip4 and ip6 terms of this record; kLookup: addresses
  uint32_t total_prefixes4 = 0, total_prefixes6 = 0;  // with everything below, repeated ones counted once
};

// In the order of the text; at most `limit` lines.
std::vector<TreeLine> Tree(AnswerSource* source, const RecordKey& key, const Limits& limits, size_t limit = 10'000);

}  // namespace mz::compiler::spf
