// Turns notes of the parser into diagnostics, and bounds them: the first kMaxDiagnostics of a dataset are reported in
// full, later warnings are counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/dataset/diagnostic.h"
#include "format/dataset/entries.h"

namespace mz::compiler {

class Reporter {
 public:
  explicit Reporter(dataset::DiagnosticSink* sink) : sink_(sink) {}

  void StartFile(const std::string& path) { file_ = path; }

  // A diagnostic about octets of a block; `first_line` is the 1-based line of note.line 0.
  void Report(const dataset::Note& note, const dataset::TextBlock& block, uint32_t first_line);
  // The same with words of its own.
  void Report(dataset::Severity severity, std::string message, std::string hint, const dataset::Note& note,
              const dataset::TextBlock& block, uint32_t first_line);
  // About the file, or about a line without its text.
  void ReportFile(dataset::Severity severity, std::string message, std::string hint, uint32_t line = 0,
                  bool counted = true);
  void CountDropped(uint64_t warnings) { suppressed_ += warnings; }
  // Tells the sink about the warnings that were counted only.
  void Finish();

  const std::string& file() const { return file_; }
  // "file F(L): message" of the last error.
  const std::string& last_error() const { return last_error_; }

 private:
  void Send(dataset::Diagnostic diagnostic);

  dataset::DiagnosticSink* sink_;
  std::string file_;
  uint64_t reported_ = 0;
  uint64_t suppressed_ = 0;
  std::string last_error_;
};

}  // namespace mz::compiler
