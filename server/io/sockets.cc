// See sockets.h.
#include "server/io/sockets.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/endian.h"
#include "format/net/address.h"

namespace mz::io {

namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn
// Kernel memory of one connection stays small whatever the client does: no autotuning to megabytes. A reply of 65,535
// octets still fits (the kernel doubles the value for its own overhead).
constexpr int kTcpBufferBytes = 128 << 10;
constexpr size_t kUnfragmentedUdpBytes = 1232;  // the IPv6 minimum MTU of 1280 less IPv6 and UDP headers
constexpr int kFreePortAttempts = 32;

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
  bool udp = false, tcp = false;
  std::string name;  // as the operator wrote it

  int family() const { return address.ss_family; }
  uint16_t port() const {
    return family() == AF_INET ? ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port)
                               : ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  }
  void set_port(uint16_t port) {
    if (family() == AF_INET)
      reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(port);
    else
      reinterpret_cast<sockaddr_in6*>(&address)->sin6_port = htons(port);
  }
};

bool IsWildcard(const sockaddr_storage& a) {
  if (a.ss_family == AF_INET) return reinterpret_cast<const sockaddr_in*>(&a)->sin_addr.s_addr == INADDR_ANY;
  return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6*>(&a)->sin6_addr);
}

bool SameAddress(const sockaddr_storage& a, const sockaddr_storage& b) {
  if (a.ss_family != b.ss_family) return false;
  if (a.ss_family == AF_INET) {
    const auto& x = reinterpret_cast<const sockaddr_in&>(a);
    const auto& y = reinterpret_cast<const sockaddr_in&>(b);
    return x.sin_port == y.sin_port && x.sin_addr.s_addr == y.sin_addr.s_addr;
  }
  const auto& x = reinterpret_cast<const sockaddr_in6&>(a);
  const auto& y = reinterpret_cast<const sockaddr_in6&>(b);
  return x.sin6_port == y.sin6_port && x.sin6_scope_id == y.sin6_scope_id &&
         std::memcmp(&x.sin6_addr, &y.sin6_addr, sizeof x.sin6_addr) == 0;
}

Status SetInt(int fd, int level, int option, int value, std::string_view what) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) return ErrnoStatus(errno, what);
  return absl::OkStatus();
}

void SetBuffer(int fd, int forced, int plain, int bytes) {
  if (bytes <= 0) return;
  if (::setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0)
    ::setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

// Everything about a bound UDP socket that does not depend on how it came to be.
Status SetUpUdp(int fd, const sockaddr_storage& address, const SocketOptions& options) {
  SetBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer_bytes);
  SetBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer_bytes);
  // Forged "fragmentation needed" messages shrink our packets in neither mode. PROBE sets DF, which RFC 9715 asks for and
  // which saves the kernel the choice of an identification (3 % of a reply's cost); only replies that fit every IPv6 link
  // may use it. OMIT: a reply larger than the interface's MTU is fragmented instead of lost.
  const bool small = options.max_udp_bytes != 0 && options.max_udp_bytes <= kUnfragmentedUdpBytes;
  const int mode4 = small ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT;
  const int mode6 = small ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_OMIT;
  ::setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode4, sizeof mode4);
  if (address.ss_family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &mode6, sizeof mode6);
  if (!IsWildcard(address)) return absl::OkStatus();
  // A dual-stack socket reports IPv4 destinations as v4-mapped IPV6_PKTINFO: one option per family is enough.
  if (address.ss_family == AF_INET) return SetInt(fd, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
  return SetInt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
}

