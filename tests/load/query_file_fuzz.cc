// Any bytes as a query file: names that come out are names, and places of mistakes lie inside the line that
// is shown.
#include <cstdlib>

#include "load/query_file.h"

namespace {
struct Checking : mz::dataset::DiagnosticSink {
  void Report(mz::dataset::Diagnostic d) override {
    if (d.line == 0 || d.column == 0 || d.source_line.size() > 200 ||
        d.source_column > d.source_line.size() + 1)
      std::abort();
  }
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Checking sink;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const mz::load::Question& q : mz::load::ParseQueryFile(text, "q", sink)) {
    if (q.name.size() > 254) std::abort();
    for (size_t at = 0; at < q.name.size(); at += 1u + static_cast<uint8_t>(q.name[at]))
      if (static_cast<uint8_t>(q.name[at]) == 0 || static_cast<uint8_t>(q.name[at]) > 63) std::abort();
  }
  return 0;
}
