// See terminal.h.
#include "cli/terminal.h"

namespace mz::cli {

void Complain(Terminal& terminal, std::string_view text) {
  terminal.err << "mailzone: " << text << "\n" << std::flush;
}

}  // namespace mz::cli
