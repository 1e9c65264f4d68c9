// Delivers a data file as blocks of whole lines: plain or gzip (told by its magic), read once, in large pieces.
//
//   TextSource source;
//   SourceError error = source.Open(path, /*refuse_gzip=*/false);
//   TextBlock block;
//   while (source.Next(&block)) Parse(block.text());
//   if (!source.Finish(&error)) ... error.message
//
// rbldnsd reads through a buffer of 64 KiB; a line whose LF does not fall into the buffer is cut there and its rest is
// dropped (the cut part is used). Where a line is cut depends on all lines before it. Next() reproduces the position, so
// that a block holds the lines as rbldnsd sees them, with every cut line marked.
//
// Files are read(2), never mapped: a file that shrinks meanwhile must not kill the process. One thread per object; blocks
// may be handed to other threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace mz::dataset {

// What a file was when it was opened.
struct FileIdentity {
  int64_t mtime_seconds = 0;
  int64_t mtime_nanoseconds = 0;
  uint64_t size = 0;
  uint64_t inode = 0;
};

struct SourceError {
  std::string message;  // rbldnsd's words; "" = no error
  std::string hint;
  int error_number = 0;  // errno, or 0
  bool ok() const { return message.empty(); }
};

// Whole lines, each ended by LF, and one NUL octet behind the last.
class TextBlock {
 public:
  std::string_view text() const { return {data_.get(), size_}; }
  const char* begin() const { return data_.get(); }
  const char* end() const { return data_.get() + size_; }

  // Offsets of lines that were cut (or lack their LF), ascending.
  std::vector<uint32_t> cut_lines;
  bool has_nul = false;           // some octet of the text is NUL
  bool last_incomplete = false;   // the file ends without LF

 private:
  friend class TextSource;
  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

class TextSource {
 public:
  static constexpr size_t kBlockBytes = 1u << 20;

  TextSource();
  ~TextSource();
  TextSource(const TextSource&) = delete;
  TextSource& operator=(const TextSource&) = delete;

  SourceError Open(const std::string& path, bool refuse_gzip);
  // Text in memory instead of a file (tests, fuzzing). The text must outlive the source.
  void OpenString(std::string_view text);

  // The next block; false at the end of the text or after an error. Storage of `block` is reused.
  bool Next(TextBlock* block);
  // After the last block: reports read errors, and whether the file changed while it was read.
  SourceError Finish();

  const FileIdentity& identity() const { return identity_; }
  uint64_t bytes_read() const { return raw_read_; }  // of the file, compressed octets for gzip

 private:
  struct Gzip;
  // Up to `size` octets of text; 0 at the end or on error.
  size_t ReadText(char* out, size_t size);
  size_t ReadRaw(char* out, size_t size);
  size_t Inflate(char* out, size_t size);
  void CutLongLines(TextBlock* block, size_t fresh);

  UniqueFd fd_;
  std::string_view memory_;
  bool from_memory_ = false;
  FileIdentity identity_;
  SourceError error_;
  std::unique_ptr<Gzip> gzip_;
  std::string head_;           // octets read while looking for the magic
  size_t head_used_ = 0;
  uint64_t raw_read_ = 0;
  bool eof_ = false;
  bool finished_ = false;

  std::string carry_;          // the begun line at the end of the last block
  uint64_t text_read_ = 0;     // octets of text so far
  uint64_t edge_ = 0;          // where rbldnsd's buffer ends, as an offset into the text
  bool dropping_ = false;      // inside the dropped rest of a cut line
};

}  // namespace mz::dataset
