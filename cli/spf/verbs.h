// The sub-verbs of `mailzone spf`; cli/verbs/spf.cc has their table. `arguments` without program, verb and sub-verb.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace mz::cli {

int RunSpfAck(const std::vector<std::string>& arguments, Terminal& terminal);
int RunSpfChanges(const std::vector<std::string>& arguments, Terminal& terminal);
int RunSpfCheck(const std::vector<std::string>& arguments, Terminal& terminal);
int RunSpfDiff(const std::vector<std::string>& arguments, Terminal& terminal);
int RunSpfEmit(const std::vector<std::string>& arguments, Terminal& terminal);
int RunSpfExplain(const std::vector<std::string>& arguments, Terminal& terminal);
int RunSpfHeld(const std::vector<std::string>& arguments, Terminal& terminal);
int RunSpfPublish(const std::vector<std::string>& arguments, Terminal& terminal);
int RunSpfTree(const std::vector<std::string>& arguments, Terminal& terminal);

}  // namespace mz::cli
