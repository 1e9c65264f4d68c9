// The compiler of healthcheck zones: what it refuses, keys in PEM form, templates.
#include "compiler/healthcheck/zone.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "compiler/healthcheck/dkim_key.h"
#include "compiler/healthcheck/record.h"

namespace mz::compiler {
namespace {

using healthcheck::DkimKey;

HealthcheckOptions GoodOptions() {
  HealthcheckOptions o;
  o.apex = SubName("hc.example");
  const std::vector<uint8_t> key(32, 7);
  o.keys.key[0] = healthcheck::DeriveKey(key);
  o.mail_hosts = {{.name = SubName("mail.hc.example"), .ip4 = {0xc0000219}, .ip6 = {}}};
  for (std::string& p : o.dkim_keys) p = "AAAA";
  return o;
}

TEST(HealthcheckZoneTest, CompilesAndRefuses) {
  EXPECT_TRUE(CompileHealthcheck(GoodOptions()).ok());
  auto refused = [](auto change) {
    HealthcheckOptions o = GoodOptions();
    change(o);
    const auto model = CompileHealthcheck(o);
    return !model.ok() && model.status().code() == StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](HealthcheckOptions& o) { o.keys = {}; }));
  EXPECT_TRUE(refused([](HealthcheckOptions& o) { o.mail_hosts.clear(); }));
  EXPECT_TRUE(refused([](HealthcheckOptions& o) { o.mail_hosts[0].ip4.clear(); }));
  EXPECT_TRUE(refused([](HealthcheckOptions& o) { o.dkim_keys[3].clear(); }));
  EXPECT_TRUE(refused([](HealthcheckOptions& o) { o.apex = SubName("a b.example"); }));
  EXPECT_TRUE(refused([](HealthcheckOptions& o) {
    o.apex = SubName(std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c'));
  }));
}

// Every outcome of the catalogue that is answered by the DNS changes something.
TEST(HealthcheckZoneTest, EveryOutcomeHasAnAnswer) {
  const auto model = CompileHealthcheck(GoodOptions());
  ASSERT_TRUE(model.ok());
  using namespace healthcheck;  // NOLINT: the names of the catalogue
  for (const Dimension d : {kSpf, kDkim, kDmarc, kMx, kBimi}) {
    for (const Outcome& o : Outcomes(d)) {
      if (o.code == 0 || (d == kDkim && (o.code == kDkimMissing || o.code == kDkimParentDomain))) continue;
      bool found = false;
      for (const HealthcheckNameModel& n : model->names)
        for (const HealthcheckSourceModel& s : n.sources)
          found |= s.dimension == d && o.code < s.answers.size() && s.answers[o.code] != 0;
      EXPECT_TRUE(found) << DimensionWord(d) << "=" << o.word;
    }
  }
  for (const Outcome& o : Outcomes(kFault)) {
    const HealthcheckFaultModel& f = model->faults[o.code];
    EXPECT_EQ(f.action != image::kHealthcheckRecords || f.delay_ms != 0, o.code != kFaultNone) << o.word;
  }
}

TEST(HealthcheckRecordTest, TextsAreNeverCutInsideAnId) {
  const Template make("hc.example", SubName("hc.example"));
  const std::string hole(image::kHealthcheckIdDigits, kHealthcheckHole);
  for (size_t before = 0; before < 300; before++) {
    const std::string text = make.Text(std::string(before, 'x') + "@I" + std::string(40, 'y'));
    EXPECT_NE(text.find(hole), std::string::npos) << before;
    std::string joined;
    for (size_t i = 0; i < text.size(); i += 1u + static_cast<uint8_t>(text[i]))
      joined += text.substr(i + 1, static_cast<uint8_t>(text[i]));
    EXPECT_EQ(joined, std::string(before, 'x') + hole + std::string(40, 'y'));
  }
  EXPECT_EQ(make.Name("mx.@D"), std::string("\2mx\x20") + hole + SubName("hc.example") + '\0');
  EXPECT_EQ(make.Name(""), std::string(1, '\0'));
}

std::string Pem(EVP_PKEY* key, bool is_private) {
  BIO* bio = BIO_new(BIO_s_mem());
  if (is_private)
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  else
    PEM_write_bio_PUBKEY(bio, key);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<size_t>(size));
  BIO_free(bio);
  return out;
}

TEST(DkimKeyTest, PublicHalves) {
  EVP_PKEY* rsa = EVP_RSA_gen(1024);
  EVP_PKEY* ed = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  ASSERT_NE(rsa, nullptr);
  ASSERT_NE(ed, nullptr);
  const auto from_public = DkimPublicKey(Pem(rsa, false), DkimKey::kRsa1024);
  const auto from_private = DkimPublicKey(Pem(rsa, true), DkimKey::kRsa1024);
  ASSERT_TRUE(from_public.ok());
  EXPECT_EQ(*from_public, *from_private);
  EXPECT_TRUE(from_public->starts_with("MIGf"));  // SubjectPublicKeyInfo of RSA with 1024 bits
  const auto ed25519 = DkimPublicKey(Pem(ed, false), DkimKey::kEd25519);
  ASSERT_TRUE(ed25519.ok());
  EXPECT_EQ(ed25519->size(), 44u);  // 32 octets
  EXPECT_FALSE(DkimPublicKey(Pem(rsa, false), DkimKey::kRsa2048).ok());
  EXPECT_FALSE(DkimPublicKey(Pem(rsa, false), DkimKey::kEd25519).ok());
  EXPECT_FALSE(DkimPublicKey(Pem(ed, false), DkimKey::kRsa2048).ok());
  EXPECT_FALSE(DkimPublicKey("", DkimKey::kRsa2048).ok());
  EXPECT_FALSE(DkimPublicKey("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", DkimKey::kRsa2048).ok());
  EVP_PKEY_free(rsa);
  EVP_PKEY_free(ed);
}

}  // namespace
}  // namespace mz::compiler
