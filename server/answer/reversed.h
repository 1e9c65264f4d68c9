// Which address a name of reversed octets or nibbles stands for, depending on what kinds of dataset are
// asked.
//
// A node with any IPv4 dataset also takes 32 nibbles for an IPv4 address: 2002:AABB:CCDD::/48 is AA.BB.CC.DD
// (6to4, RFC 3056; IPv6 datasets are asked as well), ::ffff:a.b.c.d is a.b.c.d (v4-mapped; IPv6 datasets are
// not asked).
#pragma once

#include "server/answer/job.h"

namespace mz::answer {

struct ReversedAddress {
  bool has_ip4 = false;  // IPv4 datasets are asked for ip4
  bool has_ip6 = false;  // IPv6 datasets are asked for the job's ip6
  net::Ip4 ip4 = 0;
};

inline ReversedAddress AddressFor(const Job& job, const image::Node& node, unsigned left) {
  ReversedAddress a;
  if (left == 4) {
    a.has_ip4 = job.has_ip4;
    a.ip4 = job.ip4;
  } else if (left == 32 && job.has_ip6) {
    a.has_ip6 = true;
    if (node.flags & image::kNodeHasIp4) {
      if (net::IsV4Mapped(job.ip6)) {
        a.has_ip6 = false;
        a.has_ip4 = true;
        a.ip4 = static_cast<net::Ip4>(job.ip6.low);
      } else if (net::Is6To4(job.ip6)) {
        a.has_ip4 = true;
        a.ip4 = static_cast<net::Ip4>(job.ip6.high >> 16);
      }
    }
  }
  return a;
}

}  // namespace mz::answer
