// IDs: layout, MAC, age, text.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "format/healthcheck/id.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstring>
#include <random>
#include <string>

namespace mz::healthcheck {
namespace {

constexpr uint64_t kNow = 1795250000;

std::array<uint8_t, 32> KeyOf(uint8_t fill) {
  std::array<uint8_t, 32> key;
  for (size_t i = 0; i < key.size(); i++) key[i] = static_cast<uint8_t>(fill + i);
  return key;
}

IdKeys TwoKeys(bool opaque = false) {
  IdKeys keys;
  keys.key[0] = DeriveKey(KeyOf(1));
  keys.key[1] = DeriveKey(KeyOf(100));
  keys.opaque_ids = opaque;
  return keys;
}

Id RandomId(std::mt19937_64* random) {
  Id id;
  for (int d = 0; d < kDimensionCount; d++)
    id.settings.code[d] = static_cast<uint8_t>((*random)() % CodeLimit(static_cast<Dimension>(d)));
  id.key = (*random)() & 1;
  id.minutes = static_cast<uint32_t>((*random)() & kMaxMinutes);
  id.nonce = static_cast<uint16_t>((*random)());
  return id;
}

TEST(IdTest, MacIsThatOfLibcrypto) {
  const std::array<uint8_t, 32> key = KeyOf(1);
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; round++) {
    Id id = RandomId(&random);
    id.key = 0;
    const IdBytes bytes = SealId(id, TwoKeys());
    std::string message = "hcid1" + std::string(reinterpret_cast<const char*>(bytes.data()), 10);
    uint8_t mac[32];
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), 32, reinterpret_cast<const uint8_t*>(message.data()), message.size(), mac, &size);
    ASSERT_EQ(size, 32u);
    EXPECT_EQ(std::memcmp(mac, bytes.data() + 10, 6), 0);
  }
}

TEST(IdTest, LongKeysAreHashedFirst) {
  const std::string key(100, 'k');
  uint8_t mac[32];
  const IdKeys::Key derived = DeriveKey({reinterpret_cast<const uint8_t*>(key.data()), key.size()});
  IdKeys keys;
  keys.key[0] = derived;
  const IdBytes bytes = SealId({}, keys);
  std::string message = "hcid1" + std::string(reinterpret_cast<const char*>(bytes.data()), 10);
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const uint8_t*>(message.data()),
       message.size(), mac, nullptr);
  EXPECT_EQ(std::memcmp(mac, bytes.data() + 10, 6), 0);
}

// The layout octet by octet: other programs may make IDs.
TEST(IdTest, LayoutIsFixed) {
  Id id;
  auto body = [&] {
    std::string hex;
    for (const uint8_t c : PackId(id)) {
      char text[3];
      std::snprintf(text, sizeof text, "%02x", c);
      hex += text;
    }
    return hex;
  };
  EXPECT_EQ(body(), "00000000000000000000");
  id.key = 1;
  EXPECT_EQ(body(), "10000000000000000000");
  id.key = 0;
  id.settings[kSpf] = 31;
  EXPECT_EQ(body(), "0f800000000000000000");
  id.settings[kSpf] = 0;
  id.settings[kDkim] = 31;
  EXPECT_EQ(body(), "007c0000000000000000");
  id.settings[kDkim] = 0;
  id.settings[kDmarc] = 15;
  EXPECT_EQ(body(), "0003c000000000000000");
  id.settings[kDmarc] = 16;
  EXPECT_EQ(body(), "00000000800000000000");
  id.settings[kDmarc] = 0;
  id.settings[kMx] = 7;
  EXPECT_EQ(body(), "00003800000000000000");
  id.settings[kMx] = 0;
  id.settings[kArc] = 3;
  EXPECT_EQ(body(), "00000600000000000000");
  id.settings[kArc] = 4;
  EXPECT_EQ(body(), "00000000400000000000");
  id.settings[kArc] = 0;
  id.settings[kInbound] = 7;
  EXPECT_EQ(body(), "000001c0000000000000");
  id.settings[kInbound] = 8;
  EXPECT_EQ(body(), "00000000200000000000");
  id.settings[kInbound] = 0;
  id.settings[kFault] = 15;
  EXPECT_EQ(body(), "0000003c000000000000");
  id.settings[kFault] = 16;
  EXPECT_EQ(body(), "00000000100000000000");
  id.settings[kFault] = 0;
  id.settings[kBimi] = 3;
  EXPECT_EQ(body(), "00000003000000000000");
  id.settings[kBimi] = 0;
  id.settings[kSender] = 3;
  EXPECT_EQ(body(), "000000000c0000000000");
  id.settings[kSender] = 0;
  id.settings[kHelo] = 3;
  EXPECT_EQ(body(), "00000000030000000000");
  id.settings[kHelo] = 0;
  id.minutes = 0x123456;
  id.nonce = 0x789a;
  EXPECT_EQ(body(), "0000000000123456789a");
}

class RoundTrip : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(PlainAndOpaque, RoundTrip, testing::Bool());

