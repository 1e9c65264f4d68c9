// What a receiver that keeps the limits of RFC 7208 says about a published record, and what its owner should know.
//
//   Audit a = AuditRecord(&evaluator, &source, key, {});
//   a.verdict, a.findings, a.count.lookups
//
// `source` is where the evaluator has its answers from; everything the record leads to must have been asked. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/spf/evaluator.h"
#include "compiler/spf/lookup_count.h"

namespace mz::compiler::spf {

inline constexpr size_t kUdpOctets = 512;       // RFC 1035 section 4.2.1, without EDNS
inline constexpr size_t kAdvisedOctets = 450;   // RFC 7208 section 3.4 leaves room for the rest of the answer

struct Audit {
  enum Verdict : uint8_t {
    kGood,       // every receiver comes to a result
    kSometimes,  // an error for clients that no earlier term matches
    kAlways,     // permerror for everybody
    kNoRecord,
    kTemporary,  // the record could not be read
  } verdict = kGood;
  std::string reason;             // of every verdict but kGood, one sentence
  bool transient = false;         // the error of kSometimes is a temperror: a lookup failed
  std::string text;               // the record, or ""
  std::vector<Finding> findings;  // of the record itself in the order of the text, then of those it leads to
  LookupCount count;
  size_t record_octets = 0, txt_strings = 0;
  size_t answer_octets = 0;       // of the whole TXT answer at this name, without EDNS
  double pass4 = 0;               // IPv4 addresses that pass, whatever the message
};

struct AuditOptions {
  bool domain_known = true;       // CountOptions
};
Audit AuditRecord(Evaluator* evaluator, AnswerSource* source, const RecordKey& key, const AuditOptions& options);

}  // namespace mz::compiler::spf
