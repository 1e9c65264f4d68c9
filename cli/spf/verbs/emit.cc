// mailzone spf emit: the policies as files for rbldnsd, BIND and other programs.
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "cli/build_job.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/spf/env_config.h"
#include "cli/spf/session.h"
#include "cli/spf/verbs.h"
#include "compiler/spf/emit.h"
#include "format/dns/name.h"

namespace mz::cli {
namespace {

namespace spf = compiler::spf;
namespace fs = std::filesystem;

// Where the serial of a zone file stands (emit_bind.cc): equal but for it is unchanged.
constexpr std::string_view kSerialBegin = ". (", kSerialEnd = " 10800 3600 604800 300)\n@ NS ";

std::string WithoutSerial(std::string text) {
  const size_t end = text.find(kSerialEnd);
  const size_t begin = text.rfind(kSerialBegin, end);
  if (end != std::string::npos && begin != std::string::npos) text.erase(begin, end - begin);
  return text;
}

// A serial that grows also when the clock goes back.
uint32_t NextSerial(const std::string& path) {
  const auto now = static_cast<uint32_t>(std::time(nullptr));
  StatusOr<std::string> text = path.empty() ? std::string() : ReadFile(path);
  if (!text.ok()) return now;
  const size_t end = text->find(kSerialEnd);
  const size_t begin = text->rfind(kSerialBegin, end);
  if (end == std::string::npos || begin == std::string::npos) return now;
  const uint64_t old = std::strtoull(text->c_str() + begin + kSerialBegin.size(), nullptr, 10);
  return old >= now && old < 0xfffffffe ? static_cast<uint32_t>(old + 1) : now;
}

struct Written {
  size_t files = 0, unchanged = 0;
  uint64_t bytes = 0;
};

// A file that says the same already is left alone: rbldnsd would load it again, people would see a change.
Status WriteIfChanged(const std::string& path, const std::string& text, spf::EmitFormat format, Written* written) {
  written->files++;
  written->bytes += text.size();
  if (::access(path.c_str(), R_OK) == 0) {
    if (StatusOr<std::string> old = ReadFile(path); old.ok()) {
      const bool same = format == spf::EmitFormat::kBind ? WithoutSerial(*old) == WithoutSerial(text) : *old == text;
      if (same) {
        written->unchanged++;
        return absl::OkStatus();
      }
    }
  }
  AtomicFile file(path);
  MZ_RETURN_IF_ERROR(file.Open());
  MZ_RETURN_IF_ERROR(file.Write({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
  return file.Commit();
}

std::string FileNameOf(const spf::DomainSetting& domain) {
  std::string name = dns::NameText(domain.name);
  std::replace(name.begin(), name.end(), '.', '-');
  return name;
}

// Files of domains that are no longer listed would be served for ever. Only files that this verb wrote are removed.
void RemoveStale(const fs::path& directory, const std::map<std::string, std::string>& files, size_t* removed) {
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, failure)) {
    const std::string name = entry.path().filename().string();
    if (files.contains(name) || name.find('-') == std::string::npos || !entry.is_regular_file(failure)) continue;
    StatusOr<std::string> text = ReadFile(entry.path().string());
    if (!text.ok()) continue;
    const std::string_view head = std::string_view(*text).substr(0, 600);
    const bool ours = head.starts_with("#\n# mailzone: ") ||
                      head.find("#   Written by mailzone spf emit ") != std::string_view::npos;
    if (ours && fs::remove(entry.path(), failure)) ++*removed;
  }
}

struct Request {
  spf::EmitFormat format = spf::EmitFormat::kRbldnsdExact;
  std::string output, zone;
  bool per_domain = false, timestamps = false, exact_fallback = true;
};

const SpfZone* ChooseZone(const SpfSession& session, const std::string& name, std::string* problem) {
  const std::vector<SpfZone>& zones = session.zones();
  if (name.empty()) {
    if (zones.size() == 1) return &zones[0];
    *problem = "the configuration has several SPF zones: give --zone NAME";
    return nullptr;
  }
  StatusOr<std::string> wire = dns::ParseName(name);
  if (wire.ok()) {
    dns::LowerName(&*wire);
    for (const SpfZone& z : zones)
      if (z.settings.apex == *wire) return &z;
  }
  *problem = "the configuration has no SPF zone '" + name + "'";
  return nullptr;
}

int Emit(const Request& request, const Config& config, Terminal& terminal) {
  Progress progress(terminal);
  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour, .before_writing = [&] { progress.Clear(); }});
  const auto fail = [&](const Status& status) {
    Complain(terminal, Printable(Message(status)));
    return status.code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(status);
  };
  StatusOr<std::unique_ptr<SpfSession>> session = SpfSession::Open(config, &log);
  if (!session.ok()) return fail(session.status());
  std::string problem;
  const SpfZone* zone = ChooseZone(**session, request.zone, &problem);
  if (zone == nullptr) {
    Complain(terminal, problem);
    return kExitUsage;
  }
  spf::EmitZone emit;
  emit.settings = &zone->settings;
  emit.format = request.format;
  emit.exact_fallback = request.exact_fallback;
  if (!zone->config->ns.empty()) emit.ns = zone->config->ns[0];
  if (emit.ns.ends_with('.')) emit.ns.pop_back();
  emit.hostmaster = zone->config->hostmaster;
  if (request.timestamps) emit.created = static_cast<uint32_t>(std::time(nullptr));
  if (request.format == spf::EmitFormat::kBind) emit.created = NextSerial(request.output);
  if (Status able = spf::CheckEmittable(emit); !able.ok()) return fail(able);

