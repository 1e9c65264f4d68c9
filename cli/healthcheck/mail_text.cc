// What a test mail says to the person who opens it: plain text, and HTML that can be read on light and dark
// ground.
#include "cli/healthcheck/compose.h"
#include "cli/healthcheck/expectation.h"
#include "format/healthcheck/outcome.h"

namespace mz::cli {

using namespace healthcheck;

namespace {

struct Row {
  std::string_view dimension, word, sentence, expected, section;
};

std::vector<Row> RowsOf(const Settings& s) {
  std::vector<Row> rows;
  for (int k = 0; k < kDimensionCount; ++k) {
    const auto d = static_cast<Dimension>(k);
    // What is not tested needs no line; SPF, DKIM and DMARC always say where they stand.
    if (s[d] == 0 && d != kSpf && d != kDkim && d != kDmarc) continue;
    if (const Outcome* o = OutcomeOf(d, s[d]))
      rows.push_back({DimensionWord(d), o->word, o->sentence, o->expected, o->section});
  }
  return rows;
}

std::vector<std::pair<std::string, std::string>> FactsOf(const TestMailSpec& spec) {
  const TestNames names = NamesOf(spec);
  std::vector<std::pair<std::string, std::string>> facts = {
      {"ID", spec.id},      {"MAIL FROM", names.mail_from},          {"From", names.from},
      {"HELO", names.helo}, {"Sent", mail::DateText(spec.now_unix)}, {"Contact", spec.contact}};
  return facts;
}

constexpr std::string_view kIntroduction =
    "This is a test mail. It was sent to see what this mail server does with mail whose sender's records in the "
    "DNS are in "
    "a certain state, good or bad. It asks for nothing; it can be deleted.";

}  // namespace

std::string PlainBody(const TestMailSpec& spec) {
  std::string out = "MAIL HEALTH CHECK\n\n" + std::string(kIntroduction) + "\n";
  if (!spec.terse) {
    const Expectation e = Expect(spec.settings);
    out += "\nWHAT IT TESTS\n\n";
    for (const Row& r : RowsOf(spec.settings)) {
      out +=
          "* " + std::string(r.dimension) + " = " + std::string(r.word) + ": " + std::string(r.sentence) + ".\n";
      out += "  Expected: " + std::string(r.expected) + " (" + std::string(r.section) + ").\n";
    }
    out += "\nWHAT SHOULD HAVE HAPPENED\n\n" + std::string(VerdictSentence(e.verdict)) + "\n" + e.why + "\n";
  }
  out += "\nDETAILS\n\n";
  for (const auto& [name, value] : FactsOf(spec)) out += name + ": " + value + "\n";
  return out;
}

std::string HtmlBody(const TestMailSpec& spec) {
  const auto escaped = [](std::string_view text) { return mail::HtmlEscaped(text); };
  // No colours of text or ground but for the mark: mail programs then choose a readable pair in both modes.
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Mail health check</title>\n"
      "<style>:root { color-scheme: light dark; }</style>\n</head>\n"
      "<body style=\"font-family: sans-serif; line-height: 1.5; max-width: 46em; margin: 0 auto; padding: "
      "1em;\">\n"
      "<h1 style=\"font-size: 1.4em;\">Mail health check</h1>\n<p>" +
      escaped(kIntroduction) + "</p>\n";
  const std::string cell = "style=\"text-align: left; vertical-align: top; padding: .3em .8em .3em 0;\"";
  if (!spec.terse) {
    const Expectation e = Expect(spec.settings);
    const std::string_view mark = e.verdict == Expectation::kAccept   ? "#2e9e5b"
                                  : e.verdict == Expectation::kReject ? "#d64545"
                                                                      : "#d99a1c";
    out += "<h2 style=\"font-size: 1.1em;\">What it tests</h2>\n<table>\n";
    for (const Row& r : RowsOf(spec.settings))
      out += "<tr><th scope=\"row\" " + cell + ">" + escaped(r.dimension) + "</th><td " + cell + "><strong>" +
             escaped(r.word) + "</strong>: " + escaped(r.sentence) + ".<br>Expected: " + escaped(r.expected) +
             " (" + escaped(r.section) + ").</td></tr>\n";
    out +=
        "</table>\n<h2 style=\"font-size: 1.1em;\">What should have happened</h2>\n"
        "<p style=\"border-left: 4px solid " +
        std::string(mark) + "; padding-left: .8em;\"><strong>" + escaped(VerdictSentence(e.verdict)) +
        "</strong><br>" + escaped(e.why) + "</p>\n";
  }
  out += "<h2 style=\"font-size: 1.1em;\">Details</h2>\n<table>\n";
  for (const auto& [name, value] : FactsOf(spec))
    out += "<tr><th scope=\"row\" " + cell + ">" + escaped(name) + "</th><td " + cell + ">" + escaped(value) +
           "</td></tr>\n";
  return out + "</table>\n</body>\n</html>\n";
}

}  // namespace mz::cli
