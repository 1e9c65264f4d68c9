// See dkim_key.h.
#include "compiler/healthcheck/dkim_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <vector>

namespace mz::compiler {

namespace {

struct Freer {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};

int BitsOf(healthcheck::DkimKey key) {
  using enum healthcheck::DkimKey;
  switch (key) {
    case kRsa4096:
      return 4096;
    case kRsa1024:
      return 1024;
    case kRsa768:
      return 768;
    case kRsa512:
      return 512;
    default:
      return 2048;
  }
}

std::string Base64(const std::vector<uint8_t>& octets) {
  std::string out(4 * ((octets.size() + 2) / 3) + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<uint8_t*>(out.data()), octets.data(), static_cast<int>(octets.size()));
  out.resize(static_cast<size_t>(n));
  return out;
}

// No passphrase: the caller's terminal is not ours to ask.
int NoPassphrase(char*, int, int, void*) { return -1; }

std::unique_ptr<EVP_PKEY, Freer> Read(std::string_view pem) {
  auto open = [&] { return std::unique_ptr<BIO, Freer>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); };
  std::unique_ptr<EVP_PKEY, Freer> key(PEM_read_bio_PUBKEY(open().get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) key.reset(PEM_read_bio_PrivateKey(open().get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  return key;
}

}  // namespace

StatusOr<std::string> DkimPublicKey(std::string_view pem, healthcheck::DkimKey key) {
  auto invalid = [](std::string text) { return MakeStatus(StatusCode::kInvalidArgument, std::move(text)); };
  if (pem.size() > 65536) return invalid("too long for a key in PEM form");
  const std::unique_ptr<EVP_PKEY, Freer> read = Read(pem);
  if (read == nullptr) return invalid("no key in PEM form (BEGIN PUBLIC KEY, or BEGIN PRIVATE KEY without passphrase)");
  std::vector<uint8_t> octets;
  if (key == healthcheck::DkimKey::kEd25519) {
    if (EVP_PKEY_get_base_id(read.get()) != EVP_PKEY_ED25519) return invalid("not an Ed25519 key");
    size_t size = 32;
    octets.resize(size);
    if (EVP_PKEY_get_raw_public_key(read.get(), octets.data(), &size) != 1 || size != 32)
      return invalid("not an Ed25519 key");
    return Base64(octets);
  }
  const int bits = BitsOf(key);
  if (EVP_PKEY_get_base_id(read.get()) != EVP_PKEY_RSA || EVP_PKEY_get_bits(read.get()) != bits)
    return invalid("not an RSA key of " + std::to_string(bits) + " bits");
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(read.get(), &der);
  if (size <= 0) return invalid("a key that cannot be written");
  octets.assign(der, der + size);
  OPENSSL_free(der);
  return Base64(octets);
}

}  // namespace mz::compiler
