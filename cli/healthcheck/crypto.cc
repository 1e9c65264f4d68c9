// See crypto.h.
#include "cli/healthcheck/crypto.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <limits>

#include "base/file.h"

namespace mz::mail {
namespace {

struct Free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* Octets(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* Octets(std::string* s) { return reinterpret_cast<unsigned char*>(s->data()); }

Status OpensslError(std::string_view what) {
  char text[256] = "unknown error";
  if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return MakeStatus(StatusCode::kInternal, std::string(what) + ": libcrypto: " + text);
}

const EVP_MD* MessageDigest(Hash hash) { return hash == Hash::kSha1 ? EVP_sha1() : EVP_sha256(); }

std::string Drained(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

// A key file never asks at the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

}  // namespace

struct PrivateKey::Impl {
  Owned<EVP_PKEY> key;
};

PrivateKey::PrivateKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

std::string Digest(Hash hash, std::string_view octets) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  MZ_CHECK(EVP_Digest(octets.data(), octets.size(), out, &size, MessageDigest(hash), nullptr) == 1);
  return std::string(reinterpret_cast<char*>(out), size);
}

std::string Base64(std::string_view octets) {
  std::string out;
  // EVP_EncodeBlock() takes an int: pieces that are a multiple of three join without padding between them.
  constexpr size_t kPiece = 3 << 20;
  for (size_t at = 0; at < octets.size(); at += kPiece) {
    const std::string_view piece = octets.substr(at, kPiece);
    const size_t before = out.size();
    out.resize(before + (piece.size() + 2) / 3 * 4 + 1);
    const int n = EVP_EncodeBlock(Octets(&out) + before, Octets(piece), static_cast<int>(piece.size()));
    out.resize(before + static_cast<size_t>(n));
  }
  return out;
}

std::string RandomOctets(size_t count) {
  std::string out(count, '\0');
  MZ_CHECK(RAND_bytes(Octets(&out), static_cast<int>(count)) == 1);
  return out;
}

std::string RandomHex(size_t count) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (unsigned char c : RandomOctets(count)) {
    out += kDigits[c >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

StatusOr<PrivateKey> PrivateKey::FromPemFile(const std::string& path) {
  MZ_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path));
  return FromPem(pem, path);
}

StatusOr<PrivateKey> PrivateKey::FromPem(std::string_view pem, const std::string& name) {
  auto impl = std::make_unique<Impl>();
  if (pem.size() <= static_cast<size_t>(std::numeric_limits<int>::max())) {
    Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    impl->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  }
  ERR_clear_error();
  if (impl->key == nullptr)
    return MakeStatus(
        StatusCode::kInvalidArgument,
        name + ": not a private key in PEM form without a passphrase; `mailzone healthcheck keygen` makes them");
  const int id = EVP_PKEY_get_base_id(impl->key.get());
  if (id != EVP_PKEY_RSA && id != EVP_PKEY_ED25519)
    return MakeStatus(StatusCode::kInvalidArgument,
                      name + ": DKIM knows RSA and Ed25519 keys, and this is neither");
  return PrivateKey(std::move(impl));
}

StatusOr<PrivateKey> PrivateKey::FromEd25519Seed(std::string_view seed) {
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Octets(seed), seed.size()));
  if (impl->key == nullptr) return OpensslError("Ed25519 key");
  return PrivateKey(std::move(impl));
}

StatusOr<PrivateKey> PrivateKey::GenerateRsa(unsigned bits) {
  auto impl = std::make_unique<Impl>();
  Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_keygen_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) <= 0 ||
      EVP_PKEY_keygen(context.get(), &key) <= 0)
    return OpensslError("RSA key of " + std::to_string(bits) + " bits");
  impl->key.reset(key);
  return PrivateKey(std::move(impl));
}

StatusOr<PrivateKey> PrivateKey::GenerateEd25519() { return FromEd25519Seed(RandomOctets(32)); }

PrivateKey::Kind PrivateKey::kind() const {
  return EVP_PKEY_get_base_id(impl_->key.get()) == EVP_PKEY_RSA ? kRsa : kEd25519;
}

int PrivateKey::bits() const { return EVP_PKEY_get_bits(impl_->key.get()); }

StatusOr<std::string> PrivateKey::Pem() const {
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return OpensslError("private key");
  return Drained(bio.get());
}

StatusOr<std::string> PrivateKey::PublicPem() const {
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_PUBKEY(bio.get(), impl_->key.get()) != 1) return OpensslError("public key");
  return Drained(bio.get());
}

StatusOr<std::string> PrivateKey::PublicText() const {
  if (kind() == kEd25519) {
    std::string raw(32, '\0');
    size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(impl_->key.get(), Octets(&raw), &size) != 1) return OpensslError("public key");
    return Base64(raw);
  }
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || i2d_PUBKEY_bio(bio.get(), impl_->key.get()) != 1) return OpensslError("public key");
  return Base64(Drained(bio.get()));
}

StatusOr<std::string> PrivateKey::Sign(Hash hash, std::string_view octets) const {
  const bool rsa = kind() == kRsa;
  if (!rsa && hash != Hash::kSha256)
    return MakeStatus(StatusCode::kInvalidArgument, "an Ed25519 key signs with SHA-256 only (RFC 8463)");
  const std::string hashed = rsa ? std::string() : Digest(hash, octets);
  const std::string_view input = rsa ? octets : std::string_view(hashed);
  Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  size_t size = 0;
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, rsa ? MessageDigest(hash) : nullptr, nullptr, impl_->key.get()) !=
          1 ||
      EVP_DigestSign(context.get(), nullptr, &size, Octets(input), input.size()) != 1)
    return OpensslError("signature");
  std::string out(size, '\0');
  if (EVP_DigestSign(context.get(), Octets(&out), &size, Octets(input), input.size()) != 1)
    return OpensslError("signature");
  out.resize(size);
  return out;
}

}  // namespace mz::mail
