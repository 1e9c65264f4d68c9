// The named sets of test mails that `mailzone healthcheck matrix` sends.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/healthcheck/settings.h"

namespace mz::cli {

struct MatrixSet {
  std::string_view name;
  std::string_view summary;
};
std::span<const MatrixSet> MatrixSets();

// Requires: a name of MatrixSets(). No settings twice.
std::vector<healthcheck::Settings> MatrixOf(std::string_view name);

}  // namespace mz::cli
