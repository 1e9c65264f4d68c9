// Opens what the backends listen on: for every address and worker one UDP socket and one TCP listener, told apart by
// SO_REUSEPORT.
//
//   MZ_ASSIGN_OR_RETURN(OpenedSockets s, OpenListenSockets({{"127.0.0.1", "53"}, {"::1", "53"}}, {.workers = 2}));
//   for (const BoundAddress& a : s.bound) log.Info("listening on " + a.Text());        // "127.0.0.1/53"
//   MakeBackend(kind, std::move(s.workers[0]), ...);
//
// Ports stay exclusive although workers share them: a second daemon on the same port fails with "Address already in
// use". Addresses that occur twice are opened once. Service "0" takes a free port, the same for UDP and TCP and for all
// workers. Control thread only. Errors: InvalidArgument (no such host or service), FailedPrecondition (address in use or
// not of this machine), PermissionDenied (port below 1024), with host and service in the message.
#pragma once

#include <sys/socket.h>

#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "server/io/backend.h"

namespace mz::io {

struct ListenSpec {
  std::string host;          // getaddrinfo text; every address returned is opened; "" is an error
  std::string service;       // port number or service name; "" is "domain"
  int family = AF_UNSPEC;    // AF_INET, AF_INET6: only addresses of this family
  bool udp = true, tcp = true;
};

struct SocketOptions {
  int workers = 1;
  // [::] receives IPv6 only. When false it also receives IPv4, as rbldnsd's does, with v4-mapped client addresses; but
  // not when 0.0.0.0 is listened on at the same port, which could not be opened then.
  bool v6only = true;
  // 0: the system's default. More than the system's limit takes CAP_NET_ADMIN; without it the limit is what we get.
  int receive_buffer_bytes = 4 << 20;
  int send_buffer_bytes = 4 << 20;
  // The largest UDP reply that will be sent; 0: not known. See SetUpUdp() about fragments.
  size_t max_udp_bytes = 0;
  // How long a port may be in use before that is an error: the kernel closes the rings of a killed process at its own
  // leisure, and their sockets with them (measured: 30 to 50 ms).
  int patience_ms = 500;
};

struct BoundAddress {
  sockaddr_storage address{};
  bool udp = false, tcp = false;
  int fd = -1;                    // passed-in sockets: the number they had
  std::string Text() const;       // "127.0.0.1/53", "::1/53"
};

struct OpenedSockets {
  std::vector<std::vector<ListenSockets>> workers;
  std::vector<BoundAddress> bound;
};

StatusOr<OpenedSockets> OpenListenSockets(std::span<const ListenSpec> specs, const SocketOptions& options);

// Takes over the sockets that systemd passed: `count` descriptors from `first` on (3 by its convention). UDP and
// listening TCP sockets of the internet families are used, others are an error. All workers share each of them. The
// descriptors belong to the result, also on error.
StatusOr<OpenedSockets> AdoptSockets(int first, int count, const SocketOptions& options);

// "127.0.0.1/53"
std::string AddressText(const sockaddr_storage& address);

}  // namespace mz::io
