// The `mailzone` program: makes the terminal and hands over to the verb. Each verb reads as options -> config ->
// construct -> run.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/verb.h"

namespace {

// Whether the locale of the environment is one with UTF-8: the first variable that is set says so (POSIX, section 8.2).
bool SpeaksUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text(value);
    return text.find("UTF-8") != text.npos || text.find("utf8") != text.npos || text.find("UTF8") != text.npos;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace mz::cli;
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of the write, with a message, not a death
  bool err_is_terminal = isatty(STDERR_FILENO) != 0;
  const char* term = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  bool dumb = term == nullptr || std::string_view(term) == "dumb";
  std::ios::sync_with_stdio(false);
  const bool out_is_terminal = isatty(STDOUT_FILENO) != 0;
  const bool colour = !dumb && (no_color == nullptr || *no_color == '\0');
  Terminal terminal{std::cout,
                    std::cerr,
                    err_is_terminal,
                    err_is_terminal && colour,
                    out_is_terminal && !dumb && SpeaksUtf8(),
                    out_is_terminal && colour};
  try {
    int code = RunMailzone({argv + 1, argv + argc}, terminal);
    std::cout.flush();
    if (!std::cout && code == kExitOk) {
      Complain(terminal, "standard output: write failed");
      return kExitTemporary;
    }
    return code;
  } catch (const std::exception& e) {
    Complain(terminal, std::string("internal error: ") + e.what());
    return kExitInternal;
  }
}
