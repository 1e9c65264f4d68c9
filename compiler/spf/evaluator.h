// Partial evaluation of check_host() (RFC 7208 section 4) over the whole address space, without the limits on lookups.
//
//   Evaluator e(&source, limits);
//   const Policy& p = e.Evaluate({wire_domain, wire_owner});
//   e.TakeMissing()                     // questions whose answers it would have needed: ask, then
//   e.Forget(question)                  // everything that rests on it is evaluated again when asked for
//
// Every record is evaluated once, whoever includes it, and remembers what it rests on. A record that reaches its own name
// through include or redirect is permerror at that point. While an answer is missing the mechanism counts as temperror and
// the policy says `complete = false`. Not thread-safe; recursion is bounded by Limits::depth.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "compiler/resolve/resolver.h"
#include "compiler/spf/finding.h"
#include "compiler/spf/partition.h"
#include "format/dataset/diagnostic.h"
#include "format/spf/record.h"

namespace mz::compiler::spf {

// Where answers come from. Null: not known yet. The answer must stay valid until the next call from outside.
class AnswerSource {
 public:
  virtual ~AnswerSource() = default;
  virtual const resolve::Answer* Find(const resolve::Question& question) = 0;
};

struct Limits {
  uint32_t depth = 100;              // records in a row by include and redirect
  uint32_t records = 2'000;          // that one domain may lead to
  uint32_t addresses = 1'000;        // of one a or mx mechanism
  uint32_t regions = 256;          // classes of addresses that one record may distinguish by programs
  uint32_t text_bytes = 65'535;
};

struct Options {
  Limits limits;
  // Names of ours (wire, relative): a record that sends the receiver there would ask itself.
  std::vector<std::string> own_zones;
};

// A record is read at `owner`; %{d}, and a, mx and ptr without a name, mean `domain`. They differ for source records that
// are kept under a prefix. Wire forms without root octet, lower case.
struct RecordKey {
  std::string domain, owner;
  friend bool operator==(const RecordKey&, const RecordKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const RecordKey& k) { return H::combine(std::move(h), k.domain, k.owner); }
};

struct Policy {
  Partition v4, v6;
  uint32_t ttl = 0;                  // seconds: the smallest of everything it rests on
  bool complete = true;              // no answer was missing
  bool has_record = false;           // a well-formed record was read at the owner itself
};

class Evaluator {
 public:
  Evaluator(AnswerSource* source, Options options);
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  // Valid until the next call of Forget().
  const Policy& Evaluate(const RecordKey& key);
  // Forgets what rests on this question, directly or through other records, and calls `affected` for each of them.
  void Forget(const resolve::Question& question, const std::function<void(const RecordKey&)>& affected);
  // Evaluates again the records that read this answer themselves, without those above: finds the next questions.
  void Discover(const resolve::Question& question);

  // Forgets every record that none of these leads to, and asks the source again for every answer that the others rest on.
  void Keep(const std::vector<RecordKey>& keys);

  // Questions that had no answer, each once, since the last call.
  std::vector<resolve::Question> TakeMissing();

  // Everything a record leads to, itself first, each once: (depth, key, findings).
  struct Visited {
    int depth;
    int from;                          // index of the record that leads here, -1: one of the keys
    RecordKey key;
    const std::vector<Finding>* findings;
  };
  std::vector<Visited> Walk(const std::vector<RecordKey>& keys);
  // The questions that a domain rests on, each once.
  std::vector<resolve::Question> Questions(const RecordKey& key);
  // The first chain of records from `key` to one that reads this question; empty: none.
  std::vector<RecordKey> PathTo(const RecordKey& key, const resolve::Question& question);

  SetPool<V4>& sets4() { return sets4_; }
  SetPool<V6>& sets6() { return sets6_; }
  ProgramPool& programs() { return programs_; }
  Partitions<V4>& partitions4() { return partitions4_; }
  Partitions<V6>& partitions6() { return partitions6_; }
  const Options& options() const { return options_; }

 private:
  struct Node;
  class RecordEvaluation;

  Node* NodeOf(const RecordKey& key);
  void EvaluateNode(Node* node);
  const resolve::Answer* Ask(Node* node, const resolve::Question& question);
  void Clear(Node* node);

  AnswerSource* source_;
  Options options_;
  SetPool<V4> sets4_;
  SetPool<V6> sets6_;
  ProgramPool programs_;
  Partitions<V4> partitions4_;
  Partitions<V6> partitions6_;

  absl::flat_hash_map<RecordKey, std::unique_ptr<Node>> by_key_;
  absl::flat_hash_map<resolve::Question, absl::flat_hash_set<Node*>> readers_;
  absl::flat_hash_set<resolve::Question> missing_;
  std::vector<Node*> stack_;
  uint32_t evaluations_ = 0;         // since the outermost call began
  uint32_t epoch_ = 0;               // of walks
};

}  // namespace mz::compiler::spf
