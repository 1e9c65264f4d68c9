// The public half of a DKIM key as p= of its record has it (RFC 6376 section 3.6.1, RFC 8463 section 4).
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "format/healthcheck/outcome.h"

namespace mz::compiler {

// `pem`: SubjectPublicKeyInfo ("PUBLIC KEY") or a private key, of which the public half is taken. Errors: InvalidArgument
// (no PEM, another kind of key than `key` wants).
StatusOr<std::string> DkimPublicKey(std::string_view pem, healthcheck::DkimKey key);

}  // namespace mz::compiler
