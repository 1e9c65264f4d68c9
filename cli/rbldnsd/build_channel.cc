// See build_channel.h.
#include "cli/rbldnsd/build_channel.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>

namespace mz::cli {
namespace {

struct Fixed {
  uint8_t kind;
  uint8_t zero[3];
  uint32_t value;
  uint64_t cpu_microseconds;
  uint32_t failing_bytes, text_bytes;
};

Status Gone(int error) {
  return MakeStatus(StatusCode::kUnavailable,
                    std::string("the compiler process is gone") + (error ? std::string(": ") + std::strerror(error) : ""));
}

}  // namespace

Status SendMessage(int socket, const BuildMessage& m) {
  const std::string_view failing = std::string_view(m.failing).substr(0, kMaxTextBytes);
  const std::string_view text = std::string_view(m.text).substr(0, kMaxTextBytes);
  Fixed fixed{static_cast<uint8_t>(m.kind), {}, m.value, m.cpu_microseconds, static_cast<uint32_t>(failing.size()),
              static_cast<uint32_t>(text.size())};
  iovec parts[] = {{&fixed, sizeof fixed},
                   {const_cast<char*>(failing.data()), failing.size()},
                   {const_cast<char*>(text.data()), text.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr h{};
  h.msg_iov = parts;
  h.msg_iovlen = std::size(parts);
  if (m.fd.valid()) {
    h.msg_control = control;
    h.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&h);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = m.fd.get();
    std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  ssize_t n;
  do {
    n = ::sendmsg(socket, &h, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n < 0 ? Gone(errno) : absl::OkStatus();
}

StatusOr<BuildMessage> ReceiveMessage(int socket) {
  std::string buffer(sizeof(Fixed) + 2 * kMaxTextBytes, '\0');
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr h{};
  h.msg_iov = &part;
  h.msg_iovlen = 1;
  h.msg_control = control;
  h.msg_controllen = sizeof control;
  ssize_t n;
  do {
    n = ::recvmsg(socket, &h, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return Gone(n < 0 ? errno : 0);
  BuildMessage m;
  for (cmsghdr* c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int))) continue;
    int fd;
    std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
    m.fd.reset(fd);
  }
  Fixed fixed;
  const size_t size = static_cast<size_t>(n);
  if (size < sizeof fixed) return Gone(EPROTO);
  std::memcpy(&fixed, buffer.data(), sizeof fixed);
  if (size != sizeof fixed + size_t{fixed.failing_bytes} + fixed.text_bytes) return Gone(EPROTO);
  m.kind = static_cast<MessageKind>(fixed.kind);
  m.value = fixed.value;
  m.cpu_microseconds = fixed.cpu_microseconds;
  m.failing = buffer.substr(sizeof fixed, fixed.failing_bytes);
  m.text = buffer.substr(sizeof fixed + fixed.failing_bytes, fixed.text_bytes);
  return m;
}

}  // namespace mz::cli
