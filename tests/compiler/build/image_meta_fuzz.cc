// Any bytes as a meta section: they decode or they are refused.
#include <cstddef>
#include <cstdint>

#include "compiler/build/image_meta.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)mz::compiler::DecodeMeta({reinterpret_cast<const char*>(data), size}).ok();
  return 0;
}
