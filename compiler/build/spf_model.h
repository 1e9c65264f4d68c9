// The compiler's model of one SPF zone: what compiler/spf hands to the image writer.
//
// A domain's policy is, per address family, a first-match list: the first entry whose set holds the client's address
// decides which residual program is served, else the default does. Sets are shared: the pass set of a provider's include
// is stored once for all domains that name it. Programs are shared likewise. Plain data, owned by value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/build/model.h"
#include "format/net/address.h"

namespace mz::compiler {

// One part of a query layout, leftmost first: "%{ir}.%{d}" is {kAddressReversed}, {kDomain}.
struct SpfLayoutPart {
  enum Kind : uint8_t {
    kLiteral,          // `label`, lower case
    kAddress,          // %{i}: 4 or 32 labels, most significant first
    kAddressReversed,  // %{ir}
    kFamily,           // %{v}: "in-addr" or "ip6"
    kDomain,           // the labels that select the domain: at most one part
    kIgnored,          // %{h}, %{l}, %{o}, %{s}, %{p}: any labels, fenced by literals or by the end
    kClass,            // one label: p s n f z (SpfClass)
  } kind = kLiteral;
  std::string label;
};
using SpfLayout = std::vector<SpfLayoutPart>;

// What a class label asks: does the policy say pass, softfail, neutral, fail; z: anything but pass.
enum SpfClass : uint8_t { kSpfClassPass, kSpfClassSoftfail, kSpfClassNeutral, kSpfClassFail, kSpfClassNotPass,
                          kSpfClasses };

enum class SpfOutcome : uint8_t { kPass, kFail, kSoftfail, kNeutral, kPermerror, kTemperror,
                                  kDynamic };  // depends on sender, HELO or names

// A helper record below the query name: "_h" + label.
struct SpfHelper {
  std::string label;     // 1..4 octets [0-9a-z], without the "_h"
  TextId text = 0;       // 0: SERVFAIL
  friend bool operator==(const SpfHelper&, const SpfHelper&) = default;
};

// One residual program as it is served. Texts may have holes for the address and for the query name.
struct SpfProgram {
  SpfOutcome outcome = SpfOutcome::kNeutral;
  TextId text = 0;                  // TXT at the query name; 0: SERVFAIL
  TextId explanation = 0;           // TXT at "_x." + query name; 0: none
  std::vector<SpfHelper> helpers;   // sorted by label
  TextId class_text[kSpfClasses] = {};  // for layouts with a class label; 0: SERVFAIL. Unused without one
  friend bool operator==(const SpfProgram&, const SpfProgram&) = default;
};

struct SpfEntry {
  uint32_t set = 0;                 // index into SpfModel::sets4 or sets6
  uint32_t program = 0;             // index into SpfModel::programs
  friend bool operator==(const SpfEntry&, const SpfEntry&) = default;
};

struct SpfDomain {
  NameRef name;                     // in SpfModel::names; lower case, relative to the root
  uint32_t ttl = 300;               // seconds, of its answers
  bool subdomains = false;          // also answers for every name below
  bool no_data = false;             // known, but never compiled: SpfModel::no_data_text
  std::vector<SpfEntry> entries4, entries6;
  uint32_t default4 = 0, default6 = 0;  // programs
};

enum class SpfUnknown : uint8_t { kNxdomain, kText, kRefuse };

struct SpfModel {
  std::vector<SpfLayout> layouts;   // tried in order; at least one
  bool answers_a = false;           // exists form: A 127.0.0.2 where the outcome is pass
  SpfUnknown unknown_domain = SpfUnknown::kNxdomain;
  TextId unknown_text = 0;          // kText: "v=spf1 ?all" or "v=spf1 -all"
  TextId no_data_text = 0;          // 0: SERVFAIL
  std::vector<SpfProgram> programs;
  std::vector<std::vector<net::Range4>> sets4;  // ascending, disjoint, not adjacent, not empty
  std::vector<std::vector<net::Range6>> sets6;
  NameArena names;
  // Sorted by name octets, no duplicates. Layouts without a domain part ask the domain with the empty name, or the only
  // one; layouts without an address part are answered for domains whose policy is the same for all addresses.
  std::vector<SpfDomain> domains;
};

}  // namespace mz::compiler
