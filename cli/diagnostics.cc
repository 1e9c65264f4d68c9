// See diagnostics.h.
#include "cli/diagnostics.h"

#include <nlohmann/json.hpp>

namespace mz::cli {
namespace {

// Length of the well-formed, printable UTF-8 sequence at the start of s; 0 when it is not one.
size_t PrintableSequence(std::string_view s) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
  uint8_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f;
  size_t length = first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length == 0 || s.size() < length) return 0;
  uint32_t point = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(i) & 0x3f);
  }
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return 0;
  if (point < 0xa0) return 0;                                                        // C1 controls
  if ((point >= 0x200b && point <= 0x200f) || (point >= 0x202a && point <= 0x202e) ||  // invisible, bidirectional
      (point >= 0x2066 && point <= 0x2069) || point == 0xfeff)
    return 0;
  return length;
}

struct Shown {
  std::string text;    // what the terminal gets
  std::string indent;  // as wide as the text in front of the column
  size_t width = 0;    // characters to underline
};

// `column` is a 0-based octet offset into the line.
Shown ShowLine(std::string_view line, size_t column, size_t length) {
  Shown out;
  for (size_t at = 0; at < line.size();) {
    size_t n = PrintableSequence(line.substr(at));
    bool tab = line[at] == '\t';
    if (n > 0)
      out.text.append(line.substr(at, n));
    else
      out.text += tab ? '\t' : '?';
    if (at < column)
      out.indent += tab ? '\t' : ' ';
    else if (at < column + length)
      out.width++;
    at += n > 0 ? n : 1;
  }
  if (column > line.size()) out.indent.append(column - line.size(), ' ');
  if (out.width == 0) out.width = 1;  // the end of the line is pointed at
  return out;
}

std::string_view SeverityText(dataset::Severity severity) {
  return severity == dataset::Severity::kError ? "error" : "warning";
}

// JSON strings are UTF-8; a file may hold anything.
std::string Utf8(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t n = PrintableSequence(text.substr(at));
    if (n > 0)
      out.append(text.substr(at, n));
    else if (static_cast<uint8_t>(text[at]) < 0x80)
      out += text[at];  // the JSON writer escapes controls
    else
      out += "\xef\xbf\xbd";
    at += n > 0 ? n : 1;
  }
  return out;
}

}  // namespace

std::string Printable(std::string_view text) { return ShowLine(text, 0, 0).text; }

std::string FormatDiagnostic(const dataset::Diagnostic& d, bool colour) {
  const char* bold = colour ? "\033[1m" : "";
  const char* tint = !colour ? "" : d.severity == dataset::Severity::kError ? "\033[1;31m" : "\033[1;35m";
  const char* green = colour ? "\033[1;32m" : "";
  const char* plain = colour ? "\033[0m" : "";
  std::string out = bold + Printable(d.file);
  if (!d.file.empty()) out += ":";
  if (d.line > 0) out += std::to_string(d.line) + ":";
  if (d.line > 0 && d.column > 0) out += std::to_string(d.column) + ":";
  if (out.size() > std::string_view(bold).size()) out += " ";
  out += std::string(plain) + tint + std::string(SeverityText(d.severity)) + ": " + plain + bold +
         Printable(d.message) + plain + "\n";
  if (d.line > 0 && !d.source_line.empty()) {
    uint32_t shown_column = d.source_column > 0 ? d.source_column : d.column;  // a long line was cut
    size_t column = shown_column > 0 ? shown_column - 1 : 0;
    Shown shown = ShowLine(d.source_line, column, d.length);
    out += shown.text + "\n";
    if (d.column > 0)
      out += shown.indent + green + "^" + std::string(shown.width - 1, '~') + plain + "\n";
  }
  if (!d.hint.empty()) out += "note: " + Printable(d.hint) + "\n";
  return out;
}

nlohmann::json DiagnosticJson(const dataset::Diagnostic& d) {
  nlohmann::json out = {{"severity", SeverityText(d.severity)}, {"file", Utf8(d.file)}, {"message", Utf8(d.message)}};
  if (d.line > 0) out["line"] = d.line;
  if (d.column > 0) {
    out["column"] = d.column;
    out["length"] = d.length;
  }
  if (!d.hint.empty()) out["hint"] = Utf8(d.hint);
  if (!d.source_line.empty()) out["source"] = Utf8(d.source_line);
  return out;
}

DiagnosticLog::DiagnosticLog(const Options& options) : options_(options) {}
DiagnosticLog::~DiagnosticLog() = default;

void DiagnosticLog::Report(dataset::Diagnostic diagnostic) {
  bool error = diagnostic.severity == dataset::Severity::kError;
  (error ? errors_ : warnings_)++;
  if (!error && warnings_ > options_.max_shown) {
    hidden_++;
    return;
  }
  if (options_.err != nullptr) {
    options_.before_writing();
    *options_.err << FormatDiagnostic(diagnostic, options_.colour) << std::flush;
  }
  if (options_.keep) kept_.push_back(std::move(diagnostic));
}

void DiagnosticLog::ReportSuppressed(uint64_t count) {
  warnings_ += count;
  hidden_ += count;
}

void DiagnosticLog::Finish() {
  if (hidden_ == 0 || options_.err == nullptr) return;
  options_.before_writing();
  *options_.err << hidden_ << " more warning" << (hidden_ == 1 ? "" : "s")
                << " not shown (--max-diagnostics shows more)\n"
                << std::flush;
}

nlohmann::json DiagnosticLog::Json() const {
  nlohmann::json out = nlohmann::json::array();
  for (const dataset::Diagnostic& d : kept_) out.push_back(DiagnosticJson(d));
  return out;
}

}  // namespace mz::cli
