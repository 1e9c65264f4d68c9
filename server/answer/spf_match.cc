// See spf_match.h.
#include "server/answer/spf_match.h"

#include "server/answer/spf_address.h"

namespace mz::answer {
namespace {

using image::SpfPart;

// Ways to write an address: 32 nibbles, 4 octets, or one label with an IPv6 text, which some clients send instead
// of nibbles.
constexpr unsigned kWritings[] = {32, 4, 1};

bool IsVariable(const SpfPart& p) { return p.kind == image::kSpfDomainPart || p.kind == image::kSpfIgnored; }
bool IsAddress(const SpfPart& p) { return p.kind == image::kSpfAddress || p.kind == image::kSpfAddressReversed; }

unsigned FixedLabels(std::span<const SpfPart> parts, unsigned address_labels) {
  unsigned n = 0;
  for (const SpfPart& p : parts) n += IsAddress(p) ? address_labels : 1;
  return n;
}

bool HasAddress(std::span<const SpfPart> parts) {
  for (const SpfPart& p : parts)
    if (IsAddress(p)) return true;
  return false;
}

bool HasDomain(std::span<const SpfPart> parts) {
  for (const SpfPart& p : parts)
    if (p.kind == image::kSpfDomainPart) return true;
  return false;
}

}  // namespace

bool SpfMatcher::Octets(bool reversed, unsigned first, unsigned count, net::Ip4* out) const {
  if (first == 0 && count == 4 && reversed) {  // they were read with the packet
    bool zeros = false;
    for (unsigned i = 0; i < 4; i++) {
      const uint8_t* label = job_.Labels(i);
      zeros |= (label[0] > 1) & (label[1] == '0');
    }
    *out = job_.ip4;
    return job_.has_ip4 && !zeros;
  }
  uint32_t value = 0;
  for (unsigned i = 0; i < count; i++) {
    const uint8_t* label = job_.Labels(first + i);
    unsigned octet;
    if (!internal::ParseOctet(label, &octet)) return false;
    if (label[0] > 1 && label[1] == '0') return false;  // RFC 7208 section 7.3 writes no leading zeros
    // The labels are the last ones of the address: its most significant octets when reversed.
    value |= octet << 8 * (reversed ? i + 4 - count : count - 1 - i);
  }
  *out = value;
  return true;
}

bool SpfMatcher::Nibbles(bool reversed, unsigned first, unsigned count, net::Ip6* out) const {
  if (job_.LabelBytes(first, first + count) != 2 * count) return false;  // some label is longer than one octet
  net::Ip6 value;
  for (unsigned i = 0; i < count; i++) {
    unsigned nibble;
    if (!internal::ParseNibble(job_.Labels(first + i), &nibble)) return false;
    const unsigned position = reversed ? i + 32 - count : count - 1 - i;
    if (position < 16) {
      value.low |= uint64_t{nibble} << (4 * position);
    } else {
      value.high |= uint64_t{nibble} << (4 * (position - 16));
    }
  }
  *out = value;
  return true;
}

bool SpfMatcher::ParseAddress(bool reversed, unsigned at, unsigned labels, SpfName* out) const {
  if (labels == 4) {
    out->is_v4 = true;
    return Octets(reversed, at, 4, &out->ip4);
  }
  if (labels == 32) {
    if (!Nibbles(reversed, at, 32, &out->ip6)) return false;
  } else if (!ParseIp6Label(job_.Labels(at), &out->ip6)) {
    return false;
  }
  out->is_v4 = net::IsV4Mapped(out->ip6);  // RFC 7208 section 5: an IPv4 client
  if (out->is_v4) out->ip4 = static_cast<net::Ip4>(out->ip6.low);
  return true;
}

bool SpfMatcher::IsLabel(unsigned at, std::string_view text) const {
  const uint8_t* label = job_.Labels(at);
  return label[0] == text.size() && std::memcmp(label + 1, text.data(), text.size()) == 0;
}

bool SpfMatcher::MatchFixed(const SpfPart& part, unsigned at, unsigned address_labels, SpfName* out) const {
  switch (part.kind) {
    case image::kSpfLiteral:
      return IsLabel(at, image::SpfLabel(zone_, part));
    case image::kSpfFamily:
      // 0 address labels: the address is cut off, and this tells what it was.
      if (address_labels != 32 && address_labels != 1 && IsLabel(at, "in-addr")) {
        out->family = 4;
        return true;
      }
      out->family = 6;
      return address_labels != 4 && IsLabel(at, "ip6");
    case image::kSpfClassPart: {
      const uint8_t* label = job_.Labels(at);
      if (label[0] != 1) return false;
      for (unsigned i = 0; i < image::kSpfClassLabels; i++) {
        if (label[1] != static_cast<uint8_t>(image::kSpfClassLetters[i])) continue;
        out->asks = static_cast<int8_t>(i);
        return true;
      }
      return false;
    }
    default:
      out->has_address = true;
      out->address_first = static_cast<uint8_t>(at);
      out->address_labels = static_cast<uint8_t>(address_labels);
      return ParseAddress(part.kind == image::kSpfAddressReversed, at, address_labels, out);
  }
}

bool SpfMatcher::MatchGroup(Parts parts, unsigned at, unsigned address_labels, SpfName* out) const {
  for (const SpfPart& p : parts) {
    if (!MatchFixed(p, at, address_labels, out)) return false;
    at += IsAddress(p) ? address_labels : 1;
  }
  return true;
}

bool SpfMatcher::MatchParts(Parts parts, unsigned first, unsigned last, unsigned address_labels,
                            SpfName* out) const {
  while (!parts.empty() && !IsVariable(parts.front())) {
    const unsigned n = FixedLabels(parts.first(1), address_labels);
    if (last - first < n || !MatchFixed(parts.front(), first, address_labels, out)) return false;
    first += n;
    parts = parts.subspan(1);
  }
  while (!parts.empty() && !IsVariable(parts.back())) {
    const unsigned n = FixedLabels(parts.last(1), address_labels);
    if (last - first < n || !MatchFixed(parts.back(), last - n, address_labels, out)) return false;
    last -= n;
    parts = parts.first(parts.size() - 1);
  }
  if (parts.empty()) return first == last;
  if (parts.size() == 1) {
    if (first == last) return false;
    if (parts[0].kind == image::kSpfDomainPart) {
      out->domain_first = static_cast<uint8_t>(first);
      out->domain_last = static_cast<uint8_t>(last);
    }
    return true;
  }
  return MatchMiddle(parts, first, last, address_labels, out);
}

// `parts` begin and end with a variable part, and have at least two of them.
bool SpfMatcher::MatchMiddle(Parts parts, unsigned first, unsigned last, unsigned address_labels,
                             SpfName* out) const {
  size_t pivot = parts.size() - 1;
  for (size_t i = 0; i < parts.size(); i++)
    if (parts[i].kind == image::kSpfDomainPart) pivot = i;
  const Parts right = parts.subspan(pivot + 1);
  unsigned start = first, end = last;
  if (pivot == 0) {
    if (!MatchRight(right, start, last, address_labels, &end, out)) return false;
  } else {
    size_t fence = pivot;
    while (!IsVariable(parts[fence - 1])) fence--;
    const Parts group = parts.subspan(fence, pivot - fence);
    const Parts left = parts.first(fence);
    const unsigned n = FixedLabels(group, address_labels);
    if (last - first < n + 2) return false;
    bool matched = false;
    for (unsigned at = last - 1 - n; !matched && at > first; at--) {
      if (!MatchGroup(group, at, address_labels, out)) continue;
      start = at + n;
      matched = MatchRight(right, start, last, address_labels, &end, out) &&
                MatchLeft(left, first, at, address_labels, out);
    }
    if (!matched) return false;
  }
  if (parts[pivot].kind == image::kSpfDomainPart) {
    out->domain_first = static_cast<uint8_t>(start);
    out->domain_last = static_cast<uint8_t>(end);
  }
  return true;
}

// `parts` end with a variable part that ends before label `last`; fences are looked for from the right.
bool SpfMatcher::MatchLeft(Parts parts, unsigned first, unsigned last, unsigned address_labels,
                           SpfName* out) const {
  for (;;) {
    if (parts.size() == 1) return first < last;
    size_t fence = parts.size() - 1;
    while (!IsVariable(parts[fence - 1])) fence--;
    const Parts group = parts.subspan(fence, parts.size() - 1 - fence);
    const unsigned n = FixedLabels(group, address_labels);
    if (last - first < n + 2) return false;
    unsigned at = last - 1 - n;
    while (at > first && !MatchGroup(group, at, address_labels, out)) at--;
    if (at == first) return false;
    last = at;
    parts = parts.first(fence);
  }
}

// A variable part begins at label `start` and `parts` follow it: fence, variable, fence, variable ... `end`: where
// the first one ends. Fences are looked for from the left.
bool SpfMatcher::MatchRight(Parts parts, unsigned start, unsigned last, unsigned address_labels, unsigned* end,
                            SpfName* out) const {
  bool is_first = true;
  *end = last;
  while (!parts.empty()) {
    size_t fence = 0;
    while (!IsVariable(parts[fence])) fence++;
    const Parts group = parts.first(fence);
    const unsigned n = FixedLabels(group, address_labels);
    if (last - start < n + 2) return false;
    unsigned at = start + 1;
    while (at + n < last && !MatchGroup(group, at, address_labels, out)) at++;
    if (at + n >= last) return false;
    if (is_first) *end = at;
    is_first = false;
    start = at + n;
    parts = parts.subspan(fence + 1);
  }
  return start < last;
}

// Calls visit(*out) for every way in which the name fits, in order, until it returns true.
template <typename Visit>
bool SpfMatcher::ForEachReading(unsigned first, SpfName* out, Visit visit) {
  Parts all = image::SpfParts(zone_);
  unsigned layout = 0;
  for (const uint8_t count : image::SpfPartsOfLayout(zone_)) {
    const Parts parts = all.first(count);
    all = all.subspan(count);
    const bool has_address = HasAddress(parts);
    for (const unsigned labels : kWritings) {
      if (has_address && labels + count - 1 > job_.apex - first)
        continue;  // every other part has a label at least
      *out = SpfName{};
      out->layout = static_cast<uint8_t>(layout);
      if (MatchParts(parts, first, job_.apex, labels, out)) {
        out->has_domain = HasDomain(parts);
        if (visit()) return true;
      }
      if (!has_address) break;
    }
    layout++;
  }
  return false;
}

const image::SpfDomain* SpfMatcher::FindDomain(unsigned first, unsigned last, uint64_t hash, bool has_hash) {
  const unsigned n = last - first;
  if (HasDepth(ref_.exact_depths, n)) {
    if (!has_hash) hash = HashRelative(view_, ref_.scope, first, last, &job_);
    const image::NameRecord* r = FindHashed(view_, ref_.scope, hash, first, last, job_);
    if (r != nullptr && (r->flags & image::kNameExact)) return &view_.spf_domain(r->a);
  }
  if ((zone_.flags & image::kSpfHasSubdomains) == 0) return nullptr;
  for (int k = DeepestUpTo(ref_.exact_depths, static_cast<int>(n) - 1); k >= 0;
       k = DeepestUpTo(ref_.exact_depths, k - 1)) {
    const image::NameRecord* r = FindRelative(view_, ref_.scope, last - static_cast<unsigned>(k), last, &job_);
    if (r == nullptr || (r->flags & image::kNameExact) == 0) continue;
    const image::SpfDomain& d = view_.spf_domain(r->a);
    if (d.flags & image::kSpfSubdomains) return &d;
  }
  return nullptr;
}

bool SpfMatcher::SetDomain(SpfName* out) {
  if (!out->has_domain) {
    out->domain = zone_.default_domain == 0 ? nullptr : &view_.spf_domain(zone_.default_domain);
  } else {
    out->domain = FindDomain(out->domain_first, out->domain_last, 0, false);
  }
  return out->domain != nullptr;
}

SpfFound SpfMatcher::Full(unsigned first, SpfName* out) {
  if (first == 0 && job_.spf_of == &ref_) {
    // The first reading was made for prefetching.
    if (!job_.spf_fits) return SpfFound::kNone;
    *out = job_.spf_name;
    out->domain = out->has_domain ? FindDomain(out->domain_first, out->domain_last, job_.spf_hash, true) : nullptr;
    if (out->domain != nullptr) return SpfFound::kKnown;
  }
  SpfName unknown;
  bool any = false;
  const bool known = ForEachReading(first, out, [&] {
    if (SetDomain(out)) return true;
    if (!any) unknown = *out;
    any = true;
    return false;
  });
  if (known) return SpfFound::kKnown;
  *out = unknown;
  return any ? SpfFound::kUnknown : SpfFound::kNone;
}

bool SpfMatcher::Guess(SpfName* out) {
  return ForEachReading(0, out, [] { return true; });
}

bool SpfMatcher::BelowKnown(const SpfName& name) {
  return name.has_domain && IsBelowKnown(name.domain_first, name.domain_last);
}

bool SpfMatcher::IsBelowKnown(unsigned first, unsigned last) {
  const unsigned n = last - first;
  for (int k = DeepestUpTo(ref_.exact_depths, static_cast<int>(n) - 1); k > 0;
       k = DeepestUpTo(ref_.exact_depths, k - 1)) {
    const image::NameRecord* r = FindRelative(view_, ref_.scope, last - static_cast<unsigned>(k), last, &job_);
    if (r != nullptr && (r->flags & image::kNameExact)) return true;
  }
  return false;
}

// The labels [first, last) as the right part of a known domain's name, or the whole of it.
bool SpfMatcher::DomainBelow(unsigned first, unsigned last) {
  if (first == last) return true;
  const image::NameRecord* r = FindRelative(view_, ref_.scope, first, last, &job_);
  return r != nullptr || FindDomain(first, last, 0, false) != nullptr;
}

bool SpfMatcher::PartialOfLayout(Parts parts, bool any_domain, SpfName* out, bool* cut,
                                 SpfPartialAddress* address) {
  const unsigned left = job_.apex;
  const uint8_t layout = out->layout;
  // parts[c] is the leftmost part of which something may be there; all behind it are whole.
  for (size_t c = 0; c < parts.size(); c++) {
    const Parts rest = parts.subspan(c + 1);
    const bool address_is_whole = HasAddress(rest);
    const bool has_domain = HasDomain(rest);
    // Where parts[c] ends: behind its `t` labels. Of fixed parts of one label nothing is there.
    const unsigned most = IsAddress(parts[c]) ? 31 : IsVariable(parts[c]) ? left : 0;
    for (unsigned t = 0; t <= most && t <= left; t++) {
      if (IsAddress(parts[c]) && t > 0) {
        const bool reversed = parts[c].kind == image::kSpfAddressReversed;
        net::Ip4 ip4;
        net::Ip6 ip6;
        if ((t > 3 || !Octets(reversed, 0, t, &ip4)) && !Nibbles(reversed, 0, t, &ip6)) break;
      }
      if (t == left && !rest.empty()) break;
      for (const unsigned labels : kWritings) {
        *out = SpfName{};
        out->layout = layout;
        if (MatchParts(rest, t, left, address_is_whole ? labels : 0, out)) {
          out->has_domain = has_domain;
          const bool in_domain = parts[c].kind == image::kSpfDomainPart;
          const bool domain_open = in_domain || (!has_domain && HasDomain(parts.first(c)));
          const bool fits = any_domain ? (in_domain ? !IsBelowKnown(0, t) : domain_open || !BelowKnown(*out))
                                       : (in_domain ? DomainBelow(0, t) : domain_open || SetDomain(out));
          if (fits) {
            *cut = IsAddress(parts[c]);
            for (const SpfPart& p : parts.first(c)) *cut |= IsAddress(p);
            if (*cut && IsAddress(parts[c])) *address = {parts[c].kind == image::kSpfAddressReversed, 0, t};
            return true;
          }
        }
        if (!address_is_whole) break;
      }
    }
  }
  return false;
}

bool SpfMatcher::Partial(bool any_domain, SpfName* out, bool* cut, SpfPartialAddress* address) {
  Parts all = image::SpfParts(zone_);
  uint8_t layout = 0;
  for (const uint8_t count : image::SpfPartsOfLayout(zone_)) {
    *out = SpfName{};
    out->layout = layout++;
    *address = {};
    *cut = false;
    if (PartialOfLayout(all.first(count), any_domain, out, cut, address)) return true;
    all = all.subspan(count);
  }
  return false;
}

}  // namespace mz::answer
