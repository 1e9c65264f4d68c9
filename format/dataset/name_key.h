// Names in data files: text to lower-case wire form without the root octet.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace mz::dataset {

// Appends the wire form of `text` to *out, lower-cased unless `keep_case`. The empty name (".") appends nothing and is ok.
// False, and *out as before, when the name is invalid. rbldnsd ignores a single backslash at the end of a name.
bool AppendName(std::string_view text, bool keep_case, std::string* out);

}  // namespace mz::dataset
