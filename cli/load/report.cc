// The text and JSON forms of report.h.
#include "cli/load/report.h"

#include <cstdio>

#include "cli/diagnostics.h"
#include "cli/load/quantity.h"
#include "cli/version.h"
#include "format/dns/message_reader.h"
#include "format/dns/name.h"

namespace mz::cli {

namespace {

using load::Result;
using nlohmann::json;

std::string Percent(uint64_t part, uint64_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string Fixed(double value, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string PercentileName(double p) {
  std::string text = Fixed(p, 2);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return "p" + text;
}

double PerSecond(uint64_t n, const Result& r) {
  return r.seconds_counted > 0 ? static_cast<double>(n) / r.seconds_counted : 0;
}

// In a run of fixed length, answers that arrived within it; else all.
uint64_t Throughput(const Result& r) { return r.counters.answered_in_window; }

void PrintStep(const LoadReport& report, const LoadStep& step, std::ostream& out) {
  const Result& r = step.result;
  const load::Counters& c = r.counters;
  const LoadArguments& a = report.arguments;
  out << "sent       " << c.sent << " in " << Fixed(r.seconds_counted, 2) << " s, "
      << QuantityText(PerSecond(c.sent, r)) << " queries/s\n";
  out << "answered   " << c.answered << " (" << Percent(c.answered, c.sent) << "), "
      << QuantityText(PerSecond(Throughput(r), r)) << " answers/s\n";
  out << "lost       " << c.lost << " (" << Percent(c.lost, c.sent) << ")";
  if (c.lost_early > 0) out << ", " << c.lost_early << " for want of IDs: use more --ports";
  if (c.late > 0) out << ", " << c.late << " answered too late";
  out << "\n";
  if (c.duplicate + c.unexpected > 0)
    out << "strays     " << c.duplicate << " duplicates, " << c.unexpected << " unexpected\n";
  if (c.send_failed > 0) out << "not sent   " << c.send_failed << ", the system refused them\n";
  if (c.refused > 0) out << "refused    " << c.refused << " reports that nobody listens\n";
  if (a.settings.transport == load::Transport::kTcp)
    out << "tcp        " << c.connections << " connections, " << c.connect_failed << " failed, "
        << c.closed_early << " closed with queries open\n";
  if (c.tcp_retried > 0)
    out << "retried    " << c.tcp_retried << " over TCP, " << c.tcp_retry_answered << " answered\n";
  out << "rcodes    ";
  for (const auto& [name, n] : RcodeCounts(c))
    out << " " << name << " " << n << " (" << Percent(n, c.answered) << ")";
  out << "; " << c.with_records << " with records, " << c.truncated << " truncated\n";
  out << "sizes      answers " << r.sizes.min() << " to " << r.sizes.max() << ", mean "
      << Fixed(r.sizes.mean(), 1) << "; queries mean "
      << Fixed(c.sent == 0 ? 0 : static_cast<double>(c.bytes_sent) / static_cast<double>(c.sent), 1)
      << " octets\n";
  out << "latency   ";
  for (const double p : kPercentiles)
    out << " " << PercentileName(p) << " " << DurationText(static_cast<double>(r.latency.Percentile(p)));
  out << " max " << DurationText(static_cast<double>(r.latency.max())) << "\n";
  if (a.verify)
    out << "verified   " << c.verified << ", " << c.mismatched << " wrong"
        << (report.queries.left_out > 0 ? "; queries that get no answer were left out" : "") << "\n";
  if (r.server.known)
    out << "server     "
        << Fixed(c.answered_in_window == 0
                     ? 0
                     : static_cast<double>(r.server.cpu_ns) / 1e3 / static_cast<double>(c.answered_in_window),
                 3)
        << " us CPU per answer, "
        << Fixed(static_cast<double>(r.server.cpu_ns) / 1e9 / std::max(r.seconds_counted, 1e-9), 2)
        << " cores, " << SizeText(r.server.resident_bytes) << " resident\n";
  out << "generator  "
      << Fixed(c.answered_in_window == 0 ? 0
                                         : static_cast<double>(r.generator_cpu_ns) / 1e3 /
                                               static_cast<double>(c.answered_in_window),
               3)
      << " us CPU per answer, largest gap " << DurationText(static_cast<double>(r.largest_gap_ns));
  if (r.send_lag.count() > 0)
    out << ", send lag p99 " << DurationText(static_cast<double>(r.send_lag.Percentile(99)));
  out << " (" << r.engine << ", trains of " << Fixed(r.mean_train, 1) << ")\n";
}

void PrintSteps(const LoadReport& report, std::ostream& out) {
  out << "      rate   answers/s     loss        p50        p99      p99.9  verdict\n";
  for (const LoadStep& s : report.steps) {
    const Result& r = s.result;
    char line[160];
    std::snprintf(
        line, sizeof line, "%10s  %10s  %7s  %9s  %9s  %9s  %s\n", QuantityText(s.rate).c_str(),
        QuantityText(PerSecond(Throughput(r), r)).c_str(), Percent(r.counters.lost, r.counters.sent).c_str(),
        DurationText(static_cast<double>(r.latency.Percentile(50))).c_str(),
        DurationText(static_cast<double>(r.latency.Percentile(99))).c_str(),
        DurationText(static_cast<double>(r.latency.Percentile(99.9))).c_str(), load::VerdictText(s.verdict));
    out << line;
  }
}

json LatencyJson(const load::Histogram& h) {
  json out = {
      {"count", h.count()}, {"min_us", static_cast<double>(h.min()) / 1e3}, {"mean_us", h.mean() / 1e3}};
  for (const double p : kPercentiles)
    out[PercentileName(p) + "_us"] = static_cast<double>(h.Percentile(p)) / 1e3;
  out["max_us"] = static_cast<double>(h.max()) / 1e3;
  return out;
}

json StepJson(const LoadReport& report, const LoadStep& step) {
  const Result& r = step.result;
  const load::Counters& c = r.counters;
  json rcodes = json::object(), seconds = json::array(), buckets = json::array();
  for (const auto& [name, n] : RcodeCounts(c)) rcodes[name] = n;
  for (const load::Second& s : r.seconds)
    seconds.push_back({{"sent", s.sent},
                       {"answered", s.answered},
                       {"lost", s.lost},
                       {"p50_us", static_cast<double>(s.latency.Percentile(50)) / 1e3},
                       {"p99_us", static_cast<double>(s.latency.Percentile(99)) / 1e3},
                       {"p99.9_us", static_cast<double>(s.latency.Percentile(99.9)) / 1e3},
                       {"max_us", static_cast<double>(s.latency.max()) / 1e3}});
  for (const load::Histogram::Bucket& b : r.latency.Buckets())
    buckets.push_back({static_cast<double>(b.first) / 1e3, static_cast<double>(b.last + 1) / 1e3, b.count});
  json mismatches = json::array();
  for (const load::Mismatch& m : r.mismatches) mismatches.push_back(MismatchText(report, m));
  const double answers = static_cast<double>(c.answered_in_window);
  json out = {
      {"rate", step.rate},
      {"seconds", r.seconds_counted},
      {"interrupted", r.interrupted},
      {"sent", c.sent},
      {"answered", c.answered},
      {"answered_in_window", c.answered_in_window},
      {"lost", c.lost},
      {"lost_early", c.lost_early},
      {"late", c.late},
      {"duplicate", c.duplicate},
      {"unexpected", c.unexpected},
      {"send_failed", c.send_failed},
      {"refused", c.refused},
      {"truncated", c.truncated},
      {"with_records", c.with_records},
      {"verified", c.verified},
      {"mismatched", c.mismatched},
      {"mismatches", mismatches},
      {"tcp_retried", c.tcp_retried},
      {"tcp_retry_answered", c.tcp_retry_answered},
      {"connections", c.connections},
      {"connect_failed", c.connect_failed},
      {"closed_early", c.closed_early},
      {"bytes_sent", c.bytes_sent},
      {"bytes_received", c.bytes_received},
      {"queries_per_second", PerSecond(c.sent, r)},
      {"answers_per_second", PerSecond(Throughput(r), r)},
      {"loss", c.sent == 0 ? 0.0 : static_cast<double>(c.lost) / static_cast<double>(c.sent)},
      {"rcodes", rcodes},
      {"latency", LatencyJson(r.latency)},
      {"latency_relative_error", r.latency.relative_error()},
      {"answer_octets", {{"min", r.sizes.min()}, {"mean", r.sizes.mean()}, {"max", r.sizes.max()}}},
      {"histogram_us", buckets},
      {"time_series", seconds},
      {"generator",
       {{"engine", r.engine},
        {"mean_train", r.mean_train},
        {"cpu_seconds", static_cast<double>(r.generator_cpu_ns) / 1e9},
        {"cpu_us_per_answer", answers == 0 ? 0.0 : static_cast<double>(r.generator_cpu_ns) / 1e3 / answers},
        {"largest_gap_us", static_cast<double>(r.largest_gap_ns) / 1e3},
        {"send_lag", LatencyJson(r.send_lag)}}}};
  if (const std::optional<double> p = SpoiledFrom(r)) out["spoiled_from_percentile"] = *p;
  if (r.server.known)
    out["server"] = {
        {"cpu_seconds", static_cast<double>(r.server.cpu_ns) / 1e9},
        {"cpu_us_per_answer", answers == 0 ? 0.0 : static_cast<double>(r.server.cpu_ns) / 1e3 / answers},
        {"resident_bytes", r.server.resident_bytes}};
  if (report.steps.size() > 1 || report.max_rate) out["verdict"] = load::VerdictText(step.verdict);
  return out;
}

json SettingsJson(const LoadReport& report) {
  const LoadArguments& a = report.arguments;
  const load::Settings& s = a.settings;
  const LoadQueries& q = report.queries;
  const bool tcp = s.transport == load::Transport::kTcp;
  json options = json::array(), pids = s.pids, cpus = s.cpus;
  for (const auto& [code, bytes] : a.form.edns_options)
    options.push_back({{"code", code}, {"octets", bytes.size()}});
  json out = {{"server", a.target_text},
              {"transport", tcp ? "tcp" : "udp"},
              {"threads", s.threads},
              {"cpus", cpus},
              {"seed", s.seed},
              {"timeout_seconds", static_cast<double>(s.timeout_ns) / 1e9},
              {"warm_up_seconds", static_cast<double>(s.warm_up_ns) / 1e9},
              {"seconds", static_cast<double>(a.mode == LoadMode::kOnce ? s.duration_ns : a.step_ns) / 1e9},
              {"number", s.max_queries},
              {"wait", s.waiting == load::Waiting::kSpin ? "spin" : "block"},
              {"mode", a.mode == LoadMode::kRamp      ? "ramp"
                       : a.mode == LoadMode::kFindMax ? "find-max"
                       : s.rate > 0                   ? "rate"
                                                      : "window"},
              {"arrivals", s.arrivals == load::Arrivals::kPoisson ? "poisson" : "uniform"},
              {"rate", s.rate},
              {"window", s.window},
              {"verify", a.verify},
              {"retry_tcp", s.retry_tcp},
              {"pids", pids},
              {"max_loss", a.limits.max_loss},
              {"max_p99_us", static_cast<double>(a.limits.max_p99_ns) / 1e3},
              {"recursion_desired", a.form.recursion_desired},
              {"proxy", !s.proxy.empty()},
              {"distinct_queries", q.pool.size()},
              {"sequence", q.sequence.size()},
              {"left_out", q.left_out}};
  if (tcp) {
    out["connections"] = s.connections;
    out["queries_per_connection"] = s.queries_per_connection;
  } else {
    out["ports"] = s.ports;
    out["train"] = s.train;
    out["reorder"] = a.reorder;
    out["engine"] = s.engine == load::EngineKind::kUring ? "uring" : "mmsg";
  }
  if (a.form.edns)
    out["edns"] = {{"udp_bytes", a.form.edns_bytes}, {"dnssec_ok", a.form.dnssec_ok},
                   {"cookie", a.form.cookie},        {"client_subnet", !a.form.client_subnet.empty()},
                   {"padding", a.form.padding},      {"options", options}};
  if (a.image.empty()) {
    out["queries"] = a.query_file;
  } else {
    out["image"] = {{"file", a.image},
                    {"units", q.units},
                    {"hits", a.draw.hits},
                    {"ip6", a.draw.ip6},
                    {"unknown", a.draw.unknown},
                    {"zipf", a.draw.zipf},
                    {"pool", a.pool},
                    {"drawn",
                     {{"hits", q.drawn.hits},
                      {"misses", q.drawn.misses},
                      {"unknown", q.drawn.unknown},
                      {"ip4", q.drawn.ip4},
                      {"ip6", q.drawn.ip6},
                      {"names", q.drawn.names}}}};
  }
  return out;
}

}  // namespace

std::optional<double> SpoiledFrom(const Result& r) {
  if (r.send_lag.count() == 0) return std::nullopt;
  for (const double p : {99.0, 99.9, 99.99})
    if (2 * r.send_lag.Percentile(p) > r.latency.Percentile(p)) return p;
  return std::nullopt;
}

std::vector<std::pair<std::string, uint64_t>> RcodeCounts(const load::Counters& c) {
  std::vector<std::pair<std::string, uint64_t>> out;
  for (uint16_t i = 0; i < c.rcode.size(); i++)
    if (c.rcode[i] != 0) out.emplace_back(dns::RcodeText(i), c.rcode[i]);
  return out;
}

std::string MismatchText(const LoadReport& report, const load::Mismatch& m) {
  auto text = [](std::string_view bytes) -> std::string {
    const StatusOr<dns::Message> message =
        dns::ReadMessage({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    return message.ok() ? dns::MessageText(*message)
                        : ";; does not parse: " + std::string(Message(message.status())) + "\n";
  };
  return ";; received:\n" + text(m.received) + ";; expected:\n" +
         text(ExpectedMessage(report.arguments, report.queries, m.query));
}

void PrintReport(const LoadReport& report, std::ostream& out) {
  if (report.arguments.mode == LoadMode::kOnce) {
    PrintStep(report, report.steps[0], out);
  } else {
    PrintSteps(report, out);
    if (report.max_rate)
      out << (*report.max_rate > 0
                  ? "highest rate that holds: " + QuantityText(*report.max_rate) + " queries/s\n"
                  : std::string("no rate holds\n"));
  }
}

json ReportJson(const LoadReport& report) {
  json steps = json::array();
  for (const LoadStep& s : report.steps) steps.push_back(StepJson(report, s));
  json out = {{"schema", 1}, {"version", kVersionText}, {"settings", SettingsJson(report)}};
  if (report.arguments.mode == LoadMode::kOnce)
    out["result"] = steps[0];
  else
    out["steps"] = steps;
  if (report.max_rate) out["max_rate"] = *report.max_rate;
  return out;
}

}  // namespace mz::cli
