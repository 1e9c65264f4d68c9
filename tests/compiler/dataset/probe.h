// Compiles text in memory and asks the model, for the tests of compiler/dataset.
//
//   Compiled c(image::kIp4Set, "1.0.0.1 :5:hello\n");
//   c.Ip4("1.0.0.1") == "127.0.0.5 \"hello\""       "-" when not listed
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/dataset/compile.h"

namespace mz::compiler::test {

// Keeps diagnostics as "LINE: message".
class KeepingSink : public dataset::DiagnosticSink {
 public:
  void Report(dataset::Diagnostic d) override {
    messages.push_back(std::to_string(d.line) + ": " + d.message);
    diagnostics.push_back(std::move(d));
  }
  void ReportSuppressed(uint64_t count) override { suppressed += count; }
  void EndSection(std::string_view spec) override { sections.emplace_back(spec); }
  std::vector<std::string> messages;
  std::vector<dataset::Diagnostic> diagnostics;
  std::vector<std::string> sections;
  uint64_t suppressed = 0;
};

// Where subjects go in texts is shown as "<>".
std::string ResultText(const Pool& pool, ResultId result);

std::string AskIp4(const DatasetModel& model, const Pool& pool, std::string_view address);
std::string AskIp6(const DatasetModel& model, const Pool& pool, std::string_view address);
// dnset by rbldnsd's rules; generic: "A 1.2.3.4/2100 ..." in stored order; both relative to the zone.
std::string AskName(const DatasetModel& model, const Pool& pool, std::string_view name);

struct Compiled {
  Compiled(image::DatasetKind kind, std::string_view text, CompileOptions options = {});
  std::string Ip4(std::string_view address) const { return AskIp4(*model, pool, address); }
  std::string Ip6(std::string_view address) const { return AskIp6(*model, pool, address); }
  std::string Name(std::string_view name) const { return AskName(*model, pool, name); }
  bool ok() const { return model != nullptr; }
  // Part `i` of a combined dataset.
  const DatasetModel& part(size_t i) const { return *model->parts[i]; }

  KeepingSink sink;
  Pool pool;
  Status status;
  std::unique_ptr<DatasetModel> model;
};

}  // namespace mz::compiler::test
