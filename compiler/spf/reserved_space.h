// Address blocks from which no mail arrives over the Internet (RFC 6890 and its successors).
#pragma once

#include <string_view>

#include "format/net/address.h"

namespace mz::compiler::spf {

// "private use (RFC 1918)" when the whole block lies in such space, else "".
std::string_view ReservedSpace(net::Ip4 address, int prefix_length);
std::string_view ReservedSpace(const net::Ip6& address, int prefix_length);

}  // namespace mz::compiler::spf
