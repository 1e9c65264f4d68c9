// One TCP connection: the two-octet length framing of DNS (RFC 1035 section 4.2.2, RFC 7766), from a non-blocking socket
// to the handler and back. Knows no listener, no timeout and no other connection: TcpServer does.
//
//   switch (session.OnReadable(context)) { case kOpen: ... case kFinished: case kBroken: session.Close(pool) }
//
// Input: messages may arrive in any pieces. What is complete in one read is answered from the read buffer that all
// sessions of a worker share; only the rest of an unfinished message is kept, in a buffer that grows with the octets that
// have really come. Output: replies are written into a shared buffer and sent at once; only what the socket does not
// take is kept. So an idle session owns no buffer, and no session more than
//   one message + kReadBytes of input, and max_buffered_bytes + one message of output.
// While that much output waits, nothing is read or answered.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/lazy_memory.h"
#include "server/io/backend.h"
#include "server/io/buffer_pool.h"
#include "server/io/delay_queue.h"

namespace mz::io {

inline constexpr size_t kTcpMessageBytes = 65535;
inline constexpr size_t kTcpLengthBytes = 2;
inline constexpr size_t kTcpFrameBytes = kTcpLengthBytes + kTcpMessageBytes;
// No DNS message is shorter than its header (RFC 1035 section 4.1.1).
inline constexpr size_t kTcpMinMessageBytes = 12;
// Octets taken from one connection in one turn: bounds how long UDP waits for a client that pipelines.
inline constexpr size_t kReadBytes = 4096;

// What all sessions of a worker share.
struct TcpContext {
  TcpContext(Handler& h, IoCounters& c, const TcpLimits& l);

  Handler& handler;
  IoCounters& counters;
  TcpLimits limits;
  BufferPool pool;
  std::vector<uint8_t> read_buffer;
  LazyMemory reply_buffer;            // limits.max_buffered_bytes + one frame
  sockaddr_storage peer{};
  DelayQueue delays;
  uint64_t connection = 0;            // whose messages are handled, for delays
};

class TcpSession {
 public:
  enum class Verdict {
    kOpen,
    kFinished,  // the client closed its side and has all its replies
    kBroken,    // reset, lying length, cut message, no buffer left
  };

  // Takes over the socket, which must be non-blocking. `peer` is the client.
  void Open(int fd, const sockaddr_storage& peer);
  void Close(BufferPool& pool);
  int fd() const { return fd_; }

  // Requires: wants_read() or wants_write() respectively; spurious calls do nothing.
  Verdict OnReadable(TcpContext& context);
  Verdict OnWritable(TcpContext& context);

  // A reply that was delayed, without its length.
  Verdict Send(TcpContext& context, std::span<const uint8_t> reply);

  bool wants_read() const { return !end_of_input_ && !giving_up_ && !blocked_; }
  bool wants_write() const { return unsent() > 0; }
  bool message_begun() const { return in_used_ > 0; }
  // What the last call did, for the timeouts.
  bool completed_message() const { return completed_message_; }
  bool sent() const { return sent_; }

 private:
  size_t unsent() const { return out_end_ - out_begin_; }
  size_t Answer(TcpContext& context, std::span<const uint8_t> input, size_t& replies);
  Verdict Process(TcpContext& context, std::span<const uint8_t> input);
  Verdict ReadIntoOwnBuffer(TcpContext& context);
  Verdict EndInput(TcpContext& context);
  bool Flush(TcpContext& context, size_t replies);
  bool KeepInput(TcpContext& context, std::span<const uint8_t> rest);
  bool KeepOutput(TcpContext& context, std::span<const uint8_t> rest);
  Verdict State() const;

  int fd_ = -1;
  bool end_of_input_ = false;   // the client has shut its write side
  bool giving_up_ = false;      // protocol error: send what is owed, then close
  bool blocked_ = false;        // max_buffered_bytes wait to be sent
  bool completed_message_ = false, sent_ = false;
  Buffer in_, out_;
  size_t in_used_ = 0;
  size_t out_begin_ = 0, out_end_ = 0;
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } peer_;
};

}  // namespace mz::io
