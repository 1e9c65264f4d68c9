// Asks a verified image everything that the server and the tools can ask: memory errors show under ASan, and
// answers that contradict each other abort.
#pragma once

#include "format/image/view.h"

namespace mz::image {

// Requires: Verify(kEverything) accepted the bytes. The text forms (dump, diff) cost ten times the rest.
void ExerciseView(const View& view, bool text_forms = true);

}  // namespace mz::image
