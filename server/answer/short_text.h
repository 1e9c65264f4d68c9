// TXT answers of one character-string with at most one hole, for an address: nearly all there are. They are written in
// place, without measuring them first.
#pragma once

#include "base/copy.h"
#include "format/image/view.h"
#include "format/net/address.h"

namespace mz::answer {

// rbldnsd cuts expanded templates one octet short of a full character-string; clients may have got used to
// it.
inline constexpr size_t kRbldnsdTextBytes = 254;

inline constexpr size_t SubjectRoom(net::Ip4) { return net::kIp4TextRoom; }
inline constexpr size_t SubjectRoom(const net::Ip6&) { return net::kMaxAddressText; }
inline size_t FormatSubject(net::Ip4 address, char* out) { return net::FormatIp4(address, out); }
inline size_t FormatSubject(const net::Ip6& address, char* out) { return net::FormatIp6(address, out); }

// More octets than such a text can have, without its length octet; 0: not such a text.
template <typename Address>
inline size_t MostShortTextBytes(const image::Text& text, const Address& subject) {
  if (text.holes > 1 || text.bytes == 0) return 0;
  if (text.holes == 1 && (image::Holes(text)[0] & image::kHoleQueryName)) return 0;
  const size_t most = text.bytes + text.holes * SubjectRoom(subject);
  return most > kRbldnsdTextBytes ? 0 : most;
}

// Returns the octets of RDATA. Requires: room for 1 + MostShortTextBytes(), which is not 0.
template <typename Address>
inline size_t WriteShortText(const image::Text& text, const Address& subject, uint8_t* rdata) {
  const size_t literal_bytes = text.bytes;
  const uint8_t* literal = image::Literal(text);
  uint8_t* out = rdata + 1;
  size_t done = 0;
  if (text.holes != 0) {
    done = image::Holes(text)[0];
    CopyShort(out, literal, done);
    out += done;
    out += FormatSubject(subject, reinterpret_cast<char*>(out));
  }
  CopyShort(out, literal + done, literal_bytes - done);
  out += literal_bytes - done;
  rdata[0] = static_cast<uint8_t>(out - rdata - 1);
  return static_cast<size_t>(out - rdata);
}

}  // namespace mz::answer
