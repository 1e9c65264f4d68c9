// Healthcheck zones as text, for dump and diff. Requires everywhere: a fully verified view. Keys are never shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/image/healthcheck_view.h"

namespace mz::image {

// Settings of a zone, one per line: keys by number, expiry, number of registered IDs, faults.
std::vector<std::string> HealthcheckZoneLines(const View& view, const HealthcheckZone& zone);

// What the zone makes of a label: "spf=softfail dmarc=reject, by key 0", "..., registered", or why it is no ID of the zone.
// `good` says which.
std::string HealthcheckIdText(const View& view, const HealthcheckZone& zone, std::string_view label, uint64_t now_unix,
                              bool* good);

// What a name below an ID answers, one line for each code that has an answer: "spf softfail: 60 TXT \"v=spf1 ~all\"". The
// ID's digits are written "${id}".
std::vector<std::string> HealthcheckNameLines(const View& view, const HealthcheckName& name);

}  // namespace mz::image
