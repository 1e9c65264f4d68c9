// Signatures: both of RFC 8463 appendix A octet for octet (RSA PKCS #1 v1.5 and Ed25519 have one signature per key
// and message), what is signed of repeated and missing fields, and the weak keys. Other verifiers judge in
// tests/e2e.
#include "cli/healthcheck/dkim_sign.h"

#include <gtest/gtest.h>

namespace mz::mail {
namespace {

// RFC 8463 appendix A.1.
constexpr unsigned char kSeed[] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                                   0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                                   0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
constexpr char kEdPublic[] = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
constexpr char kRsa[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\n"
    "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\n"
    "KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
    "AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n"
    "6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe\n"
    "zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"
    "6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\n"
    "uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\n"
    "WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"
    "WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\n"
    "licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\n"
    "o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe\n"
    "uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n"
    "-----END RSA PRIVATE KEY-----\n";
// Appendix A.3.
constexpr char kMessage[] =
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    "\r\n"
    "Hi.\r\n"
    "\r\n"
    "We lost the game.  Are you hungry yet?\r\n"
    "\r\n"
    "Joe.\r\n";
const std::vector<std::string> kNames = {"from", "to", "subject", "date", "message-id", "from", "subject", "date"};

PrivateKey RsaKey() { return PrivateKey::FromPem(kRsa, "rsa").value(); }
PrivateKey EdKey() {
  return PrivateKey::FromEd25519Seed({reinterpret_cast<const char*>(kSeed), sizeof kSeed}).value();
}

TEST(DkimSignTest, Rfc8463BodyHash) {
  const Message m = ParseMessage(kMessage).value();
  EXPECT_EQ(Base64(Digest(Hash::kSha256, CanonicalBody(Canon::kRelaxed, m.body))),
            "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
}

TEST(DkimSignTest, Rfc8463Ed25519) {
  const Message m = ParseMessage(kMessage).value();
  const Field unsigned_field{"DKIM-Signature",
                             " v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                             " d=football.example.com; i=@football.example.com;\r\n"
                             " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                             " subject : date : message-id : from : subject : date;\r\n"
                             " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                             " b="};
  EXPECT_EQ(SignatureOver(SignedHeaders(m, kNames, Canon::kRelaxed), unsigned_field, Canon::kRelaxed,
                          Hash::kSha256, EdKey())
                .value(),
            "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
  EXPECT_EQ(EdKey().PublicText().value(), kEdPublic);
}

TEST(DkimSignTest, Rfc8463Rsa) {
  const Message m = ParseMessage(kMessage).value();
  const Field unsigned_field{"DKIM-Signature",
                             " v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                             " d=football.example.com; i=@football.example.com;\r\n"
                             " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                             " date : message-id : from : subject : date;\r\n"
                             " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                             " b="};
  EXPECT_EQ(SignatureOver(SignedHeaders(m, kNames, Canon::kRelaxed), unsigned_field, Canon::kRelaxed,
                          Hash::kSha256, RsaKey())
                .value(),
            "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
            "DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
            "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=");
}

TEST(DkimSignTest, TheFieldRemovedFromItsOwnInput) {
  const Message m = ParseMessage(kMessage).value();
  DkimSettings s{.domain = "football.example.com", .selector = "test", .headers = kNames, .timestamp = 1528637909};
  const Field field = DkimSign(m, s, RsaKey()).value();
  const size_t at = field.value.find(" b=");
  ASSERT_NE(at, std::string::npos);
  std::string b;
  for (char c : field.value.substr(at + 3))
    if (c != '\r' && c != '\n' && c != ' ') b += c;
  const Field bare{field.name, field.value.substr(0, at + 3)};
  EXPECT_EQ(
      b, SignatureOver(SignedHeaders(m, kNames, Canon::kRelaxed), bare, Canon::kRelaxed, Hash::kSha256, RsaKey())
             .value());
  // Lines that any transport carries.
  for (size_t begin = 0; begin < field.value.size();) {
    const size_t end = std::min(field.value.find("\r\n", begin), field.value.size());
    EXPECT_LE(end - begin, 78u);
    begin = end + 2;
  }
}

TEST(DkimSignTest, RepeatedFieldsAreSignedFromTheBottom) {
  Message m;
  m.fields = {{"X", " 1"}, {"Y", " 2"}, {"x", " 3"}};
  EXPECT_EQ(SignedHeaders(m, {"x"}, Canon::kRelaxed), "x:3\r\n");
  EXPECT_EQ(SignedHeaders(m, {"x", "X"}, Canon::kRelaxed), "x:3\r\nx:1\r\n");
  EXPECT_EQ(SignedHeaders(m, {"x", "x", "x", "z"}, Canon::kRelaxed), "x:3\r\nx:1\r\n");
}

TEST(DkimSignTest, TagsOfTheOutcomes) {
  const Message m = ParseMessage(kMessage).value();
  DkimSettings s{.domain = "d.example", .selector = "s", .headers = {"From"}};
  s.hash = Hash::kSha1;
  s.header = s.body = Canon::kSimple;
  s.timestamp = 7;
  s.expiration = 9;
  s.body_octets = 1'000'000;
  s.identity = "@sub.d.example";
  const std::string value = DkimSign(m, s, RsaKey()).value().value;
  for (const char* tag :
       {"a=rsa-sha1;", "c=simple/simple;", "t=7;", "x=9;", "i=@sub.d.example;", "h=From;", "l=55;"})
    EXPECT_NE(value.find(tag), value.npos) << tag << value;
  EXPECT_FALSE(DkimSign(m, s, EdKey()).ok());
}

TEST(DkimSignTest, WeakKeysSign) {
  const Message m = ParseMessage(kMessage).value();
  for (unsigned bits : {512u, 768u}) {
    const PrivateKey key = PrivateKey::GenerateRsa(bits).value();
    EXPECT_EQ(key.bits(), static_cast<int>(bits));
    EXPECT_TRUE(DkimSign(m, {.domain = "d", .selector = "s", .headers = {"From"}}, key).ok());
    EXPECT_EQ(PrivateKey::FromPem(key.Pem().value(), "again").value().PublicText().value(),
              key.PublicText().value());
  }
}

TEST(DkimSignTest, OnlyKeysThatDkimKnows) {
  EXPECT_FALSE(PrivateKey::FromPem("", "k").ok());
  EXPECT_FALSE(PrivateKey::FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "k").ok());
  // P-256
  EXPECT_FALSE(PrivateKey::FromPem("-----BEGIN PRIVATE KEY-----\n"
                                   "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWBuVA9Z5CghAbxxs\n"
                                   "pv2j1SiHur5BIR+PSDedvQOzun+hRANCAATgKwVkRFokb9sx8LwBk0C1dsxPiFLp\n"
                                   "QdNAOwUNUWZla/oHsjVjD33LaJIRXJKEr8frW/830aC2RtX6m97KmjVs\n"
                                   "-----END PRIVATE KEY-----\n",
                                   "k")
                   .ok());
}

}  // namespace
}  // namespace mz::mail
