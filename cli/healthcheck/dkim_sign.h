// DKIM signatures: RFC 6376, Ed25519 by RFC 8463. Right ones and, where the caller asks for it, ones that a
// verifier must not accept: what is broken is the caller's choice of values, the computation is always right.
//
//   DkimSettings s{.domain = "id.hc.example", .selector = "r2048"};
//   MZ_ASSIGN_OR_RETURN(Field signature, DkimSign(message, s, key));
//   message.AddOnTop(std::move(signature));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/healthcheck/canonical.h"
#include "cli/healthcheck/crypto.h"
#include "cli/healthcheck/message.h"

namespace mz::mail {

struct DkimSettings {
  std::string domain, selector;
  Hash hash = Hash::kSha256;
  Canon header = Canon::kRelaxed, body = Canon::kRelaxed;
  // Names for h=. A name that stands more often than the message has such fields also signs that there is no more
  // of them (RFC 6376 section 5.4.2).
  std::vector<std::string> headers;
  std::optional<int64_t> timestamp, expiration;  // t=, x=: seconds since 1970
  std::optional<size_t> body_octets;             // l=, at most that of the canonical body
  std::string identity;                          // i=; "": not given
};

// The header field DKIM-Signature. Errors: InvalidArgument (SHA-1 with Ed25519), Internal.
StatusOr<Field> DkimSign(const Message& message, const DkimSettings& settings, const PrivateKey& key);

// The octets that a signature with these names in h= covers, without the signature field itself: the last field of
// a name first (RFC 6376 section 5.4.2).
std::string SignedHeaders(const Message& message, const std::vector<std::string>& names, Canon canon);

// For a signature field written by the caller, that ends with "b=": the value of b= in Base64. The field's own
// octets are hashed last, without CRLF (RFC 6376 section 3.7).
StatusOr<std::string> SignatureOver(std::string_view signed_headers, const Field& unsigned_field, Canon canon,
                                    Hash hash, const PrivateKey& key);

// "a=" value.
std::string_view AlgorithmName(const PrivateKey& key, Hash hash);
// Base64 in pieces of 72, folded: what follows "b=" in a field.
std::string FoldedBase64(std::string_view base64);

}  // namespace mz::mail
