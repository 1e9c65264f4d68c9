// See settings.h.
#include "cli/spf/settings.h"

#include <algorithm>

#include "cli/spf/domain_list.h"
#include "compiler/spf/layout.h"
#include "format/dns/name.h"

namespace mz::cli {

namespace spf = compiler::spf;

namespace {

constexpr uint32_t kLocalInFlight = 512;

template <typename T>
void Set(const std::optional<uint64_t>& value, T* out) {
  if (value) *out = static_cast<T>(*value);
}

}  // namespace

StatusOr<spf::ZoneSettings> SpfZoneSettings(const ZoneConfig& zone) {
  spf::ZoneSettings out;
  MZ_ASSIGN_OR_RETURN(out.apex, dns::ParseName(zone.name));
  dns::LowerName(&out.apex);
  out.layouts = zone.layouts;
  if (out.layouts.empty()) out.layouts.push_back(zone.layout.empty() ? "%{ir}.%{d}" : zone.layout);
  for (const std::string& layout : out.layouts) {
    StatusOr<compiler::SpfLayout> parsed = spf::ParseLayout(layout);
    if (!parsed.ok()) return Annotate(parsed.status(), "zone " + zone.name);
  }
  out.form = zone.form == "include"   ? spf::Form::kInclude
             : zone.form == "exists"  ? spf::Form::kExists
             : zone.form == "classes" ? spf::Form::kClasses
                                      : spf::Form::kRedirect;
  Set(zone.ttl, &out.ttl_cap);
  Set(zone.ttl_floor, &out.ttl_floor);
  if (zone.unknown_domain == "refuse") out.unknown_domain = compiler::SpfUnknown::kRefuse;
  if (zone.unknown_domain == "neutral" || zone.unknown_domain == "fail") {
    out.unknown_domain = compiler::SpfUnknown::kText;
    out.unknown_text = zone.unknown_domain == "fail" ? "v=spf1 -all" : "v=spf1 ?all";
  }
  if (!zone.no_data.empty() && zone.no_data != "servfail") out.no_data_text = zone.no_data;
  return out;
}

StatusOr<std::vector<SpfZone>> SpfZones(const Config& config, dataset::DiagnosticSink* sink) {
  std::vector<SpfZone> out;
  for (const ZoneConfig& zone : config.zones) {
    if (zone.type != "spf") continue;
    SpfZone z;
    z.config = &zone;
    MZ_ASSIGN_OR_RETURN(z.settings, SpfZoneSettings(zone));
    MZ_ASSIGN_OR_RETURN(z.settings.domains, DomainsOf(zone, sink));
    out.push_back(std::move(z));
  }
  return out;
}

StatusOr<resolve::ResolverOptions> ResolverSettings(const ResolverConfig& config) {
  resolve::ResolverOptions out;
  out.forwarders = config.forwarders;
  out.recursive = config.recursive.value_or(false);
  out.tcp_only = config.tcp.value_or(false);
  out.validate = config.validate.value_or(false);
  out.trust_anchor_file = config.trust_anchor;
  // A resolver on this machine is ours to load: with 60 ms a question, 512 on their way are 2.8 times as fast as 128.
  const bool local = !out.forwarders.empty() && std::all_of(out.forwarders.begin(), out.forwarders.end(), [](const auto& f) {
    return f.starts_with("127.") || f == "::1" || f.starts_with("::1@");
  });
  if (local) out.max_in_flight = kLocalInFlight;
  Set(config.in_flight, &out.max_in_flight);
  Set(config.deadline_ms, &out.deadline_ms);
  Set(config.attempts, &out.attempts);
  for (const std::string& stub : config.stubs) {
    const size_t equals = stub.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == stub.size())
      return MakeStatus(StatusCode::kInvalidArgument,
                        "[resolver] stubs: '" + stub + "' is not ZONE=ADDRESS or ZONE=ADDRESS@PORT");
    out.stubs.push_back({stub.substr(0, equals), stub.substr(equals + 1)});
  }
  if (out.recursive && !out.forwarders.empty())
    return MakeStatus(StatusCode::kInvalidArgument, "[resolver]: 'recursive' and 'forwarders' exclude each other");
  return out;
}

resolve::StorePolicy StoreSettings(const SpfConfig& config) {
  resolve::StorePolicy out;
  Set(config.min_refresh, &out.min_refresh);
  Set(config.max_refresh, &out.max_refresh);
  Set(config.retry_first, &out.retry_first);
  Set(config.retry_max, &out.retry_max);
  Set(config.max_stale, &out.max_stale);
  Set(config.confirmations, &out.confirmations);
  Set(config.confirm_seconds, &out.confirm_seconds);
  Set(config.confirm_retry, &out.confirm_retry);
  Set(config.hold_max, &out.hold_max);
  return out;
}

uint32_t MaxShrinkPercent(const SpfConfig& config) { return static_cast<uint32_t>(config.max_shrink.value_or(50)); }

}  // namespace mz::cli
