// Line plots as inline SVG, for the page of `mailzone load --html`. Colours come from the page's CSS
// variables, so that they follow light and dark mode.
//
//   Plot plot{.title = "Throughput", .x_label = "seconds", .y_label = "queries/s"};
//   plot.lines.push_back({"sent", points});
//   page += PlotSvg(plot);
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace mz::cli {

struct PlotLine {
  std::string name;
  std::vector<std::pair<double, double>> points;  // ascending x
};

enum class Axis { kLinear, kLog, kPercentile };  // kPercentile: x is 1/(1-share), labelled 90 %, 99 % ...

struct Plot {
  std::string title, x_label, y_label;
  Axis x = Axis::kLinear, y = Axis::kLinear;
  std::vector<PlotLine> lines;  // up to four are told apart by colour and dashes
};

std::string PlotSvg(const Plot& plot);
// & < > " replaced.
std::string HtmlText(std::string_view text);

}  // namespace mz::cli
