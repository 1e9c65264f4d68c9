// What the text parsers have to say about a line, for every presentation: rbldnsd's log line, caret diagnostics, JSON.
//
// One dataset reports its diagnostics in file order, from one thread. The first kMaxDiagnostics of a dataset arrive one by
// one; later warnings are only counted (ReportSuppressed), so that a file of ten million bad lines stays cheap.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mz::dataset {

inline constexpr uint32_t kMaxDiagnostics = 1000;  // per dataset and load

enum class Severity { kWarning, kError };  // kError: the dataset does not load

struct Diagnostic {
  Severity severity = Severity::kWarning;
  std::string file;
  uint32_t line = 0;        // 1-based; 0: the file as a whole
  uint32_t column = 0;      // 1-based octet; 0: the line as a whole
  uint32_t length = 0;      // octets to underline, at least 1 when column is given
  std::string message;      // rbldnsd's words where it has some: "invalid address"
  std::string hint;         // the likely fix; "" when there is none
  std::string source_line;  // as in the file, without the line end; cut to 200 octets around the column
  uint32_t source_column = 0;  // where `column` lies in source_line (1-based); differs when the line was cut
  // rbldnsd prints five counted warnings of a dataset and then "N more warnings suppressed"; the others always.
  bool counted = true;
};

class DiagnosticSink {
 public:
  virtual ~DiagnosticSink() = default;
  virtual void Report(Diagnostic diagnostic) = 0;
  // `count` counted warnings of the current dataset, after the last one that was reported.
  virtual void ReportSuppressed(uint64_t count) { (void)count; }
  // Around everything that belongs to one dataset; spec as on the command line: "ip4set:a,b".
  virtual void BeginDataset(std::string_view spec) { (void)spec; }
  virtual void EndDataset(std::string_view spec, bool loaded) { (void)spec, (void)loaded; }
  // combined: a section is complete, "combined:a:dnset:name". rbldnsd repeats its suppressed count here.
  virtual void EndSection(std::string_view spec) { (void)spec; }
};

}  // namespace mz::dataset