  (*session)->Fetch(&progress);
  if (Status saved = (*session)->SaveState(); !saved.ok()) return fail(saved);
  if (Status closed = (*session)->FinishRecording(); !closed.ok()) return fail(closed);

  uint64_t lost = 0;
  std::pair<std::string, std::string> last;  // one domain often says the same for both families
  spf::Emitter emitter(emit, &(*session)->refresher().evaluator(), [&](const spf::EmitNote& note) {
    if (std::pair now(note.domain, note.message); now == last)
      return;
    else
      last = std::move(now);
    lost += note.lost;
    dataset::Diagnostic d;
    d.severity = dataset::Severity::kWarning;
    d.file = note.domain;
    d.message = note.message;
    d.hint = note.hint;
    log.Report(std::move(d));
  });
  const std::vector<const spf::DomainSetting*> domains = emitter.Domains();
  Written written;
  size_t removed = 0;
  if (!request.per_domain) {
    std::string text = emitter.Head(domains);
    for (const spf::DomainSetting* d : domains) text += emitter.Domain(*d);
    text += emitter.Tail();
    if (request.output.empty()) {
      terminal.out << text;
    } else if (Status done = WriteIfChanged(request.output, text, request.format, &written); !done.ok()) {
      return fail(done);
    }
  } else {
    std::error_code failure;
    fs::create_directories(request.output, failure);
    if (failure) return fail(ErrnoStatus(failure.value(), request.output));
    std::map<std::string, std::string> files;  // "a-b.example" and "a.b-example" share a file
    for (const spf::DomainSetting* d : domains) {
      const std::string text = emitter.Domain(*d);
      if (text.empty()) continue;
      std::string& file = files[FileNameOf(*d)];
      file += (file.empty() ? emitter.Head({d}) : "") + text;
    }
    for (const auto& [name, text] : files)
      if (Status done = WriteIfChanged((fs::path(request.output) / name).string(), text, request.format, &written);
          !done.ok())
        return fail(done);
    RemoveStale(request.output, files, &removed);
  }
  log.Finish();
  if (!request.output.empty()) {
    const spf::Emitter::Totals& t = emitter.totals();
    terminal.out << t.domains << " domains, " << t.prefixes << " prefixes, " << written.bytes << " octets in "
                 << written.files << (written.files == 1 ? " file" : " files");
    if (written.unchanged > 0) terminal.out << ", " << written.unchanged << " unchanged";
    if (removed > 0) terminal.out << ", " << removed << " removed";
    if (t.fallbacks > 0) terminal.out << "; " << t.fallbacks << " in the form of rbldnsd-exact";
    if (t.refused > 0) terminal.out << "; " << t.refused << " left out";
    terminal.out << "\n";
  }
  return lost > 0 ? kExitFindings : kExitOk;
}

}  // namespace

