// See log_lines.h.
#include "cli/rbldnsd/log_lines.h"

#include <time.h>

#include <cstdio>

namespace mz::cli {
namespace {

constexpr size_t kMaxFileText = 60, kMaxZoneText = 70;
constexpr std::string_view kExpired = ": zone data expired, zone will not be serviced";

// "zone NAME: MESSAGE" with the name cut.
std::string CutZone(const std::string& line) {
  constexpr std::string_view kPrefix = "zone ";
  const size_t colon = line.find(": ");
  if (!line.starts_with(kPrefix) || colon == std::string::npos || colon - kPrefix.size() <= kMaxZoneText) return line;
  return line.substr(0, kPrefix.size() + kMaxZoneText) + line.substr(colon);
}

}  // namespace

void RbldnsdSink::Add(LogLevel level, std::string text) {
  if (blocks_.empty()) blocks_.emplace_back();
  blocks_.back().lines.push_back({level, std::move(text)});
}

void RbldnsdSink::BeginDataset(std::string_view spec) {
  blocks_.push_back({std::string(spec), {}});
  warnings_ = 0;
}

void RbldnsdSink::Report(dataset::Diagnostic d) {
  if (d.counted && d.severity == dataset::Severity::kWarning && ++warnings_ > kMaxWarnings) return;
  std::string text = "file " + d.file.substr(0, kMaxFileText);
  if (d.line > 0) text += "(" + std::to_string(d.line) + ")";
  Add(d.severity == dataset::Severity::kError ? LogLevel::kError : LogLevel::kWarning, text + ": " + d.message);
}

void RbldnsdSink::SayHowMany(std::string_view spec) {
  if (warnings_ > kMaxWarnings)
    Add(LogLevel::kWarning,
        compiler::DatasetLogName(spec) + ": " + std::to_string(warnings_ - kMaxWarnings) + " more warnings suppressed");
}

void RbldnsdSink::EndDataset(std::string_view spec, bool loaded) {
  if (loaded) SayHowMany(spec);  // rbldnsd does not count what an aborted load left out
  warnings_ = 0;
}

std::vector<LogLine> RbldnsdSink::Take(std::string_view spec) {
  for (Block& b : blocks_)
    if (b.spec == spec) return std::move(b.lines);
  return {};
}

std::vector<LogLine> LoadLines(const compiler::DatasetModel& dataset) {
  std::vector<LogLine> lines;
  const bool extra_first = dataset.kind == image::kCombined;
  auto add_extra = [&] {
    for (const std::string& text : dataset.extra_load_lines) lines.push_back({LogLevel::kInfo, text});
  };
  if (extra_first) add_extra();
  const time_t when = static_cast<time_t>(dataset.newest_mtime);
  struct tm t {};
  ::gmtime_r(&when, &t);
  char date[40];
  std::strftime(date, sizeof date, "%Y%m%d %H%M%S", &t);
  lines.push_back({LogLevel::kInfo, compiler::DatasetLogName(dataset.spec) + ": " + date + ": " + dataset.counts});
  if (!extra_first) add_extra();
  return lines;
}

std::vector<LogLine> AssemblyLines(const compiler::Assembly& assembly, RbldnsdSink* sink, bool expired_zones) {
  using Dataset = compiler::Assembly::Dataset;
  std::vector<LogLine> lines;
  auto append = [&](std::vector<LogLine> more) {
    for (LogLine& l : more) lines.push_back(std::move(l));
  };
  for (size_t i = 0; i < assembly.datasets.size(); i++) {
    const Dataset& dataset = assembly.datasets[i];
    append(sink->Take(dataset.spec));
    if (dataset.state == Dataset::kCompiled) append(LoadLines(*assembly.model.datasets[i]));
    if (dataset.state == Dataset::kKept)
      lines.push_back({LogLevel::kWarning,
                       compiler::DatasetLogName(dataset.spec) + ": not loaded, its last good data stay in service"});
  }
  for (const std::string& error : assembly.zone_errors)
    if (expired_zones || !error.ends_with(kExpired)) lines.push_back({LogLevel::kWarning, CutZone(error)});
  return lines;
}

}  // namespace mz::cli
