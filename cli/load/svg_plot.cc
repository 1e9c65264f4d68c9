// See svg_plot.h.
#include "cli/load/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace mz::cli {

namespace {

constexpr double kWidth = 760, kHeight = 300, kLeft = 74, kRight = 34, kTop = 16, kBottom = 46;

std::string Number(double value) {
  char text[32];
  if (value >= 1e6)
    std::snprintf(text, sizeof text, "%.3gM", value / 1e6);
  else if (value >= 1e3)
    std::snprintf(text, sizeof text, "%.3gk", value / 1e3);
  else
    std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

std::string Coordinate(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// Places of one axis and where they lie between 0 and 1.
struct Scale {
  Axis kind;
  double low, high;

  Scale(Axis axis, double min, double max) : kind(axis), low(min), high(max) {
    if (kind == Axis::kLinear) {
      low = 0;
      high = max > 0 ? max * 1.05 : 1;
    } else {
      low = std::pow(10, std::floor(std::log10(std::max(min, 1e-3))));
      high = std::pow(10, std::ceil(std::log10(std::max(max, low * 1.01)) - 1e-9));
    }
  }

  double At(double value) const {
    const double share = kind == Axis::kLinear ? (value - low) / (high - low)
                                               : std::log(std::max(value, low) / low) / std::log(high / low);
    return std::clamp(share, 0.0, 1.0);
  }

  std::vector<std::pair<double, std::string>> Ticks() const {
    std::vector<std::pair<double, std::string>> out;
    if (kind == Axis::kLinear) {
      double step = std::pow(10, std::floor(std::log10(high / 4)));
      while (high / step > 8) step *= high / step > 20 ? 5 : 2;
      for (double v = 0; v <= high * 1.0001; v += step) out.emplace_back(v, Number(v));
      return out;
    }
    for (double v = low; v <= high * 1.0001; v *= 10) {
      if (kind == Axis::kLog) {
        out.emplace_back(v, Number(v));
      } else {
        char text[32];  // 1/(1-share) = 100 is the 99th percentile
        std::snprintf(text, sizeof text, "%.6g %%", 100 - 100 / v);
        out.emplace_back(v, text);
      }
    }
    return out;
  }
};

}  // namespace

std::string HtmlText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\n')
      out += '?';
    else
      out += c;
  }
  return out;
}

std::string PlotSvg(const Plot& plot) {
  double x_min = 1e300, x_max = -1e300, y_min = 1e300, y_max = -1e300;
  for (const PlotLine& line : plot.lines)
    for (const auto& [x, y] : line.points) {
      x_min = std::min(x_min, x), x_max = std::max(x_max, x);
      if (y > 0 || plot.y == Axis::kLinear) y_min = std::min(y_min, y);
      y_max = std::max(y_max, y);
    }
  if (x_max < x_min) return "<p>" + HtmlText(plot.title) + ": nothing to show.</p>\n";
  const Scale sx(plot.x, x_min, x_max), sy(plot.y, std::min(y_min, y_max), y_max);
  const double inner_w = kWidth - kLeft - kRight, inner_h = kHeight - kTop - kBottom;
  auto px = [&](double x) { return Coordinate(kLeft + inner_w * sx.At(x)); };
  auto py = [&](double y) { return Coordinate(kTop + inner_h * (1 - sy.At(y))); };

  std::string svg = "<figure><figcaption>" + HtmlText(plot.title) +
                    "</figcaption>\n<svg viewBox=\"0 0 760 300\" role=\"img\" aria-label=\"" +
                    HtmlText(plot.title) + "\">\n";
  const std::string bottom = Coordinate(kHeight - kBottom), right = Coordinate(kWidth - kRight);
  for (const auto& [value, text] : sy.Ticks()) {
    svg += "<line class=\"grid\" x1=\"" + Coordinate(kLeft) + "\" x2=\"" + right + "\" y1=\"" + py(value) +
           "\" y2=\"" + py(value) + "\"/>";
    svg += "<text x=\"" + Coordinate(kLeft - 8) + "\" y=\"" + py(value) + "\" text-anchor=\"end\" dy=\"4\">" +
           text + "</text>\n";
  }
  for (const auto& [value, text] : sx.Ticks()) {
    svg += "<line class=\"grid\" x1=\"" + px(value) + "\" x2=\"" + px(value) + "\" y1=\"" + Coordinate(kTop) +
           "\" y2=\"" + bottom + "\"/>";
    svg += "<text x=\"" + px(value) + "\" y=\"" + Coordinate(kHeight - kBottom + 17) +
           "\" text-anchor=\"middle\">" + text + "</text>\n";
  }
  svg += "<text x=\"" + Coordinate(kLeft + inner_w / 2) + "\" y=\"" + Coordinate(kHeight - 8) +
         "\" text-anchor=\"middle\">" + HtmlText(plot.x_label) + "</text>\n";
  svg += "<text transform=\"translate(14 " + Coordinate(kTop + inner_h / 2) +
         ") rotate(-90)\" text-anchor=\"middle\">" + HtmlText(plot.y_label) + "</text>\n";
  std::string legend;
  for (size_t i = 0; i < plot.lines.size(); i++) {
    const std::string style = "line s" + std::to_string(i % 4);
    std::string path;
    for (const auto& [x, y] : plot.lines[i].points) path += (path.empty() ? "" : " ") + px(x) + "," + py(y);
    if (plot.lines[i].points.size() == 1)
      svg += "<circle class=\"" + style + "\" r=\"3\" cx=\"" + path.substr(0, path.find(',')) + "\" cy=\"" +
             path.substr(path.find(',') + 1) + "\"/>\n";
    else
      svg += "<polyline class=\"" + style + "\" points=\"" + path + "\"/>\n";
    legend +=
        "<span class=\"key k" + std::to_string(i % 4) + "\"></span>" + HtmlText(plot.lines[i].name) + " ";
  }
  svg += "</svg>\n";
  if (plot.lines.size() > 1) svg += "<p class=\"legend\">" + legend + "</p>\n";
  return svg + "</figure>\n";
}

}  // namespace mz::cli
