// Files: whole-file reads, read-only mappings, and replacement by rename only.
//
//   AtomicFile out("zone.mzi");
//   MZ_RETURN_IF_ERROR(out.Open());
//   MZ_RETURN_IF_ERROR(out.Write(bytes));
//   MZ_RETURN_IF_ERROR(out.Commit());        // fsync, rename, fsync of the directory; without Commit nothing is left
//
// Errors: NotFound, PermissionDenied, ResourceExhausted (disk full), DataLoss (short read), Internal. All are returned
// with the path in the message. Not thread-safe per object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/status.h"

namespace mz {

StatusOr<UniqueFd> OpenForRead(const std::string& path);

// Reads from fd until end of file (any kind of fd). Requires: fd is readable and blocking.
StatusOr<std::string> ReadAll(int fd, const std::string& name_for_errors);
StatusOr<std::string> ReadFile(const std::string& path);

// write(2) until all is written, in pieces of at most 4 MiB: large writes give the page cache large folios, which the
// kernel then maps with huge pages (random reads 35-60 % faster, unmap a hundred times cheaper; measured).
Status WriteAll(int fd, std::span<const uint8_t> bytes, const std::string& name_for_errors);

// A new file that replaces `path` in one step, at Commit(). Until then its data has no name at all (O_TMPFILE), so that a
// process that is killed leaves nothing; only between linking and renaming there is "PATH.tmp", which the next Commit()
// removes when its maker is gone. Where the file system knows no O_TMPFILE, or /proc is missing, "PATH.tmp" is written
// under a lock, and removed when its maker is dead: at most that one file is ever left behind. Two processes that replace
// the same path do not disturb each other; the later Commit() wins. Unavailable: another process is writing PATH.tmp.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path, uint32_t mode = 0644) : path_(std::move(path)), mode_(mode) {}
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  Status Open();
  Status Write(std::span<const uint8_t> bytes);
  int fd() const { return fd_.get(); }
  const std::string& temporary_path() const { return temporary_; }
  // After an error the old file is untouched, except when only the directory could not be synced: the message tells.
  Status Commit();
  // For tests: as on a file system without O_TMPFILE.
  void ForbidAnonymous() { anonymous_allowed_ = false; }

 private:
  Status OpenNamed();
  Status Link();
  Status RemoveStale();

  std::string path_;
  uint32_t mode_;
  std::string temporary_;
  UniqueFd directory_;
  UniqueFd fd_;
  bool anonymous_allowed_ = true;
  bool anonymous_ = false;
  bool named_ = false;  // `temporary_` exists and is ours
};

// A read-only private mapping. Owns it; the bytes are valid until destruction.
class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();
  // Maps `size` bytes of fd from offset 0. The fd may be closed afterwards.
  static StatusOr<Mapping> MapFd(int fd, size_t size, const std::string& name_for_errors);
  // Anonymous zeroed memory with huge pages where the kernel gives them; writable until Seal(). `room`: bytes that Reuse() can
  // make it larger by; addresses only, until then.
  static StatusOr<Mapping> Anonymous(size_t size, size_t room = 0);

  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  uint8_t* writable() { return data_; }
  Status Seal();  // mprotect(PROT_READ)
  // Gives the whole pages inside [offset, offset + size) back to the kernel: they read as zeros from then on. Of
  // Anonymous() only.
  void Forget(size_t offset, size_t size);
  // The contents are not needed any more: the kernel takes the memory when it is short of it, and not before. Of Anonymous()
  // only; followed by Reuse() or destruction.
  void Lend();
  // Writable again, `size` bytes of any contents. False, and nothing is changed: they do not fit, or are far fewer than before.
  bool Reuse(size_t size);

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;  // of addresses, at least size_
};

}  // namespace mz
