// The command line of one verb: declared once, parsed by CLI11, printed as --help with the examples first.
//
//   Options options("dump", "Prints an image as stable text", "mailzone dump zone.mzi\n");
//   options.Choice("--format", &format, {"text", "bind"}, "FORMAT", "what to print");
//   options.Positional("IMAGE", &image, "the image file", Options::kRequired);
//   if (auto exit = options.Parse(arguments, terminal)) return *exit;     // --help, or a usage error
//
// The pointers are written by Parse() and must outlive it. CLI11 is included by options.cc only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"

namespace mz::cli {

class Options {
 public:
  enum Presence { kOptional, kRequired };

  // `program` is what is typed before the verb; a program without verbs has the verb "".
  Options(std::string_view verb, std::string_view summary, std::string_view examples,
          std::string_view program = "mailzone");
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // `names` as CLI11 takes them: "-o,--output".
  void Flag(const std::string& names, bool* out, const std::string& help);
  // One flag that switches on and one that switches off; the last one given wins.
  void Switch(const std::string& on, const std::string& off, std::optional<bool>* out, const std::string& help);
  void Text(const std::string& names, std::string* out, const std::string& metavar, const std::string& help);
  void Text(const std::string& names, std::optional<std::string>* out, const std::string& metavar,
            const std::string& help);
  // May be given several times.
  void Texts(const std::string& names, std::vector<std::string>* out, const std::string& metavar,
             const std::string& help);
  void Number(const std::string& names, std::optional<uint64_t>* out, uint64_t low, uint64_t high,
              const std::string& metavar, const std::string& help);
  void Choice(const std::string& names, std::optional<std::string>* out, std::initializer_list<const char*> choices,
              const std::string& help);
  // In the order of declaration.
  void Positional(const std::string& name, std::string* out, const std::string& help, Presence presence);
  // All that is left. Declare it last.
  void Rest(const std::string& name, std::vector<std::string>* out, const std::string& help, Presence presence);

  // Nothing: go on. Else the exit code: 0 after --help (on out), 2 after a usage error (on err, with the nearest known
  // option when one is unknown). A rule that spans options is the caller's: it reports by UsageError().
  std::optional<int> Parse(const std::vector<std::string>& arguments, Terminal& terminal);
  int UsageError(Terminal& terminal, std::string_view text) const;

  std::string Help() const;

 private:
  int UnknownOption(const std::string& extra, Terminal& terminal) const;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mz::cli
