// See watch.h.
#include "cli/serve/watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace mz::cli {
namespace {

constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                             IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

int64_t Nanoseconds(const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

std::string DirectoryOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

FileWatch::FileWatch() : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

void FileWatch::SetFiles(std::vector<std::string> files) {
  if (files == files_) return;
  files_ = std::move(files);
  inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));  // forgets the old directories
  directories_missing_.clear();
  for (const std::string& f : files_) directories_missing_.push_back(DirectoryOf(f));
  std::sort(directories_missing_.begin(), directories_missing_.end());
  directories_missing_.erase(std::unique(directories_missing_.begin(), directories_missing_.end()),
                             directories_missing_.end());
  AddDirectories();
  remembered_.clear();
}

void FileWatch::AddDirectories() {
  if (!inotify_.valid()) return;
  std::erase_if(directories_missing_, [&](const std::string& directory) {
    return ::inotify_add_watch(inotify_.get(), directory.c_str(), kEvents) >= 0;
  });
}

bool FileWatch::Drain() {
  bool any = false;
  alignas(inotify_event) char buffer[4096];
  while (inotify_.valid()) {
    ssize_t n = ::read(inotify_.get(), buffer, sizeof buffer);
    if (n <= 0) break;
    any = true;
    for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(inotify_event)) <= n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      // The directory itself went away or was replaced: watch whatever is there now.
      if (event->mask & (IN_IGNORED | IN_MOVE_SELF | IN_Q_OVERFLOW)) {
        directories_missing_.clear();
        for (const std::string& f : files_) directories_missing_.push_back(DirectoryOf(f));
      }
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  return any;
}

std::vector<FileWatch::Identity> FileWatch::Look() const {
  std::vector<Identity> out(files_.size());
  for (size_t i = 0; i < files_.size(); i++) {
    struct stat st;
    if (::stat(files_[i].c_str(), &st) != 0)
      out[i].error = errno;
    else
      out[i] = {st.st_dev, st.st_ino, static_cast<uint64_t>(st.st_size), Nanoseconds(st.st_mtim),
                Nanoseconds(st.st_ctim), 0};
  }
  return out;
}

bool FileWatch::Changed() {
  AddDirectories();
  return Look() != remembered_;
}

void FileWatch::Remember() { remembered_ = Look(); }

}  // namespace mz::cli
