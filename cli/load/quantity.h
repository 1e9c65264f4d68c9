// Numbers with units as people type and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mz::cli {

// "10", "0.5" (seconds), "20us", "500ms", "30s", "2m", "1h". In nanoseconds. Errors: InvalidArgument.
StatusOr<uint64_t> ParseDuration(std::string_view text);
// "50000", "50k", "1.5M". Errors: InvalidArgument.
StatusOr<double> ParseQuantity(std::string_view text);
// "12.5 us", "3.41 ms", "1.20 s"
std::string DurationText(double ns);
// "987", "45.2 k", "1.31 M"
std::string QuantityText(double value);

}  // namespace mz::cli
