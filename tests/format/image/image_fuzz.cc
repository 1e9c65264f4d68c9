// Fuzz target: any bytes, with their checksums made right, are refused or answer everything without a fault.
#include <algorithm>

#include "format/image/verify.h"
#include "tests/format/image/exercise.h"
#include "tests/format/image/image_edit.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mz::image;  // NOLINT
  Bytes bytes(data, data + size);
  static_cast<void>(Verify(bytes, VerifyLevel::kEverything));
  if (size < kHeaderBytes) return 0;
  std::copy(std::begin(kMagic), std::end(kMagic), bytes.begin());
  FixChecksums(&bytes);
  mz::StatusOr<View> view = Verify(bytes, VerifyLevel::kEverything);
  if (view.ok()) ExerciseView(*view);
  return 0;
}
