// The floor of the benchmarks: receives datagrams and sends them back with the QR bit set, recvmmsg and sendmmsg of 64, no
// other work. Usage: udp_echo PORT   (127.0.0.1, until killed)
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: udp_echo PORT\n");
    return 2;
  }
  int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  int size = 8 << 20;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(std::atoi(argv[1])));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) {
    std::perror("bind");
    return 1;
  }
  constexpr int kBatch = 64;
  static uint8_t buffers[kBatch][2048];
  static sockaddr_storage peers[kBatch];
  static iovec iov[kBatch];
  static mmsghdr messages[kBatch];
  for (;;) {
    for (int i = 0; i < kBatch; i++) {
      iov[i] = {buffers[i], sizeof buffers[i]};
      messages[i].msg_hdr = {&peers[i], sizeof peers[i], &iov[i], 1, nullptr, 0, 0};
    }
    int n = ::recvmmsg(fd, messages, kBatch, MSG_WAITFORONE, nullptr);
    if (n <= 0) continue;
    for (int i = 0; i < n; i++) {
      buffers[i][2] |= 0x80;
      iov[i].iov_len = messages[i].msg_len;
    }
    for (int sent = 0; sent < n;) {
      int k = ::sendmmsg(fd, messages + sent, static_cast<unsigned>(n - sent), 0);
      sent += k > 0 ? k : 1;
    }
  }
}
