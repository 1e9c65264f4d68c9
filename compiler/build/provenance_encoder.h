// Provenance columns of the model -> section kProvenance (format/image/layout.h at ProvenanceHeader). The reader is
// format/image/provenance.h.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "compiler/build/flat_datasets.h"
#include "compiler/build/heap.h"

namespace mz::compiler {

// Compresses with `threads` threads; the bytes do not depend on their number. Empty when no dataset has entries.
StatusOr<Bytes> EncodeProvenance(const FlatDatasets& datasets, int threads);

}  // namespace mz::compiler
