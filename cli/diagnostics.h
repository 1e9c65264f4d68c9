// How diagnostics look: caret style for people, JSON for machines.
//
//   DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour, .max_shown = 50});
//   ... compiler reports to log ...
//   log.Finish();                       // "12 more warnings"
//   if (log.errors() > 0) return kExitFindings;
//
// The caret form:
//
//   bl.txt:3:9: warning: invalid address
//   10.0.0.300 spam
//          ^~~
//   note: octets go up to 255
//
// Text from files is shown safely: control octets and malformed UTF-8 appear as '?', tabs keep their width. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "format/dataset/diagnostic.h"

namespace mz::cli {

// With a newline at the end of each line.
std::string FormatDiagnostic(const dataset::Diagnostic& diagnostic, bool colour);
nlohmann::json DiagnosticJson(const dataset::Diagnostic& diagnostic);
// Replaces what a terminal could misunderstand by '?'.
std::string Printable(std::string_view text);

class DiagnosticLog : public dataset::DiagnosticSink {
 public:
  struct Options {
    std::ostream* err = nullptr;  // null: only count and keep
    bool colour = false;
    uint64_t max_shown = 50;      // errors are always shown
    bool keep = false;            // for Json(); hidden ones are not kept
    std::function<void()> before_writing = [] {};  // takes a progress line away
  };
  explicit DiagnosticLog(const Options& options);
  ~DiagnosticLog() override;

  void Report(dataset::Diagnostic diagnostic) override;
  void ReportSuppressed(uint64_t count) override;
  // Says how many were not shown.
  void Finish();

  uint64_t warnings() const { return warnings_; }
  uint64_t errors() const { return errors_; }
  uint64_t hidden() const { return hidden_; }
  // Array of the kept diagnostics.
  nlohmann::json Json() const;

 private:
  Options options_;
  uint64_t warnings_ = 0, errors_ = 0, hidden_ = 0;
  std::vector<dataset::Diagnostic> kept_;
};

}  // namespace mz::cli
