// mailzone explain: which file and line answers a query, and why.
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/explain/explanation.h"
#include "cli/image_file.h"
#include "cli/offline_query.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "format/dns/name.h"
#include "format/dns/query_builder.h"

namespace mz::cli {

int RunExplainVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string image, name, client;
  std::vector<std::string> types;
  bool as_json = false;
  std::optional<uint64_t> now;
  Options options("explain", "Says which zone, dataset, file and line answers a query, and why.",
                  "mailzone explain bl.mzi 2.0.0.127.bl.example.org\n"
                  "mailzone explain bl.mzi www.bl.example.org MX --client 192.0.2.1\n");
  options.Text("--client", &client, "IP", "also say what the acls do with this client");
  options.Number("--now", &now, 0, 0xffffffff, "EPOCH", "the time, for data that expires (now)");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("IMAGE", &image, "the image file", Options::kRequired);
  options.Positional("NAME", &name, "the name that is asked for, with the zone's name", Options::kRequired);
  options.Rest("TYPE", &types, "types to answer at the end (A TXT)", Options::kOptional);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;

  ExplainRequest request;
  request.now_unix = static_cast<uint32_t>(now.value_or(static_cast<uint64_t>(std::time(nullptr))));
  StatusOr<std::string> wire = dns::ParseName(name);
  if (!wire.ok()) return options.UsageError(terminal, "NAME: " + std::string(Message(wire.status())));
  request.name = *wire;
  if (types.empty()) types = {"A", "TXT"};
  for (const std::string& text : types) {
    StatusOr<uint16_t> type = dns::ParseType(text);
    if (!type.ok()) return options.UsageError(terminal, Message(type.status()));
    request.types.push_back(*type);
  }
  if (!client.empty()) {
    StatusOr<answer::Client> peer = ParseClient(client);
    if (!peer.ok()) return options.UsageError(terminal, "--client: " + std::string(Message(peer.status())));
    request.client = *peer;
  }
  StatusOr<ImageFile> file = OpenImageFile(image);
  if (!file.ok()) {
    Complain(terminal, Printable(Message(file.status())));
    return ExitCodeFor(file.status());
  }
  StatusOr<Explanation> explanation = Explain(file->view, request);
  if (!explanation.ok()) {
    Complain(terminal, Printable(image) + ": " + Printable(Message(explanation.status())));
    return ExitCodeFor(explanation.status());
  }
  if (as_json)
    terminal.out << ExplanationJson(*explanation).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  else
    PrintExplanation(*explanation, terminal.out);
  return kExitOk;
}

}  // namespace mz::cli
