// See hooks.h.
#include "cli/spf/hooks.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "cli/serve/child.h"
#include "cli/spf/download.h"

extern char** environ;

namespace mz::cli {
namespace {

using nlohmann::json;
constexpr size_t kMaxQueue = 100;
constexpr size_t kMaxWebhookChanges = 50;

std::string SummaryOf(const std::vector<std::string>& lines, uint64_t generation) {
  std::string text = "mailzone: " + std::to_string(lines.size()) + " SPF change" + (lines.size() == 1 ? "" : "s") +
                     ", generation " + std::to_string(generation);
  size_t shown = 0;
  for (const std::string& line : lines) {
    const json change = json::parse(line, nullptr, false);
    if (!change.is_object() || ++shown > 10) break;
    text += "\n" + change.value("domain", "") + " (IPv" + std::to_string(change.value("family", 0)) + ")";
    if (change.contains("cause")) text += " because of " + change["cause"].value("question", "");
  }
  return text;
}

}  // namespace

Hooks::Hooks(const SpfConfig& config, const Logger& log) : config_(config), log_(log) {
  if (!config.hook_command.empty() || !config.hook_webhook.empty() || !config.push_url.empty())
    thread_ = std::thread([this] { Work(); });
}

Hooks::~Hooks() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Hooks::Enqueue(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (queue_.size() >= kMaxQueue) {
    log_.Warning("hooks are too slow: one was left out");
    return;
  }
  queue_.push_back(std::move(job));
  wake_.notify_one();
}

void Hooks::Work() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (stop_) return;
    std::function<void()> job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

void Hooks::Changed(const std::vector<std::string>& lines, uint64_t generation) {
  if (lines.empty()) return;
  if (!config_.hook_command.empty()) {
    std::string input;
    for (const std::string& line : lines) input += line + "\n";
    Enqueue([this, input = std::move(input)] { RunCommand(input); });
  }
  if (!config_.hook_webhook.empty()) {
    const std::string text = SummaryOf(lines, generation);
    json body = {{"text", text}, {"content", text.substr(0, 1900)}, {"changes", json::array()}};
    for (size_t i = 0; i < lines.size() && i < kMaxWebhookChanges; i++)
      body["changes"].push_back(json::parse(lines[i], nullptr, false));
    Enqueue([this, body = body.dump(-1, ' ', false, json::error_handler_t::replace)] {
      if (Status sent = PostJson(config_.hook_webhook, body); !sent.ok())
        log_.Warning("webhook: " + std::string(Message(sent)));
    });
  }
}

void Hooks::Healthy(int64_t milliseconds) {
  if (config_.push_url.empty()) return;
  std::string url = config_.push_url;
  if (url.ends_with("ping=")) url += std::to_string(milliseconds);
  Enqueue([this, url] {
    if (StatusOr<std::string> answer = Download(url, {}); !answer.ok())
      log_.Warning("push: " + std::string(Message(answer.status())));
  });
}

void Hooks::RunCommand(const std::string& input) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, read_end.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, 2, 1);  // standard output is the supervisor's
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  const char* const argv[] = {"sh", "-c", config_.hook_command.c_str(), nullptr};
  pid_t pid = -1;
  const int failure = ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, const_cast<char* const*>(argv), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  read_end.reset();
  if (failure != 0) {
    log_.Warning("hook_command cannot be started: " + std::string(std::strerror(failure)));
    return;
  }
  ::fcntl(write_end.get(), F_SETFL, O_NONBLOCK);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(kHookSeconds);
  size_t sent = 0;
  while (true) {
    if (sent < input.size()) {
      const ssize_t n = ::write(write_end.get(), input.data() + sent, input.size() - sent);
      if (n > 0) sent += static_cast<size_t>(n);
      if (n < 0 && errno != EAGAIN && errno != EINTR) sent = input.size();  // it does not want to read
    }
    if (sent == input.size()) write_end.reset();
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) {
      if (status != 0) log_.Warning("hook_command: " + WaitStatusText(status));
      return;
    }
    bool stopping;
    {
      std::lock_guard lock(mutex_);
      stopping = stop_;
    }
    if (stopping || std::chrono::steady_clock::now() > deadline) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      log_.Warning("hook_command did not end in " + std::to_string(kHookSeconds) + " s: killed");
      return;
    }
    ::poll(nullptr, 0, 10);
  }
}

}  // namespace mz::cli
