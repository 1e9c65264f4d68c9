// The options --spf, --dkim, --dmarc ... of every verb that makes an ID: one per dimension of the catalogue.
#pragma once

#include <string>

#include "base/status.h"
#include "cli/options.h"
#include "format/healthcheck/settings.h"

namespace mz::cli {

struct SettingsOptions {
  std::string words[healthcheck::kDimensionCount];

  void Declare(Options* options);
  bool Any() const;
  // Errors: InvalidArgument, with the nearest outcome.
  StatusOr<healthcheck::Settings> Parse() const;
};

}  // namespace mz::cli
