// mailzone healthcheck list: the catalogue, for people, programs and documents.
#include <nlohmann/json.hpp>

#include "base/suggest.h"
#include "cli/exit_code.h"
#include "cli/healthcheck/verbs.h"
#include "cli/options.h"
#include "cli/spf/page.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {

using namespace healthcheck;

namespace {

using nlohmann::json;

void PrintTable(Dimension d, Terminal& terminal) {
  terminal.out << Tinted(terminal, Tint::kStrong, DimensionWord(d)) << ": " << DimensionTitle(d) << "\n";
  size_t width = 0;
  for (const Outcome& o : Outcomes(d)) width = std::max(width, o.word.size());
  for (const Outcome& o : Outcomes(d)) {
    terminal.out << "  " << Padded(o.word, width) << o.sentence;
    if (!o.expected.empty() && o.expected != o.word)
      terminal.out << Tinted(terminal, Tint::kFaint, " -> ") << o.expected;
    terminal.out << "\n";
  }
}

void PrintMarkdown(Dimension d, Terminal& terminal) {
  terminal.out << "### " << DimensionWord(d) << ": " << DimensionTitle(d) << "\n\n"
               << "| outcome | what is served or sent | expected | source | differs |\n|---|---|---|---|---|\n";
  for (const Outcome& o : Outcomes(d))
    terminal.out << "| `" << o.word << "` | " << o.sentence << " | " << o.expected << " | " << o.section << " | "
                 << o.seen << " |\n";
}

json Json(Dimension d) {
  json rows = json::array();
  for (const Outcome& o : Outcomes(d))
    rows.push_back({{"outcome", o.word},
                    {"sentence", o.sentence},
                    {"expected", o.expected},
                    {"section", o.section},
                    {"differs", o.seen}});
  return {{"dimension", DimensionWord(d)}, {"title", DimensionTitle(d)}, {"outcomes", rows}};
}

}  // namespace

int RunHealthcheckList(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string wanted;
  bool as_json = false, markdown = false;
  Options options(
      "healthcheck list",
      "Lists the outcomes that an ID can ask for. Each dimension has one; \"none\" or the first is the default.",
      "mailzone healthcheck list\n"
      "mailzone healthcheck list dkim\n"
      "mailzone healthcheck list --markdown\n");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Flag("--markdown", &markdown, "tables for a document, with sources and known differences");
  options.Positional("DIMENSION", &wanted, "spf, dkim, dmarc ...; all without", Options::kOptional);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  std::vector<Dimension> dimensions;
  std::vector<std::string_view> names;
  for (int k = 0; k < kDimensionCount; ++k) {
    const auto d = static_cast<Dimension>(k);
    names.push_back(DimensionWord(d));
    if (wanted.empty() || wanted == names.back()) dimensions.push_back(d);
  }
  if (dimensions.empty()) {
    const std::string nearest = Nearest(wanted, names);
    std::string known;
    for (std::string_view n : names) known += (known.empty() ? "" : ", ") + std::string(n);
    return options.UsageError(
        terminal, "unknown dimension '" + Printable(wanted) + "'" +
                      (nearest.empty() ? ": there are " + known : "; did you mean '" + nearest + "'?"));
  }
  if (as_json) {
    json document = json::array();
    for (Dimension d : dimensions) document.push_back(Json(d));
    terminal.out << JsonText({{"dimensions", document}});
    return kExitOk;
  }
  bool first = true;
  for (Dimension d : dimensions) {
    if (!first) terminal.out << "\n";
    first = false;
    markdown ? PrintMarkdown(d, terminal) : PrintTable(d, terminal);
  }
  return kExitOk;
}

}  // namespace mz::cli
