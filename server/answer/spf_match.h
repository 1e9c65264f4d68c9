// Reads a query name by the layouts of an SPF zone: which address it asks about, for which domain.
//
//   SpfMatcher matcher(view, ref, job);
//   SpfName name;
//   SpfFound found = matcher.Full(0, &name);      // kKnown: name.domain answers for name.ip4 or name.ip6
//
// A layout is matched from both ends; what lies between its fixed parts is found by the literals that fence it:
// left of the domain part their rightmost occurrence counts, right of it the leftmost, so that a HELO or a local
// part that imitates a fence cannot choose the domain. No allocation; work bounded by the labels of the name (at
// most 127) times the parts of the layouts.
#pragma once

#include <cstdint>
#include <span>

#include "format/image/spf_view.h"
#include "server/answer/job.h"

namespace mz::answer {

enum class SpfFound : uint8_t {
  kNone,     // fits no layout
  kUnknown,  // fits, but no such domain
  kKnown,
};

// What the labels that are left of a cut address say; see SpfMatcher::Partial().
struct SpfPartialAddress {
  bool reversed = false;
  unsigned first = 0;  // label index of the first one; they are the last `labels` of the address
  unsigned labels = 0;
};

class SpfMatcher {
 public:
  SpfMatcher(const image::View& view, const image::DatasetRef& ref, Job& job)
      : view_(view), ref_(ref), zone_(view.spf_zone(ref.map4)), job_(job) {}

  const image::SpfZone& zone() const { return zone_; }

  // The labels [first, left of the apex) as a whole name. The first layout in order with a known domain wins; else
  // the first that fits.
  SpfFound Full(unsigned first, SpfName* out);
  // The first reading without a look at the index: for prefetching.
  bool Guess(SpfName* out);

  // The labels as the right part of a whole name that was cut on the left, anywhere. True when the rest could be
  // completed to a name of a known domain (any_domain: of any that is not below a known one): an empty
  // non-terminal. `cut` tells whether the cut may lie in the address or in what stands right of it, then `out` has
  // the domain, if it is whole, and `address` what is left of the address.
  bool Partial(bool any_domain, SpfName* out, bool* cut, SpfPartialAddress* address);

  // A name that no known domain owns: true when a known domain lies above it, so that it is a malformed name of
  // that domain and no other one's.
  bool BelowKnown(const SpfName& name);

  // The labels [first, first + count) as octets or nibbles, most significant first or reversed.
  bool Octets(bool reversed, unsigned first, unsigned count, net::Ip4* out) const;
  bool Nibbles(bool reversed, unsigned first, unsigned count, net::Ip6* out) const;

 private:
  using Parts = std::span<const image::SpfPart>;

  template <typename Visit>
  bool ForEachReading(unsigned first, SpfName* out, Visit visit);
  bool MatchParts(Parts parts, unsigned first, unsigned last, unsigned address_labels, SpfName* out) const;
  bool MatchMiddle(Parts parts, unsigned first, unsigned last, unsigned address_labels, SpfName* out) const;
  bool MatchLeft(Parts parts, unsigned first, unsigned last, unsigned address_labels, SpfName* out) const;
  bool MatchRight(Parts parts, unsigned start, unsigned last, unsigned address_labels, unsigned* end,
                  SpfName* out) const;
  bool MatchGroup(Parts parts, unsigned at, unsigned address_labels, SpfName* out) const;
  bool MatchFixed(const image::SpfPart& part, unsigned at, unsigned address_labels, SpfName* out) const;
  bool ParseAddress(bool reversed, unsigned at, unsigned labels, SpfName* out) const;
  bool IsLabel(unsigned at, std::string_view text) const;
  bool PartialOfLayout(Parts parts, bool any_domain, SpfName* out, bool* cut, SpfPartialAddress* address);
  bool DomainBelow(unsigned first, unsigned last);
  bool IsBelowKnown(unsigned first, unsigned last);
  bool SetDomain(SpfName* out);
  const image::SpfDomain* FindDomain(unsigned first, unsigned last, uint64_t hash, bool has_hash);

  const image::View& view_;
  const image::DatasetRef& ref_;
  const image::SpfZone& zone_;
  Job& job_;
};

}  // namespace mz::answer
