// Compiles a healthcheck zone: from its settings to the model of all answers that its IDs can ask for.
//
//   HealthcheckOptions options{.apex = ..., .keys = ..., .mail_hosts = ..., .dkim_keys = ...};
//   MZ_ASSIGN_OR_RETURN(HealthcheckModel model, CompileHealthcheck(options));
//   std::unique_ptr<DatasetModel> names = HelperNames(options);     // names of the zone that belong to no ID
//
// What the words mean is told by format/healthcheck/outcome.h; here stands what each of them is in the DNS. Pure functions.
// Errors: InvalidArgument (settings that make no zone: a message for the operator).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "compiler/build/healthcheck_model.h"
#include "compiler/build/model.h"
#include "format/healthcheck/outcome.h"
#include "format/net/address.h"

namespace mz::compiler {

struct HealthcheckHost {
  std::string name;  // relative wire form, lower case
  std::vector<net::Ip4> ip4;
  std::vector<net::Ip6> ip6;
};

struct HealthcheckOptions {
  std::string apex;                         // relative wire form, lower case
  healthcheck::IdKeys keys;
  uint32_t expiry_minutes = healthcheck::kDefaultExpiryMinutes;
  uint32_t ttl = 60;                        // seconds, of all answers for IDs
  std::vector<HealthcheckHost> mail_hosts;  // send the mails, and take their bounces; at least one with an address
  std::vector<HealthcheckHost> hosts;       // further names of the zone
  std::string selector = "s1";              // of DKIM
  // Public halves in base64 as p= has them, by healthcheck::DkimKey.
  std::array<std::string, healthcheck::kDkimKeyCount> dkim_keys;
  std::string dmarc_rua, dmarc_ruf;         // mailto:..., or empty
  std::string tls_rua;                      // mailto: or https:; default: postmaster at the zone
  std::string bimi_logo;                    // https URL; default: one at the zone's name
  std::string tlsa;                         // RDATA of the good TLSA record in wire form; empty: tlsa-good has none
  std::vector<RegisteredId> registered;     // ascending, none twice
};

StatusOr<HealthcheckModel> CompileHealthcheck(const HealthcheckOptions& options);

// A generic dataset: hosts in the zone, MX and SPF of the apex, a harmless DMARC record above all IDs, the DKIM key of
// signatures by the zone's own name.
std::unique_ptr<DatasetModel> HelperNames(const HealthcheckOptions& options);

// The zone's name as text, without trailing dot.
std::string ZoneText(const HealthcheckOptions& options);

}  // namespace mz::compiler
