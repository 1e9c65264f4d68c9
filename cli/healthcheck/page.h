// How IDs and their records look: lines for people, JSON for machines.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/healthcheck/test_zone.h"
#include "cli/terminal.h"

namespace mz::cli {

// One line per dimension that is tested, and the verdict.
void PrintSettings(const healthcheck::Settings& settings, Terminal& terminal);
nlohmann::json SettingsJson(const healthcheck::Settings& settings);

void PrintNames(const TestNames& names, Terminal& terminal);
void PrintAnswers(const std::vector<AnsweredName>& answers, Terminal& terminal);
nlohmann::json AnswersJson(const std::vector<AnsweredName>& answers);

// "2026-11-28 08:40 UTC"
std::string MinuteText(int64_t unix_seconds);

// Says what is wrong; the exit code: a configuration or an option is a usage error.
int FailHealthcheck(const Status& status, bool as_json, Terminal& terminal);

}  // namespace mz::cli