// Before listen(): accepted connections inherit these.
void SetUpTcp(int fd) {
  const int one = 1, bytes = kTcpBufferBytes;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

StatusOr<std::vector<Endpoint>> Resolve(const ListenSpec& spec) {
  const std::string service = spec.service.empty() ? "domain" : spec.service;
  const std::string name = spec.host + "/" + service;
  if (spec.host.empty()) return MakeStatus(StatusCode::kInvalidArgument, "empty host in listen address \"" + name + "\"");
  addrinfo hints{};
  hints.ai_family = spec.family;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(spec.host.c_str(), service.c_str(), &hints, &list);
  if (error != 0) {
    const std::string reason = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
    return MakeStatus(error == EAI_AGAIN ? StatusCode::kUnavailable : StatusCode::kInvalidArgument,
                      name + ": " + reason);
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<Endpoint> out;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
    if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
    Endpoint e;
    std::memcpy(&e.address, a->ai_addr, a->ai_addrlen);
    e.size = a->ai_addrlen;
    e.udp = spec.udp;
    e.tcp = spec.tcp;
    e.name = name;
    out.push_back(std::move(e));
  }
  if (out.empty()) return MakeStatus(StatusCode::kInvalidArgument, name + ": no IPv4 or IPv6 address");
  return out;
}

// Binds one socket. The first of a port is bound without SO_REUSEPORT, which succeeds only when nobody else has the
// port, and is made shareable afterwards: so there is no moment at which another process could join or slip in.
StatusOr<UniqueFd> Bind(const Endpoint& e, int type, bool first, bool v6only, int& patience_ms) {
  UniqueFd fd(::socket(e.family(), type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "unable to create socket for " + e.name);
  if (e.family() == AF_INET6)
    MZ_RETURN_IF_ERROR(SetInt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, v6only ? 1 : 0, "IPV6_V6ONLY"));
  if (type == SOCK_STREAM) {
    // A restart must not wait for the old connections' TIME_WAIT. Against a port that somebody listens on this changes
    // nothing: Linux then still says "Address already in use".
    MZ_RETURN_IF_ERROR(SetInt(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"));
    SetUpTcp(fd.get());
  }
  if (!first) MZ_RETURN_IF_ERROR(SetInt(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT"));
  while (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&e.address), e.size) != 0) {
    if (errno != EADDRINUSE || e.port() == 0 || patience_ms <= 0)
      return ErrnoStatus(errno, "unable to bind to " + AddressText(e.address));
    constexpr int kStepMs = 5;
    const timespec step{.tv_sec = 0, .tv_nsec = kStepMs * 1'000'000};
    ::nanosleep(&step, nullptr);
    patience_ms -= kStepMs;
  }
  if (first) MZ_RETURN_IF_ERROR(SetInt(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT"));
  if (type == SOCK_STREAM && ::listen(fd.get(), kBacklog) != 0)
    return ErrnoStatus(errno, "unable to listen on " + AddressText(e.address));
  return fd;
}

StatusOr<std::vector<ListenSockets>> OpenEndpoint(Endpoint& e, const SocketOptions& options, bool v6only,
                                                 int& patience_ms) {
  std::vector<ListenSockets> out(static_cast<size_t>(options.workers));
  for (size_t worker = 0; worker < out.size(); worker++) {
    ListenSockets& s = out[worker];
    s.family = e.family();
    s.wildcard = IsWildcard(e.address);
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      if (!(type == SOCK_DGRAM ? e.udp : e.tcp)) continue;
      MZ_ASSIGN_OR_RETURN(UniqueFd fd, Bind(e, type, worker == 0, v6only, patience_ms));
      if (type == SOCK_DGRAM) MZ_RETURN_IF_ERROR(SetUpUdp(fd.get(), e.address, options));
      if (e.port() == 0) {  // the kernel chose: all others take the same
        socklen_t size = sizeof e.address;
        if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&e.address), &size) != 0)
          return ErrnoStatus(errno, "getsockname");
      }
      (type == SOCK_DGRAM ? s.udp : s.tcp) = std::move(fd);
    }
  }
  return out;
}

StatusOr<std::vector<ListenSockets>> OpenEndpointOnSomePort(Endpoint& e, const SocketOptions& options, bool v6only) {
  const bool any_port = e.port() == 0;
  int patience_ms = any_port ? 0 : options.patience_ms;
  for (int attempt = 0;; attempt++) {
    StatusOr<std::vector<ListenSockets>> opened = OpenEndpoint(e, options, v6only, patience_ms);
    // A port that is free for UDP may be taken for TCP.
    if (opened.ok() || !any_port || attempt == kFreePortAttempts) return opened;
    e.set_port(0);
  }
}

}  // namespace

