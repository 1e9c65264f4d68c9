// The two forms of an explanation. See explanation.h.
#include <nlohmann/json.hpp>

#include "cli/diagnostics.h"
#include "cli/explain/explanation.h"

namespace mz::cli {

void PrintExplanation(const Explanation& x, std::ostream& out) {
  out << x.name << ": " << (x.zone.empty() ? "no zone" : "zone " + x.zone) << "\n";
  for (const ExplainedDataset& d : x.datasets) {
    out << "  " << Printable(d.spec);
    if (!d.subzone.empty()) out << ", subzone " << d.subzone;
    out << "\n    " << d.asked << ": " << d.verdict << "\n";
    for (const ExplainedEntry& e : d.entries) {
      out << "    " << (e.decides ? "=> " : "   ") << Printable(e.file) << ":" << e.line << ": ";
      if (!e.text.empty())
        out << Printable(e.text);
      else
        out << (e.exclusion ? "!" : "") << e.entry << " (" << e.text_missing << ")";
      out << "\n         " << e.role << ": " << (e.exclusion ? "!" : "") << e.entry << "\n";
    }
    if (d.entries_hidden > 0) out << "       ... " << d.entries_hidden << " more\n";
  }
  for (const std::string& note : x.notes) out << "  note: " << Printable(note) << "\n";
  for (const ExplainedAnswer& a : x.answers) {
    out << "  " << a.type << ": " << (a.rcode.empty() ? "no reply" : a.rcode);
    if (a.rcode == "NOERROR" && a.records.empty()) out << ", no such record";
    for (const std::string& r : a.records) out << "\n    " << r;
    out << "\n";
  }
}

nlohmann::json ExplanationJson(const Explanation& x) {
  nlohmann::json datasets = nlohmann::json::array(), answers = nlohmann::json::array();
  for (const ExplainedDataset& d : x.datasets) {
    nlohmann::json entries = nlohmann::json::array();
    for (const ExplainedEntry& e : d.entries) {
      nlohmann::json entry = {{"file", e.file},           {"line", e.line},       {"entry", e.entry},
                              {"exclusion", e.exclusion}, {"decides", e.decides}, {"role", e.role}};
      if (!e.text.empty())
        entry["text"] = e.text;
      else if (!e.text_missing.empty())
        entry["text_missing"] = e.text_missing;
      entries.push_back(std::move(entry));
    }
    nlohmann::json dataset = {{"spec", d.spec},       {"kind", d.kind},   {"asked", d.asked},
                              {"verdict", d.verdict}, {"found", d.found}, {"entries", entries},
                              {"entries_hidden", d.entries_hidden}};
    if (!d.subzone.empty()) dataset["subzone"] = d.subzone;
    datasets.push_back(std::move(dataset));
  }
  for (const ExplainedAnswer& a : x.answers)
    answers.push_back({{"type", a.type}, {"answered", !a.rcode.empty()}, {"rcode", a.rcode}, {"records", a.records}});
  return {{"name", x.name}, {"zone", x.zone}, {"notes", x.notes}, {"datasets", datasets}, {"answers", answers}};
}

}  // namespace mz::cli
