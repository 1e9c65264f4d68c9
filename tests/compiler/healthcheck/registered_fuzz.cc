// Lists of registered IDs: any text gives a sorted table or findings with places in it.
#include <algorithm>
#include <cstdlib>

#include "compiler/healthcheck/registered.h"
#include "format/healthcheck/outcome.h"

namespace {

class CheckingSink : public mz::dataset::DiagnosticSink {
 public:
  void Report(mz::dataset::Diagnostic d) override {
    if (d.message.empty() || d.source_line.size() > 200) std::abort();
    if (d.column != 0 && (d.line == 0 || d.length == 0 || d.source_column == 0)) std::abort();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  CheckingSink sink;
  const auto ids = mz::compiler::ParseRegistered("ids.txt", {reinterpret_cast<const char*>(data), size}, &sink);
  if (!ids.ok()) return 0;
  for (size_t i = 0; i < ids->size(); i++) {
    if (i > 0 && (*ids)[i - 1].id >= (*ids)[i].id) std::abort();
    if (!mz::healthcheck::KnownSettings((*ids)[i].settings)) std::abort();
  }
  return 0;
}
