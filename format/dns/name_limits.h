// What the answer path needs to know of names: limits and the one formatter that does not allocate. name.h
// has the rest, and with it the Status machinery (whose headers bring static initialisers along).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mz::dns {

inline constexpr size_t kMaxNameBytes = 255;  // with root octet, RFC 1035 section 2.3.4
inline constexpr size_t kMaxLabelBytes = 63;
inline constexpr int kMaxLabels = 127;

// NameText() of name.h without allocation. Writes at most `capacity` octets and returns the full length.
size_t FormatName(std::span<const uint8_t> wire, char* out, size_t capacity);

}  // namespace mz::dns
