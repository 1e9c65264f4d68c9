// The results of check_host(), RFC 7208 section 2.6.
#pragma once

#include <cstdint>
#include <string_view>

#include "format/spf/record.h"

namespace mz::spf {

enum class Result : uint8_t { kNone, kNeutral, kPass, kFail, kSoftfail, kTemperror, kPermerror };

std::string_view ResultName(Result r);  // "softfail"
Result OfQualifier(Qualifier q);        // what a match of the mechanism results in

}  // namespace mz::spf
