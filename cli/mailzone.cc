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

int main(int argc, char** argv) {
  using namespace mz::cli;
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of the write, with a message, not a death
  bool err_is_terminal = isatty(STDERR_FILENO) != 0;
  const char* term = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  bool dumb = term == nullptr || std::string_view(term) == "dumb";
  std::ios::sync_with_stdio(false);
  Terminal terminal{std::cout, std::cerr, err_is_terminal,
                    err_is_terminal && !dumb && (no_color == nullptr || *no_color == '\0')};
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
