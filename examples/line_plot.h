// Small line plots as one SVG picture: panels in a grid, light or dark as the reader's system is. A header to copy.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace line_plot {

struct Line {
  std::vector<std::pair<double, double>> points;  // (x, y)
  bool pale = false, stairs = false;              // stairs: each y holds until the next x
};

struct Panel {
  std::string title, subtitle, x_label, y_label;
  std::vector<Line> lines;
  bool log_x = false;
  std::optional<double> mark = {};  // a vertical line, with its number
  std::optional<double> top = {};   // where y ends, and lines are cut off, which the panel then says
};

namespace detail {

inline std::string print(const char* format, auto... values) {
  char text[400];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

struct Axis {
  double low, high;
  std::vector<double> ticks = {};
  double position(double value) const { return (value - low) / (high - low); }
};

// Ticks at 1, 2 or 5 times a power of ten, and the ends at ticks; of logarithms at whole numbers, the ends as they are.
inline Axis make_axis(double low, double high, bool log) {
  if (low == high) high += 1;
  const double least = (high - low) / 4, power = std::pow(10, std::floor(std::log10(least)));
  const double step = log ? 1 : power * (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10);
  if (!log) low = std::floor(low / step + 1e-9) * step, high = std::ceil(high / step - 1e-9) * step;
  Axis axis{low, high};
  for (double i = std::ceil(low / step - 1e-9); i <= high / step + 1e-9; ++i) axis.ticks.push_back(i * step + 0.0);
  return axis;
}

inline std::string draw(const Panel& panel, double width, double height) {
  const auto scale = [&](double x) { return panel.log_x ? std::log10(x) : x; };
  double low = INFINITY, high = -low, left = low, right = high;
  for (const Line& line : panel.lines)
    for (const auto& [x, y] : line.points)
      low = std::min(low, y), high = std::max(high, y), left = std::min(left, scale(x)),
      right = std::max(right, scale(x));
  const Axis x_axis = make_axis(left, right, panel.log_x), y_axis = make_axis(low, panel.top.value_or(high), false);
  const auto x_at = [&](double scaled) { return width * x_axis.position(scaled); };
  const auto y_at = [&](double y) { return height * (1 - y_axis.position(y)); };
  std::string svg =
      "<text class=\"title\" y=\"-29\">" + panel.title + "</text>\n<text y=\"-12\">" + panel.subtitle + "</text>\n";
  const char* grid = "<path class=\"grid\" d=\"M%.1f %.1fL%.1f %.1f\"/>";
  for (const double y : y_axis.ticks)
    svg += print(grid, 0., y_at(y), width, y_at(y)) +
           print("<text class=\"end\" x=\"-7\" y=\"%.1f\">%.6g</text>\n", y_at(y) + 4, y);
  for (const double x : x_axis.ticks)
    svg +=
        print(grid, x_at(x), 0., x_at(x), height) + print("<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">%.6g</text>\n",
                                                          x_at(x), height + 17, panel.log_x ? std::pow(10, x) : x);
  svg += print("<text class=\"middle\" x=\"%.1f\" y=\"%.1f\">", width / 2, height + 36) + panel.x_label + "</text>\n";
  svg += print("<text class=\"middle\" transform=\"translate(-46 %.1f) rotate(-90)\">", height / 2) + panel.y_label +
         "</text>\n";
  if (panel.mark)
    svg += print("<path class=\"mark\" d=\"M%.1f 0V%.1f\"/><text x=\"%.1f\" y=\"%.1f\">%.2g</text>\n",
                 x_at(scale(*panel.mark)), height, x_at(scale(*panel.mark)) + 6, height - 8, *panel.mark);
  if (high > y_axis.high * 1.001)
    svg += print("<text class=\"end\" x=\"%.1f\" y=\"-29\">cut off here; the highest is %.3g</text>\n", width, high);
  const double w = width + 4, h = height + 4;  // cuts lines off
  svg += print("<svg x=\"-2\" y=\"-2\" width=\"%g\" height=\"%g\" viewBox=\"-2 -2 %g %g\">\n", w, h, w, h);
  for (const Line& line : panel.lines) {
    svg += std::string("<polyline class=\"") + (line.pale ? "pale" : "line") + "\" points=\"";
    for (std::size_t i = 0; i < line.points.size(); ++i) {
      const auto& [x, y] = line.points[i];
      if (line.stairs && i > 0) svg += print("%.1f,%.1f ", x_at(scale(x)), y_at(line.points[i - 1].second));
      svg += print("%.1f,%.1f ", x_at(scale(x)), y_at(y));
    }
    svg += "\"/>\n";
  }
  return svg + "</svg>\n";
}

}  // namespace detail

/// Writes the panels, so many in a row. Titles and labels are XML as it stands: write &lt; for <. std::runtime_error
/// where the file cannot be written.
inline void write(const std::string& path, const std::string& title, const std::vector<Panel>& panels,
                  std::size_t columns, double width = 250, double height = 150) {
  using detail::print;
  const double left = 62, top = 100, wide = width + 84, high = height + 106;
  const double across = double(columns) * wide + 4,
               down = std::ceil(double(panels.size()) / double(columns)) * high + 44;
  std::string svg =
      print("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\">\n<title>",
            across, down, across, down) +
      title + R"(</title>
<style>
text { font: 12px system-ui, "DejaVu Sans", Arial, sans-serif; fill: #333 } .title { font-weight: 600; font-size: 13px }
.head { font-weight: 600; font-size: 18px } .end { text-anchor: end } .middle { text-anchor: middle }
.page { fill: #fff } .grid { stroke: #e2e2e2 } .mark { stroke: #d55e00; stroke-width: 1.5; stroke-dasharray: 5 4 }
.line, .pale { fill: none; stroke: #0072b2; stroke-width: 2; stroke-linejoin: round } .pale { opacity: .3 }
@media (prefers-color-scheme: dark) {
  text { fill: #d5d5d5 } .page { fill: #16181d } .grid { stroke: #34373d } .line, .pale { stroke: #56b4e9 }
  .mark { stroke: #e69f00 } }
</style>
<rect class="page" width="100%" height="100%"/>
)" + print("<text class=\"head\" x=\"%g\" y=\"34\">", left) +
      title + "</text>\n";
  for (std::size_t i = 0; i < panels.size(); ++i)
    svg += print("<g transform=\"translate(%g %g)\">\n", left + double(i % columns) * wide,
                 top + double(i / columns) * high) +
           detail::draw(panels[i], width, height) + "</g>\n";
  std::ofstream file(path);
  file << svg << "</svg>\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace line_plot
