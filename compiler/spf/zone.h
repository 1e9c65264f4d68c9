// One SPF zone: its settings, and the model that the image writer takes.
//
//   ZoneCompiler zone(settings, &evaluator);
//   ZoneResult r = zone.Build(&pool);          // r.model, what was noticed per domain
//
// Not thread-safe; shares the evaluator (and so every provider) with the other zones.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/build/spf_model.h"
#include "compiler/spf/evaluator.h"
#include "compiler/spf/layout.h"
#include "compiler/spf/residual.h"

namespace mz::compiler::spf {

struct DomainSetting {
  std::string name;          // wire, relative to the root, lower case: what %{d} says in queries
  std::string source_domain; // wire; the same but for an alias
  std::string owner;         // wire: where the source record is read
  bool subdomains = false;   // also for every name below
};

struct ZoneSettings {
  std::string apex;                    // wire
  std::vector<std::string> layouts;    // at least one
  Form form = Form::kRedirect;
  uint32_t ttl_cap = 300, ttl_floor = 60;
  SpfUnknown unknown_domain = SpfUnknown::kNxdomain;
  std::string unknown_text;            // with kText
  std::string no_data_text;            // "": SERVFAIL
  std::vector<DomainSetting> domains;
};

struct DomainReport {
  const DomainSetting* domain = nullptr;
  ResidualCost worst;                  // over all its programs
  bool complete = true;
  bool has_record = false;
};

struct ZoneResult {
  std::shared_ptr<const SpfModel> model;
  uint32_t domains = 0, incomplete = 0, without_record = 0;
};

// Names below a domain's name that receivers may look up themselves are limited to ten (section 4.6.4); the published
// record takes one.
inline constexpr uint32_t kWarnLookups = 6, kMaxReceiverLookups = 10;
inline constexpr uint32_t kWarnTextBytes = 380, kMaxTextBytes = 450;

// Errors: InvalidArgument (a layout, a name too long, a domain twice). `report` may be empty; called per domain.
StatusOr<ZoneResult> BuildZone(const ZoneSettings& settings, Evaluator* evaluator, Pool* pool,
                               const std::function<void(const DomainReport&)>& report);

// Wire form of "PREFIX.DOMAIN" or of DOMAIN when the prefix is empty. Errors: InvalidArgument.
StatusOr<std::string> OwnerOf(std::string_view prefix, std::string_view domain_wire);

}  // namespace mz::compiler::spf
