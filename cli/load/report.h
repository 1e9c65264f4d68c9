// What a run of `mailzone load` shows: text for people, JSON for machines, a page with plots. docs/LOAD.md
// explains each number and the JSON's keys.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/load/arguments.h"
#include "cli/load/queries.h"
#include "load/result.h"
#include "load/search.h"

namespace mz::cli {

struct LoadStep {
  double rate = 0;  // asked for; 0: closed window
  load::Result result;
  load::StepVerdict verdict = load::StepVerdict::kHolds;
};

struct LoadReport {
  const LoadArguments& arguments;
  const LoadQueries& queries;
  std::vector<LoadStep> steps;     // one, but for --ramp and --find-max
  std::optional<double> max_rate;  // --find-max
};

inline constexpr double kPercentiles[] = {50, 90, 99, 99.9, 99.99};

// The smallest of kPercentiles (from 99 on) that the generator's own delays make up to more than half;
// nothing: all are the server's.
std::optional<double> SpoiledFrom(const load::Result& result);

void PrintReport(const LoadReport& report, std::ostream& out);
nlohmann::json ReportJson(const LoadReport& report);
std::string ReportHtml(const LoadReport& report);

// Both messages of an answer that was not as expected.
std::string MismatchText(const LoadReport& report, const load::Mismatch& mismatch);

// Names of RCODEs with their counts, those that occurred.
std::vector<std::pair<std::string, uint64_t>> RcodeCounts(const load::Counters& counters);

}  // namespace mz::cli
