// Why an image answers a name as it does: the zone, the datasets asked, the entries that matter and the lines they stand on.
//
//   MZ_ASSIGN_OR_RETURN(Explanation e, Explain(view, {.name = wire, .types = {1, 16}}));
//   PrintExplanation(e, out);
//
// The image says what the answer is (the server's own code is asked); the provenance section says which lines wrote the
// entries that cover the name; the rules of each dataset kind say which of them decides. The text of a line is shown when
// its file is still the one that was compiled.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/status.h"
#include "format/image/view.h"
#include "server/answer/answer.h"

namespace mz::cli {

struct ExplainedEntry {
  std::string file;
  uint32_t line = 0;
  std::string entry;           // "10.0.0.0/24", "*.example.com"
  bool exclusion = false;
  bool decides = false;
  std::string role;            // "decides", "excluded on the same key", "hidden by a finer entry", ...
  std::string text;            // the line; "" when not known
  std::string text_missing;    // why
};

struct ExplainedDataset {
  std::string spec;            // "ip4set:bl.txt"
  std::string kind;            // "ip4set"
  std::string subzone;         // combined: "a.b", "@"; else ""
  std::string asked;           // what was looked up: "127.0.0.2", "example.com"
  std::string verdict;         // "listed: A 127.0.0.2 TXT \"...\"", "not listed", "excluded", "not an address"
  bool found = false;          // it has something to answer
  std::vector<ExplainedEntry> entries;  // deciding ones first
  uint64_t entries_hidden = 0;
};

struct ExplainedAnswer {
  std::string type;
  std::string rcode;           // "NOERROR", "" when the server stays silent
  std::vector<std::string> records;
};

struct Explanation {
  std::string name, zone;      // presentation form; zone "": none
  std::vector<std::string> notes;
  std::vector<ExplainedDataset> datasets;
  std::vector<ExplainedAnswer> answers;
};

struct ExplainRequest {
  std::string name;            // relative wire form
  std::vector<uint16_t> types;
  std::optional<answer::Client> client;  // also explain what the acls say about it
  uint32_t now_unix = 0;
};

// Errors: DataLoss (the meta or provenance section is damaged).
StatusOr<Explanation> Explain(const image::View& view, const ExplainRequest& request);

void PrintExplanation(const Explanation& explanation, std::ostream& out);
nlohmann::json ExplanationJson(const Explanation& explanation);

}  // namespace mz::cli
