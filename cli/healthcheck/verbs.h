// The sub-verbs of `mailzone healthcheck`.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace mz::cli {

int RunHealthcheckNew(const std::vector<std::string>& arguments, Terminal& terminal);
int RunHealthcheckExplain(const std::vector<std::string>& arguments, Terminal& terminal);
int RunHealthcheckList(const std::vector<std::string>& arguments, Terminal& terminal);
int RunHealthcheckKeygen(const std::vector<std::string>& arguments, Terminal& terminal);
int RunHealthcheckSend(const std::vector<std::string>& arguments, Terminal& terminal);
int RunHealthcheckMatrix(const std::vector<std::string>& arguments, Terminal& terminal);

}  // namespace mz::cli
