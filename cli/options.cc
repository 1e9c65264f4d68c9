// See options.h.
#include "cli/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>

#include "base/suggest.h"
#include "cli/exit_code.h"

namespace mz::cli {
namespace {

struct Line {
  std::string left, help;
};

// "-o,--output" -> "-o, --output"
std::string Spaced(const std::string& names) {
  std::string out;
  for (char c : names) {
    out += c;
    if (c == ',') out += ' ';
  }
  return out;
}

void AppendTable(const std::vector<Line>& lines, std::string* out) {
  constexpr size_t kHelpColumn = 28, kWidth = 100;
  for (const Line& line : lines) {
    std::string row = "  " + line.left;
    if (row.size() + 2 > kHelpColumn) {
      *out += row + "\n";
      row.clear();
    }
    row.resize(kHelpColumn, ' ');
    size_t column = kHelpColumn;
    size_t at = 0;
    while (at < line.help.size()) {  // word by word
      size_t end = std::min(line.help.find(' ', at), line.help.size());
      if (column + (end - at) > kWidth) {
        while (row.ends_with(' ')) row.pop_back();
        row += "\n" + std::string(kHelpColumn, ' ');
        column = kHelpColumn;
      }
      row.append(line.help, at, end - at);
      row += ' ';
      column += end - at + 1;
      at = end + 1;
    }
    while (row.ends_with(' ')) row.pop_back();
    *out += row + "\n";
  }
}

}  // namespace

struct Options::Impl {
  std::string command, complaint;  // "mailzone dump", "mailzone: dump: "
  std::string summary, examples;
  CLI::App app;
  std::vector<Line> options, positionals;
  std::string usage_tail;
  std::vector<std::string> known;  // option names, for suggestions
  bool help = false;