std::string AddressText(const sockaddr_storage& a) {
  if (a.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(a);
    return net::ToString(net::Ip4{ntohl(v4.sin_addr.s_addr)}) + "/" + std::to_string(ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(a);
  return net::ToString(net::Ip6::FromBytes(v6.sin6_addr.s6_addr)) + "/" + std::to_string(ntohs(v6.sin6_port));
}

std::string BoundAddress::Text() const { return AddressText(address); }

StatusOr<OpenedSockets> OpenListenSockets(std::span<const ListenSpec> specs, const SocketOptions& options) {
  std::vector<Endpoint> endpoints;
  for (const ListenSpec& spec : specs) {
    MZ_ASSIGN_OR_RETURN(std::vector<Endpoint> resolved, Resolve(spec));
    for (Endpoint& e : resolved) {
      auto same = std::find_if(endpoints.begin(), endpoints.end(), [&](const Endpoint& o) {
        return e.port() != 0 && SameAddress(o.address, e.address);
      });
      if (same == endpoints.end()) {
        endpoints.push_back(std::move(e));
      } else {
        same->udp |= e.udp;
        same->tcp |= e.tcp;
      }
    }
  }
  OpenedSockets out;
  out.workers.resize(static_cast<size_t>(options.workers));
  for (Endpoint& e : endpoints) {
    const bool any4_too = std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& o) {
      return o.family() == AF_INET && IsWildcard(o.address) && o.port() == e.port();
    });
    MZ_ASSIGN_OR_RETURN(std::vector<ListenSockets> opened,
                        OpenEndpointOnSomePort(e, options, options.v6only || any4_too));
    for (size_t worker = 0; worker < opened.size(); worker++)
      out.workers[worker].push_back(std::move(opened[worker]));
    out.bound.push_back({.address = e.address, .udp = e.udp, .tcp = e.tcp, .fd = -1});
  }
  return out;
}

StatusOr<OpenedSockets> AdoptSockets(int first, int count, const SocketOptions& options) {
  std::vector<UniqueFd> passed;
  for (int i = 0; i < count; i++) passed.emplace_back(first + i);
  OpenedSockets out;
  out.workers.resize(static_cast<size_t>(options.workers));
  for (UniqueFd& fd : passed) {
    const std::string name = "passed-in socket (fd " + std::to_string(fd.get()) + ")";
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0) return ErrnoStatus(errno, name);
    BoundAddress bound;
    size = sizeof bound.address;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound.address), &size) != 0)
      return ErrnoStatus(errno, name);
    const int family = bound.address.ss_family;
    int listening = 0;
    size = sizeof listening;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
    bound.udp = type == SOCK_DGRAM;
    bound.tcp = type == SOCK_STREAM && listening != 0;
    if ((family != AF_INET && family != AF_INET6) || (!bound.udp && !bound.tcp))
      return MakeStatus(StatusCode::kInvalidArgument, name + ": neither UDP nor a listening TCP socket");
    ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    if (::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0) return ErrnoStatus(errno, name);
    if (bound.udp)
      MZ_RETURN_IF_ERROR(SetUpUdp(fd.get(), bound.address, options));
    else
      SetUpTcp(fd.get());
    bound.fd = fd.get();
    for (size_t worker = 0; worker < out.workers.size(); worker++) {
      ListenSockets s;
      s.family = family;
      s.wildcard = IsWildcard(bound.address);
      UniqueFd own = worker + 1 == out.workers.size() ? std::move(fd)
                                                      : UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
      if (!own.valid()) return ErrnoStatus(errno, name);
      (bound.udp ? s.udp : s.tcp) = std::move(own);
      out.workers[worker].push_back(std::move(s));
    }
    out.bound.push_back(bound);
  }
  return out;
}

}  // namespace mz::io
