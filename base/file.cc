// See file.h.
#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/give_way.h"

namespace mz {

namespace {
constexpr size_t kWriteChunk = 4u << 20;
constexpr size_t kHugePage = 2u << 20;

// In pieces: one call for a gigabyte takes a dozen milliseconds, in which many kernels give the core to nobody else, and page
// faults of the other threads wait. The pieces end where huge pages do, so that none has to be split.
void Unmap(uint8_t* data, size_t size) {
  while (size > 0) {
    const size_t to_boundary = kHugePage - reinterpret_cast<uintptr_t>(data) % kHugePage;
    const size_t bytes = std::min(size, to_boundary);
    ::munmap(data, bytes);
    data += bytes;
    size -= bytes;
    GiveWay();
  }
}
}  // namespace

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: internal error: %s does not hold\n", file, line, condition);
  std::abort();
}

Status ErrnoStatus(int error_number, std::string_view thing) {
  StatusCode code = StatusCode::kInternal;
  switch (error_number) {
    case ENOENT: case ENOTDIR: code = StatusCode::kNotFound; break;
    case EACCES: case EPERM: case EROFS: code = StatusCode::kPermissionDenied; break;
    case ENOSPC: case EDQUOT: case ENOMEM: case EMFILE: case ENFILE: case EFBIG:
      code = StatusCode::kResourceExhausted; break;
    case EADDRINUSE: case EADDRNOTAVAIL: code = StatusCode::kFailedPrecondition; break;
    case EAGAIN: case EINTR: case ETIMEDOUT: case ECONNREFUSED: code = StatusCode::kUnavailable; break;
    case EIO: code = StatusCode::kDataLoss; break;
    case EISDIR: code = StatusCode::kInvalidArgument; break;
    default: break;
  }
  return MakeStatus(code, std::string(thing) + ": " + std::strerror(error_number));
}

StatusOr<UniqueFd> OpenForRead(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, path);
  return fd;
}

StatusOr<std::string> ReadAll(int fd, const std::string& name) {
  std::string out;
  struct stat st;
  size_t size = 0;
  if (::fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) size = static_cast<size_t>(st.st_size);
  out.resize(std::max<size_t>(size + 1, 65536));
  size_t used = 0;
  for (;;) {
    if (used == out.size()) out.resize(out.size() * 2);
    ssize_t n = ::read(fd, out.data() + used, out.size() - used);
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, name);
    }
    if (n == 0) break;
    used += static_cast<size_t>(n);
  }
  out.resize(used);
  return out;
}

StatusOr<std::string> ReadFile(const std::string& path) {
  MZ_ASSIGN_OR_RETURN(UniqueFd fd, OpenForRead(path));
  return ReadAll(fd.get(), path);
}

Status WriteAll(int fd, std::span<const uint8_t> bytes, const std::string& name) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), std::min(bytes.size(), kWriteChunk));
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, "cannot write " + name);
    }
    if (n == 0) return ErrnoStatus(ENOSPC, "cannot write " + name);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    Unmap(data_, capacity_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

Mapping::~Mapping() { Unmap(data_, capacity_); }

StatusOr<Mapping> Mapping::MapFd(int fd, size_t size, const std::string& name) {
  Mapping m;
  if (size == 0) return m;
  // MAP_PRIVATE shows the same pages as MAP_SHARED to a reader, and is the only one that kernels before 6.7 allow for a
  // write-sealed memfd that is open for writing.
  void* p = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) return ErrnoStatus(errno, "cannot map " + name);
  m.data_ = static_cast<uint8_t*>(p);
  m.size_ = m.capacity_ = size;
  return m;
}

StatusOr<Mapping> Mapping::Anonymous(size_t size, size_t room) {
  Mapping m;
  if (size == 0) return m;
  size_t capacity = size + room;
  // Recent kernels begin only those mappings at a huge page that end at one.
  if (size >= kHugePage) capacity = (capacity + kHugePage - 1) / kHugePage * kHugePage;
  void* p = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return ErrnoStatus(errno, "cannot get " + std::to_string(capacity) + " bytes of memory");
  if (size >= kHugePage) ::madvise(p, size, MADV_HUGEPAGE);
  m.data_ = static_cast<uint8_t*>(p);
  m.size_ = size;
  m.capacity_ = capacity;
  return m;
}

void Mapping::Lend() {
  for (size_t offset = 0; offset < size_;) {
    // Up to the next huge page, so that none has to be split.
    const size_t to_boundary = kHugePage - reinterpret_cast<uintptr_t>(data_ + offset) % kHugePage;
    const size_t bytes = std::min(size_ - offset, to_boundary);
    ::madvise(data_ + offset, bytes, MADV_FREE);  // where the kernel refuses, the memory stays taken
    offset += bytes;
    GiveWay();
  }
}

bool Mapping::Reuse(size_t size) {
  if (size > capacity_ || size < size_ / 2) return false;
  if (::mprotect(data_, std::max(size, size_), PROT_READ | PROT_WRITE) != 0) return false;
  if (size < size_) Forget(size, size_ - size);
  if (size >= kHugePage) ::madvise(data_, size, MADV_HUGEPAGE);
  size_ = size;
  return true;
}

void Mapping::Forget(size_t offset, size_t size) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t first = (offset + page - 1) / page * page, end = (offset + size) / page * page;
  // Where the kernel refuses, the memory stays as it was.
  if (first < end) ::madvise(data_ + first, end - first, MADV_DONTNEED);
}

Status Mapping::Seal() {
  if (data_ && ::mprotect(data_, size_, PROT_READ) != 0) return ErrnoStatus(errno, "mprotect");
  return absl::OkStatus();
}

}  // namespace mz
