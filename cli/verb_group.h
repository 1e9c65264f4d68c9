// A verb with verbs of its own, as `mailzone spf check`: its help and the dispatch on the first argument.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/verb.h"

namespace mz::cli {

struct VerbGroup {
  std::string_view name;      // "spf"
  std::string_view examples;  // lines that begin with "mailzone"
  std::string_view summary;   // a paragraph
  std::span<const Verb> verbs;
};

int RunVerbGroup(const VerbGroup& group, const std::vector<std::string>& arguments, Terminal& terminal);

}  // namespace mz::cli
