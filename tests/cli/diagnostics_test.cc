// Carets under the right characters, safe text, counting.
#include "cli/diagnostics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace mz::cli {
namespace {

using dataset::Diagnostic;
using dataset::Severity;

Diagnostic Warning(std::string source, uint32_t column, uint32_t length) {
  Diagnostic d;
  d.file = "bl.txt";
  d.line = 3;
  d.column = column;
  d.length = length;
  d.message = "invalid address";
  d.source_line = std::move(source);
  return d;
}

TEST(DiagnosticsTest, PutsTheCaretUnderTheColumn) {
  Diagnostic d = Warning("10.0.0.300 spam", 8, 3);
  d.hint = "octets go up to 255";
  EXPECT_EQ(FormatDiagnostic(d, false),
            "bl.txt:3:8: warning: invalid address\n"
            "10.0.0.300 spam\n"
            "       ^~~\n"
            "note: octets go up to 255\n");
}

TEST(DiagnosticsTest, TabsKeepTheirWidthAndCharactersCountOnce) {
  EXPECT_EQ(FormatDiagnostic(Warning("\t\xc3\xa4" "bc", 4, 1), false),
            "bl.txt:3:4: warning: invalid address\n\t\xc3\xa4" "bc\n\t ^\n");
}

TEST(DiagnosticsTest, ALongLineThatWasCutUsesItsOwnColumn) {
  Diagnostic d = Warning("tail", 5002, 2);
  d.source_column = 2;
  EXPECT_EQ(FormatDiagnostic(d, false), "bl.txt:3:5002: warning: invalid address\ntail\n ^~\n");
}

TEST(DiagnosticsTest, TextFromFilesCannotDriveTheTerminal) {
  Diagnostic d = Warning("a\033[2Jb\xff\xc2\x9b" "c\r", 1, 1);
  d.file = "x\033y";
  std::string text = FormatDiagnostic(d, false);
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_EQ(text, "x?y:3:1: warning: invalid address\na?[2Jb???c?\n^\n");
  EXPECT_EQ(Printable("\xe2\x80\xae" "evil"), "???evil");
}

TEST(DiagnosticsTest, PlacesThatAreNotKnownAreLeftOut) {
  Diagnostic d;
  d.file = "bl.txt";
  d.severity = Severity::kError;
  d.message = "Permission denied";
  EXPECT_EQ(FormatDiagnostic(d, false), "bl.txt: error: Permission denied\n");
  d.line = 4;
  d.source_line = "text";
  EXPECT_EQ(FormatDiagnostic(d, false), "bl.txt:4: error: Permission denied\ntext\n");
}

TEST(DiagnosticsTest, AColumnBehindTheLineIsPointedAt) {
  EXPECT_EQ(FormatDiagnostic(Warning("ab", 3, 1), false), "bl.txt:3:3: warning: invalid address\nab\n  ^\n");
}

TEST(DiagnosticsTest, ColourOnlyWhenAskedFor) {
  EXPECT_NE(FormatDiagnostic(Warning("ab", 1, 1), true).find("\033["), std::string::npos);
  EXPECT_EQ(FormatDiagnostic(Warning("ab", 1, 1), false).find('\033'), std::string::npos);
}

TEST(DiagnosticLogTest, ShowsNoMoreWarningsThanAskedForButAllErrors) {
  std::ostringstream err;
  DiagnosticLog log({.err = &err, .max_shown = 2, .keep = true});
  for (int i = 0; i < 5; i++) log.Report(Warning("x", 1, 1));
  log.ReportSuppressed(10);
  Diagnostic error = Warning("x", 1, 1);
  error.severity = Severity::kError;
  log.Report(error);
  log.Finish();
  EXPECT_EQ(log.warnings(), 15u);
  EXPECT_EQ(log.errors(), 1u);
  EXPECT_EQ(log.hidden(), 13u);
  EXPECT_EQ(log.Json().size(), 3u);
  EXPECT_THAT(err.str(), ::testing::HasSubstr("error: invalid address"));
  EXPECT_THAT(err.str(), ::testing::EndsWith("13 more warnings not shown (--max-diagnostics shows more)\n"));
}

TEST(DiagnosticLogTest, JsonIsValidWhateverTheFileHolds) {
  Diagnostic d = Warning("\xff\x01\"\\", 1, 1);
  d.file = "\xfe";
  std::string text = DiagnosticJson(d).dump();
  EXPECT_TRUE(nlohmann::json::accept(text)) << text;
  EXPECT_EQ(DiagnosticJson(d)["column"], 1);
  EXPECT_FALSE(DiagnosticJson(d).contains("hint"));
}

}  // namespace
}  // namespace mz::cli
