#include "cli/load/svg_plot.h"

#include <gtest/gtest.h>

namespace mz::cli {
namespace {

TEST(SvgPlotTest, NothingToShowIsSaid) {
  EXPECT_EQ(PlotSvg({.title = "a<b", .x_label = "", .y_label = "", .lines = {{"x", {}}}}),
            "<p>a&lt;b: nothing to show.</p>\n");
}

TEST(SvgPlotTest, PointsLieInsideWhateverTheValues) {
  for (const Axis axis : {Axis::kLinear, Axis::kLog, Axis::kPercentile})
    for (const double value : {0.0, 1e-9, 1.0, 123.0, 1e12}) {
      const std::string svg = PlotSvg({.title = "t",
                                       .x_label = "x",
                                       .y_label = "y",
                                       .x = Axis::kLinear,
                                       .y = axis,
                                       .lines = {{"one", {{0, value}, {5, value}, {9, 0}}}}});
      EXPECT_NE(svg.find("<polyline"), std::string::npos);
      EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
      EXPECT_EQ(svg.find("inf"), std::string::npos);
      EXPECT_LT(svg.size(), 20'000u);
    }
}

TEST(SvgPlotTest, TextIsEscaped) {
  EXPECT_EQ(HtmlText("<a b=\"c\">&\x01"), "&lt;a b=&quot;c&quot;&gt;&amp;?");
}

}  // namespace
}  // namespace mz::cli
