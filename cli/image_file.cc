// See image_file.h.
#include "cli/image_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <thread>

#include "format/image/verify.h"

namespace mz::cli {

StatusOr<ImageFile> OpenImageFile(const std::string& path) {
  MZ_ASSIGN_OR_RETURN(UniqueFd fd, OpenForRead(path));
  struct stat st;
  if (::fstat(fd.get(), &st) != 0) return ErrnoStatus(errno, path);
  if (!S_ISREG(st.st_mode)) return MakeStatus(StatusCode::kDataLoss, path + ": not a regular file");
  if (st.st_size == 0) return MakeStatus(StatusCode::kDataLoss, path + ": empty, not a zone image");
  ImageFile out;
  MZ_ASSIGN_OR_RETURN(out.bytes, Mapping::MapFd(fd.get(), static_cast<size_t>(st.st_size), path));
  int threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 16u));
  StatusOr<image::View> view = image::Verify(out.bytes.bytes(), image::VerifyLevel::kEverything, threads);
  if (!view.ok()) return Annotate(view.status(), path);
  out.view = *view;
  return out;
}

bool LooksLikeImage(const std::string& path) {
  StatusOr<UniqueFd> fd = OpenForRead(path);
  if (!fd.ok()) return false;
  uint8_t begin[sizeof image::kMagic];
  return ::pread(fd->get(), begin, sizeof begin, 0) == static_cast<ssize_t>(sizeof begin) &&
         std::memcmp(begin, image::kMagic, sizeof begin) == 0;
}

std::string Count(uint64_t n, std::string_view noun) {
  std::string text = std::to_string(n) + " " + std::string(noun);
  if (n == 1) return text;
  if (text.ends_with("y")) {
    text.pop_back();
    return text + "ies";
  }
  return text + (text.ends_with("x") ? "es" : "s");
}

std::string SizeText(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    unit++;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string SecondsText(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", seconds);
  return text;
}

}  // namespace mz::cli
