// "D[:MIN[:MAX]]", as rbldnsd's -t takes it: any part may be empty (the default stays), MIN and MAX 0 mean no limit.
#pragma once

#include <string_view>

#include "base/status.h"
#include "compiler/dataset/compile.h"

namespace mz::cli {

// Errors: InvalidArgument.
StatusOr<compiler::TtlBounds> ParseTtlBounds(std::string_view text);

}  // namespace mz::cli
