// See text_source.h.
#include "format/dataset/text_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mz::dataset {
namespace {

// rbldnsd's reader: 64 KiB, refilled by half when less than a half is left unread.
constexpr uint64_t kBufferBytes = 65536;
constexpr uint64_t kHalfBuffer = kBufferBytes / 2;

FileIdentity IdentityOf(const struct stat& st) {
  return {st.st_mtim.tv_sec, st.st_mtim.tv_nsec, static_cast<uint64_t>(st.st_size),
          static_cast<uint64_t>(st.st_ino)};
}

SourceError ReadError(int error_number) {
  SourceError error;
  error.message = std::string("error reading file: ") + std::strerror(error_number);
  error.error_number = error_number;
  return error;
}

}  // namespace

struct TextSource::Gzip {
  z_stream stream{};
  std::unique_ptr<char[]> input = std::make_unique<char[]>(kInput);
  bool in_member = true;
  bool done = false;  // behind the last member
  static constexpr size_t kInput = 256u << 10;
  ~Gzip() { inflateEnd(&stream); }
};

TextSource::TextSource() = default;
TextSource::~TextSource() = default;

SourceError TextSource::Open(const std::string& path, bool refuse_gzip) {
  fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st;
  if (!fd_.valid() || ::fstat(fd_.get(), &st) != 0) {
    error_.message = std::string("unable to open file: ") + std::strerror(errno);
    error_.error_number = errno;
    if (errno == EACCES) error_.hint = "the user of the compiling process may not read it: check owner and mode";
    return error_;
  }
  identity_ = IdentityOf(st);
  ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);

  char magic[2];
  size_t n = ReadRaw(magic, sizeof magic);
  head_.assign(magic, n);
  if (n == 2 && static_cast<uint8_t>(magic[0]) == 0x1f && static_cast<uint8_t>(magic[1]) == 0x8b) {
    if (refuse_gzip) {
      error_.message = "file is compressed, decompression disabled";
      error_.hint = "decompress the file, or allow gzip input";
      return error_;
    }
    gzip_ = std::make_unique<Gzip>();
    if (inflateInit2(&gzip_->stream, 16 + MAX_WBITS) != Z_OK) error_ = ReadError(ENOMEM);
  }
  return error_;
}

void TextSource::OpenString(std::string_view text) {
  memory_ = text;
  from_memory_ = true;
}

size_t TextSource::ReadRaw(char* out, size_t size) {
  if (head_used_ < head_.size()) {
    size_t n = std::min(size, head_.size() - head_used_);
    std::memcpy(out, head_.data() + head_used_, n);
    head_used_ += n;
    return n;
  }
  if (from_memory_) {
    size_t n = std::min(size, memory_.size());
    std::memcpy(out, memory_.data(), n);
    memory_.remove_prefix(n);
    return n;
  }
  for (;;) {
    ssize_t n = ::read(fd_.get(), out, size);
    if (n >= 0) {
      raw_read_ += static_cast<uint64_t>(n);
      return static_cast<size_t>(n);
    }
    if (errno == EINTR) continue;
    error_ = ReadError(errno);
    return 0;
  }
}

// All members of the file, as gzip(1) does; rbldnsd stops behind the first one.
size_t TextSource::Inflate(char* out, size_t size) {
  z_stream& z = gzip_->stream;
  z.next_out = reinterpret_cast<Bytef*>(out);
  z.avail_out = static_cast<uInt>(size);
  while (z.avail_out > 0 && !gzip_->done) {
    if (z.avail_in == 0) {
      size_t n = ReadRaw(gzip_->input.get(), Gzip::kInput);
      z.next_in = reinterpret_cast<Bytef*>(gzip_->input.get());
      z.avail_in = static_cast<uInt>(n);
      if (n == 0) {
        if (gzip_->in_member && error_.ok()) {
          error_ = ReadError(EPROTO);
          error_.hint = "the gzip data ends too early: the file is truncated";
        }
        break;
      }
    }
    if (!gzip_->in_member) {
      // Padding behind the last member is ignored; anything that looks like a further member must be one.
      if (*z.next_in != 0x1f || inflateReset(&z) != Z_OK) {
        gzip_->done = true;
        break;
      }
      gzip_->in_member = true;
    }
    int r = inflate(&z, Z_NO_FLUSH);
    if (r == Z_STREAM_END) {
      gzip_->in_member = false;
    } else if (r != Z_OK && r != Z_BUF_ERROR) {
      error_ = ReadError(r == Z_MEM_ERROR ? ENOMEM : EPROTO);
      error_.hint = "the gzip data is damaged";
      break;
    }
  }
  return size - z.avail_out;
}

size_t TextSource::ReadText(char* out, size_t size) {
  size_t total = 0;
  while (total < size && error_.ok()) {
    size_t n = gzip_ ? Inflate(out + total, size - total) : ReadRaw(out + total, size - total);
    if (n == 0) {
      eof_ = true;
      break;
    }
    total += n;
  }
  return total;
}

