// The verifier: the one gate between untrusted bytes and the views.
//
//   MZ_ASSIGN_OR_RETURN(View view, Verify(mapping.bytes(), VerifyLevel::kEverything));
//
// Any bytes are safe input: truncated, extended, flipped or hostile. Errors: DataLoss, with what is wrong and where.
// kStructure checks the header page, its checksum, the exact file length and the section table (fast, size-independent);
// the result may be used for meta() and header() only. kEverything also checks every section checksum (padding
// included), every offset, order and range in every object, and that unused bytes are zero; only such a view may be
// asked. Large sections are checked by `threads` threads.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "format/image/view.h"

namespace mz::image {

enum class VerifyLevel { kStructure, kEverything };

StatusOr<View> Verify(std::span<const uint8_t> bytes, VerifyLevel level, int threads = 1);

}  // namespace mz::image
