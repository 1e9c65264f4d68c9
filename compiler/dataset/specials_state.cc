// See specials_state.h.
#include "compiler/dataset/specials_state.h"

#include <algorithm>

namespace mz::compiler {

using dataset::SpecialKind;

uint32_t EffectiveTtl(uint32_t written, uint32_t current_default, const TtlBounds& bounds) {
  if (written == 0) return current_default;
  if (bounds.max_ttl != 0) written = std::min(written, bounds.max_ttl);
  return std::max(written, bounds.min_ttl);
}

namespace {

SpecialOutcome Outcome(bool ok) {
  SpecialOutcome outcome;
  outcome.kind = ok ? SpecialOutcome::kOk : SpecialOutcome::kInvalid;
  return outcome;
}

bool ApplySoa(std::string_view text, const CompileOptions& options, uint32_t ttl, CommonSpecials* common) {
  if (common->soa) return true;  // the first one wins, later ones are not read
  dataset::SoaText soa;
  if (!dataset::ParseSoaText(text, &soa)) return false;
  common->soa = Soa{EffectiveTtl(soa.ttl, ttl, options.ttl), soa.mname, soa.rname, soa.serial, soa.refresh, soa.retry,
                    soa.expire, soa.minimum};
  return true;
}

bool ApplyNs(std::string_view text, const CompileOptions& options, uint32_t ttl, CommonSpecials* common) {
  if (common->ns) return true;
  dataset::NsText ns;
  bool ok = dataset::ParseNsText(text, &ns);
  if (!ns.names.empty()) {
    // The names before a bad one stay, with TTL 0.
    common->ns = NameServers{ok ? EffectiveTtl(ns.ttl, ttl, options.ttl) : 0, std::move(ns.names)};
  }
  return ok;
}

SpecialOutcome ApplyTimestamp(std::string_view text, const CompileOptions& options, CommonSpecials* common) {
  dataset::TimestampText timestamp;
  if (!dataset::ParseTimestampText(text, &timestamp)) return Outcome(false);
  if (timestamp.stamp > options.now_unix) {
    SpecialOutcome outcome;
    outcome.kind = SpecialOutcome::kFuture;
    outcome.seconds = timestamp.stamp - options.now_unix;
    return outcome;
  }
  if (timestamp.expires != 0 && (common->expires_unix == 0 || timestamp.expires < common->expires_unix))
    common->expires_unix = timestamp.expires;
  return Outcome(true);
}

SpecialOutcome ApplyMaxRange(std::string_view text, CommonSpecials* common) {
  uint32_t max_range;
  if (!dataset::ParseMaxRangeText(text, &max_range)) return Outcome(false);
  if (common->max_range4 != 0 && max_range > common->max_range4) {
    SpecialOutcome outcome;
    outcome.kind = SpecialOutcome::kRangeIncrease;
    outcome.from = common->max_range4;
    outcome.to = max_range;
    return outcome;
  }
  common->max_range4 = max_range;
  return Outcome(true);
}

}  // namespace

SpecialOutcome ApplySpecial(const dataset::SpecialLine& line, const CompileOptions& options, bool is_acl,
                            uint32_t common_ttl, LocalSpecials* local, CommonSpecials* common) {
  switch (line.kind) {
    case SpecialKind::kSoa:
      return Outcome(!is_acl && ApplySoa(line.text, options, common_ttl, common));
    case SpecialKind::kNs:
      return Outcome(!is_acl && ApplyNs(line.text, options, common_ttl, common));
    case SpecialKind::kTtl: {
      uint32_t ttl;
      if (!dataset::ParseTimeText(line.text, &ttl)) return Outcome(false);
      local->ttl = EffectiveTtl(ttl, options.ttl.default_ttl, options.ttl);
      return Outcome(true);
    }
    case SpecialKind::kVariable: {
      std::optional<std::string>& slot = line.variable == '='
                                             ? local->substitutions.base
                                             : local->substitutions.variables[static_cast<size_t>(line.variable - '0')];
      if (!slot) slot.emplace(line.text);
      return Outcome(true);
    }
    case SpecialKind::kMaxRange4:
      return ApplyMaxRange(line.text, common);
    case SpecialKind::kTimestamp:
      return ApplyTimestamp(line.text, options, common);
    case SpecialKind::kEnt:
      return Outcome(true);
    case SpecialKind::kDataset:
    case SpecialKind::kUnknown:
      break;
  }
  return Outcome(false);
}

}  // namespace mz::compiler
