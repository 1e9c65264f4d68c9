// Composes TXT RDATA in place: text octets in, character-strings of at most 255 octets out (RFC 1035 section
// 3.3.14).
//
//   TxtWriter w(p, total);                  // p has TxtRdataBytes(total) octets of room
//   w.Put("listed, see ", 12); w.Put(subject, n);
//
// Octets beyond `total` are dropped, so a caller cuts by announcing less. No allocation.
#pragma once

#include <cstdint>

#include "base/copy.h"
#include "format/dns/message.h"

namespace mz::dns {

// RDATA length of `text_bytes` octets of text. Requires: text_bytes > 0.
inline constexpr size_t TxtRdataBytes(size_t text_bytes) {
  return text_bytes + (text_bytes + kMaxCharString - 1) / kMaxCharString;
}

class TxtWriter {
 public:
  TxtWriter(uint8_t* out, size_t total) : out_(out), left_(total) {}

  void Put(const void* text, size_t bytes) {
    const uint8_t* from = static_cast<const uint8_t*>(text);
    if (bytes > left_ + room_) bytes = left_ + room_;
    while (bytes > 0) {
      if (room_ == 0) {
        room_ = left_ < kMaxCharString ? left_ : kMaxCharString;
        left_ -= room_;
        *out_++ = static_cast<uint8_t>(room_);
      }
      const size_t n = bytes < room_ ? bytes : room_;
      CopyShort(out_, from, n);
      out_ += n;
      from += n;
      room_ -= n;
      bytes -= n;
    }
  }

 private:
  uint8_t* out_;
  size_t left_;      // octets not yet promised to a character-string
  size_t room_ = 0;  // left in the open one
};

}  // namespace mz::dns
