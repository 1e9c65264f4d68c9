// See settings_options.h.
#include "cli/healthcheck/settings_options.h"

#include <algorithm>

#include "cli/diagnostics.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {

using namespace healthcheck;

void SettingsOptions::Declare(Options* options) {
  for (int k = 0; k < kDimensionCount; ++k) {
    const auto d = static_cast<Dimension>(k);
    options->Text("--" + std::string(DimensionWord(d)), &words[k], "OUTCOME",
                  std::string(DimensionTitle(d)) + " (" + std::string(Outcomes(d)[0].word) + ")");
  }
}

bool SettingsOptions::Any() const {
  return std::any_of(std::begin(words), std::end(words), [](const std::string& w) { return !w.empty(); });
}

StatusOr<Settings> SettingsOptions::Parse() const {
  Settings out;
  for (int k = 0; k < kDimensionCount; ++k) {
    if (words[k].empty()) continue;
    const auto d = static_cast<Dimension>(k);
    std::string problem;
    if (!ApplySetting(std::string(DimensionWord(d)) + "=" + words[k], &out, &problem))
      return MakeStatus(StatusCode::kInvalidArgument, Printable(problem) + "; `mailzone healthcheck list " +
                                                          std::string(DimensionWord(d)) + "` lists them");
  }
  return out;
}

}  // namespace mz::cli
