// The page of report.h: one HTML file with inline style and inline SVG, no script, nothing fetched.
// Well-formed XML too.
#include <algorithm>
#include <cstdio>

#include "cli/load/quantity.h"
#include "cli/load/report.h"
#include "cli/load/svg_plot.h"
#include "cli/version.h"

namespace mz::cli {

namespace {

using load::Result;

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --back: #fcfcfd; --text: #1d2430; --soft: #667085; --grid: #e1e5ec;
  --s0: #1d5fc4; --s1: #c2410c; --s2: #15803d; --s3: #9333ea; --bad: #b91c1c; }
@media (prefers-color-scheme: dark) { :root { --back: #14171c; --text: #e4e8ef; --soft: #98a2b3; --grid: #2c333d;
  --s0: #6ea8ff; --s1: #fb923c; --s2: #4ade80; --s3: #c084fc; --bad: #f87171; } }
body { background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; max-width: 800px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; } h2 { font-size: 1.1em; margin-top: 2em; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25em .6em; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
figure { margin: 1.5em 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; } .grid { stroke: var(--grid); }
.line { fill: none; stroke-width: 2; } .s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); stroke-dasharray: 7 3; }
.s2 { stroke: var(--s2); stroke-dasharray: 3 3; } .s3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; }
.key { display: inline-block; width: 1.4em; height: .3em; margin: 0 .4em .15em .8em; } .legend { color: var(--soft); margin: 0; }
.k0 { background: var(--s0); } .k1 { background: var(--s1); } .k2 { background: var(--s2); } .k3 { background: var(--s3); }
.bad { color: var(--bad); font-weight: 600; } pre { overflow-x: auto; font-size: 12px; border: 1px solid var(--grid); padding: .8em; }
footer, .soft { color: var(--soft); }
)";

std::string Row(std::initializer_list<std::string> cells, const char* tag = "td") {
  std::string out = "<tr>";
  for (const std::string& c : cells) out += std::string("<") + tag + ">" + HtmlText(c) + "</" + tag + ">";
  return out + "</tr>\n";
}

std::string Share(uint64_t part, uint64_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string Time(uint64_t ns) { return DurationText(static_cast<double>(ns)); }

double PerSecond(uint64_t n, const Result& r) {
  return r.seconds_counted > 0 ? static_cast<double>(n) / r.seconds_counted : 0;
}

std::string Summary(const LoadReport& report, const Result& r) {
  const load::Counters& c = r.counters;
  std::string out = "<table>\n";
  out += Row({"sent", std::to_string(c.sent), QuantityText(PerSecond(c.sent, r)) + "/s"});
  out +=
      Row({"answered", std::to_string(c.answered), QuantityText(PerSecond(c.answered_in_window, r)) + "/s"});
  out += Row({"lost", std::to_string(c.lost), Share(c.lost, c.sent)});
  out +=
      Row({"late, duplicate, unexpected",
           std::to_string(c.late) + ", " + std::to_string(c.duplicate) + ", " + std::to_string(c.unexpected),
           ""});
  if (report.arguments.verify)
    out += Row({"verified, wrong", std::to_string(c.verified) + ", " + std::to_string(c.mismatched),
                Share(c.mismatched, c.verified)});
  for (const double p : kPercentiles) {
    char name[40];
    std::snprintf(name, sizeof name, "latency p%g", p);
    out += Row({name, Time(r.latency.Percentile(p)), ""});
  }
  out += Row({"latency max", Time(r.latency.max()), ""});
  if (r.server.known)
    out += Row({"server CPU per answer",
                DurationText(c.answered_in_window == 0 ? 0
                                                       : static_cast<double>(r.server.cpu_ns) /
                                                             static_cast<double>(c.answered_in_window)),
                SizeText(r.server.resident_bytes) + " resident"});
  out += Row({"generator: largest gap", Time(r.largest_gap_ns),
              r.send_lag.count() > 0 ? "send lag p99 " + Time(r.send_lag.Percentile(99)) : ""});
  return out + "</table>\n";
}

std::string Rcodes(const load::Counters& c) {
  std::string out = "<h2>Answers by RCODE</h2>\n<table>\n" + Row({"RCODE", "answers", "share"}, "th");
  for (const auto& [name, n] : RcodeCounts(c)) out += Row({name, std::to_string(n), Share(n, c.answered)});
  return out + Row({"with records", std::to_string(c.with_records), Share(c.with_records, c.answered)}) +
         Row({"truncated", std::to_string(c.truncated), Share(c.truncated, c.answered)}) + "</table>\n";
}

std::string Plots(const Result& r) {
  Plot distribution{.title = "Latency distribution",
                    .x_label = "percentile",
                    .y_label = "microseconds",
                    .x = Axis::kPercentile,
                    .y = Axis::kLog,
                    .lines = {}};
  PlotLine latency{"latency", {}};
  uint64_t seen = 0;
  const uint64_t total = r.latency.count();
  for (const load::Histogram::Bucket& b : r.latency.Buckets()) {
    latency.points.emplace_back(static_cast<double>(total) / static_cast<double>(total - seen),
                                static_cast<double>(b.last) / 1e3);
    seen += b.count;
  }
  distribution.lines.push_back(std::move(latency));

  Plot over_time{.title = "Latency over time",
                 .x_label = "seconds",
                 .y_label = "microseconds",
                 .x = Axis::kLinear,
                 .y = Axis::kLog,
                 .lines = {{"p50", {}}, {"p99", {}}, {"p99.9", {}}, {"max", {}}}};
  Plot throughput{.title = "Throughput over time",
                  .x_label = "seconds",
                  .y_label = "per second",
                  .x = Axis::kLinear,
                  .y = Axis::kLinear,
                  .lines = {{"sent", {}}, {"answered", {}}, {"lost", {}}}};
  for (size_t i = 0; i < r.seconds.size(); i++) {
    const load::Second& s = r.seconds[i];
    const double begin = static_cast<double>(i), length = std::min(1.0, r.seconds_counted - begin);
    if (length < 0.05) continue;  // the rest of a second is no rate
    const double x = begin + length;
    if (s.latency.count() > 0) {
      over_time.lines[0].points.emplace_back(x, static_cast<double>(s.latency.Percentile(50)) / 1e3);
      over_time.lines[1].points.emplace_back(x, static_cast<double>(s.latency.Percentile(99)) / 1e3);
      over_time.lines[2].points.emplace_back(x, static_cast<double>(s.latency.Percentile(99.9)) / 1e3);
      over_time.lines[3].points.emplace_back(x, static_cast<double>(s.latency.max()) / 1e3);
    }
    throughput.lines[0].points.emplace_back(x, static_cast<double>(s.sent) / length);
    throughput.lines[1].points.emplace_back(x, static_cast<double>(s.answered) / length);
    throughput.lines[2].points.emplace_back(x, static_cast<double>(s.lost) / length);
  }
  return PlotSvg(distribution) + PlotSvg(over_time) + PlotSvg(throughput);
}

std::string Steps(const LoadReport& report) {
  std::string out = "<h2>Steps</h2>\n<table>\n" +
                    Row({"rate", "answers/s", "lost", "p50", "p99", "p99.9", "verdict"}, "th");
  Plot plot{.title = "Latency by rate",
            .x_label = "queries per second",
            .y_label = "microseconds",
            .x = Axis::kLinear,
            .y = Axis::kLog,
            .lines = {{"p50", {}}, {"p99", {}}, {"p99.9", {}}}};
  std::vector<const LoadStep*> sorted;
  for (const LoadStep& s : report.steps) {
    const Result& r = s.result;
    out +=
        Row({QuantityText(s.rate), QuantityText(PerSecond(r.counters.answered_in_window, r)),
             Share(r.counters.lost, r.counters.sent), Time(r.latency.Percentile(50)),
             Time(r.latency.Percentile(99)), Time(r.latency.Percentile(99.9)), load::VerdictText(s.verdict)});
    sorted.push_back(&s);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const LoadStep* a, const LoadStep* b) { return a->rate < b->rate; });
  for (const LoadStep* s : sorted) {
    plot.lines[0].points.emplace_back(s->rate, static_cast<double>(s->result.latency.Percentile(50)) / 1e3);
    plot.lines[1].points.emplace_back(s->rate, static_cast<double>(s->result.latency.Percentile(99)) / 1e3);
    plot.lines[2].points.emplace_back(s->rate, static_cast<double>(s->result.latency.Percentile(99.9)) / 1e3);
  }
  return out + "</table>\n" + PlotSvg(plot);
}

}  // namespace

