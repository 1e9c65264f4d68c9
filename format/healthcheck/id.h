// The 128-bit ID of a test mail: settings, time and a keyed MAC in one DNS label of 32 hexadecimal digits.
//
//   MacKey keys[2] = {MacKey::FromBytes(...), ...};
//   std::string label = IdText(SealId(id, keys));            // "04c0..." as written into the mail
//   Id id;
//   IdError e = OpenId(bytes, keys, 2, &id);                 // in the server
//   if (e == IdError::kNone) e = CheckAge(id, now, 7 * 1440);
//
// Layout, most significant bit first:
//   ver 3 | key 1 | spf 5 | dkim 5 | dmarc 4 | mx 3 | arc 2 | inbound 3 | fault 4 | bimi 2 | flags 8     40 bits
//   minutes since 2025-01-01 00:00 UTC 24 (31 years) | nonce 16 | MAC 48
//   MAC = first 48 bits of HMAC-SHA-256(key, "hcid1" || the 80 bits before)
// The flags are, from the top: the high bits of dmarc, arc, inbound and fault, which need one more than their fields
// have; sender 2; helo 2.
//
// An opaque ID is the same 80 bits and 48 zero bits, enciphered as one block by AES-256: same length, but its reader
// cannot see what is tested. A zone has IDs of one of the two kinds only.
//
// Pure functions without allocation (but IdText) and without clock; any thread. Comparing takes constant time. Cost: two
// compressions of SHA-256 for OpenId. Crypto: libcrypto.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "format/healthcheck/settings.h"

namespace mz::healthcheck {

inline constexpr size_t kIdBytes = 16;
inline constexpr size_t kIdDigits = 32;
inline constexpr uint64_t kIdEpochUnix = 1735689600;  // 2025-01-01
inline constexpr uint32_t kIdVersion = 0;
inline constexpr uint32_t kMaxMinutes = (1u << 24) - 1;
// Clocks differ: an ID from so far in the future is still good.
inline constexpr uint32_t kFutureMinutes = 5;
inline constexpr uint32_t kDefaultExpiryMinutes = 7 * 24 * 60;

using IdBytes = std::array<uint8_t, kIdBytes>;

struct Id {
  Settings settings;
  uint8_t key = 0;       // 0 or 1: which of the zone's keys signed
  uint32_t minutes = 0;  // since kIdEpochUnix
  uint16_t nonce = 0;
  friend bool operator==(const Id&, const Id&) = default;
};

// A key as HMAC uses it: the states of SHA-256 behind the inner and the outer padded key (RFC 2104 section 4). As secret
// as the key itself.
struct MacKey {
  uint32_t inner[8] = {};
  uint32_t outer[8] = {};
  // Any length; 32 random octets are right.
  static MacKey FromBytes(std::span<const uint8_t> key);
  friend bool operator==(const MacKey&, const MacKey&) = default;
};

// The key of opaque IDs, derived from the same octets.
struct OpaqueKey {
  uint8_t aes[32] = {};
  static OpaqueKey FromBytes(std::span<const uint8_t> key);
  friend bool operator==(const OpaqueKey&, const OpaqueKey&) = default;
};

// What a zone knows: up to two keys, of which either may have signed.
struct IdKeys {
  struct Key {
    bool present = false;
    MacKey mac;
    OpaqueKey opaque;
  };
  Key key[2];
  bool opaque_ids = false;
};
IdKeys::Key DeriveKey(std::span<const uint8_t> key);

// The first 80 bits. Requires: codes and key below their limits; see settings.h.
std::array<uint8_t, 10> PackId(const Id& id);
// False when the version is not ours.
bool UnpackId(std::span<const uint8_t, 10> body, Id* id);

// Requires: keys.key[id.key].present.
IdBytes SealId(const Id& id, const IdKeys& keys);

enum class IdError : uint8_t { kNone, kLength, kHex, kVersion, kMac, kExpired, kFuture };
std::string_view IdErrorText(IdError e);  // "the MAC is wrong: ..." for people

// Reads 32 hexadecimal digits of either case. Errors: kLength, kHex.
IdError ReadIdText(std::string_view text, IdBytes* out);
std::string IdText(const IdBytes& bytes);  // lower case
void WriteIdText(const IdBytes& bytes, char* out);  // kIdDigits octets

// Whether `key` made the MAC of an ID that is not opaque. Whatever it says besides is not looked at.
bool MacMatches(const IdBytes& bytes, const MacKey& key);

// Errors: kVersion, kMac (with opaque IDs everything that does not decipher is kMac).
IdError OpenId(const IdBytes& bytes, const IdKeys& keys, Id* id);

// Errors: kExpired (older than expiry_minutes), kFuture.
IdError CheckAge(const Id& id, uint64_t now_unix, uint32_t expiry_minutes);

inline uint32_t MinutesOf(uint64_t unix_seconds) {
  return unix_seconds < kIdEpochUnix ? 0 : static_cast<uint32_t>((unix_seconds - kIdEpochUnix) / 60);
}

// The text of a key file: 64 hexadecimal digits (32 octets), blank space around them, lines with '#' ignored.
std::optional<std::array<uint8_t, 32>> ParseKeyText(std::string_view text);
std::string KeyText(std::span<const uint8_t, 32> key);

}  // namespace mz::healthcheck