// `fresh` octets at the end of the block have just been read. Walks rbldnsd's buffer edges that fall among them, and
// takes out what it would drop.
void TextSource::CutLongLines(TextBlock* block, size_t fresh) {
  char* data = block->data_.get();
  size_t from = block->size_ - fresh;             // first fresh octet, as an index
  uint64_t base = text_read_ - fresh;             // its offset in the text
  if (edge_ == 0) edge_ = kBufferBytes;

  // In the dropped rest of a line: everything up to its LF goes.
  auto drop_rest = [&](size_t at) {
    void* lf = std::memchr(data + at, '\n', block->size_ - at);
    size_t gone = lf ? static_cast<size_t>(static_cast<char*>(lf) - data) + 1 - at : block->size_ - at;
    std::memmove(data + at, data + at + gone, block->size_ - at - gone);
    block->size_ -= gone;
    dropping_ = lf == nullptr;
    return gone;
  };
  if (dropping_) {
    size_t gone = drop_rest(from);
    // While dropping, every edge is met with a full buffer of dropped octets.
    while (edge_ < base + gone || (dropping_ && edge_ <= base + gone)) edge_ += kBufferBytes;
    base += gone;  // octets before `from` stay; data[from] is text offset `base` now
  }
  while (edge_ <= text_read_ && !dropping_) {
    size_t at = from + static_cast<size_t>(edge_ - base);  // index of the first octet behind the edge
    if (at == 0) break;
    const char* before = static_cast<const char*>(::memrchr(data, '\n', at));
    size_t line = before ? static_cast<size_t>(before - data) + 1 : 0;
    uint64_t unread = at - line;
    if (unread == 0) {
      edge_ += kBufferBytes;
    } else if (unread < kHalfBuffer) {
      edge_ += kHalfBuffer;
    } else {
      uint64_t cut_at = edge_;
      if (block->cut_lines.empty() || block->cut_lines.back() != line)
        block->cut_lines.push_back(static_cast<uint32_t>(line));
      size_t gone = drop_rest(at);
      // The cut part ends with an LF of its own (there is always room: data_ has spare octets).
      std::memmove(data + at + 1, data + at, block->size_ - at);
      data[at] = '\n';
      ++block->size_;
      edge_ += kBufferBytes;
      while (edge_ < cut_at + gone || (dropping_ && edge_ <= cut_at + gone)) edge_ += kBufferBytes;
      from = at + 1;
      base = cut_at + gone;
      }
  }
}

bool TextSource::Next(TextBlock* block) {
  block->cut_lines.clear();
  block->has_nul = false;
  block->last_incomplete = false;
  block->size_ = 0;
  if (finished_) return false;
  // Room for the carried line (at most one buffer of rbldnsd), fresh octets, LFs of cut lines, and the final LF and NUL.
  size_t need = carry_.size() + kBlockBytes + 64;
  if (block->capacity_ < need) {
    block->capacity_ = kBlockBytes + kBufferBytes + 4096;
    if (block->capacity_ < need) block->capacity_ = need;
    block->data_ = std::unique_ptr<char[]>(new char[block->capacity_]);
  }
  char* data = block->data_.get();
  std::memcpy(data, carry_.data(), carry_.size());
  block->size_ = carry_.size();
  carry_.clear();

  while (!eof_ && error_.ok()) {
    size_t n = ReadText(data + block->size_, kBlockBytes);
    block->size_ += n;
    text_read_ += n;
    CutLongLines(block, n);
    if (block->size_ > 0 && ::memrchr(data, '\n', block->size_) != nullptr) break;
    if (block->size_ + kBlockBytes + 64 > block->capacity_) break;  // not met: lines end within 64 KiB
  }
  if (!error_.ok()) {
    finished_ = true;
    return false;
  }
  if (eof_) {
    finished_ = true;
    if (block->size_ > 0 && data[block->size_ - 1] != '\n') {
      const char* before = static_cast<const char*>(::memrchr(data, '\n', block->size_));
      block->cut_lines.push_back(before ? static_cast<uint32_t>(before - data) + 1 : 0);
      block->last_incomplete = true;
      data[block->size_++] = '\n';
    } else if (dropping_) {
      block->last_incomplete = true;
    }
  } else {
    const char* last = static_cast<const char*>(::memrchr(data, '\n', block->size_));
    size_t keep = last ? static_cast<size_t>(last - data) + 1 : 0;
    carry_.assign(data + keep, block->size_ - keep);
    block->size_ = keep;
  }
  data[block->size_] = '\0';
  block->has_nul = std::memchr(data, '\0', block->size_) != nullptr;
  return block->size_ > 0 || block->last_incomplete;
}

SourceError TextSource::Finish() {
  if (!error_.ok() || from_memory_) return error_;
  struct stat st;
  if (::fstat(fd_.get(), &st) != 0) return ReadError(errno);
  FileIdentity now = IdentityOf(st);
  if (now.size != identity_.size || now.mtime_seconds != identity_.mtime_seconds ||
      now.mtime_nanoseconds != identity_.mtime_nanoseconds) {
    error_.message = "file changed while we where reading it, data load aborted";
    error_.hint = "do not write data files directly, use temp file and rename(2) instead";
  }
  return error_;
}

}  // namespace mz::dataset