std::string ReportHtml(const LoadReport& report) {
  const LoadStep* shown = &report.steps.back();
  if (report.max_rate)  // the best step that held
    for (const LoadStep& s : report.steps)
      if (s.rate == *report.max_rate) shown = &s;
  const Result& r = shown->result;
  const std::string title = "mailzone load: " + report.arguments.target_text;
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>" +
      HtmlText(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" + HtmlText(title) +
      "</h1>\n";
  if (report.max_rate)
    page += "<p>Highest rate that holds: <strong>" + HtmlText(QuantityText(*report.max_rate)) +
            " queries per second</strong>.</p>\n";
  if (r.counters.mismatched > 0)
    page += "<p class=\"bad\">" + std::to_string(r.counters.mismatched) + " answers were wrong.</p>\n";
  if (const std::optional<double> p = SpoiledFrom(r)) {
    char text[120];
    std::snprintf(
        text, sizeof text,
        "<p class=\"bad\">The generator itself was late: from p%g on the latencies are its own.</p>\n", *p);
    page += text;
  }
  if (report.arguments.mode != LoadMode::kOnce)
    page += Steps(report) + "<h2>The step at " + HtmlText(QuantityText(shown->rate)) + " per second</h2>\n";
  page += Summary(report, r) + Plots(r) + Rcodes(r.counters);
  for (const load::Mismatch& m : r.mismatches)
    page += "<pre>" + HtmlText(MismatchText(report, m)) + "</pre>\n";
  page +=
      "<details><summary>Settings</summary>\n<pre>" +
      HtmlText(ReportJson(report)["settings"].dump(2, ' ', false, nlohmann::json::error_handler_t::replace)) +
      "</pre></details>\n";
  return page + "<footer>mailzone " + std::string(kVersionText) + "</footer>\n</body>\n</html>\n";
}

}  // namespace mz::cli
