// What the express lane (express.h) knows of a zone before a query comes. Part of a worker's state, so that it is worked
// out once per image and not once per query.
#pragma once

#include <array>
#include <cstdint>

#include "format/image/view.h"

namespace mz::answer {

struct ExpressPlan {
  enum Kind : uint8_t {
    kAddresses,  // an address, the apex: at most one IPv4 dataset and one IPv6 dataset
    kSubzones,   // an address, a name, the apex: a combined dataset
    kPolicies,   // the same: an spf dataset whose one layout is address and domain
    kNames,      // a name, the apex: a dnset
    kRecords,    // the same: a generic dataset alone
  };
  Kind kind;
  uint8_t apex_bytes;     // without root octet
  // The last octets of the apex, at most sixteen, behind zeros; and which of them count.
  alignas(16) uint8_t tail[16], mask[16];
  int32_t zone_index;
  const image::ZoneRecord* zone;
  const uint8_t* apex;    // lower case
  const image::DatasetRef* ref;   // null (kAddresses): there is no IPv4 dataset
  const image::DatasetRef* ref6;  // kAddresses; null: none, or several
  uint32_t elsewhere;     // bit n: a name of n labels left of the apex may be in another dataset, too (31: 31 or more)
  uint32_t stored;        // bit n: names of n labels are stored in some dataset; in a dnset or generic one of its own plan
                          // that is seen by the look-up
  uint64_t last_second;   // of the zone's data
};

// A zone that no plan fits costs the general path nothing but the comparison that tells so. Belongs to one thread.
struct ExpressPlans {
  static constexpr uint32_t kPlans = 8;

  // The image they were made for: content and place.
  uint64_t identity = 0;
  const void* base = nullptr;
  uint32_t count = 0;
  uint32_t next = 0;  // to be replaced when all are taken
  std::array<ExpressPlan, kPlans> plans;
};

// Null when queries for the zone need the general path.
bool MakeExpressPlan(const image::View& view, int32_t zone_index, ExpressPlan* plan);

}  // namespace mz::answer
