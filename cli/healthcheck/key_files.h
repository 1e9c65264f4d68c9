// The key directory of a healthcheck zone: the key of the IDs, and the DKIM keys, of which some are weak on
// purpose.
//
//   id.key, id2.key            32 octets in hexadecimal digits, mode 0600 (format/healthcheck/id.h)
//   rsa2048.pem, rsa2048.pub   one pair per DkimKey (format/healthcheck/outcome.h): PKCS #8, mode 0600, and
//                              SubjectPublicKeyInfo, mode 0644, which is all that the DNS side reads
//
// Nothing is ever overwritten.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/healthcheck/crypto.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {

// A new file with this mode. Errors: FailedPrecondition (it is there already), those of writing.
Status WriteNewFile(const std::string& path, std::string_view text, uint32_t mode);

// Errors: FailedPrecondition, those of writing, Internal.
Status WriteIdKey(const std::string& path);
Status WriteDkimKey(const std::string& directory, healthcheck::DkimKey key);
std::string DkimKeyPath(const std::string& directory, healthcheck::DkimKey key, std::string_view ending);

// Private keys, read when first asked for. Not thread-safe.
class KeyRing {
 public:
  explicit KeyRing(std::string directory) : directory_(std::move(directory)) {}
  // Valid as long as the ring. Errors: those of PrivateKey::FromPemFile, with the remedy.
  StatusOr<const mail::PrivateKey*> Get(healthcheck::DkimKey key);

 private:
  std::string directory_;
  std::array<std::optional<mail::PrivateKey>, healthcheck::kDkimKeyCount> keys_;
};

}  // namespace mz::cli
