// Opens an image repeatedly and prints, as JSON, the median times of: map + structure check (what a reader pays before it
// may look at the header), full verification with 1 and 2 threads, and a plain pass over the same bytes as the floor.
// Usage: image_open IMAGE [REPETITIONS]
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/file.h"
#include "format/image/verify.h"
#include "xxhash.h"

namespace {

template <typename Function>
double MedianMs(int repetitions, Function f) {
  std::vector<double> ms;
  for (int i = 0; i < repetitions; i++) {
    auto start = std::chrono::steady_clock::now();
    f();
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(ms.begin(), ms.end());
  return ms[ms.size() / 2];
}

mz::Mapping Map(const char* path) {
  auto fd = mz::OpenForRead(path);
  struct stat st;
  if (!fd.ok() || ::fstat(fd->get(), &st) != 0) std::exit(3);
  auto mapping = mz::Mapping::MapFd(fd->get(), static_cast<size_t>(st.st_size), path);
  if (!mapping.ok()) std::exit(3);
  return std::move(*mapping);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  int repetitions = argc > 2 ? std::atoi(argv[2]) : 5;
  using mz::image::Verify;
  using mz::image::VerifyLevel;
  auto check = [](const auto& result) {
    if (!result.ok()) {
      std::fprintf(stderr, "%s\n", std::string(mz::Message(result.status())).c_str());
      std::exit(1);
    }
  };
  size_t size = Map(argv[1]).bytes().size();
  double open = MedianMs(repetitions, [&] {
    mz::Mapping m = Map(argv[1]);
    check(Verify(m.bytes(), VerifyLevel::kStructure));
  });
  mz::Mapping m = Map(argv[1]);
  double one = MedianMs(repetitions, [&] { check(Verify(m.bytes(), VerifyLevel::kEverything, 1)); });
  double two = MedianMs(repetitions, [&] { check(Verify(m.bytes(), VerifyLevel::kEverything, 2)); });
  volatile uint64_t sink = 0;
  double floor = MedianMs(repetitions, [&] { sink = XXH3_64bits(m.bytes().data(), size); });
  std::printf("{\"rows\":{\"image\":{\"bytes\":%zu},\"map + structure\":{\"ms\":%.3f},\"everything, 1 thread\":{\"ms\":%.2f},"
              "\"everything, 2 threads\":{\"ms\":%.2f},\"XXH3 over the bytes\":{\"ms\":%.2f}},"
              "\"ratios\":{\"everything (2 threads) / XXH3\":%.3f}}\n",
              size, open, one, two, floor, two / floor);
  return 0;
}
