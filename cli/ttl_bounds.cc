// See ttl_bounds.h.
#include "cli/ttl_bounds.h"

#include <string>

namespace mz::cli {

StatusOr<compiler::TtlBounds> ParseTtlBounds(std::string_view text) {
  compiler::TtlBounds bounds;
  uint32_t* const fields[] = {&bounds.default_ttl, &bounds.min_ttl, &bounds.max_ttl};
  std::string_view rest = text;
  for (int i = 0; i < 3; i++) {
    size_t end = rest.find(':');
    std::string_view part = rest.substr(0, end);
    if (!part.empty()) {
      StatusOr<uint32_t> value = compiler::ParseTime(part);
      if (!value.ok())
        return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(part) + "' is not a time value");
      *fields[i] = *value;
    }
    if (end == std::string_view::npos) {
      rest = {};
      break;
    }
    rest.remove_prefix(end + 1);
    if (i == 2) return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(text) + "' has more than three parts");
  }
  if (bounds.default_ttl == 0) return MakeStatus(StatusCode::kInvalidArgument, "the default TTL is 0");
  if ((bounds.max_ttl != 0 && (bounds.min_ttl > bounds.max_ttl || bounds.default_ttl > bounds.max_ttl)) ||
      bounds.default_ttl < bounds.min_ttl)
    return MakeStatus(StatusCode::kInvalidArgument, "inconsistent TTL limits: " + std::to_string(bounds.default_ttl) +
                                                        ":" + std::to_string(bounds.min_ttl) + ":" +
                                                        std::to_string(bounds.max_ttl));
  return bounds;
}

}  // namespace mz::cli
