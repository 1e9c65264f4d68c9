// Where a verb writes: data to `out`, everything said to a person to `err`. Tests pass string streams.
#pragma once

#include <ostream>
#include <string_view>

namespace mz::cli {

struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;  // progress lines are wanted
  bool err_colour = false;       // err_is_terminal, and neither NO_COLOR nor TERM=dumb is set
  bool out_drawing = false;      // out is a terminal that shows UTF-8: lines may be drawn with its characters
  bool out_colour = false;       // like err_colour
};

// Writes "mailzone: TEXT" and a newline to err.
void Complain(Terminal& terminal, std::string_view text);

}  // namespace mz::cli
