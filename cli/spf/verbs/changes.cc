// mailzone spf changes, held, ack: what changed and why; what the failure policy holds back; the operator's word on it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/spf/acknowledge.h"
#include "cli/spf/change_record.h"
#include "cli/spf/settings.h"
#include "cli/spf/verbs.h"
#include "compiler/resolve/store.h"
#include "compiler/spf/wire_names.h"

extern char** environ;

namespace mz::cli {
namespace {

using nlohmann::json;

int Fail(const Status& status, Terminal& terminal) {
  Complain(terminal, Printable(Message(status)));
  return status.code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(status);
}

StatusOr<Config> LoadSpfConfig(const std::string& path, Terminal& terminal) {
  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  MZ_ASSIGN_OR_RETURN(Config config, LoadConfig(path, EnvironmentOf(environ), &log));
  if (!config.HasSpf()) return MakeStatus(StatusCode::kInvalidArgument, path + " has no zone of type spf");
  return config;
}

std::string Texts(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  std::string out;
  if (value.is_array())
    for (const json& v : value) out += (out.empty() ? "" : " | ") + (v.is_string() ? v.get<std::string>() : v.dump());
  return out.empty() ? "nothing" : out;
}

void Print(const json& line, std::ostream& out) {
  out << Printable(line.value("time", "")) << "  " << Printable(line.value("domain", ""));
  if (line.value("new", false)) {
    out << "  served for the first time\n";
    return;
  }
  out << "  IPv" << line.value("family", 0) << "\n";
  for (const json& change : line.value("changes", json::array())) {
    std::string prefixes;
    size_t shown = 0;
    for (const json& p : change.value("prefixes", json::array())) {
      if (++shown > 8) break;
      prefixes += " " + (p.is_string() ? p.get<std::string>() : "");
    }
    const uint64_t count = change.value("count", uint64_t{0});
    if (count > 8) prefixes += " and " + std::to_string(count - 8) + " more";
    out << "   " << Printable(prefixes) << "\n      - " << Printable(change.value("before", "")) << "\n      + "
        << Printable(change.value("after", "")) << "\n";
  }
  if (line.contains("alert")) out << "    alert: " << Printable(line.value("alert", "")) << "\n";
  if (line.contains("cause")) {
    const json& cause = line["cause"];
    out << "    because of " << Printable(cause.value("question", "")) << "\n      - "
        << Printable(Texts(cause.value("before", json()))) << "\n      + "
        << Printable(Texts(cause.value("after", json()))) << "\n";
    std::string path;
    for (const json& p : line.value("path", json::array()))
      path += (path.empty() ? "" : " > ") + (p.is_string() ? p.get<std::string>() : "");
    if (!path.empty()) out << "    by " << Printable(path) << "\n";
  }
}

}  // namespace

int RunSpfChanges(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string path, domain, since;
  std::optional<uint64_t> last;
  bool as_json = false;
  Options options("spf changes", "Shows which answers changed, when, and because of which answer of the DNS.",
                  "mailzone spf changes mailzone.toml\n"
                  "mailzone spf changes --domain customer.example --since 2026-11-01 mailzone.toml\n");
  options.Text("--domain", &domain, "NAME", "only this domain");
  options.Text("--since", &since, "TIME", "only what is newer: 2026-11-21 or 2026-11-21T05:00:00Z");
  options.Number("--last", &last, 1, 1000000, "N", "only the last N (100)");
  options.Flag("--json", &as_json, "the lines of the change record as they are");
  options.Positional("CONFIG", &path, "the configuration", Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  StatusOr<Config> config = LoadSpfConfig(path, terminal);
  if (!config.ok()) return Fail(config.status(), terminal);
  StatusOr<std::string> text = ReadFile(config->spf.change_log);
  if (!text.ok()) {
    if (text.status().code() != StatusCode::kNotFound) return Fail(text.status(), terminal);
    text = std::string();
  }
  std::vector<json> lines;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    json line = json::parse(rest.substr(0, end), nullptr, false);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.is_object()) continue;  // the last line may be half written
    if (!domain.empty() && line.value("domain", "") != domain) continue;
    if (!since.empty() && line.value("time", "") < since) continue;
    lines.push_back(std::move(line));
  }
  const size_t show = std::min<size_t>(lines.size(), last.value_or(100));
  for (size_t i = lines.size() - show; i < lines.size(); i++) {
    if (as_json)
      terminal.out << lines[i].dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
    else
      Print(lines[i], terminal.out);
  }
  if (!as_json && lines.empty()) terminal.out << "no changes are recorded\n";
  return kExitOk;
}

