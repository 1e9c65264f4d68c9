// How a query name reads by a layout of an SPF zone; see spf_match.h.
#pragma once

#include <cstdint>

#include "format/image/layout.h"
#include "format/net/address.h"

namespace mz::answer {

struct SpfName {
  const image::SpfDomain* domain = nullptr;
  bool has_address = false;
  bool is_v4 = false;       // the client that is asked about; v4-mapped addresses are IPv4
  bool has_domain = false;  // the layout has a domain part: the labels [domain_first, domain_last)
  uint8_t domain_first = 0, domain_last = 0;
  uint8_t address_first = 0, address_labels = 0;
  uint8_t layout = 0;
  uint8_t family = 0;  // 4 or 6 where the name says so (%{v})
  int8_t asks = -1;    // image::SpfClassLabel; -1: no class label
  net::Ip4 ip4 = 0;
  net::Ip6 ip6;
};

}  // namespace mz::answer
