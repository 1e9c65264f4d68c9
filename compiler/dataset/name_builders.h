// Builders of the kinds that are keyed by names: dnset, generic.
#pragma once

#include <memory>

#include "compiler/dataset/builder.h"

namespace mz::compiler {

// Null for other kinds.
std::unique_ptr<DatasetBuilder> MakeNameBuilder(image::DatasetKind kind, const CompileOptions& options,
                                                DatasetModel* model);

}  // namespace mz::compiler
