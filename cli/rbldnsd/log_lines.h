// What the compiler has to say, in rbldnsd's log lines:
//
//   file FILE(LINE): MESSAGE                    file FILE: MESSAGE
//   ip4set:FILES: 2 more warnings suppressed
//   ip4set:FILES: 20231114 221320: e32/24/16/8=1/0/0/1         (GMT time of the newest file)
//   zone NAME: MESSAGE
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/log.h"
#include "compiler/dataset/compile.h"
#include "format/dataset/diagnostic.h"

namespace mz::cli {

struct LogLine {
  LogLevel level;
  std::string text;
};

inline constexpr uint32_t kMaxWarnings = 5;  // per dataset and load

// Collects the lines of each dataset.
class RbldnsdSink final : public dataset::DiagnosticSink {
 public:
  void BeginDataset(std::string_view spec) override;
  void Report(dataset::Diagnostic diagnostic) override;
  void ReportSuppressed(uint64_t count) override { warnings_ += count; }
  void EndSection(std::string_view spec) override { SayHowMany(spec); }
  void EndDataset(std::string_view spec, bool loaded) override;

  // The lines of this dataset, in order.
  std::vector<LogLine> Take(std::string_view spec);

 private:
  struct Block {
    std::string spec;
    std::vector<LogLine> lines;
  };
  void Add(LogLevel level, std::string text);
  void SayHowMany(std::string_view spec);

  std::vector<Block> blocks_;
  uint64_t warnings_ = 0;  // counted ones of the dataset
};

// "ip4set:FILES: 20231114 221320: COUNTS" and the lines around it.
std::vector<LogLine> LoadLines(const compiler::DatasetModel& dataset);

// All lines of an assembly in rbldnsd's order. Datasets that keep their last good data are said so. `expired_zones`: also
// say which zones have expired; the daemon finds them by itself.
std::vector<LogLine> AssemblyLines(const compiler::Assembly& assembly, RbldnsdSink* sink, bool expired_zones);

}  // namespace mz::cli
