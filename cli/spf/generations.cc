// See generations.h.
#include "cli/spf/generations.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/fd.h"
#include "base/file.h"

namespace mz::cli {
namespace {

namespace fs = std::filesystem;

// A hard link, or a copy where links are not possible.
Status LinkOrCopy(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  if (errno == EEXIST) return ErrnoStatus(errno, to);
  std::error_code failure;
  fs::copy_file(from, to, failure);
  return failure ? ErrnoStatus(failure.value(), to) : absl::OkStatus();
}

}  // namespace

std::vector<Generation> ListGenerations(const std::string& directory) {
  std::vector<Generation> out;
  std::error_code failure;
  for (fs::directory_iterator it(directory, failure), end; !failure && it != end; it.increment(failure)) {
    const std::string name = it->path().filename().string();
    unsigned long long number = 0;
    int used = 0;
    if (std::sscanf(name.c_str(), "%llu.mzi%n", &number, &used) != 1 || used != static_cast<int>(name.size())) continue;
    struct stat st;
    if (::stat(it->path().c_str(), &st) != 0) continue;
    out.push_back({number, it->path().string(), st.st_mtime, static_cast<uint64_t>(st.st_size)});
  }
  std::sort(out.begin(), out.end(), [](const Generation& a, const Generation& b) { return a.number < b.number; });
  return out;
}

StatusOr<uint64_t> KeepGeneration(const std::string& path, const std::string& directory, uint64_t keep) {
  std::error_code failure;
  fs::create_directories(directory, failure);
  if (failure) return ErrnoStatus(failure.value(), directory);
  std::vector<Generation> all = ListGenerations(directory);
  const uint64_t number = all.empty() ? 1 : all.back().number + 1;
  char name[32];
  std::snprintf(name, sizeof name, "/%06llu.mzi", static_cast<unsigned long long>(number));
  MZ_RETURN_IF_ERROR(LinkOrCopy(path, directory + name));
  for (size_t i = 0; i + keep <= all.size(); i++) ::unlink(all[i].path.c_str());
  return number;
}

Status RollBack(const Generation& generation, const std::string& image) {
  // The marker first: whoever publishes sees it before the old image lies there.
  UniqueFd marker(::open(HoldMarker(image).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!marker.valid()) return ErrnoStatus(errno, HoldMarker(image));
  const std::string temporary = image + ".rollback";
  ::unlink(temporary.c_str());
  MZ_RETURN_IF_ERROR(LinkOrCopy(generation.path, temporary));
  if (::rename(temporary.c_str(), image.c_str()) != 0) return ErrnoStatus(errno, image);
  return absl::OkStatus();
}

std::string HoldMarker(const std::string& image) { return image + ".hold"; }

bool IsHeld(const std::string& image) { return ::access(HoldMarker(image).c_str(), F_OK) == 0; }

Status Resume(const std::string& image) {
  if (::unlink(HoldMarker(image).c_str()) != 0 && errno != ENOENT) return ErrnoStatus(errno, HoldMarker(image));
  return absl::OkStatus();
}

}  // namespace mz::cli
