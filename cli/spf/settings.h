// The SPF part of a configuration, in the compiler's terms.
#pragma once

#include <vector>

#include "base/status.h"
#include "cli/config.h"
#include "compiler/resolve/resolver.h"
#include "compiler/resolve/store.h"
#include "compiler/spf/zone.h"
#include "format/dataset/diagnostic.h"

namespace mz::cli {

// Without the domains. Errors: InvalidArgument.
StatusOr<compiler::spf::ZoneSettings> SpfZoneSettings(const ZoneConfig& zone);

// A zone of the configuration with its domains, whichever sources they come from.
struct SpfZone {
  const ZoneConfig* config = nullptr;
  compiler::spf::ZoneSettings settings;
};
StatusOr<std::vector<SpfZone>> SpfZones(const Config& config, dataset::DiagnosticSink* sink);

StatusOr<resolve::ResolverOptions> ResolverSettings(const ResolverConfig& config);
resolve::StorePolicy StoreSettings(const SpfConfig& config);
uint32_t MaxShrinkPercent(const SpfConfig& config);

}  // namespace mz::cli
