// A verb of `mailzone`, and the table of all.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"

namespace mz::cli {

struct Verb {
  std::string_view name;
  std::string_view summary;  // one line of `mailzone --help`
  // `arguments` without program and verb. Returns the exit code (exit_code.h).
  int (*run)(const std::vector<std::string>& arguments, Terminal& terminal);
};

std::span<const Verb> Verbs();

// The whole program after main() has made the terminal.
int RunMailzone(const std::vector<std::string>& arguments, Terminal& terminal);

int RunBuildVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunCheckVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunDumpVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunQueryVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunExplainVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunDiffVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunServeVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunRefreshVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunRollbackVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunHealthcheckVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunSpfVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunReloadVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunLoadVerb(const std::vector<std::string>& arguments, Terminal& terminal);
int RunStatusVerb(const std::vector<std::string>& arguments, Terminal& terminal);

}  // namespace mz::cli