  void Remember(const std::string& names, const std::string& metavar, const std::string& help_text) {
    options.push_back({Spaced(names) + (metavar.empty() ? "" : " " + metavar), help_text});
    for (size_t at = 0; at < names.size();) {
      size_t end = std::min(names.find(',', at), names.size());
      known.push_back(names.substr(at, end - at));
      at = end + 1;
    }
  }
};

Options::Options(std::string_view verb, std::string_view summary, std::string_view examples,
                 std::string_view program)
    : impl_(std::make_unique<Impl>()) {
  impl_->command = program;
  impl_->complaint = std::string(program) + ": ";
  if (!verb.empty()) {
    impl_->command += " " + std::string(verb);
    impl_->complaint += std::string(verb) + ": ";
  }
  impl_->summary = summary;
  impl_->examples = examples;
  impl_->app.set_help_flag();
  impl_->app.allow_extras();  // unknown options are reported by us, with a suggestion
  Flag("-h,--help", &impl_->help, "this text");
}

Options::~Options() = default;

void Options::Flag(const std::string& names, bool* out, const std::string& help) {
  impl_->app.add_flag(names, *out, help);
  impl_->Remember(names, "", help);
}

void Options::Switch(const std::string& on, const std::string& off, std::optional<bool>* out,
                     const std::string& help) {
  // A callback runs in the order of the command line, so that the last one wins.
  impl_->app.add_flag_callback(on, [out] { *out = true; })->trigger_on_parse()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
  impl_->app.add_flag_callback(off, [out] { *out = false; })->trigger_on_parse()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
  impl_->Remember(on + "," + off, "", help);
}

void Options::Text(const std::string& names, std::string* out, const std::string& metavar, const std::string& help) {
  impl_->app.add_option(names, *out, help);
  impl_->Remember(names, metavar, help);
}

void Options::Text(const std::string& names, std::optional<std::string>* out, const std::string& metavar,
                   const std::string& help) {
  impl_->app.add_option_function<std::string>(names, [out](const std::string& v) { *out = v; }, help);
  impl_->Remember(names, metavar, help);
}

void Options::Texts(const std::string& names, std::vector<std::string>* out, const std::string& metavar,
                    const std::string& help) {
  // One value each: `--listen A B` must leave B to the positionals.
  impl_->app.add_option(names, *out, help)->allow_extra_args(false);
  impl_->Remember(names, metavar, help);
}

void Options::Number(const std::string& names, std::optional<uint64_t>* out, uint64_t low, uint64_t high,
                     const std::string& metavar, const std::string& help) {
  impl_->app.add_option_function<std::string>(
      names,
      [=](const std::string& text) {
        uint64_t value = 0;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
          throw CLI::ValidationError(names, "'" + text + "' is not a number from " + std::to_string(low) + " to " +
                                                std::to_string(high));
        *out = value;
      },
      help);
  impl_->Remember(names, metavar, help);
}

void Options::Choice(const std::string& names, std::optional<std::string>* out,
                     std::initializer_list<const char*> choices, const std::string& help) {
  std::vector<std::string> known(choices.begin(), choices.end());
  std::string metavar;
  for (const std::string& c : known) metavar += (metavar.empty() ? "" : "|") + c;
  impl_->app.add_option_function<std::string>(
      names,
      [=](const std::string& text) {
        if (std::find(known.begin(), known.end(), text) == known.end()) {
          std::vector<std::string_view> views(known.begin(), known.end());
          std::string nearest = Nearest(text, views);
          throw CLI::ValidationError(names, "'" + text + "' is not one of " + metavar +
                                                (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
        }
        *out = text;
      },
      help);
  impl_->Remember(names, metavar, help);
}

void Options::Positional(const std::string& name, std::string* out, const std::string& help, Presence presence) {
  impl_->app.add_option(name, *out, help)->required(presence == kRequired);
  impl_->positionals.push_back({name, help});
  impl_->usage_tail += presence == kRequired ? " " + name : " [" + name + "]";
}

void Options::Rest(const std::string& name, std::vector<std::string>* out, const std::string& help,
                   Presence presence) {
  impl_->app.add_option(name, *out, help)->required(presence == kRequired);
  impl_->positionals.push_back({name + "...", help});
  impl_->usage_tail += presence == kRequired ? " " + name + "..." : " [" + name + "...]";
}

int Options::UsageError(Terminal& terminal, std::string_view text) const {
  terminal.err << impl_->complaint << text << "\n`" << impl_->command << " --help` shows how to call it\n"
               << std::flush;
  return kExitUsage;
}

std::optional<int> Options::Parse(const std::vector<std::string>& arguments, Terminal& terminal) {
  Impl& impl = *impl_;
  // Help wins over everything, also over missing arguments.
  for (const std::string& a : arguments) {
    if (a == "--") break;
    if (a == "--help" || a == "-h") {
      terminal.out << Help();
      return kExitOk;
    }
  }
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // CLI11 pops from the back
    impl.app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    // An unknown option often makes a required argument look missing: name the option first.
    for (const std::string& extra : impl.app.remaining()) {
      if (extra.size() > 1 && extra[0] == '-') return UnknownOption(extra, terminal);
    }
    return UsageError(terminal, e.what());
  }
  for (const std::string& extra : impl.app.remaining()) {
    if (extra == "--") continue;
    if (extra.size() > 1 && extra[0] == '-') return UnknownOption(extra, terminal);
    return UsageError(terminal, "one argument too many: '" + extra + "'");
  }
  return std::nullopt;
}

int Options::UnknownOption(const std::string& extra, Terminal& terminal) const {
  std::string name = extra.substr(0, extra.find('='));
  std::vector<std::string_view> known(impl_->known.begin(), impl_->known.end());
  std::string nearest = Nearest(name, known);
  for (size_t i = 0; i < known.size() && nearest.empty() && name.size() > 2; i++)
    if (known[i].starts_with(name)) nearest = known[i];  // cut short
  return UsageError(terminal, "unknown option '" + name + "'" +
                                  (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
}

std::string Options::Help() const {
  std::string out = "Examples:\n";
  for (size_t at = 0; at < impl_->examples.size();) {
    size_t end = std::min(impl_->examples.find('\n', at), impl_->examples.size());
    out += "  " + impl_->examples.substr(at, end - at) + "\n";
    at = end + 1;
  }
  out += "\n" + impl_->summary + "\n\nUsage: " + impl_->command + " [OPTION...]" + impl_->usage_tail + "\n";
  if (!impl_->positionals.empty()) {
    out += "\nArguments:\n";
    AppendTable(impl_->positionals, &out);
  }
  out += "\nOptions:\n";
  AppendTable(impl_->options, &out);
  return out;
}

}  // namespace mz::cli
