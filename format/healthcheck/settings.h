// What one ID of a healthcheck zone asks for: one code in each of ten dimensions.
//
// outcome.h is the catalogue that gives every code a word and a meaning. Plain data; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mz::healthcheck {

enum Dimension : uint8_t {
  kSpf,      // the SPF record at the ID's name
  kDkim,     // the key record below _domainkey and, in the mail, the signature
  kDmarc,    // the record at _dmarc
  kMx,       // MX records at the ID's name
  kArc,      // an ARC chain in the mail
  kInbound,  // MTA-STS, TLSA and TLS-RPT: what the receiver's own outbound server does with mail to the ID
  kFault,    // misbehaviour of the DNS server at every name of the ID
  kBimi,     // the record at default._bimi
  kSender,   // which names From: and MAIL FROM have
  kHelo,     // which name HELO has
  kDimensionCount,
};

// Codes of each dimension fit in so many bits of an ID.
inline constexpr uint8_t kCodeBits[kDimensionCount] = {5, 5, 5, 3, 3, 4, 5, 2, 2, 2};
// Codes 0..kCodeLimit-1 of a dimension, for tables.
inline constexpr uint32_t CodeLimit(Dimension d) { return 1u << kCodeBits[d]; }

// A new member starts as "none" in every dimension.
struct Settings {
  uint8_t code[kDimensionCount] = {};
  uint8_t operator[](Dimension d) const { return code[d]; }
  uint8_t& operator[](Dimension d) { return code[d]; }
  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace mz::healthcheck
