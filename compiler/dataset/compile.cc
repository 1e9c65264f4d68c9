// One dataset from its files.
#include "compiler/dataset/compile.h"

#include "compiler/dataset/address_builders.h"
#include "compiler/dataset/loader.h"
#include "compiler/dataset/name_builders.h"

namespace mz::compiler {

std::unique_ptr<DatasetBuilder> MakeBuilder(image::DatasetKind kind, const CompileOptions& options,
                                            DatasetModel* model) {
  if (auto builder = MakeAddressBuilder(kind, options, model)) return builder;
  return MakeNameBuilder(kind, options, model);
}

StatusOr<std::unique_ptr<DatasetModel>> CompileDataset(image::DatasetKind kind, const std::vector<std::string>& files,
                                                       std::string_view dataset_spec, const CompileOptions& options,
                                                       Pool* pool, dataset::DiagnosticSink* sink) {
  if (sink) sink->BeginDataset(dataset_spec);
  Loader loader(kind, dataset_spec, options, pool, sink);
  StatusOr<std::unique_ptr<DatasetModel>> model = loader.Load(files);
  if (sink) sink->EndDataset(dataset_spec, model.ok());
  return model;
}

StatusOr<std::unique_ptr<DatasetModel>> CompileText(image::DatasetKind kind, const std::string& name,
                                                    std::string_view text, const CompileOptions& options, Pool* pool,
                                                    dataset::DiagnosticSink* sink) {
  std::string spec = std::string(KindWord(kind)) + ":" + name;
  if (sink) sink->BeginDataset(spec);
  Loader loader(kind, spec, options, pool, sink);
  StatusOr<std::unique_ptr<DatasetModel>> model = loader.LoadText(name, text);
  if (sink) sink->EndDataset(spec, model.ok());
  return model;
}

}  // namespace mz::compiler