int RunSpfHeld(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string path;
  bool as_json = false;
  Options options("spf held",
                  "Lists the answers that are held back (records that vanished, broke or shrank) and the questions that fail.",
                  "mailzone spf held mailzone.toml\n");
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("CONFIG", &path, "the configuration", Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  StatusOr<Config> config = LoadSpfConfig(path, terminal);
  if (!config.ok()) return Fail(config.status(), terminal);
  resolve::Store store(StoreSettings(config->spf));
  if (Status loaded = store.Load(config->spf.state, 0); !loaded.ok()) return Fail(loaded, terminal);
  json list = json::array();
  store.ForEach([&](const resolve::StoredNode& n) {
    if (!n.held && n.failures == 0) return;
    json item = {{"question", QuestionText(n.question)}, {"failures", n.failures}};
    if (n.failures > 0) item["error"] = n.last_error, item["failing_since"] = TimeText(n.failing_since);
    if (n.held) item["held"] = n.held_reason, item["held_since"] = TimeText(n.held_since), item["seen"] = n.held_count;
    list.push_back(std::move(item));
  });
  if (as_json) {
    terminal.out << list.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
    return kExitOk;
  }
  for (const json& item : list) {
    terminal.out << Printable(item["question"].get<std::string>());
    if (item.contains("held"))
      terminal.out << ": held since " << item["held_since"].get<std::string>() << ", seen " << item["seen"] << " times: "
                   << Printable(item["held"].get<std::string>());
    if (item.contains("error"))
      terminal.out << ": fails since " << item["failing_since"].get<std::string>() << ", " << item["failures"]
                   << " times: " << Printable(item["error"].get<std::string>());
    terminal.out << "\n";
  }
  if (list.empty()) terminal.out << "nothing is held back and nothing fails\n";
  return kExitOk;
}

int RunSpfAck(const std::vector<std::string>& arguments, Terminal& terminal) {
  std::string path;
  std::vector<std::string> names;
  Options options("spf ack", "Believes answers that are held back: the operator's word instead of further confirmations.",
                  "mailzone spf ack mailzone.toml _spf.provider.example\n"
                  "mailzone spf ack mailzone.toml mail.provider.example/A\n");
  options.Positional("CONFIG", &path, "the configuration", Options::kRequired);
  options.Rest("NAME[/TYPE]", &names, "as `mailzone spf held` lists them; the type is TXT when it is left out",
               Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  StatusOr<Config> config = LoadSpfConfig(path, terminal);
  if (!config.ok()) return Fail(config.status(), terminal);
  std::vector<resolve::Question> questions;
  for (std::string name : names) {
    std::replace(name.begin(), name.end(), '/', ' ');
    std::optional<resolve::Question> q = ParseQuestion(name);
    if (!q) return options.UsageError(terminal, "'" + Printable(name) + "' is not NAME or NAME/TYPE");
    questions.push_back(std::move(*q));
  }
  if (Status written = Acknowledge(config->spf, questions); !written.ok()) return Fail(written, terminal);
  terminal.out << "told: " << questions.size() << (questions.size() == 1 ? " question\n" : " questions\n");
  return kExitOk;
}

}  // namespace mz::cli
