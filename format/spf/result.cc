// See result.h.
#include "format/spf/result.h"

namespace mz::spf {

std::string_view ResultName(Result r) {
  switch (r) {
    case Result::kNone: return "none";
    case Result::kNeutral: return "neutral";
    case Result::kPass: return "pass";
    case Result::kFail: return "fail";
    case Result::kSoftfail: return "softfail";
    case Result::kTemperror: return "temperror";
    case Result::kPermerror: return "permerror";
  }
  return "none";
}

Result OfQualifier(Qualifier q) {
  switch (q) {
    case Qualifier::kPass: return Result::kPass;
    case Qualifier::kFail: return Result::kFail;
    case Qualifier::kSoftfail: return Result::kSoftfail;
    case Qualifier::kNeutral: return Result::kNeutral;
  }
  return Result::kNeutral;
}

}  // namespace mz::spf
