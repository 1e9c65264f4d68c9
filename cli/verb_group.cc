// See verb_group.h.
#include "cli/verb_group.h"

#include <algorithm>

#include "base/suggest.h"
#include "cli/exit_code.h"

namespace mz::cli {
namespace {

std::string Help(const VerbGroup& group) {
  std::string text = "Examples:\n";
  for (size_t at = 0; at < group.examples.size();) {
    const size_t end = std::min(group.examples.find('\n', at), group.examples.size());
    text += "  " + std::string(group.examples.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  text += "\n" + std::string(group.summary) + "\n\nUsage: mailzone " + std::string(group.name) +
          " VERB [OPTION...] [ARGUMENT...]\n\nVerbs:\n";
  for (const Verb& v : group.verbs) {
    std::string line = "  " + std::string(v.name);
    line.resize(12, ' ');
    text += line + std::string(v.summary) + "\n";
  }
  return text + "\n`mailzone " + std::string(group.name) + " VERB --help` tells more.\n";
}

}  // namespace

int RunVerbGroup(const VerbGroup& group, const std::vector<std::string>& arguments, Terminal& terminal) {
  if (arguments.empty()) {
    terminal.err << Help(group);
    return kExitUsage;
  }
  const std::string& first = arguments[0];
  if (first == "--help" || first == "-h" || first == "help") {
    if (first == "help" && arguments.size() > 1) return RunVerbGroup(group, {arguments[1], "--help"}, terminal);
    terminal.out << Help(group);
    return kExitOk;
  }
  std::vector<std::string_view> names;
  for (const Verb& v : group.verbs) {
    if (v.name == first) return v.run({arguments.begin() + 1, arguments.end()}, terminal);
    names.push_back(v.name);
  }
  const std::string name(group.name);
  const bool option = first.starts_with("-");
  const std::string nearest = option ? "" : Nearest(first, names);
  Complain(terminal, name + (option ? ": unknown option '" : ": unknown verb '") + first + "'" +
                         (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  terminal.err << "`mailzone " << name << " --help` lists the verbs\n";
  return kExitUsage;
}

}  // namespace mz::cli
