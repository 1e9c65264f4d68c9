// ARC sets: RFC 8617. One call adds the set of one hop on top of a message: ARC-Authentication-Results,
// ARC-Message-Signature, ARC-Seal.
//
//   ArcSettings hop{.domain = "id.hc.example", .selector = "r2048", .results = "mx.example; spf=pass"};
//   MZ_RETURN_IF_ERROR(AddArcSet(hop, 1, "none", key, &message));
//   MZ_RETURN_IF_ERROR(AddArcSet(hop, 2, "pass", key, &message));
//
// Instance and cv= are the caller's, right or wrong. RSA keys only (RFC 8617 section 4.1.3 knows rsa-sha256).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/healthcheck/dkim_sign.h"

namespace mz::mail {

struct ArcSettings {
  std::string domain, selector;
  std::string results;               // authserv-id and results, as in Authentication-Results
  std::vector<std::string> headers;  // for h= of ARC-Message-Signature
  int64_t timestamp = 0;
};

// Errors: those of signing.
Status AddArcSet(const ArcSettings& settings, unsigned instance, std::string_view cv, const PrivateKey& key,
                 Message* message);

}  // namespace mz::mail
