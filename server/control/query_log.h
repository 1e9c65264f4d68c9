// The query log in rbldnsd's format: one line per answered query,
//
//   1795220218 127.0.0.1 2.0.0.127.BL.test TXT IN: NOERROR/1/104
//   EPOCH      CLIENT    QNAME (as sent)   TYPE CLASS: RCODE/ANSWERS/BYTES
//
// Control thread only. Lines are written whole; without `unbuffered` when 4 KiB are full, at Reopen() and Flush(). The file
// may be a FIFO: it is opened non-blocking, and lines that cannot be written are lost and counted.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/log.h"
#include "server/control/query_ring.h"

namespace mz::control {

// The line with its newline.
std::string FormatQueryLine(const QueryRecord& record);

class QueryLog {
 public:
  // `path` "-": standard output.
  QueryLog(std::string path, bool unbuffered) : path_(std::move(path)), unbuffered_(unbuffered) {}
  ~QueryLog() { Flush(); }
  QueryLog(const QueryLog&) = delete;
  QueryLog& operator=(const QueryLog&) = delete;

  // Flushes, and opens the file anew. When that fails: a warning, and no logging until the next Reopen().
  void Reopen(const Logger& log);
  void Write(const QueryRecord& record);
  void Flush();
  uint64_t lost() const { return lost_; }

 private:
  void DropBuffer(size_t written);

  const std::string path_;
  const bool unbuffered_;
  UniqueFd owned_;
  int fd_ = -1;
  std::string buffer_;
  bool in_line_ = false;   // the last octet written was not the end of a line
  uint64_t lost_ = 0;
};

}  // namespace mz::control
