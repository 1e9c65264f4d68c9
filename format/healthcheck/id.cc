// See id.h.
//
// The low-level calls of libcrypto are deprecated in favour of EVP, which allocates and takes locks for each use; one
// compression of SHA-256 on a state that lies ready is what answering from an untrusted name must cost, no more.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "format/healthcheck/id.h"

#include <openssl/aes.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cstring>

#include "base/status.h"

namespace mz::healthcheck {
namespace {

constexpr size_t kBodyBytes = 10;
constexpr size_t kMacBytes = 6;
constexpr char kMacDomain[] = "hcid1";          // keeps the MAC apart from other uses of the key
constexpr char kOpaqueDomain[] = "hcid1-aes\n";  // so does this
static_assert(kBodyBytes + kMacBytes == kIdBytes);

// Fields of the first five octets, most significant first.
struct Field {
  Dimension dimension;
  uint8_t bits;
  uint8_t shift;  // within the code
};
constexpr Field kFields[] = {
    {kSpf, 5, 0},   {kDkim, 5, 0},    {kDmarc, 4, 0}, {kMx, 3, 0},     {kArc, 2, 0},    {kInbound, 3, 0}, {kFault, 4, 0},
    {kBimi, 2, 0},  {kDmarc, 1, 4},   {kArc, 1, 2},   {kInbound, 1, 3}, {kFault, 1, 4}, {kSender, 2, 0},  {kHelo, 2, 0},
};
constexpr uint32_t SumBits() {
  uint32_t sum = 3 + 1;
  for (const Field& f : kFields) sum += f.bits;
  return sum;
}
static_assert(SumBits() == 40);

void LoadState(const uint32_t (&words)[8], SHA256_CTX* context) {
  for (int i = 0; i < 8; i++) context->h[i] = words[i];
}

// The state behind 64 octets of key material.
void PadState(const uint8_t (&key)[64], uint8_t pad, uint32_t (&state)[8]) {
  uint8_t block[64];
  for (int i = 0; i < 64; i++) block[i] = key[i] ^ pad;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Transform(&context, block);
  for (int i = 0; i < 8; i++) state[i] = context.h[i];
  OPENSSL_cleanse(block, sizeof block);
}

void FinalBlock(uint8_t (&block)[64], size_t used, uint64_t message_bytes) {
  block[used] = 0x80;
  std::memset(block + used + 1, 0, 64 - 8 - used - 1);
  const uint64_t bits = message_bytes * 8;
  for (int i = 0; i < 8; i++) block[56 + i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
}

// HMAC-SHA-256 of kMacDomain and the body: one block each for the inner and the outer hash.
void ComputeMac(const MacKey& key, const uint8_t* body, uint8_t (&mac)[kMacBytes]) {
  SHA256_CTX context;
  uint8_t block[64];
  constexpr size_t kDomain = sizeof kMacDomain - 1;
  std::memcpy(block, kMacDomain, kDomain);
  std::memcpy(block + kDomain, body, kBodyBytes);
  FinalBlock(block, kDomain + kBodyBytes, 64 + kDomain + kBodyBytes);
  LoadState(key.inner, &context);
  SHA256_Transform(&context, block);
  for (int i = 0; i < 8; i++)
    for (int k = 0; k < 4; k++) block[4 * i + k] = static_cast<uint8_t>(context.h[i] >> (24 - 8 * k));
  FinalBlock(block, 32, 64 + 32);
  LoadState(key.outer, &context);
  SHA256_Transform(&context, block);
  for (size_t i = 0; i < kMacBytes; i++) mac[i] = static_cast<uint8_t>(context.h[i / 4] >> (24 - 8 * (i % 4)));
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

MacKey MacKey::FromBytes(std::span<const uint8_t> key) {
  uint8_t block[64] = {};
  if (key.size() > sizeof block) {  // RFC 2104 section 2
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, key.data(), key.size());
    SHA256_Final(block, &context);
  } else if (!key.empty()) {
    std::memcpy(block, key.data(), key.size());
  }
  MacKey out;
  PadState(block, 0x36, out.inner);
  PadState(block, 0x5c, out.outer);
  OPENSSL_cleanse(block, sizeof block);
  return out;
}

OpaqueKey OpaqueKey::FromBytes(std::span<const uint8_t> key) {
  OpaqueKey out;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, kOpaqueDomain, sizeof kOpaqueDomain - 1);
  SHA256_Update(&context, key.data(), key.size());
  SHA256_Final(out.aes, &context);
  return out;
}

IdKeys::Key DeriveKey(std::span<const uint8_t> key) {
  return {.present = true, .mac = MacKey::FromBytes(key), .opaque = OpaqueKey::FromBytes(key)};
}

std::array<uint8_t, 10> PackId(const Id& id) {
  MZ_CHECK(id.key < 2 && id.minutes <= kMaxMinutes);
  for (int d = 0; d < kDimensionCount; d++) MZ_CHECK(id.settings.code[d] < CodeLimit(static_cast<Dimension>(d)));
  uint64_t v = uint64_t{kIdVersion} << 1 | id.key;
  for (const Field& f : kFields) v = v << f.bits | (id.settings[f.dimension] >> f.shift & ((1u << f.bits) - 1));
  std::array<uint8_t, 10> out;
  for (int i = 0; i < 5; i++) out[static_cast<size_t>(i)] = static_cast<uint8_t>(v >> (32 - 8 * i));
  for (int i = 0; i < 3; i++) out[static_cast<size_t>(5 + i)] = static_cast<uint8_t>(id.minutes >> (16 - 8 * i));
  out[8] = static_cast<uint8_t>(id.nonce >> 8);
  out[9] = static_cast<uint8_t>(id.nonce);
  return out;
}

bool UnpackId(std::span<const uint8_t, 10> body, Id* id) {
  uint64_t v = 0;
  for (size_t i = 0; i < 5; i++) v = v << 8 | body[i];
  if (v >> 37 != kIdVersion) return false;
  *id = Id{};
  id->key = static_cast<uint8_t>(v >> 36 & 1);
  uint32_t at = 36;
  for (const Field& f : kFields) {
    at -= f.bits;
    id->settings[f.dimension] |= static_cast<uint8_t>((v >> at & ((1u << f.bits) - 1)) << f.shift);
  }
  id->minutes = uint32_t{body[5]} << 16 | uint32_t{body[6]} << 8 | body[7];
  id->nonce = static_cast<uint16_t>(body[8] << 8 | body[9]);
  return true;
}

IdBytes SealId(const Id& id, const IdKeys& keys) {
  MZ_CHECK(id.key < 2 && keys.key[id.key].present);
  const std::array<uint8_t, kBodyBytes> body = PackId(id);
  IdBytes out{};
  std::memcpy(out.data(), body.data(), kBodyBytes);
  if (keys.opaque_ids) {
    AES_KEY schedule;
    AES_set_encrypt_key(keys.key[id.key].opaque.aes, 256, &schedule);
    AES_encrypt(out.data(), out.data(), &schedule);
    OPENSSL_cleanse(&schedule, sizeof schedule);
    return out;
  }
  uint8_t mac[kMacBytes];
  ComputeMac(keys.key[id.key].mac, body.data(), mac);
  std::memcpy(out.data() + kBodyBytes, mac, kMacBytes);
  return out;
}

std::string_view IdErrorText(IdError e) {
  switch (e) {
    case IdError::kNone:
      return "the ID is valid";
    case IdError::kLength:
      return "an ID has 32 hexadecimal digits";
    case IdError::kHex:
      return "an ID has hexadecimal digits only";
    case IdError::kVersion:
      return "the ID has a layout that this version does not know";
    case IdError::kMac:
      return "no key of the zone made this ID";
    case IdError::kExpired:
      return "the ID has expired";
    case IdError::kFuture:
      return "the ID is from the future; compare the clocks";
  }
  return "";
}

IdError ReadIdText(std::string_view text, IdBytes* out) {
  if (text.size() != kIdDigits) return IdError::kLength;
  int any = 0;
  for (size_t i = 0; i < kIdBytes; i++) {
    const int high = HexDigit(text[2 * i]), low = HexDigit(text[2 * i + 1]);
    any |= high | low;  // negative for a wrong digit
    (*out)[i] = static_cast<uint8_t>(static_cast<unsigned>(high) << 4 | (static_cast<unsigned>(low) & 15));
  }
  return any < 0 ? IdError::kHex : IdError::kNone;
}

void WriteIdText(const IdBytes& bytes, char* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < kIdBytes; i++) {
    out[2 * i] = kDigits[bytes[i] >> 4];
    out[2 * i + 1] = kDigits[bytes[i] & 15];
  }
}

std::string IdText(const IdBytes& bytes) {
  std::string out(kIdDigits, '0');
  WriteIdText(bytes, out.data());
  return out;
}

bool MacMatches(const IdBytes& bytes, const MacKey& key) {
  uint8_t mac[kMacBytes];
  ComputeMac(key, bytes.data(), mac);
  return CRYPTO_memcmp(mac, bytes.data() + kBodyBytes, kMacBytes) == 0;
}

IdError OpenId(const IdBytes& bytes, const IdKeys& keys, Id* id) {
  if (keys.opaque_ids) {
    for (uint8_t k = 0; k < 2; k++) {
      if (!keys.key[k].present) continue;
      AES_KEY schedule;
      uint8_t plain[kIdBytes];
      AES_set_decrypt_key(keys.key[k].opaque.aes, 256, &schedule);
      AES_decrypt(bytes.data(), plain, &schedule);
      OPENSSL_cleanse(&schedule, sizeof schedule);
      static constexpr uint8_t kZeros[kMacBytes] = {};
      if (CRYPTO_memcmp(plain + kBodyBytes, kZeros, kMacBytes) != 0) continue;
      if (!UnpackId(std::span<const uint8_t, kBodyBytes>(plain, kBodyBytes), id)) return IdError::kVersion;
      if (id->key == k) return IdError::kNone;
    }
    return IdError::kMac;
  }
  if (!UnpackId(std::span<const uint8_t, kBodyBytes>(bytes.data(), kBodyBytes), id)) return IdError::kVersion;
  const IdKeys::Key& key = keys.key[id->key];
  return key.present && MacMatches(bytes, key.mac) ? IdError::kNone : IdError::kMac;
}

IdError CheckAge(const Id& id, uint64_t now_unix, uint32_t expiry_minutes) {
  const uint64_t now = now_unix < kIdEpochUnix ? 0 : (now_unix - kIdEpochUnix) / 60;
  if (id.minutes > now + kFutureMinutes) return IdError::kFuture;
  if (id.minutes + uint64_t{expiry_minutes} < now) return IdError::kExpired;
  return IdError::kNone;
}

std::optional<std::array<uint8_t, 32>> ParseKeyText(std::string_view text) {
  std::array<uint8_t, 32> out{};
  size_t digits = 0;
  bool comment = false;
  for (const char c : text) {
    if (c == '\n') {
      comment = false;
    } else if (comment || c == ' ' || c == '\t' || c == '\r') {
      continue;
    } else if (c == '#') {
      comment = true;
    } else {
      const int digit = HexDigit(c);
      if (digit < 0 || digits == 64) return std::nullopt;
      out[digits / 2] = static_cast<uint8_t>(out[digits / 2] << 4 | digit);
      digits++;
    }
  }
  if (digits != 64) return std::nullopt;
  return out;
}

std::string KeyText(std::span<const uint8_t, 32> key) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint8_t c : key) {
    out += kDigits[c >> 4];
    out += kDigits[c & 15];
  }
  return out + "\n";
}

}  // namespace mz::healthcheck
