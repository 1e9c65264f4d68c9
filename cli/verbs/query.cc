// mailzone query: the answer to one query, from an image, by the server's own code.
#include <ctime>
#include <nlohmann/json.hpp>

#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/image_file.h"
#include "cli/offline_query.h"
#include "cli/options.h"
#include "cli/verb.h"
#include "format/dns/name.h"
#include "format/dns/query_builder.h"

namespace mz::cli {
namespace {

using nlohmann::json;

json RecordsJson(const std::vector<dns::Record>& records) {
  json out = json::array();
  for (const dns::Record& r : records)
    out.push_back({{"name", dns::NameText(r.name)},
                   {"type", dns::TypeText(r.type)},
                   {"class", dns::ClassText(r.rclass)},
                   {"ttl", r.ttl},
                   {"data", dns::RdataText(r)}});
  return out;
}

json MessageJson(const dns::Message& m) {
  json flags = json::array();
  for (auto [bit, name] : {std::pair{dns::kFlagQr, "qr"}, {dns::kFlagAa, "aa"}, {dns::kFlagTc, "tc"},
                           {dns::kFlagRd, "rd"}, {dns::kFlagRa, "ra"}, {dns::kFlagAd, "ad"}, {dns::kFlagCd, "cd"}})
    if (m.Has(bit)) flags.push_back(name);
  json out = {{"answered", true},
              {"rcode", dns::RcodeText(m.rcode())},
              {"flags", flags},
              {"answer", RecordsJson(m.answer)},
              {"authority", RecordsJson(m.authority)},
              {"additional", RecordsJson(m.additional)},
              {"bytes", m.bytes}};
  if (m.edns) out["edns"] = {{"udp_bytes", m.edns->udp_bytes}, {"version", m.edns->version}};
  return out;
}

}  // namespace

int RunQueryVerb(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string image, name, type = "A", client = "127.0.0.1", qclass = "IN", version_text, server_id;
  bool tcp = false, as_json = false, dnssec_ok = false, nsid = false, no_edns = false;
  std::optional<uint64_t> edns, now, max_udp;
  Options options("query", "Answers one query from an image, as mailzoned would, without a server.",
                  "mailzone query bl.mzi 2.0.0.127.bl.example.org TXT\n"
                  "mailzone query bl.mzi example.com.dn.example.org --client 192.0.2.1\n"
                  "mailzone query bl.mzi big.bl.example.org TXT --tcp --json\n");
  options.Text("--client", &client, "IP", "address that asks, for acl datasets (127.0.0.1)");
  options.Flag("--tcp", &tcp, "as over TCP: nothing is cut");
  options.Number("--edns", &edns, 0, 65535, "SIZE", "EDNS with this UDP size (1232)");
  options.Flag("--no-edns", &no_edns, "a query without EDNS: 512 octets");
  options.Flag("--dnssec", &dnssec_ok, "set the DO bit");
  options.Flag("--nsid", &nsid, "ask for the server's identity");
  options.Text("--class", &qclass, "CLASS", "IN");
  options.Number("--max-udp", &max_udp, 512, 4096, "BYTES", "the server's own limit (1232)");
  options.Text("--version-text", &version_text, "TEXT", "as the server's option");
  options.Text("--server-id", &server_id, "TEXT", "as the server's option");
  options.Number("--now", &now, 0, 0xffffffff, "EPOCH", "the time, for data that expires (now)");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("IMAGE", &image, "the image file", Options::kRequired);
  options.Positional("NAME", &name, "the name to ask for, with the zone's name", Options::kRequired);
  options.Positional("TYPE", &type, "A, TXT, ANY, TYPE257 ... (A)", Options::kOptional);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;

  OfflineQuery query;
  query.tcp = tcp;
  query.dnssec_ok = dnssec_ok;
  query.nsid = nsid;
  if (!no_edns) query.edns_bytes = static_cast<uint16_t>(edns.value_or(1232));
  query.now_unix = static_cast<uint32_t>(now.value_or(static_cast<uint64_t>(std::time(nullptr))));
  StatusOr<std::string> wire = dns::ParseName(name);
  if (!wire.ok()) return options.UsageError(terminal, "NAME: " + std::string(Message(wire.status())));
  query.name = *wire;
  StatusOr<uint16_t> type_number = dns::ParseType(type);
  if (!type_number.ok()) return options.UsageError(terminal, Message(type_number.status()));
  query.type = *type_number;
  StatusOr<uint16_t> class_number = dns::ParseClass(qclass);
  if (!class_number.ok()) return options.UsageError(terminal, Message(class_number.status()));
  query.qclass = *class_number;
  StatusOr<answer::Client> peer = ParseClient(client);
  if (!peer.ok()) return options.UsageError(terminal, "--client: " + std::string(Message(peer.status())));
  query.client = *peer;

  StatusOr<ImageFile> file = OpenImageFile(image);
  if (!file.ok()) {
    Complain(terminal, Printable(Message(file.status())));
    return ExitCodeFor(file.status());
  }
  auto octets = [](const std::string& text) {
    return std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  answer::Settings settings{.max_udp_bytes = static_cast<uint16_t>(max_udp.value_or(1232)),
                            .version = octets(version_text),
                            .server_id = octets(server_id)};
  std::string reply = AskImage(file->view, query, settings);
  if (reply.empty()) {
    if (as_json)
      terminal.out << json{{"answered", false}}.dump(2) << "\n";
    else
      terminal.out << ";; no reply: the server stays silent\n";
    return kExitOk;
  }
  StatusOr<dns::Message> message = dns::ReadMessage(octets(reply));
  if (!message.ok()) {
    Complain(terminal, "internal error: the reply does not parse: " + std::string(Message(message.status())));
    return kExitInternal;
  }
  if (as_json)
    terminal.out << MessageJson(*message).dump(2, ' ', false, json::error_handler_t::replace) << "\n";
  else
    terminal.out << dns::MessageText(*message);
  return kExitOk;
}

}  // namespace mz::cli