int RunSpfEmit(const std::vector<std::string>& arguments, Terminal& terminal) {
  Request request;
  std::optional<std::string> format, fallback;
  std::vector<std::string> inputs;
  EnvConfig env;
  Options options("spf emit",
                  "Writes the policies of an SPF zone for another program. A file that would not change is left alone; "
                  "others are replaced in one step. Exit 1: written, but something cannot be said in that format.",
                  "mailzone spf emit mailzone.toml --format=rbldnsd-exact -o /var/lib/rbldnsd/running-config\n"
                  "mailzone spf emit mailzone.toml --format=bind -o db._spf.example.com\n"
                  "MY_DOMAINS=\"customer.example\" mailzone spf emit --from-env --format=rbldnsd-compat\n");
  options.Choice("--format", &format, {"rbldnsd-exact", "rbldnsd-compat", "bind", "json"},
                 "what to write (rbldnsd-exact; with --from-env: rbldnsd-compat)");
  options.Text("-o,--output", &request.output, "FILE|DIR", "where to (standard output); a directory with --per-domain");
  options.Flag("--per-domain", &request.per_domain, "one file per domain, named like it with - for each dot");
  options.Choice("--fallback", &fallback, {"exact", "refuse"},
                 "rbldnsd-compat: domains that it cannot say (exact: in the form of rbldnsd-exact)");
  options.Flag("--timestamps", &request.timestamps, "times in the headers");
  options.Text("--zone", &request.zone, "NAME", "which SPF zone, when the configuration has several");
  env.Declare(&options);
  options.Rest("CONFIG", &inputs, "the configuration", Options::kOptional);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;

  if (env.wanted()) {
    if (!inputs.empty()) return options.UsageError(terminal, "--from-env and a configuration exclude each other");
    if (auto exit = env.Prepare(environ, terminal)) return *exit;
    inputs = {env.path()};
    if (!format) format = "rbldnsd-compat";
    request.per_domain |= env.result().per_domain;
  }
  if (inputs.size() != 1 || !IsConfiguration(inputs))
    return options.UsageError(terminal, "one configuration file is wanted, or --from-env");
  const std::string word = format.value_or("rbldnsd-exact");
  request.format = word == "json"             ? spf::EmitFormat::kJson
                   : word == "bind"           ? spf::EmitFormat::kBind
                   : word == "rbldnsd-compat" ? spf::EmitFormat::kRbldnsdCompat
                                              : spf::EmitFormat::kRbldnsdExact;
  request.exact_fallback = fallback.value_or("exact") == "exact";
  if (request.per_domain && request.output.empty()) return options.UsageError(terminal, "--per-domain needs -o DIRECTORY");
  if (request.per_domain && (word == "json" || word == "bind"))
    return options.UsageError(terminal, "--per-domain is for the formats of rbldnsd");
  if (fallback && word != "rbldnsd-compat")
    return options.UsageError(terminal, "--fallback is for --format=rbldnsd-compat");

  DiagnosticLog log({.err = &terminal.err, .colour = terminal.err_colour});
  StatusOr<Config> config = LoadConfig(inputs[0], EnvironmentOf(environ), &log);
  log.Finish();
  if (!config.ok()) {
    Complain(terminal, Printable(Message(config.status())));
    return config.status().code() == StatusCode::kInvalidArgument ? kExitUsage : ExitCodeFor(config.status());
  }
  if (!config->HasSpf()) {
    Complain(terminal, inputs[0] + " has no zone of type spf");
    return kExitUsage;
  }
  return Emit(request, *config, terminal);
}

}  // namespace mz::cli
