// See query_log.h.
#include "server/control/query_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "format/dns/name.h"

namespace mz::control {
namespace {

constexpr size_t kBufferBytes = 4096;
// A FIFO whose reader is slow may take part of the buffer; what is kept for it is bounded.
constexpr size_t kMaxPendingBytes = 256 * 1024;

}  // namespace

std::string FormatQueryLine(const QueryRecord& r) {
  std::string line = std::to_string(r.when_unix);
  line += r.client_is_mapped ? " ::ffff:" : " ";
  char client[net::kMaxAddressText];
  size_t n = r.client_is_v4 ? net::FormatIp4(r.client4, client) : net::FormatIp6(r.client6, client);
  line.append(client, n);
  line += ' ';
  std::string_view name;
  if (r.qname_bytes > 1) name = {reinterpret_cast<const char*>(r.qname), size_t{r.qname_bytes} - 1};
  line += dns::NameText(name);
  line += ' ';
  line += dns::TypeText(r.qtype);
  line += ' ';
  line += dns::ClassText(r.qclass);
  line += ": ";
  line += dns::RcodeText(r.rcode);
  line += '/' + std::to_string(r.answer_count) + '/' + std::to_string(r.reply_bytes) + '\n';
  return line;
}

void QueryLog::Reopen(const Logger& log) {
  Flush();
  in_line_ = false;
  DropBuffer(0);
  if (path_ == "-") {
    fd_ = STDOUT_FILENO;
    return;
  }
  owned_.reset(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0644));
  fd_ = owned_.get();
  if (fd_ < 0) log.Warning("error (re)opening logfile `" + path_ + "': " + std::strerror(errno));
}

void QueryLog::Write(const QueryRecord& record) {
  if (fd_ < 0) return;
  buffer_ += FormatQueryLine(record);
  if (unbuffered_ || buffer_.size() >= kBufferBytes) Flush();
}

void QueryLog::Flush() {
  size_t done = 0;
  while (fd_ >= 0 && done < buffer_.size()) {
    ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n > 0) {
      done += static_cast<size_t>(n);
      in_line_ = buffer_[done - 1] != '\n';
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else if (n < 0 && errno == EAGAIN && buffer_.size() - done < kMaxPendingBytes) {
      break;  // tried again with the next line
    } else {
      DropBuffer(done);  // disk full, or the reader is gone
      return;
    }
  }
  buffer_.erase(0, done);
}

// What has not been written is lost; a line that was begun gets its end.
void QueryLog::DropBuffer(size_t written) {
  for (size_t i = written; i < buffer_.size(); i++) lost_ += buffer_[i] == '\n';
  buffer_.assign(in_line_ ? "\n" : "");
}

}  // namespace mz::control
