// Keys, hashes and signatures for mail: OpenSSL's libcrypto behind a few functions. Nothing is computed here.
//
//   MZ_ASSIGN_OR_RETURN(PrivateKey key, PrivateKey::FromPemFile("keys/rsa-2048.pem"));
//   MZ_ASSIGN_OR_RETURN(std::string signature, key.Sign(Hash::kSha256, octets));
//
// A PrivateKey owns its key and may be read by any thread. The deliberately weak keys and SHA-1 of some outcomes
// work whatever the security level of the system's TLS: libcrypto applies it to TLS and certificates only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mz::mail {

enum class Hash : uint8_t { kSha1, kSha256 };
std::string Digest(Hash hash, std::string_view octets);

// RFC 4648 section 4, in one line.
std::string Base64(std::string_view octets);
// Lower-case hexadecimal digits of `count` random octets.
std::string RandomHex(size_t count);
std::string RandomOctets(size_t count);

class PrivateKey {
 public:
  enum Kind : uint8_t { kRsa, kEd25519 };

  // Errors: those of ReadFile; InvalidArgument (no PEM private key, or of another kind).
  static StatusOr<PrivateKey> FromPemFile(const std::string& path);
  static StatusOr<PrivateKey> FromPem(std::string_view pem, const std::string& name_for_errors);
  // RFC 8032: 32 octets. Requires: the size.
  static StatusOr<PrivateKey> FromEd25519Seed(std::string_view seed);
  // 512 bits and more.
  static StatusOr<PrivateKey> GenerateRsa(unsigned bits);
  static StatusOr<PrivateKey> GenerateEd25519();

  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();

  Kind kind() const;
  int bits() const;
  // PKCS #8, as `openssl genpkey` writes it.
  StatusOr<std::string> Pem() const;
  // SubjectPublicKeyInfo.
  StatusOr<std::string> PublicPem() const;
  // What stands behind p= in a key record: RSA as SubjectPublicKeyInfo (RFC 6376 section 3.6.1), Ed25519 as the 32
  // octets (RFC 8463 section 4.2), in Base64.
  StatusOr<std::string> PublicText() const;
  // RSA: PKCS #1 v1.5 over the hash. Ed25519: over the hash's octets (RFC 8463 section 3), for kSha256 only.
  StatusOr<std::string> Sign(Hash hash, std::string_view octets) const;

 private:
  struct Impl;
  explicit PrivateKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mz::mail
