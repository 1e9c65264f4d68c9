// The operator's word on answers that the failure policy holds back: `mailzone spf ack` writes lines, the process that
// keeps the image fresh reads them within a second and removes the file.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cli/config.h"
#include "compiler/resolve/resolver.h"

namespace mz::cli {

// "_spf.provider.example TXT"; the type may be left out (TXT).
std::optional<resolve::Question> ParseQuestion(std::string_view text);
Status Acknowledge(const SpfConfig& config, const std::vector<resolve::Question>& questions);
// What was written since the last call.
std::vector<resolve::Question> TakeAcknowledged(const SpfConfig& config);

}  // namespace mz::cli
