// See source_lines.h.
#include "cli/explain/source_lines.h"

#include <cstring>

#include "format/dataset/text_source.h"

namespace mz::cli {

SourceText ReadLines(const compiler::SourceFile& file, const std::set<uint32_t>& wanted) {
  SourceText out;
  dataset::TextSource source;
  if (dataset::SourceError error = source.Open(file.path, /*refuse_gzip=*/false); !error.ok()) {
    out.missing = "the file cannot be read from here";
    return out;
  }
  const dataset::FileIdentity& now = source.identity();
  if (now.size != file.size || now.inode != file.inode || now.mtime_seconds != file.mtime_seconds ||
      now.mtime_nanoseconds != file.mtime_nanoseconds) {
    out.missing = "the file has changed since it was compiled";
    return out;
  }
  uint32_t number = 0;
  auto next = wanted.begin();
  dataset::TextBlock block;
  while (next != wanted.end() && source.Next(&block)) {
    const char* at = block.begin();
    while (at < block.end() && next != wanted.end()) {
      const char* end = static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(block.end() - at)));
      if (end == nullptr) end = block.end();
      if (++number == *next) {
        out.lines[number] = std::string(at, end);
        ++next;
      }
      at = end + 1;
    }
  }
  return out;
}

}  // namespace mz::cli
