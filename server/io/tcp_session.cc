// See tcp_session.h.
#include "server/io/tcp_session.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/endian.h"
#include "base/status.h"

namespace mz::io {

namespace {

// Input kept from the last read is copied in front of the next one when it is this short: then one recv can take the
// rest of the message and all that follows. Longer input stays where it is, or sending a long message octet by octet
// would cost a copy of all of it per octet.
constexpr size_t kCopiedInputBytes = 1024;
constexpr size_t kPoolKeepBytes = 4u << 20;

TcpLimits Sane(TcpLimits l) {
  l.max_connections = std::max(l.max_connections, 1);
  l.max_buffered_bytes = std::clamp<size_t>(l.max_buffered_bytes, 1, kMaxBufferBytes - kTcpFrameBytes);
  return l;
}

ssize_t Receive(int fd, uint8_t* to, size_t bytes) {
  for (;;) {
    const ssize_t n = ::recv(fd, to, bytes, MSG_DONTWAIT);
    if (n >= 0 || errno != EINTR) return n;
  }
}

}  // namespace

TcpContext::TcpContext(Handler& h, IoCounters& c, const TcpLimits& l)
    : handler(h),
      counters(c),
      limits(Sane(l)),
      pool(l.max_total_bytes, kPoolKeepBytes),
      read_buffer(kCopiedInputBytes + kReadBytes),
      reply_buffer(limits.max_buffered_bytes + kTcpFrameBytes) {}

void TcpSession::Open(int fd, const sockaddr_storage& peer) {
  *this = TcpSession();
  fd_ = fd;
  std::memcpy(&peer_, &peer, sizeof peer_);
}

void TcpSession::Close(BufferPool& pool) {
  pool.Put(in_);
  pool.Put(out_);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

TcpSession::Verdict TcpSession::State() const {
  if (unsent() > 0 || !(end_of_input_ || giving_up_)) return Verdict::kOpen;
  return giving_up_ ? Verdict::kBroken : Verdict::kFinished;
}

TcpSession::Verdict TcpSession::OnReadable(TcpContext& context) {
  completed_message_ = sent_ = false;
  if (!wants_read()) return Verdict::kOpen;
  if (in_used_ > kCopiedInputBytes) return ReadIntoOwnBuffer(context);
  uint8_t* const buffer = context.read_buffer.data();
  const ssize_t n = Receive(fd_, buffer + in_used_, kReadBytes);
  if (n < 0) return errno == EAGAIN ? Verdict::kOpen : Verdict::kBroken;
  if (n == 0) return EndInput(context);
  if (in_used_ > 0) std::memcpy(buffer, in_.data, in_used_);
  const size_t size = in_used_ + static_cast<size_t>(n);
  return Process(context, {buffer, size});
}

// Only an unfinished message can be kept here: complete ones were answered, or nothing would have been read.
TcpSession::Verdict TcpSession::EndInput(TcpContext& context) {
  end_of_input_ = true;
  if (in_used_ > 0) giving_up_ = true;
  in_used_ = 0;
  context.pool.Put(in_);
  return State();
}

// in_ holds the beginning of one unfinished message: reads the rest of that message only.
TcpSession::Verdict TcpSession::ReadIntoOwnBuffer(TcpContext& context) {
  const size_t frame = kTcpLengthBytes + LoadBe16(in_.data);
  if (in_used_ == in_.capacity) {
    Buffer larger = context.pool.Get(in_.capacity + 1);  // the next size: twice as large
    if (larger.data == nullptr) return Verdict::kBroken;
    std::memcpy(larger.data, in_.data, in_used_);
    context.pool.Put(in_);
    in_ = larger;
  }
  const ssize_t n = Receive(fd_, in_.data + in_used_, std::min(frame, in_.capacity) - in_used_);
  if (n < 0) return errno == EAGAIN ? Verdict::kOpen : Verdict::kBroken;
  if (n == 0) return EndInput(context);
  in_used_ += static_cast<size_t>(n);
  if (in_used_ < frame) return Verdict::kOpen;
  return Process(context, {in_.data, in_used_});
}

TcpSession::Verdict TcpSession::OnWritable(TcpContext& context) {
  completed_message_ = sent_ = false;
  if (!Flush(context, 0)) return Verdict::kBroken;
  if (blocked_ || in_used_ == 0) return State();
  return Process(context, {in_.data, in_used_});  // what waited while the output was full
}

// Hands complete messages of `input` to the handler until it is used up or enough output waits. Returns the octets
// consumed; the replies, with their lengths, are the first `replies` octets of the shared reply buffer.
size_t TcpSession::Answer(TcpContext& context, std::span<const uint8_t> input, size_t& replies) {
  size_t done = 0;
  while (input.size() - done >= kTcpLengthBytes && unsent() + replies < context.limits.max_buffered_bytes) {
    const size_t length = LoadBe16(input.data() + done);
    if (length < kTcpMinMessageBytes) {
      giving_up_ = true;
      return input.size();
    }
    if (input.size() - done < kTcpLengthBytes + length) break;
    std::memcpy(&context.peer, &peer_, sizeof peer_);
    uint8_t* const frame = context.reply_buffer.data() + replies;
    Packet packet{.request = input.subspan(done + kTcpLengthBytes, length),
                  .response = {frame + kTcpLengthBytes, kTcpMessageBytes},
                  .response_size = 0,
                  .peer = &context.peer,
                  .tcp = true};
    context.handler.Handle({&packet, 1});
    context.counters.tcp_messages++;
    done += kTcpLengthBytes + length;
    completed_message_ = true;
    const size_t bytes = std::min(packet.response_size, kTcpMessageBytes);
    if (bytes == 0) continue;
    if (packet.delay_ms != 0) [[unlikely]] {
      if (!context.delays.AddTcp(context.connection, {frame + kTcpLengthBytes, bytes}, packet.delay_ms))
        context.counters.tcp_errors++;
      continue;
    }
    StoreBe16(frame, static_cast<uint16_t>(bytes));
    replies += kTcpLengthBytes + bytes;
  }
  return done;
}

TcpSession::Verdict TcpSession::Send(TcpContext& context, std::span<const uint8_t> reply) {
  completed_message_ = sent_ = false;
  uint8_t* const frame = context.reply_buffer.data();
  StoreBe16(frame, static_cast<uint16_t>(reply.size()));
  std::memcpy(frame + kTcpLengthBytes, reply.data(), reply.size());
  return Flush(context, kTcpLengthBytes + reply.size()) ? State() : Verdict::kBroken;
}

TcpSession::Verdict TcpSession::Process(TcpContext& context, std::span<const uint8_t> input) {
  size_t done = 0, consumed;
  do {  // again only after a full output buffer was sent completely or in part: bounded by the input
    size_t replies = 0;
    consumed = Answer(context, input.subspan(done), replies);
    done += consumed;
    if (!Flush(context, replies)) return Verdict::kBroken;
  } while (consumed > 0 && done < input.size() && !blocked_);
  if (!KeepInput(context, input.subspan(done))) return Verdict::kBroken;
  return State();
}

// Sends what waits and then the first `replies` octets of the shared buffer; keeps what the socket does not take.
bool TcpSession::Flush(TcpContext& context, size_t replies) {
  const size_t waiting = unsent();
  size_t taken = 0;
  if (waiting + replies > 0) {
    iovec iov[2] = {{out_.data + out_begin_, waiting}, {context.reply_buffer.data(), replies}};
    msghdr message{};
    message.msg_iov = waiting > 0 ? iov : iov + 1;
    message.msg_iovlen = waiting > 0 && replies > 0 ? 2 : 1;
    ssize_t n;
    do {
      n = ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN && errno != ENOBUFS) return false;
    if (n > 0) {
      sent_ = true;
      taken = static_cast<size_t>(n);
    }
  }
  const size_t taken_waiting = std::min(taken, waiting);
  out_begin_ += taken_waiting;
  if (out_begin_ == out_end_) {
    out_begin_ = out_end_ = 0;
    context.pool.Put(out_);
  }
  taken -= taken_waiting;
  if (!KeepOutput(context, {context.reply_buffer.data() + taken, replies - taken})) return false;
  blocked_ = unsent() >= context.limits.max_buffered_bytes;
  return true;
}

bool TcpSession::KeepOutput(TcpContext& context, std::span<const uint8_t> rest) {
  if (rest.empty()) return true;
  const size_t waiting = unsent();
  if (waiting + rest.size() > out_.capacity) {
    Buffer larger = context.pool.Get(waiting + rest.size());
    if (larger.data == nullptr) return false;
    if (waiting > 0) std::memcpy(larger.data, out_.data + out_begin_, waiting);
    context.pool.Put(out_);
    out_ = larger;
    out_begin_ = 0;
  } else if (out_begin_ > 0) {
    std::memmove(out_.data, out_.data + out_begin_, waiting);
    out_begin_ = 0;
  }
  std::memcpy(out_.data + waiting, rest.data(), rest.size());
  out_end_ = waiting + rest.size();
  return true;
}

// `rest` may lie in in_ or in the shared read buffer.
bool TcpSession::KeepInput(TcpContext& context, std::span<const uint8_t> rest) {
  if (giving_up_) rest = {};
  in_used_ = rest.size();
  if (rest.empty()) {
    context.pool.Put(in_);
    return true;
  }
  if (rest.size() > in_.capacity) {  // then it lies in the shared buffer
    context.pool.Put(in_);
    in_ = context.pool.Get(rest.size());
    if (in_.data == nullptr) {
      in_used_ = 0;
      return false;
    }
  }
  std::memmove(in_.data, rest.data(), rest.size());
  return true;
}

}  // namespace mz::io
