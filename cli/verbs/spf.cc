// mailzone spf: the table of its sub-verbs and the dispatch on the first argument.
#include <algorithm>

#include "base/suggest.h"
#include "cli/exit_code.h"
#include "cli/spf/verbs.h"
#include "cli/verb.h"

namespace mz::cli {
namespace {

constexpr Verb kSubVerbs[] = {
    {"check", "what receivers say about a record, with their limits", RunSpfCheck},
    {"tree", "the includes of a domain as a tree, with lookups and prefixes", RunSpfTree},
    {"publish", "the record to publish, and which forms keep all results", RunSpfPublish},
    {"explain", "why an address gets its result, term by term", RunSpfExplain},
    {"diff", "which addresses two domains or two images treat differently", RunSpfDiff},
    {"changes", "what changed, when, and because of which answer of the DNS", RunSpfChanges},
    {"held", "answers that are held back, and questions that fail", RunSpfHeld},
    {"ack", "believe what is held back", RunSpfAck},
    {"emit", "write the policies for rbldnsd, BIND or as JSON", RunSpfEmit},
};

std::string Help() {
  std::string text =
      "Examples:\n"
      "  mailzone spf check customer.example\n"
      "  mailzone spf publish mailzone.toml customer.example\n"
      "  mailzone spf explain mailzone.toml customer.example 192.0.2.1\n"
      "\n"
      "Looks into SPF policies: published ones, and those that SPF zones serve.\n"
      "\n"
      "Usage: mailzone spf VERB [OPTION...] [ARGUMENT...]\n"
      "\n"
      "Verbs:\n";
  for (const Verb& v : kSubVerbs) {
    std::string line = "  " + std::string(v.name);
    line.resize(12, ' ');
    text += line + std::string(v.summary) + "\n";
  }
  return text + "\n`mailzone spf VERB --help` tells more.\n";
}

}  // namespace

int RunSpfVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  if (arguments.empty()) {
    terminal.err << Help();
    return kExitUsage;
  }
  const std::string& first = arguments[0];
  if (first == "--help" || first == "-h" || first == "help") {
    if (first == "help" && arguments.size() > 1) return RunSpfVerb({arguments[1], "--help"}, terminal);
    terminal.out << Help();
    return kExitOk;
  }
  std::vector<std::string_view> names;
  for (const Verb& v : kSubVerbs) {
    if (v.name == first) return v.run({arguments.begin() + 1, arguments.end()}, terminal);
    names.push_back(v.name);
  }
  const bool option = first.starts_with("-");
  const std::string nearest = option ? "" : Nearest(first, names);
  Complain(terminal, (option ? "spf: unknown option '" : "spf: unknown verb '") + first + "'" +
                         (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  terminal.err << "`mailzone spf --help` lists the verbs\n";
  return kExitUsage;
}

}  // namespace mz::cli
