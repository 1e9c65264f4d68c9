// See image_writer.h.
#include "compiler/build/image_writer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "base/file.h"
#include "compiler/build/image_builder.h"
#include "format/image/verify.h"

namespace mz::compiler {

namespace {

constexpr size_t kWriteBytes = 4u << 20;
constexpr size_t kHugePageBytes = 2u << 20;

// Hands out the octets of an image front to back: header, sections, zero padding between and behind them.
template <typename Put>
void ForEachPiece(const BuiltImage& image, Put put) {
  static constexpr uint8_t kZeros[image::kSectionAlignment] = {};
  put(std::span<const uint8_t>(reinterpret_cast<const uint8_t*>(&image.header), sizeof image.header));
  for (const Bytes& section : image.sections) {
    if (!section.empty()) put(std::span<const uint8_t>(section));
    const size_t tail = section.size() % image::kSectionAlignment;
    if (tail != 0) put(std::span<const uint8_t>(kZeros, image::kSectionAlignment - tail));
  }
}

// Writes all pieces with one call, or several after a short write. Takes what is written out of the pieces.
Status WriteVector(int fd, const std::string& name, std::vector<struct iovec>* pieces) {
  for (size_t first = 0; first < pieces->size();) {
    struct iovec* from = pieces->data() + first;
    const ssize_t n = ::writev(fd, from, static_cast<int>(pieces->size() - first));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrnoStatus(n < 0 ? errno : ENOSPC, "cannot write " + name);
    size_t left = static_cast<size_t>(n);
    for (; first < pieces->size() && left >= (*pieces)[first].iov_len; first++) left -= (*pieces)[first].iov_len;
    if (first < pieces->size()) {
      (*pieces)[first].iov_base = static_cast<uint8_t*>((*pieces)[first].iov_base) + left;
      (*pieces)[first].iov_len -= left;
    }
  }
  pieces->clear();
  return absl::OkStatus();
}

// Writes in calls of 4 MiB at multiples of 4 MiB: the page cache then uses large folios, which are mapped with huge
// pages. `begin_writeback`: the disk starts at once, while the image is verified; failing changes nothing but speed.
Status WriteTo(int fd, const std::string& name, const BuiltImage& image, bool begin_writeback) {
  std::vector<struct iovec> pieces;
  size_t gathered = 0;
  off_t written = 0;
  Status status;
  auto flush = [&] {
    status = WriteVector(fd, name, &pieces);
    if (begin_writeback) (void)::sync_file_range(fd, written, static_cast<off_t>(gathered), SYNC_FILE_RANGE_WRITE);
    written += static_cast<off_t>(gathered);
    gathered = 0;
  };
  ForEachPiece(image, [&](std::span<const uint8_t> piece) {
    while (!piece.empty() && status.ok()) {
      const size_t n = std::min(piece.size(), kWriteBytes - gathered);
      pieces.push_back({const_cast<uint8_t*>(piece.data()), n});
      gathered += n;
      piece = piece.subspan(n);
      if (gathered == kWriteBytes) flush();
    }
  });
  if (status.ok() && gathered != 0) flush();
  return status;
}

// Where shared memory gets huge pages only on request (shmem_enabled = advise), asks for them before the first write.
// Elsewhere the kernel decides by itself. Failing changes nothing but speed.
void AskForHugePages(int fd, size_t size) {
  if (size < kHugePageBytes) return;
  StatusOr<std::string> setting = ReadFile("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
  if (!setting.ok() || setting->find("[advise]") == std::string::npos) return;
  void* p = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (p == MAP_FAILED) return;
#ifdef MADV_POPULATE_WRITE
  if (::madvise(p, size, MADV_HUGEPAGE) == 0) (void)::madvise(p, size, MADV_POPULATE_WRITE);
#endif
  ::munmap(p, size);
}

}  // namespace

StatusOr<BuildResult> WriteImage(const ImageModel& model, const WriteOptions& options, std::vector<uint8_t>* out) {
  out->clear();
  BuiltImage image;
  MZ_ASSIGN_OR_RETURN(BuildResult result, BuildImage(model, options, &image));
  out->reserve(image.header.file_size);
  ForEachPiece(image, [&](std::span<const uint8_t> piece) { out->insert(out->end(), piece.begin(), piece.end()); });
  return result;
}

// Whoever reads the keys of a healthcheck zone can make IDs: such an image is for its owner and the group of the daemon.
constexpr uint32_t kPublicMode = 0644, kSecretMode = 0640;

static bool HasKeys(const ImageModel& model) {
  return std::any_of(model.datasets.begin(), model.datasets.end(), [](const std::unique_ptr<DatasetModel>& d) {
    return d != nullptr && d->kind == image::kHealthcheck;
  });
}

StatusOr<BuildResult> WriteImageFile(const ImageModel& model, const std::string& path, const WriteOptions& options) {
  // Opened before the work is done: a directory without permission is told at once.
  AtomicFile out(path, HasKeys(model) ? kSecretMode : kPublicMode);
  MZ_RETURN_IF_ERROR(out.Open());
  BuiltImage image;
  MZ_ASSIGN_OR_RETURN(BuildResult result, BuildImage(model, options, &image));
  if (options.unless_identity == result.identity) {
    result.unchanged = true;
    return result;
  }
  MZ_RETURN_IF_ERROR(WriteTo(out.fd(), path, image, /*begin_writeback=*/true));
  {
    MZ_ASSIGN_OR_RETURN(Mapping written, Mapping::MapFd(out.fd(), result.file_bytes, path));
    StatusOr<image::View> view = image::Verify(written.bytes(), image::VerifyLevel::kEverything, options.threads);
    if (!view.ok())
      return MakeStatus(StatusCode::kInternal,
                        path + " was not replaced, because the image just written does not verify: " +
                            std::string(Message(view.status())));
  }
  MZ_RETURN_IF_ERROR(out.Commit());
  return result;
}

StatusOr<UniqueFd> WriteImageMemfd(const ImageModel& model, const WriteOptions& options, BuildResult* result) {
  BuiltImage image;
  MZ_ASSIGN_OR_RETURN(*result, BuildImage(model, options, &image));
  UniqueFd fd(::memfd_create("zone-image", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot get memory for the image (memfd_create)");
  if (::ftruncate(fd.get(), static_cast<off_t>(result->file_bytes)) != 0)
    return ErrnoStatus(errno, "cannot get " + std::to_string(result->file_bytes) + " bytes of memory for the image");
  AskForHugePages(fd.get(), result->file_bytes);
  MZ_RETURN_IF_ERROR(WriteTo(fd.get(), "the image to memory", image, /*begin_writeback=*/false));
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return ErrnoStatus(errno, "cannot seal the memory of the image");
  return fd;
}

}  // namespace mz::compiler
