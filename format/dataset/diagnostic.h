// What the text parsers have to say about a line, for every presentation: rbldnsd's log line, caret diagnostics, JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mz::dataset {

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
};

class DiagnosticSink {
 public:
  virtual ~DiagnosticSink() = default;
  virtual void Report(Diagnostic diagnostic) = 0;
};

}  // namespace mz::dataset
