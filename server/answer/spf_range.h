// Programs of whole ranges of addresses, for names that a client cut on the left: what is left are the last labels
// of the address, its most significant digits when they are written in reverse order, else its least significant
// ones.
//
// The id of the program that all the addresses have, or 0 when they differ or when finding out would cost too much
// (the work is bounded by kSpfRangeWork).
#pragma once

#include "format/image/spf_view.h"

namespace mz::answer {

// Entries that are looked at, over all addresses tried.
inline constexpr uint32_t kSpfRangeWork = 16384;

// `known`: the digits that are left, in their place, zeros elsewhere. `labels`: how many (octets, nibbles).
uint32_t CommonProgram4(const image::View& view, const image::SpfDomain& domain, bool reversed, net::Ip4 known,
                        unsigned labels);
uint32_t CommonProgram6(const image::View& view, const image::SpfDomain& domain, bool reversed,
                        const net::Ip6& known, unsigned labels);

}  // namespace mz::answer
