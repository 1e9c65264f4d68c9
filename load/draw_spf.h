// Questions for SPF domains, in the layouts that the zone has. A helper of draw.cc.
#pragma once

#include <optional>
#include <string>

#include "format/image/view.h"
#include "load/clock.h"

namespace mz::load {

struct SpfDraw {
  const image::View& view;
  const image::SpfZone& zone;
  const image::SpfDomain& domain;
  std::string domain_name;  // relative wire form; what stands in the domain part
  bool six = false;         // the client's family
  bool hit = false;         // an address that an entry of the policy names; else one that none does
};

struct SpfQuestion {
  std::string name;  // without the zone's own
  int family;        // of the address in it: 4, 6; 0: none
};

// Nothing: the policy has no such address, or luck failed.
std::optional<SpfQuestion> DrawSpf(const SpfDraw& draw, Random& random);

}  // namespace mz::load
