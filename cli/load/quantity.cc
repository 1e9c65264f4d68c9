// See quantity.h.
#include "cli/load/quantity.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <span>

namespace mz::cli {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};

StatusOr<double> ParseWithUnit(std::string_view text, std::span<const Unit> units, std::string_view what) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error == std::errc() && std::isfinite(value) && value >= 0)
    for (const Unit& u : units)
      if (u.name == rest) return value * u.factor;
  return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(text) + "' is not " + std::string(what));
}

}  // namespace

StatusOr<uint64_t> ParseDuration(std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1e9},   {"s", 1e9},  {"ms", 1e6},
                                    {"us", 1e3}, {"m", 60e9}, {"h", 3600e9}};
  MZ_ASSIGN_OR_RETURN(double ns, ParseWithUnit(text, kUnits, "a time such as 10, 0.5, 500ms or 2m"));
  if (ns > 1e16)
    return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(text) + "' is too long a time");
  return static_cast<uint64_t>(ns);
}

StatusOr<double> ParseQuantity(std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}};
  MZ_ASSIGN_OR_RETURN(double value, ParseWithUnit(text, kUnits, "a number such as 50000, 50k or 1.5M"));
  if (value > 1e12)
    return MakeStatus(StatusCode::kInvalidArgument, "'" + std::string(text) + "' is too large");
  return value;
}

std::string DurationText(double ns) {
  char text[40];
  if (ns < 999.95e3)
    std::snprintf(text, sizeof text, "%.1f us", ns / 1e3);
  else if (ns < 999.95e6)
    std::snprintf(text, sizeof text, "%.2f ms", ns / 1e6);
  else
    std::snprintf(text, sizeof text, "%.2f s", ns / 1e9);
  return text;
}

std::string QuantityText(double value) {
  char text[40];
  if (value < 9999.5)
    std::snprintf(text, sizeof text, "%.0f", value);
  else if (value < 999.95e3)
    std::snprintf(text, sizeof text, "%.1f k", value / 1e3);
  else
    std::snprintf(text, sizeof text, "%.2f M", value / 1e6);
  return text;
}

}  // namespace mz::cli
