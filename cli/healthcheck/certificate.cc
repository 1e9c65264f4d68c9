// See certificate.h.
#include "cli/healthcheck/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>

namespace mz::mail {
namespace {

struct Free {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_STORE* p) const { X509_STORE_free(p); }
  void operator()(X509_STORE_CTX* p) const { X509_STORE_CTX_free(p); }
  void operator()(STACK_OF(X509) * p) const { sk_X509_pop_free(p, X509_free); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

Owned<X509> Read(const std::string& pem) {
  Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Owned<X509>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

}  // namespace

std::string JudgeCertificate(const std::vector<std::string>& chain, const std::string& host,
                             const std::string& ca_file) {
  if (chain.empty()) return "not seen";
  const Owned<X509> own = Read(chain[0]);
  if (own == nullptr) return "not readable";
  Owned<STACK_OF(X509)> others(sk_X509_new_null());
  for (size_t k = 1; k < chain.size(); ++k)
    if (Owned<X509> c = Read(chain[k]); c != nullptr && sk_X509_push(others.get(), c.get()) > 0) c.release();
  Owned<X509_STORE> store(X509_STORE_new());
  const int loaded = ca_file.empty() ? X509_STORE_set_default_paths(store.get())
                                     : X509_STORE_load_file(store.get(), ca_file.c_str());
  Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (loaded != 1 || X509_STORE_CTX_init(context.get(), store.get(), own.get(), others.get()) != 1) {
    ERR_clear_error();
    return "not checked: " + (ca_file.empty() ? std::string("the system's authorities") : ca_file) +
           " cannot be read";
  }
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  const bool verified = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  if (!verified) return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  const bool matches = X509_check_ip_asc(own.get(), host.c_str(), 0) == 1 ||
                       X509_check_host(own.get(), host.data(), host.size(), 0, nullptr) == 1;
  return matches ? "trusted" : "signed by a known authority, but for another name than " + host;
}

}  // namespace mz::mail
