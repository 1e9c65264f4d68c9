// See load.h. Why a file is copied and not mapped: docs/decisions/0003-image-memory.md.
#include "server/swap/load.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "base/give_way.h"
#include "format/image/layout.h"
#include "format/image/verify.h"

namespace mz::swap {

namespace {

// What a thread takes at a time.
constexpr size_t kPieceBytes = 4u << 20;
// What one call copies. Many kernels cannot be interrupted while they copy or clear: a worker on the same core, whose
// datagrams come in meanwhile, would wait for the end of the call (4 MiB at once: milliseconds).
constexpr size_t kReadBytes = 64u << 10;
constexpr int kMaxCopyThreads = 16;

Status CheckSize(const std::string& name, uint64_t size) {
  if (size < image::kHeaderBytes)
    return MakeStatus(StatusCode::kDataLoss, name + ": not a zone image: " + std::to_string(size) +
                                                 " bytes, an image has at least " +
                                                 std::to_string(image::kHeaderBytes));
  if (size > image::kMaxImageBytes)
    return MakeStatus(StatusCode::kDataLoss, name + ": not a zone image: " + std::to_string(size) +
                                                 " bytes, an image has at most " +
                                                 std::to_string(image::kMaxImageBytes));
  return absl::OkStatus();
}

// Fills `out` from fd at `offset`. A file that ends early was truncated since its size was taken.
Status ReadPiece(int fd, std::span<uint8_t> out, uint64_t offset, const std::string& name) {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd, out.data(), std::min(out.size(), kReadBytes), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, "cannot read " + name);
    }
    if (n == 0)
      return MakeStatus(StatusCode::kDataLoss,
                        name + ": truncated to " + std::to_string(offset) +
                            " bytes while it was read; publish images by rename, never by writing in place");
    out = out.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
    GiveWay();
  }
  return absl::OkStatus();
}

// Before any memory is reserved: is this an image of this size at all? The verifier decides later; this only spares the
// machine a copy of something else.
Status CheckHeader(int fd, uint64_t size, const std::string& name) {
  image::Header header;
  MZ_RETURN_IF_ERROR(
      ReadPiece(fd, {reinterpret_cast<uint8_t*>(&header), sizeof header}, 0, name));
  if (std::memcmp(header.magic, image::kMagic, sizeof header.magic) != 0)
    return MakeStatus(StatusCode::kDataLoss, name + ": not a zone image");
  if (header.file_size != size)
    return MakeStatus(StatusCode::kDataLoss, name + ": " + std::to_string(size) + " bytes, but its header says " +
                                                 std::to_string(uint64_t{header.file_size}) +
                                                 ": truncated or extended");
  return absl::OkStatus();
}

// Copies the pieces from `first` on, several threads each taking the next one; the first error wins.
Status CopyPieces(int fd, std::span<uint8_t> out, size_t first, int threads, const std::string& name) {
  std::atomic<size_t> next{first};
  std::mutex mutex;
  Status result;
  auto copy = [&] {
    for (;;) {
      const size_t begin = next.fetch_add(kPieceBytes, std::memory_order_relaxed);
      if (begin >= out.size()) return;
      Status s = ReadPiece(fd, out.subspan(begin, std::min(kPieceBytes, out.size() - begin)), begin, name);
      if (s.ok()) continue;
      next.store(out.size(), std::memory_order_relaxed);
      std::lock_guard lock(mutex);
      if (result.ok()) result = std::move(s);
      return;
    }
  };
  const size_t pieces = first < out.size() ? (out.size() - first + kPieceBytes - 1) / kPieceBytes : 0;
  threads = std::clamp(threads, 1, kMaxCopyThreads);
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min<size_t>(static_cast<size_t>(threads), pieces); i++) {
    try {
      helpers.emplace_back(copy);
    } catch (const std::system_error&) {
      break;  // no thread to be had: fewer do the same work
    }
  }
  copy();
  for (std::thread& t : helpers) t.join();
  return result;
}

