// Builders of the kinds that are keyed by addresses: ip4set, ip4tset, ip4trie, ip6tset, ip6trie, acl.
#pragma once

#include <memory>

#include "compiler/dataset/builder.h"

namespace mz::compiler {

// Null for other kinds.
std::unique_ptr<DatasetBuilder> MakeAddressBuilder(image::DatasetKind kind, const CompileOptions& options,
                                                   DatasetModel* model);

}  // namespace mz::compiler
