// mailzone spf explain: why an address gets its result, term by term.
#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "cli/image_file.h"
#include "cli/options.h"
#include "cli/spf/one_domain.h"
#include "cli/spf/page.h"
#include "cli/spf/query_name.h"
#include "cli/spf/verbs.h"
#include "compiler/spf/form_check.h"
#include "compiler/spf/residual.h"
#include "compiler/spf/trace.h"
#include "format/dns/name.h"
#include "format/spf/record.h"

namespace mz::cli {
namespace {

using compiler::spf::Trace;
using compiler::spf::TraceStep;
using nlohmann::json;

// A lookup that the answer leaves to the receiver.
struct ReceiverLookup {
  std::string type, name, term;
};

struct Verdict {
  std::string result;        // "softfail", "depends on the message"
  bool decided = true;
  std::string answer;        // the record that is served, or "SERVFAIL"
  std::string query_name;
  std::vector<ReceiverLookup> lookups;
};

std::string Replaced(std::string text, std::string_view from, const std::string& to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

std::vector<ReceiverLookup> LookupsOf(const std::string& answer, const MessageFacts& facts, const std::string& domain) {
  std::vector<ReceiverLookup> out;
  mz::spf::Record record;
  mz::spf::SyntaxError error;
  if (!mz::spf::IsSpfRecord(answer) || !mz::spf::ParseRecord(answer, &record, &error)) return out;
  for (const mz::spf::Term& t : record.terms) {
    const bool a = t.mechanism == mz::spf::Mechanism::kA;
    const char* type = t.mechanism == mz::spf::Mechanism::kExists    ? "A"
                       : t.mechanism == mz::spf::Mechanism::kInclude ? "TXT"
                       : t.mechanism == mz::spf::Mechanism::kMx      ? "MX"
                       : t.mechanism == mz::spf::Mechanism::kPtr     ? "PTR"
                       : a && facts.client.is_v4                     ? "A"
                       : a                                           ? "AAAA"
                                                                     : nullptr;
    if (type == nullptr) continue;
    std::string name = t.domain ? NameFor(mz::spf::MacroText(*t.domain), facts, domain) : domain;
    if (t.mechanism == mz::spf::Mechanism::kPtr) name = facts.client_text + ", for names in " + name;
    out.push_back({type, std::move(name), answer.substr(t.column - 1, t.length)});
  }
  if (record.redirect)
    out.push_back({"TXT", NameFor(mz::spf::MacroText(record.redirect->value), facts, domain),
                   answer.substr(record.redirect->column - 1, record.redirect->length)});
  return out;
}

Verdict VerdictOf(DomainDesk* desk, const ServedDomain& served, const MessageFacts& facts, const Trace& trace) {
  compiler::spf::ProgramPool& programs = desk->evaluator().programs();
  const compiler::spf::Program& p = programs.program(trace.program);
  Verdict out;
  out.decided = p.clauses.empty() && p.fallback != compiler::spf::Default::kRedirect;
  out.result = out.decided ? std::string(compiler::spf::DefaultName(p.fallback)) : "depends on the message";
  if (p.fallback == compiler::spf::Default::kNone) out.result = "permerror (no record)";
  out.query_name = QueryName(served, facts);
  out.answer = compiler::spf::ResidualText(&programs, trace.program, facts.client.is_v4, served.zone->settings.form);
  out.answer = Replaced(Replaced(out.answer, "$IP", facts.client_text), "$NAME", out.query_name);
  out.lookups = LookupsOf(out.answer, facts, served.domain_text);
  return out;
}

const char* OutcomeWord(const TraceStep& s) {
  switch (s.outcome) {
    case TraceStep::kMatch: return "matches";
    case TraceStep::kNoMatch: return "no match";
    case TraceStep::kReceiver: return "left to the receiver";
    case TraceStep::kError: return "error";
    case TraceStep::kFollowed: return "followed";
    case TraceStep::kRecord: break;
  }
  return "";
}

class TracePrinter {
 public:
  TracePrinter(const Trace& trace, bool all, Terminal& terminal) : steps_(trace.steps), all_(all), terminal_(terminal) {}

  void Run() {
    for (size_t i = 0; i < steps_.size();) i = all_ ? One(i) : Short(i);
  }

 private:
  // Prints what begins at step i, leaving out what did not count; returns the next step.
  size_t Short(size_t i) {
    const TraceStep& s = steps_[i];
    size_t end = i + 1;
    if (s.outcome != TraceStep::kNoMatch) return One(i);
    while (end < steps_.size() && steps_[end].depth > s.depth) end++;
    if (end > i + 1) {  // an include that did not match
      size_t records = 0;
      for (size_t k = i; k < end; k++) records += steps_[k].outcome == TraceStep::kRecord;
      Print(s, Count(records, "record") + " read");
      return end;
    }
    size_t run = i;
    while (run < steps_.size() && IsQuiet(steps_[run], s.depth)) run++;
    if (run < i + 3) return One(i);
    TraceStep several = s;
    several.term = std::to_string(run - i) + " addresses, " + s.term + " to " + steps_[run - 1].term;
    Print(several, "");
    return run;
  }
  static bool IsQuiet(const TraceStep& s, int depth) {
    return s.depth == depth && s.outcome == TraceStep::kNoMatch && s.term.find("ip") < 2;
  }

  size_t One(size_t i) {
    Print(steps_[i], steps_[i].note);
    return i + 1;
  }

  void Print(const TraceStep& s, const std::string& note) {
    const std::string indent(2 * static_cast<size_t>(s.depth), ' ');
    if (s.outcome == TraceStep::kRecord) {
      const std::string line = "     " + indent + s.owner + ": " + Cut(Printable(s.term), 100);
      terminal_.out << Tinted(terminal_, s.ok ? Tint::kFaint : Tint::kBad, line) << "\n";
      return;
    }
    const Tint tint = s.outcome == TraceStep::kReceiver ? Tint::kWarning
                      : s.outcome == TraceStep::kError  ? Tint::kBad
                      : s.decides                       ? Tint::kStrong
                                                        : Tint::kFaint;
    std::string word = OutcomeWord(s);
    if (!note.empty()) word += ": " + Printable(note);
    const std::string left = (s.decides ? "  => " : "     ") + indent + "  " + Printable(s.term);
    terminal_.out << (s.decides ? Tinted(terminal_, Tint::kStrong, Padded(left, 48)) : Padded(left, 48))
                  << Tinted(terminal_, tint, word) << "\n";
  }
  static std::string Cut(std::string text, size_t most) {
    if (text.size() > most) text = text.substr(0, most - 3) + "...";
    return text;
  }

  const std::vector<TraceStep>& steps_;
  const bool all_;
  Terminal& terminal_;
};

// The last word, where no step says it.
std::string Ending(const Trace& trace) {
  for (const TraceStep& s : trace.steps)
    if (s.decides && s.depth == 0) return "";
  if (trace.cut) return "(more steps are not shown)";
  return "nothing else matches: neutral (RFC 7208 section 4.7)";
}

void Print(const ServedDomain& served, const MessageFacts& facts, const Verdict& v, const Trace& trace, bool all,
           Terminal& terminal) {
  const Tint tint = !v.decided ? Tint::kWarning : v.result == "pass" ? Tint::kGood : Tint::kBad;
  terminal.out << Tinted(terminal, Tint::kStrong, served.domain_text) << "  " << facts.client_text << ": "
               << Tinted(terminal, tint, v.result) << "\n";
  const auto line = [&](std::string_view what, const std::string& text) {
    terminal.out << Tinted(terminal, Tint::kFaint, Padded("  " + std::string(what), 10)) << Printable(text) << "\n";
  };
  line("asked", v.query_name + " TXT");
  line("answer", v.answer);
  line("source", served.owner_text + (served.listed ? "" : " (the domain is in no list)"));
  terminal.out << "\n";
  TracePrinter(trace, all, terminal).Run();
  if (const std::string ending = Ending(trace); !ending.empty()) terminal.out << "       " << ending << "\n";
  if (v.lookups.empty()) return;
  terminal.out << "\nthe receiver looks up";
  if (!facts.known()) terminal.out << " (--sender and --helo fill in the rest)";
  terminal.out << "\n";
  for (const ReceiverLookup& l : v.lookups)
    terminal.out << "  " << Padded(l.type, 4) << Padded(Printable(l.name), 44) << Tinted(terminal, Tint::kFaint, Printable(l.term))
                 << "\n";
}

json ExplanationJson(const ServedDomain& served, const MessageFacts& facts, const Verdict& v, const Trace& trace) {
  json steps = json::array(), lookups = json::array();
  for (const TraceStep& s : trace.steps) {
    json step = {{"depth", s.depth}, {"owner", s.owner}, {"term", s.term}};
    if (s.outcome == TraceStep::kRecord) {
      step["kind"] = "record";
      step["ok"] = s.ok;
    } else {
      step["kind"] = "term";
      step["column"] = s.column;
      step["outcome"] = OutcomeWord(s);
    }
    if (!s.note.empty()) step["note"] = s.note;
    if (s.decides) step["decides"] = true;
    steps.push_back(std::move(step));
  }
  for (const ReceiverLookup& l : v.lookups) lookups.push_back({{"type", l.type}, {"name", l.name}, {"term", l.term}});
  return {{"domain", served.domain_text}, {"listed", served.listed},  {"ip", facts.client_text},
          {"result", v.result},           {"decided", v.decided},     {"query_name", v.query_name},
          {"answer", v.answer},           {"source", served.owner_text}, {"steps", steps},
          {"receiver_lookups", lookups}};
}

}  // namespace

int RunSpfExplain(const std::vector<std::string>& arguments, Terminal& terminal) {
  DeskOptions desk_options;
  std::string domain, ip, zone;
  MessageFacts facts;
  bool as_json = false, all = false;
  Options options("spf explain",
                  "Says what an SPF zone answers for a client's address, and which terms of which records lead to it.",
                  "mailzone spf explain mailzone.toml customer.example 192.0.2.1\n"
                  "mailzone spf explain mailzone.toml customer.example 2001:db8::1 --sender a@b.example --helo mx.b.example\n");
  options.Text("--sender", &facts.sender, "ADDRESS", "MAIL FROM, to fill in the names that the receiver looks up");
  options.Text("--helo", &facts.helo, "NAME", "the client's HELO name, likewise");
  options.Flag("--all", &all, "show every term, also where nothing matched");
  options.Text("--zone", &zone, "NAME", "the zone, for a domain that is in no list");
  desk_options.Declare(&options, /*may_ask_elsewhere=*/false);
  options.Flag("--json", &as_json, "one JSON document on standard output");
  options.Positional("CONFIG", &desk_options.config, "the configuration", Options::kRequired);
  options.Positional("DOMAIN", &domain, "the domain of the sender", Options::kRequired);
  options.Positional("IP", &ip, "the client's address", Options::kRequired);
  if (auto exit = options.Parse(arguments, terminal)) return *exit;
  const std::optional<compiler::spf::ClientAddress> client = compiler::spf::ParseClient(ip);
  if (!client) return options.UsageError(terminal, "'" + Printable(ip) + "' is not an IP address");
  facts.client = *client;
  facts.client_text = client->is_v4 ? net::ToString(client->v4) : net::ToString(client->v6);

  Progress progress(terminal);
  DiagnosticLog log({.err = as_json ? nullptr : &terminal.err, .colour = terminal.err_colour});
  StatusOr<std::unique_ptr<DomainDesk>> desk = DomainDesk::Open(desk_options, &log);
  if (!desk.ok()) return FailSpf(desk.status(), as_json, terminal);
  StatusOr<ServedDomain> served = (*desk)->FindServed(domain, zone, &log);
  if (!served.ok()) return FailSpf(served.status(), as_json, terminal);
  (*desk)->Fetch({served->key()}, {}, &progress);
  const Trace trace = compiler::spf::TraceClient(&(*desk)->evaluator(), desk->get(), served->key(), facts.client);
  const Verdict verdict = VerdictOf(desk->get(), *served, facts, trace);
  if (as_json)
    terminal.out << JsonText(ExplanationJson(*served, facts, verdict, trace));
  else
    Print(*served, facts, verdict, trace, all, terminal);
  return kExitOk;
}

}  // namespace mz::cli