StatusOr<std::unique_ptr<Generation>> VerifyAll(Mapping mapping, const LoadOptions& options, const std::string& name) {
  auto generation = std::make_unique<Generation>();
  generation->bytes = std::move(mapping);
  StatusOr<image::View> view =
      image::Verify(generation->bytes.bytes(), image::VerifyLevel::kEverything, options.verify_threads);
  if (!view.ok()) return Annotate(view.status(), name);
  generation->view = *view;
  return generation;
}

}  // namespace

StatusOr<std::unique_ptr<Generation>> LoadImageFile(const std::string& path, const LoadOptions& options) {
  // O_NONBLOCK: a FIFO in place of the image must not hang the control thread; it changes nothing for a file.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, path);
  struct stat st;
  if (::fstat(fd.get(), &st) != 0) return ErrnoStatus(errno, path);
  if (S_ISDIR(st.st_mode)) return ErrnoStatus(EISDIR, path);
  if (!S_ISREG(st.st_mode)) return MakeStatus(StatusCode::kInvalidArgument, path + ": not a regular file");
  const auto size = static_cast<uint64_t>(st.st_size);
  MZ_RETURN_IF_ERROR(CheckSize(path, size));

  MZ_RETURN_IF_ERROR(CheckHeader(fd.get(), size, path));
  StatusOr<Mapping> copy = options.spare != nullptr ? options.spare->Take(size) : Mapping::Anonymous(size);
  if (!copy.ok()) return Annotate(copy.status(), path);
  const std::span<uint8_t> out(copy->writable(), size);
  // The header page says whether the rest is worth reading: a wrong file is refused at once whatever its size.
  const size_t first = std::min<size_t>(size, kPieceBytes);
  MZ_RETURN_IF_ERROR(ReadPiece(fd.get(), out.first(first), 0, path));
  if (StatusOr<image::View> header = image::Verify(copy->bytes(), image::VerifyLevel::kStructure); !header.ok())
    return Annotate(header.status(), path);
  MZ_RETURN_IF_ERROR(CopyPieces(fd.get(), out, first, options.verify_threads, path));
  uint8_t beyond;
  if (::pread(fd.get(), &beyond, 1, static_cast<off_t>(size)) == 1)
    return MakeStatus(StatusCode::kDataLoss,
                      path + ": grew while it was read; publish images by rename, never by writing in place");
  // A change of the contents meanwhile is found by the checksums, like any other damage.
  MZ_RETURN_IF_ERROR(copy->Seal());
  StatusOr<std::unique_ptr<Generation>> generation = VerifyAll(std::move(*copy), options, path);
  if (generation.ok()) {
    (*generation)->spare = options.spare;
    // Often most of an image, and nothing that a server reads: whoever wants it opens the file.
    for (const image::SectionId id : {image::kMeta, image::kProvenance}) {
      const image::SectionEntry& section = (*generation)->view.header().sections[id];
      (*generation)->bytes.Forget(section.offset, section.size);
    }
  }
  return generation;
}

StatusOr<std::unique_ptr<Generation>> LoadSealedMemfd(UniqueFd fd, const LoadOptions& options) {
  const std::string name = "image from the compiler";
  // F_SEAL_FUTURE_WRITE would leave existing writable mappings alive and does not count.
  constexpr int kNeeded = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0)
    return MakeStatus(StatusCode::kInvalidArgument, name + ": not a memfd that can be sealed");
  if ((seals & kNeeded) != kNeeded)
    return MakeStatus(StatusCode::kInvalidArgument,
                      name + ": the memfd must be sealed against shrinking, growing and writing");
  struct stat st;
  if (::fstat(fd.get(), &st) != 0) return ErrnoStatus(errno, name);
  const auto size = static_cast<uint64_t>(st.st_size);
  MZ_RETURN_IF_ERROR(CheckSize(name, size));
  MZ_ASSIGN_OR_RETURN(Mapping mapping, Mapping::MapFd(fd.get(), size, name));
  // All page tables now, so that no query pays for a fault. Older kernels (before 5.14) refuse: the verifier then
  // touches every page anyway.
  ::madvise(const_cast<uint8_t*>(mapping.bytes().data()), size, MADV_POPULATE_READ);
  return VerifyAll(std::move(mapping), options, name);
}

}  // namespace mz::swap
