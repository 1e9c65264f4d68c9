// UDP replies leave from the address that was asked. A socket bound to one address does that by itself; on a wildcard
// socket the kernel tells the destination of each datagram in a control message (IP_PKTINFO, IPV6_PKTINFO), and the same
// message, turned round, chooses the source of the reply. RFC 2181 section 4.1; clients drop other replies.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

namespace mz::io {

// Room for the control messages of one datagram: the larger of the two and nothing else is asked for.
inline constexpr size_t kControlBytes = CMSG_SPACE(sizeof(in6_pktinfo));
static_assert(kControlBytes >= CMSG_SPACE(sizeof(in_pktinfo)));

// Rewrites the received control data in place for the reply. Returns the msg_controllen to send with; 0 when there is
// no usable address, and the kernel chooses the source.
size_t TurnControlRound(void* control, size_t control_bytes);

}  // namespace mz::io
