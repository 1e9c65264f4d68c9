// See compiler_host.h.
#include "cli/rbldnsd/compiler_host.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace mz::cli {
namespace {

constexpr char kHostName[] = "mz-compiler";  // for ps; unlike the daemon's, so that `killall rbldnsd` passes it by
constexpr int kHostSocket = 3;
// Out of memory, the kernel should choose the build, whose failure costs nothing.
constexpr std::string_view kOomScore = "500";

void CloseAllFrom(int first) {
  if (::close_range(static_cast<unsigned>(first), ~0u, 0) == 0) return;
  for (int fd = first; fd < 65536; fd++) ::close(fd);
}

// Replaces the terminal by something that swallows all; /dev/null need not exist in a chroot.
void Silence() {
  UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) null.reset(::memfd_create("null", MFD_CLOEXEC));
  if (!null.valid()) return;
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), fd);
}

// Signals that mean the daemon also reach this process when they are sent by name or by Ctrl-C: it must not care.
void IgnoreDaemonSignals() {
  for (int s : {SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGTERM, SIGALRM, SIGPIPE}) ::signal(s, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void RunChild(const BuildTask& task, BuildMessage request, pid_t host) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != host) ::_exit(1);  // died before the line above took effect
  UniqueFd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (score.valid()) (void)!::write(score.get(), kOomScore.data(), kOomScore.size());
  score.reset();
  task(std::move(request), kHostSocket);
  ::_exit(0);
}

[[noreturn]] void RunHost(const BuildTask& task) {
  for (;;) {
    StatusOr<BuildMessage> request = ReceiveMessage(kHostSocket);
    if (!request.ok()) ::_exit(0);  // the daemon has ended
    int alive[2];                   // only the child holds the write end: end of file tells that it is dead
    if (::pipe2(alive, O_CLOEXEC) != 0) ::_exit(1);
    const pid_t host = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(alive[0]);
      RunChild(task, std::move(*request), host);
    }
    ::close(alive[1]);
    *request = BuildMessage();
    BuildMessage end;
    end.kind = MessageKind::kEnd;
    if (child < 0) {
      end.text = std::string("fork: ") + std::strerror(errno);
      end.value = 0xff00;  // exit code 255
    } else {
      pollfd p[] = {{alive[0], POLLIN, 0}, {kHostSocket, POLLRDHUP, 0}};
      while (!p[0].revents) {
        if (::poll(p, 2, -1) < 0 && errno != EINTR) break;
        if (p[1].revents) {
          ::kill(child, SIGKILL);
          ::_exit(0);
        }
      }
      int status = 0;
      rusage usage{};
      ::wait4(child, &status, 0, &usage);
      end.value = static_cast<uint32_t>(status);
      end.cpu_microseconds = static_cast<uint64_t>(usage.ru_utime.tv_sec) * 1000000 +
                             static_cast<uint64_t>(usage.ru_utime.tv_usec);
    }
    ::close(alive[0]);
    if (!SendMessage(kHostSocket, end).ok()) ::_exit(0);
  }
}

std::string HowItDied(const BuildMessage& end) {
  if (!end.text.empty()) return "cannot compile: " + end.text;
  const int status = static_cast<int>(end.value);
  if (WIFSIGNALED(status))
    return "the compiling process was killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
           ::strsignal(WTERMSIG(status)) + ")" +
           (WTERMSIG(status) == SIGKILL ? "; if nobody did that, memory ran out" : "");
  return "the compiling process ended without a result (exit code " + std::to_string(WEXITSTATUS(status)) + ")";
}

}  // namespace

Status CompilerHost::Start(BuildTask task, bool quiet) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return ErrnoStatus(errno, "socketpair");
  UniqueFd daemon_end(pair[0]), host_end(pair[1]);
  // A signal by name must not meet the host before it has learnt to ignore it.
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  pid_ = ::fork();
  const int fork_error = errno;
  if (pid_ == 0) {
    ::prctl(PR_SET_NAME, kHostName);
    // Listening sockets above all must not outlive the daemon here.
    ::dup2(host_end.get(), kHostSocket);
    ::fcntl(kHostSocket, F_SETFD, FD_CLOEXEC);
    daemon_end.release();
    host_end.release();
    CloseAllFrom(kHostSocket + 1);
    if (quiet) Silence();
    IgnoreDaemonSignals();
    RunHost(task);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid_ < 0) return ErrnoStatus(fork_error, "cannot fork the compiler process");
  socket_ = std::move(daemon_end);
  return absl::OkStatus();
}

CompilerHost::~CompilerHost() {
  if (pid_ <= 0) return;
  socket_.reset();  // the host ends now, and with it a running build
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void CompilerHost::Cancel() {
  if (socket_.valid()) ::shutdown(socket_.get(), SHUT_RDWR);
}

StatusOr<BuildAnswer> CompilerHost::Build(const BuildMessage& request,
                                          const std::function<void(LogLevel, std::string_view)>& on_line) {
  MZ_RETURN_IF_ERROR(SendMessage(socket_.get(), request));
  std::optional<BuildAnswer> answer;
  for (;;) {
    MZ_ASSIGN_OR_RETURN(BuildMessage m, ReceiveMessage(socket_.get()));
    switch (m.kind) {
      case MessageKind::kLine:
        on_line(m.value == static_cast<uint32_t>(LogLevel::kInfo)      ? LogLevel::kInfo
                : m.value == static_cast<uint32_t>(LogLevel::kWarning) ? LogLevel::kWarning
                                                                       : LogLevel::kError,
                m.text);
        break;
      case MessageKind::kResult:
        answer.emplace();
        answer->verdict = static_cast<BuildVerdict>(m.value);
        answer->failing = std::move(m.failing);
        answer->text = std::move(m.text);
        answer->image = std::move(m.fd);
        break;
      case MessageKind::kEnd:
        if (!answer) return MakeStatus(StatusCode::kInternal, HowItDied(m));
        answer->cpu_seconds = static_cast<double>(m.cpu_microseconds) * 1e-6;
        return std::move(*answer);
      default: return MakeStatus(StatusCode::kInternal, "unknown message from the compiler process");
    }
  }
}

}  // namespace mz::cli
