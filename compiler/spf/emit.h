// The policies of one SPF zone as text for other programs: what `mailzone spf emit` writes.
//
//   Emitter emitter(zone, &evaluator, [](const EmitNote& n) { ... });
//   std::string file = emitter.Head();
//   for (const DomainSetting* d : emitter.Domains()) file += emitter.Domain(*d);
//   file += emitter.Tail();
//
// Text is deterministic: sorted by domain, answer and address, without times unless asked for. Nothing that a record
// says is copied: texts are composed from parsed terms, which hold no control characters, and names are escaped. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "compiler/build/model.h"
#include "compiler/build/spf_model.h"
#include "compiler/spf/evaluator.h"
#include "compiler/spf/zone.h"

namespace mz::compiler::spf {

enum class EmitFormat : uint8_t {
  kRbldnsdExact,   // ip4trie and ip6trie, one default each, one line of values per residual
  kRbldnsdCompat,  // ip4set and ip6trie as expurgate writes them: one text for pass, one for all others
  kBind,           // a zone file with wildcards at octet and nibble borders
  kJson,
};

struct EmitZone {
  const ZoneSettings* settings = nullptr;
  EmitFormat format = EmitFormat::kRbldnsdExact;
  // What cannot be said in kRbldnsdCompat is said as in kRbldnsdExact; else it is refused.
  bool exact_fallback = true;
  std::string ns;           // host name for $NS and $SOA, without final dot. "": neither is written
  std::string hostmaster;   // mailbox with @ or as a name
  uint32_t created = 0;     // seconds since 1970, for headers; 0: no time
  std::string source_prefix;
};

struct EmitNote {
  std::string domain;
  std::string message, hint;
  bool lost = false;        // something is missing in the output, or answered with permerror
};
using EmitNotes = std::function<void(const EmitNote&)>;

// Whether the zone can be said in the format at all. Errors: InvalidArgument.
Status CheckEmittable(const EmitZone& zone);

// Octets that rbldnsd answers in one TXT record; it cuts what is longer.
inline constexpr size_t kMaxRbldnsdText = 254;

// One record as it is served to a class of addresses, before a format writes it.
struct EmittedAnswer {
  SpfOutcome outcome = SpfOutcome::kNeutral;   // as the receiver of this form sees it
  TextModel text;                              // without exp=
  bool unlisted = false;                       // exists form: no answer is the answer
  friend bool operator==(const EmittedAnswer&, const EmittedAnswer&) = default;
};

struct Prefix4 {
  net::Ip4 address = 0;
  int length = 0;
};
struct Prefix6 {
  net::Ip6 address;
  int length = 0;
};

template <typename Prefix>
struct EmittedGroup {
  EmittedAnswer answer;
  std::vector<Prefix> prefixes;                // disjoint, ascending
};

// One domain: groups with different answers, in a fixed order; together the prefixes of a family cover all addresses.
struct EmittedDomain {
  const DomainSetting* setting = nullptr;
  bool complete = true, has_record = false;
  std::vector<EmittedGroup<Prefix4>> v4;
  std::vector<EmittedGroup<Prefix6>> v6;
};

class Emitter {
 public:
  // All references must outlive it. Requires: CheckEmittable() said yes.
  Emitter(const EmitZone& zone, Evaluator* evaluator, EmitNotes notes);
  ~Emitter();
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  std::vector<const DomainSetting*> Domains() const;  // in the order of the output
  // `domains`: what the file holds, for its headers.
  std::string Head(const std::vector<const DomainSetting*>& domains);
  std::string Domain(const DomainSetting& domain);    // "": refused, a note says why
  std::string Tail();

  struct Totals {
    uint64_t domains = 0, refused = 0, fallbacks = 0, prefixes = 0;
  };
  const Totals& totals() const { return totals_; }

 private:
  EmittedDomain Flatten(const DomainSetting& domain);
  template <typename F, typename Prefix>
  std::vector<EmittedGroup<Prefix>> Groups(const std::vector<Entry>& regions, SetPool<F>& sets,
                                           const DomainSetting& domain);
  EmittedAnswer AnswerOf(ProgramId program, bool is_v4, const DomainSetting& domain);
  void Note(const DomainSetting& domain, std::string message, std::string hint, bool lost);

  const EmitZone& zone_;
  Evaluator& evaluator_;
  EmitNotes notes_;
  Pool pool_;
  Totals totals_;
  bool first_ = true;   // json: no comma yet
};

// ---- formats: one file each (emit_rbldnsd.cc, emit_compat.cc, emit_bind.cc, emit_json.cc)

using DomainNote = std::function<void(std::string message, std::string hint, bool lost)>;

std::string RbldnsdHead(const EmitZone& zone, size_t domains);
std::string RbldnsdExact(const EmitZone& zone, const EmittedDomain& domain);
// Octets of the answer to the longest address.
size_t RbldnsdTextBytes(const TextModel& text, bool is_v4);
// The value line of rbldnsd: ":127.0.0.2:v=spf1 ip4:$ -all".
std::string RbldnsdText(const TextModel& text);
std::string RbldnsdKey(const Prefix4& prefix);
std::string RbldnsdKey(const Prefix6& prefix);
// "$NS ..." and "$SOA ..." lines, or "".
std::string RbldnsdAuthority(const EmitZone& zone);

std::string CompatHead(const EmitZone& zone, const std::vector<const DomainSetting*>& domains);
// False: the policy needs more than one text for pass and one for the others.
bool CanSayCompat(const EmittedDomain& domain, std::string* why);
// `records`: names of the records that were read, in the order of reading.
std::string RbldnsdCompat(const EmitZone& zone, const EmittedDomain& domain, const std::vector<std::string>& records,
                          size_t lookups);

std::string BindHead(const EmitZone& zone);
std::string BindDomain(const EmitZone& zone, const EmittedDomain& domain, const DomainNote& note);

std::string JsonHead(const EmitZone& zone);
std::string JsonDomain(const EmitZone& zone, const EmittedDomain& domain);

}  // namespace mz::compiler::spf
