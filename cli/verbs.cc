// The table of verbs and the dispatch on the first argument.
#include "base/suggest.h"
#include "cli/exit_code.h"
#include "cli/verb.h"
#include "cli/version.h"

namespace mz::cli {
namespace {

constexpr Verb kVerbs[] = {
    {"build", "compile data files into a zone image", RunBuildVerb},
    {"check", "say what is wrong with data files or with an image", RunCheckVerb},
    {"dump", "print an image as stable text or as a BIND zone", RunDumpVerb},
    {"query", "answer one query from an image, without a server", RunQueryVerb},
    {"explain", "say which file and line answers a query, and why", RunExplainVerb},
    {"diff", "compare two images", RunDiffVerb},
    {"serve", "build, serve, watch the files, rebuild and swap", RunServeVerb},
    {"spf", "look into SPF policies: check, tree, publish, explain, diff", RunSpfVerb},
    {"healthcheck", "test mails whose sender's DNS is good or broken on purpose", RunHealthcheckVerb},
    {"refresh", "keep an image with SPF zones fresh, without serving it", RunRefreshVerb},
    {"rollback", "put an earlier image back, or list them", RunRollbackVerb},
    {"load", "load-test a DNS server: throughput, latency, right answers", RunLoadVerb},
    {"reload", "make a running mailzoned take the new image", RunReloadVerb},
    {"status", "show what a running mailzoned does", RunStatusVerb},
};

std::string Help() {
  std::string text =
      "Examples:\n"
      "  mailzone build -o bl.mzi bl.example.org:ip4set:bl.txt\n"
      "  mailzone query bl.mzi 2.0.0.127.bl.example.org TXT\n"
      "  mailzone serve mailzone.toml\n"
      "\n"
      "Usage: mailzone VERB [OPTION...] [ARGUMENT...]\n"
      "\n"
      "Verbs:\n";
  for (const Verb& v : kVerbs) {
    std::string line = "  " + std::string(v.name);
    line.resize(14, ' ');
    text += line + std::string(v.summary) + "\n";
  }
  text +=
      "\n"
      "`mailzone VERB --help` tells more; `mailzone --version` prints the version.\n"
      "Exit status: 0 ok, 1 findings, 2 usage or configuration, 3 unreadable input, 4 temporary, 5 internal.\n";
  return text;
}

}  // namespace

std::span<const Verb> Verbs() { return kVerbs; }

int RunMailzone(const std::vector<std::string>& arguments, Terminal& terminal) {
  if (arguments.empty()) {
    terminal.err << Help();
    return kExitUsage;
  }
  const std::string& first = arguments[0];
  if (first == "--help" || first == "-h" || first == "help") {
    if (arguments.size() > 1 && first == "help") return RunMailzone({arguments[1], "--help"}, terminal);
    terminal.out << Help();
    return kExitOk;
  }
  if (first == "--version" || first == "-V") {
    terminal.out << "mailzone " << kVersionText << "\n";
    return kExitOk;
  }
  std::vector<std::string_view> names;
  for (const Verb& v : kVerbs) {
    if (v.name == first) return v.run({arguments.begin() + 1, arguments.end()}, terminal);
    names.push_back(v.name);
  }
  bool option = first.starts_with("-");
  static constexpr std::string_view kGlobalOptions[] = {"--help", "--version"};
  std::string nearest = option ? Nearest(first, kGlobalOptions) : Nearest(first, names);
  std::string text = (option ? "unknown option '" : "unknown verb '") + first + "'";
  if (!nearest.empty()) text += "; did you mean '" + nearest + "'?";
  Complain(terminal, text);
  terminal.err << "`mailzone --help` lists the verbs\n";
  return kExitUsage;
}

}  // namespace mz::cli
