// The PROXY protocol, version 2 (haproxy's proxy-protocol.txt, section 2.2), sender's side: the header that
// tells a server which client a proxy speaks for. Over UDP it stands in front of the message in each
// datagram, over TCP at the beginning of the connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "format/net/address.h"
#include "load/clock.h"

namespace mz::load {

struct Address {
  bool is_v4 = true;
  net::Ip4 v4 = 0;
  net::Ip6 v6;
};

struct Subnet {
  bool is_v4 = true;
  net::Range4 four;
  net::Range6 six;
};

// "192.0.2.0/24,2001:db8::/32"; an address alone is a subnet of one. Errors: InvalidArgument.
StatusOr<std::vector<Subnet>> ParseSubnets(std::string_view text);

// Subnets are equally likely, and the addresses within one.
Address DrawAddress(const std::vector<Subnet>& subnets, Random& random);

// `client` asks from `client_port`; the destination is an address of the same family, documentation's own.
std::string ProxyHeader(const Address& client, uint16_t client_port, bool tcp);

}  // namespace mz::load
