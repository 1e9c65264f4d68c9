// Numbers of the DNS message format (RFC 1035 section 4, RFC 6891, RFC 6895), shared by the query parser, the
// writers and the reader.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mz::dns {

inline constexpr size_t kHeaderBytes = 12;
inline constexpr size_t kMaxMessageBytes = 65535;
inline constexpr size_t kMinUdpBytes =
    512;  // RFC 1035 section 2.3.4; offers below count as this (RFC 6891 section 6.2.3)
inline constexpr size_t kMaxCharString = 255;  // RFC 1035 section 3.3

// The 16-bit word behind the ID.
enum HeaderFlags : uint16_t {
  kFlagQr = 0x8000,
  kOpcodeMask = 0x7800,
  kFlagAa = 0x0400,
  kFlagTc = 0x0200,
  kFlagRd = 0x0100,
  kFlagRa = 0x0080,
  kFlagZ = 0x0040,
  kFlagAd = 0x0020,
  kFlagCd = 0x0010,
  kRcodeMask = 0x000f,
};

enum Rcode : uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kBadVers = 16,  // upper eight bits travel in the OPT record
};

enum Type : uint16_t {
  kTypeA = 1,
  kTypeNs = 2,
  kTypeCname = 5,
  kTypeSoa = 6,
  kTypePtr = 12,
  kTypeMx = 15,
  kTypeTxt = 16,
  kTypeAaaa = 28,
  kTypeSrv = 33,
  kTypeOpt = 41,
  kTypeTkey = 249,
  kTypeTsig = 250,
  kTypeIxfr = 251,
  kTypeAxfr = 252,
  kTypeMailb = 253,
  kTypeMaila = 254,
  kTypeAny = 255,
};

enum Class : uint16_t { kClassIn = 1, kClassCh = 3, kClassAny = 255 };

enum EdnsOption : uint16_t {
  kOptionNsid = 3,            // RFC 5001
  kOptionClientSubnet = 8,    // RFC 7871
  kOptionCookie = 10,         // RFC 7873
  kOptionKeepalive = 11,      // RFC 7828
  kOptionPadding = 12,        // RFC 7830
  kOptionExtendedError = 15,  // RFC 8914
};
inline constexpr uint16_t kEdnsDnssecOk = 0x8000;  // in the flags word of the OPT record, RFC 3225
inline constexpr size_t kOptRecordBytes = 11;      // without options

// RFC 8914 section 5.2
enum ExtendedError : uint16_t {
  kErrorNone = 0xffff,  // none to be sent; unassigned on the wire
  kErrorNotReady = 14,
  kErrorProhibited = 18,
  kErrorNotAuthoritative = 20,
};

}  // namespace mz::dns
