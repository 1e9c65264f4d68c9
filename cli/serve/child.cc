// See child.h.
#include "cli/serve/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace mz::cli {
namespace {

constexpr size_t kMaxLine = 8192;  // longer ones are handed out in pieces

// In the child, between fork and exec.
[[noreturn]] void Execute(char* const* argv, const Child::Options& options, pid_t parent, int out, int err) {
  ::prctl(PR_SET_PDEATHSIG, options.death_signal != 0 ? options.death_signal : SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it ended before the line above
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::unsetenv("NOTIFY_SOCKET");  // the supervisor talks to the service manager
  if (out >= 0) ::dup2(out, STDOUT_FILENO);
  if (err >= 0) ::dup2(err, STDERR_FILENO);
  if (options.nice != 0) [[maybe_unused]] int r = ::nice(options.nice);
  ::execv(argv[0], argv);
  const char* reason = ::strerrordesc_np(errno);
  for (const char* part : {static_cast<const char*>(argv[0]), ": ", reason != nullptr ? reason : "cannot be executed", "\n"})
    [[maybe_unused]] ssize_t n = ::write(STDERR_FILENO, part, std::strlen(part));
  ::_exit(127);
}

}  // namespace

StatusOr<Child> Child::Start(const std::vector<std::string>& arguments, const Options& options) {
  int out[2] = {-1, -1}, err[2] = {-1, -1};
  if (!options.inherit_stdout && ::pipe2(out, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  if (::pipe2(err, O_CLOEXEC) != 0) {
    Status failed = ErrnoStatus(errno, "pipe");
    for (int fd : out)
      if (fd >= 0) ::close(fd);
    return failed;
  }
  UniqueFd out_read(out[0]), out_write(out[1]), err_read(err[0]), err_write(err[1]);
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  pid_t parent = ::getpid();
  pid_t pid = ::fork();
  if (pid < 0) return ErrnoStatus(errno, "fork");
  if (pid == 0) Execute(argv.data(), options, parent, out_write.get(), err_write.get());
  Child child;
  child.pid_ = pid;
  for (UniqueFd* fd : {&out_read, &err_read})
    if (fd->valid()) ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
  child.out_.fd = std::move(out_read);
  child.err_.fd = std::move(err_read);
  return child;
}

void Child::Read(Pipe* pipe, const std::function<void(std::string_view)>& line, bool flush) {
  char buffer[4096];
  while (pipe->fd.valid()) {
    ssize_t n = ::read(pipe->fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) {
      pipe->fd.reset();
      break;
    }
    pipe->pending.append(buffer, static_cast<size_t>(n));
    size_t at = 0;
    for (size_t end; (end = pipe->pending.find('\n', at)) != std::string::npos; at = end + 1)
      line(std::string_view(pipe->pending).substr(at, end - at));
    pipe->pending.erase(0, at);
    if (pipe->pending.size() > kMaxLine) {
      line(pipe->pending);
      pipe->pending.clear();
    }
  }
  if (flush && !pipe->pending.empty()) {
    line(pipe->pending);
    pipe->pending.clear();
  }
}

void Child::ReadLines(const std::function<void(std::string_view)>& line, bool flush) {
  Read(&err_, line, flush);
  Read(&out_, line, flush);
}

std::optional<int> Child::Reap() {
  if (pid_ <= 0) return std::nullopt;
  int status = 0;
  pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended != pid_) return std::nullopt;
  pid_ = -1;
  return status;
}

void Child::Kill(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

std::string WaitStatusText(int status) {
  if (WIFSIGNALED(status)) {
    const char* name = ::strsignal(WTERMSIG(status));
    return "signal " + std::to_string(WTERMSIG(status)) + " (" + (name != nullptr ? name : "?") + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace mz::cli
