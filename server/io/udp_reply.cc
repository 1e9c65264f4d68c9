// See udp_reply.h.
#include "server/io/udp_reply.h"

#include <cstring>

namespace mz::io {

size_t TurnControlRound(void* control, size_t control_bytes) {
  if (control_bytes < sizeof(cmsghdr)) return 0;
  msghdr message{};
  message.msg_control = control;
  message.msg_controllen = control_bytes;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    // The interface is cleared: the reply takes the route to the client, not the way the query came by. A link-local
    // client brings its interface in sin6_scope_id.
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(in_pktinfo))) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      info.ipi_ifindex = 0;  // ipi_spec_dst, the local address, is the source of the reply
      cmsghdr* out = CMSG_FIRSTHDR(&message);
      out->cmsg_level = IPPROTO_IP;
      out->cmsg_type = IP_PKTINFO;
      out->cmsg_len = CMSG_LEN(sizeof info);
      std::memcpy(CMSG_DATA(out), &info, sizeof info);
      return CMSG_SPACE(sizeof info);
    }
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
        c->cmsg_len >= CMSG_LEN(sizeof(in6_pktinfo))) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      // Multicast cannot be a source; a v4-mapped address is fine.
      if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) return 0;
      info.ipi6_ifindex = 0;
      cmsghdr* out = CMSG_FIRSTHDR(&message);
      out->cmsg_level = IPPROTO_IPV6;
      out->cmsg_type = IPV6_PKTINFO;
      out->cmsg_len = CMSG_LEN(sizeof info);
      std::memcpy(CMSG_DATA(out), &info, sizeof info);
      return CMSG_SPACE(sizeof info);
    }
  }
  return 0;
}

}  // namespace mz::io
