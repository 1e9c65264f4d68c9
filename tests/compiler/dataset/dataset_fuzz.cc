// Dataset text of any kind: the first octet selects the kind and options, the rest is the file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "compiler/dataset/compile.h"

namespace {

class CountingSink : public mz::dataset::DiagnosticSink {
 public:
  void Report(mz::dataset::Diagnostic d) override {
    if (d.message.empty() || (d.column != 0 && (d.length == 0 || d.source_column == 0))) std::abort();
    if (d.source_line.size() > 200 || d.source_column > d.source_line.size() + 1) std::abort();
  }
};

template <typename Interval>
void CheckMap(const mz::BigVector<Interval>& map, const mz::compiler::Pool& pool) {
  for (size_t i = 0; i < map.size(); ++i) {
    if (map[i].result > pool.result_count()) std::abort();
    if (i == 0 ? map[i].start != decltype(map[i].start){} : !(map[i - 1].start < map[i].start)) std::abort();
    if (i > 0 && map[i - 1].result == map[i].result) std::abort();
  }
}

void CheckModel(const mz::compiler::DatasetModel& model, const mz::compiler::Pool& pool) {
  CheckMap(model.map4, pool);
  CheckMap(model.map6, pool);
  for (const auto& name : model.dnset)
    if (name.exact > pool.result_count() || name.wild > pool.result_count()) std::abort();
  for (const auto& subzone : model.subzones)
    for (uint32_t part : subzone.parts)
      if (part >= model.parts.size()) std::abort();
  for (const auto& part : model.parts) CheckModel(*part, pool);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto kind = static_cast<mz::image::DatasetKind>(1 + data[0] % mz::image::kAcl);
  mz::compiler::CompileOptions options;
  options.now_unix = 1700000000;
  options.mask_host_bits = (data[0] & 0x80) != 0;
  options.threads = 1;
  mz::compiler::Pool pool;
  CountingSink sink;
  auto model = mz::compiler::CompileText(kind, "fuzz", {reinterpret_cast<const char*>(data) + 1, size - 1}, options,
                                         &pool, &sink);
  if (model.ok()) CheckModel(**model, pool);
  return 0;
}
