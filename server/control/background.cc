// See background.h.
#include "server/control/background.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace mz::control {

std::optional<int> Background::Fork() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return 1;
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  pid_t pid = ::fork();
  if (pid < 0) return 1;
  if (pid == 0) {
    ::setsid();
    pipe_ = std::move(write_end);
    null_.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));  // now: a chroot need not have one
    return std::nullopt;
  }
  write_end.reset();
  uint8_t code = 1;
  ssize_t n;
  do {
    n = ::read(read_end.get(), &code, 1);
  } while (n < 0 && errno == EINTR);
  return n == 1 ? code : 1;  // end of file: the daemon died without a word
}

void Background::Ready(bool keep_stdout) {
  if (!pipe_.valid()) return;
  if (null_.valid()) {
    ::dup2(null_.get(), STDIN_FILENO);
    if (!keep_stdout) ::dup2(null_.get(), STDOUT_FILENO);
    ::dup2(null_.get(), STDERR_FILENO);
  }
  Failed(0);
}

void Background::Failed(int exit_code) {
  if (!pipe_.valid()) return;
  uint8_t code = static_cast<uint8_t>(exit_code);
  (void)!::write(pipe_.get(), &code, 1);
  pipe_.reset();
}

}  // namespace mz::control