TEST_P(RoundTrip, AnyIdOpensAgain) {
  const IdKeys keys = TwoKeys(GetParam());
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; round++) {
    const Id id = RandomId(&random);
    const IdBytes bytes = SealId(id, keys);
    IdBytes read;
    std::string text = IdText(bytes);
    ASSERT_EQ(text.size(), kIdDigits);
    for (char& c : text)
      if (random() & 1 && c >= 'a') c = static_cast<char>(c - 32);
    ASSERT_EQ(ReadIdText(text, &read), IdError::kNone);
    EXPECT_EQ(read, bytes);
    Id opened;
    ASSERT_EQ(OpenId(read, keys, &opened), IdError::kNone);
    EXPECT_EQ(opened, id);
  }
}

TEST_P(RoundTrip, EveryFlippedBitIsRefused) {
  const IdKeys keys = TwoKeys(GetParam());
  std::mt19937_64 random(8);
  for (int round = 0; round < 50; round++) {
    const IdBytes good = SealId(RandomId(&random), keys);
    for (size_t bit = 0; bit < 128; bit++) {
      IdBytes bad = good;
      bad[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      Id id;
      EXPECT_NE(OpenId(bad, keys, &id), IdError::kNone) << bit;
    }
  }
}

TEST_P(RoundTrip, KeysDoNotStandInForEachOther) {
  IdKeys keys = TwoKeys(GetParam());
  Id id;
  id.key = 1;
  const IdBytes bytes = SealId(id, keys);
  Id opened;
  keys.key[0].present = false;
  EXPECT_EQ(OpenId(bytes, keys, &opened), IdError::kNone);
  keys.key[1].present = false;
  EXPECT_EQ(OpenId(bytes, keys, &opened), IdError::kMac);
  keys = TwoKeys(GetParam());
  std::swap(keys.key[0], keys.key[1]);
  EXPECT_EQ(OpenId(bytes, keys, &opened), IdError::kMac);
}

TEST(IdTest, OpaqueIdsHideTheSettings) {
  const IdKeys keys = TwoKeys(true);
  Id a, b;
  b.nonce = 1;
  const IdBytes x = SealId(a, keys), y = SealId(b, keys);
  int same = 0;
  for (size_t i = 0; i < kIdBytes; i++) same += x[i] == y[i];
  EXPECT_LT(same, 4);
}

TEST(IdTest, OtherVersionsAreTold) {
  IdBytes bytes = SealId({}, TwoKeys());
  bytes[0] |= 0x20;
  Id id;
  EXPECT_EQ(OpenId(bytes, TwoKeys(), &id), IdError::kVersion);
}

TEST(IdTest, TextThatIsNoIdIsRefused) {
  IdBytes out;
  EXPECT_EQ(ReadIdText("", &out), IdError::kLength);
  EXPECT_EQ(ReadIdText(std::string(31, '0'), &out), IdError::kLength);
  EXPECT_EQ(ReadIdText(std::string(33, '0'), &out), IdError::kLength);
  for (size_t i = 0; i < 32; i++) {
    std::string text(32, '7');
    for (int c = 0; c < 256; c++) {
      text[i] = static_cast<char>(c);
      const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      EXPECT_EQ(ReadIdText(text, &out), hex ? IdError::kNone : IdError::kHex) << i << " " << c;
    }
  }
}

TEST(IdTest, AgeIsChecked) {
  Id id;
  id.minutes = MinutesOf(kNow);
  EXPECT_EQ(CheckAge(id, kNow, 10), IdError::kNone);
  EXPECT_EQ(CheckAge(id, kNow + 10 * 60, 10), IdError::kNone);
  EXPECT_EQ(CheckAge(id, kNow + 12 * 60, 10), IdError::kExpired);
  EXPECT_EQ(CheckAge(id, kNow - 5 * 60, 10), IdError::kNone);
  EXPECT_EQ(CheckAge(id, kNow - 7 * 60, 10), IdError::kFuture);
  EXPECT_EQ(CheckAge(id, 0, 10), IdError::kFuture);
  id.minutes = 0;
  EXPECT_EQ(CheckAge(id, 0, 10), IdError::kNone);
  id.minutes = kMaxMinutes;
  EXPECT_EQ(CheckAge(id, ~0ull, ~0u), IdError::kExpired);
}

TEST(IdTest, KeyFiles) {
  const std::array<uint8_t, 32> key = KeyOf(0xe0);
  const std::string text = KeyText(key);
  EXPECT_EQ(text.size(), 65u);
  EXPECT_EQ(ParseKeyText(text), key);
  EXPECT_EQ(ParseKeyText("# made today\n  " + text.substr(0, 30) + "\r\n" + text.substr(30) + "# end"), key);
  EXPECT_FALSE(ParseKeyText(""));
  EXPECT_FALSE(ParseKeyText(text.substr(0, 63)));
  EXPECT_FALSE(ParseKeyText(text.substr(0, 64) + "0"));
  EXPECT_FALSE(ParseKeyText("-----BEGIN PRIVATE KEY-----\n"));
}

}  // namespace
}  // namespace mz::healthcheck
