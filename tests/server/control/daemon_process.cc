#include "tests/server/control/daemon_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "tests/server/control/test_image.h"

namespace mz::control {
namespace {

template <typename Done>
bool WaitUntil(int timeout_ms, Done done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace

std::string MakeTestDirectory() {
  std::string path = (std::filesystem::temp_directory_path() / "mz_test.XXXXXX").string();
  MZ_CHECK(::mkdtemp(path.data()) != nullptr);
  return path;
}

DaemonProcess::DaemonProcess(const std::string& program, const std::vector<std::string>& arguments,
                             const std::vector<std::string>& environment)
    : directory_(MakeTestDirectory()) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  const std::string out = directory_ + "/out", err = directory_ + "/err";
  pid_ = ::fork();
  if (pid_ == 0) {
    int o = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    int e = ::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(o, 1);
    ::dup2(e, 2);
    for (const std::string& v : environment) ::putenv(const_cast<char*>(v.c_str()));
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
}

DaemonProcess::~DaemonProcess() {
  if (!exit_ && pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string DaemonProcess::Log() const { return ReadFile(directory_ + "/err").value_or(""); }
std::string DaemonProcess::Output() const { return ReadFile(directory_ + "/out").value_or(""); }

bool DaemonProcess::WaitForLog(const std::string& text, int timeout_ms) const {
  return WaitUntil(timeout_ms, [&] {
    return Log().find(text) != std::string::npos || Output().find(text) != std::string::npos;
  });
}

int DaemonProcess::Port() const {
  const std::string log = Log() + Output();
  size_t at = log.find("listening on ");
  if (at == std::string::npos) return 0;
  return std::atoi(log.c_str() + log.find('/', at) + 1);
}

void DaemonProcess::Signal(int signal_number) const { ::kill(pid_, signal_number); }

std::optional<int> DaemonProcess::WaitExit(int timeout_ms) {
  WaitUntil(timeout_ms, [&] {
    int status;
    if (exit_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return exit_.has_value();
    exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    return true;
  });
  return exit_;
}

std::vector<uint8_t> Ask(int port, const std::vector<uint8_t>& query) {
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(port));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval two{2, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &two, sizeof two);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) return {};
  if (::send(fd.get(), query.data(), query.size(), 0) < 0) return {};
  std::vector<uint8_t> reply(65536);
  ssize_t n = ::recv(fd.get(), reply.data(), reply.size(), 0);
  reply.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return reply;
}

std::string AskTxt(int port, const std::string& zone) {
  const std::vector<uint8_t> query = Query("2.0.0.127." + zone, 16, 4711);
  const std::vector<uint8_t> reply = Ask(port, query);
  // The answer follows the question: pointer, type, class, TTL, length, character-string.
  const size_t text = query.size() + 12;
  if (reply.size() <= text || reply[7] == 0) return "";
  return std::string(reply.begin() + static_cast<ptrdiff_t>(text) + 1,
                     reply.begin() + static_cast<ptrdiff_t>(std::min(reply.size(), text + 1 + reply[text])));
}

}  // namespace mz::control
