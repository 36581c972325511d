#include "plot.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <array>
#include <limits>

#include "axis.h"

namespace train {
namespace {

using xgrad::message;

// Okabe & Ito 2008, "Color Universal Design": told apart with every kind of colour vision. Yellow is too pale here.
constexpr std::array palette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"};
constexpr std::array dashes = {"none", "7 3", "2 3"};  // for a second and a third round through the palette

constexpr double width = 960, panel_width = 386, panel_height = 290, margin = 68, gap = 92, legend_top = 74,
                 legend_row = 22, letter = 7.2;

struct Dot {
  double x, y;
};
using Curve = std::vector<Dot>;

struct Panel {
  double left, top;
  Axis x, y;
  Dot place(Dot value) const {
    return {left + panel_width * x.position(value.x), top + panel_height * (1 - y.position(value.y))};
  }
};

std::string at(double value) { return fixed(value, 1); }

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text)
    result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c >= 0 && c < ' ' ? ' ' : c);
  return result;
}

std::string text_at(double x, double y, const std::string& text, const std::string& attributes = "") {
  return message("<text x=\"", at(x), "\" y=\"", at(y), "\"", attributes, ">", escaped(text), "</text>\n");
}

std::string line(Dot from, Dot to, const std::string& attributes) {
  return message("<line x1=\"", at(from.x), "\" y1=\"", at(from.y), "\" x2=\"", at(to.x), "\" y2=\"", at(to.y), "\" ",
                 attributes, "/>\n");
}

std::string stroke(std::size_t run) {
  return message("stroke=\"", palette[run % palette.size()], "\" stroke-dasharray=\"",
                 dashes[run / palette.size() % dashes.size()], "\"");
}

std::string polyline(const Panel& panel, const Curve& curve, const std::string& attributes) {
  std::string points;
  for (const Dot& dot : curve) {
    const Dot to = panel.place(dot);
    points += message(points.empty() ? "" : " ", at(to.x), ",", at(to.y));
  }
  return message("<polyline fill=\"none\" points=\"", points, "\" ", attributes, "/>\n");
}

std::string frame(const Panel& panel, const std::string& title) {
  const double bottom = panel.top + panel_height, right = panel.left + panel_width;
  const std::string grid = "stroke=\"#e3e3e3\"";
  std::string text = text_at(panel.left, panel.top - 12, title, " font-weight=\"600\"");
  const std::vector<std::string> y_labels = tick_labels(panel.y), x_labels = tick_labels(panel.x);
  for (std::size_t i = 0; i < y_labels.size(); ++i) {
    const double y = panel.place({panel.x.low, panel.y.ticks[i]}).y;
    text += line({panel.left, y}, {right, y}, grid);
    text += text_at(panel.left - 8, y + 4, y_labels[i], " text-anchor=\"end\"");
  }
  for (std::size_t i = 0; i < x_labels.size(); ++i) {
    const double x = panel.place({panel.x.ticks[i], panel.y.low}).x;
    text += line({x, panel.top}, {x, bottom}, grid);
    text += text_at(x, bottom + 18, x_labels[i], " text-anchor=\"middle\"");
  }
  text += line({panel.left, bottom}, {right, bottom}, "stroke=\"#555\"");
  text += line({panel.left, panel.top}, {panel.left, bottom}, "stroke=\"#555\"");
  return text + text_at(panel.left + panel_width / 2, bottom + 40, "epoch", " text-anchor=\"middle\"");
}

// Means over a window, which is narrow at the beginning, where the loss falls fast.
Curve smooth(const Curve& curve) {
  const std::size_t widest = curve.size() / 25;
  Curve result = curve;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const std::size_t reach = std::min(widest, i / 3), end = std::min(i + reach + 1, curve.size());
    double sum = 0;
    for (std::size_t j = i - reach; j < end; ++j) sum += curve[j].y;
    result[i].y = sum / static_cast<double>(end - (i - reach));
  }
  return result;
}

struct Curves {
  Curve loss, accuracy;  // over epochs; accuracy in percent
};

Curves curves(const Run& run, std::size_t steps_per_epoch) {
  Curves result;
  for (const Point& point : run.points) {
    const double epoch = static_cast<double>(point.step) / static_cast<double>(steps_per_epoch);
    result.loss.push_back({epoch, std::max(point.loss, 1e-9)});  // a logarithm needs more than 0
    if (point.accuracy) result.accuracy.push_back({epoch, 100 * *point.accuracy});
  }
  return result;
}

// The least and the greatest y, or `otherwise` where there is nothing to see.
std::pair<double, double> range(const std::vector<Curves>& all, Curve Curves::*which,
                                std::pair<double, double> otherwise) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Curves& each : all)
    for (const Dot& dot : each.*which) low = std::min(low, dot.y), high = std::max(high, dot.y);
  return low > high ? otherwise : std::pair(low, high);
}

struct Legend {
  std::string text;
  double bottom = legend_top;
};

Legend legend(const std::vector<Run>& runs) {
  Legend result;
  double x = margin;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    const std::string label = run.choice.label + (!run.failure.empty() ? "  diverged"
                                                  : run.accuracy       ? "  " + fixed(100 * *run.accuracy, 2) + " %"
                                                                       : "");
    const double needed = 36 + letter * static_cast<double>(label.size()) + 24;
    if (x > margin && x + needed > width - 16) x = margin, result.bottom += legend_row;
    result.text += line({x, result.bottom - 4}, {x + 28, result.bottom - 4}, stroke(i) + " stroke-width=\"3\"");
    result.text += text_at(x + 36, result.bottom, label);
    x += needed;
  }
  return result;
}

}  // namespace

std::string svg(const std::vector<Run>& runs, const std::string& caption, std::size_t epochs,
                std::size_t steps_per_epoch) {
  std::vector<Curves> all;
  for (const Run& run : runs) all.push_back(curves(run, steps_per_epoch));
  const auto [least_loss, greatest_loss] = range(all, &Curves::loss, {0.1, 1});
  const auto [least_accuracy, greatest_accuracy] = range(all, &Curves::accuracy, {0, 100});

  const Legend key = legend(runs);
  const double top = key.bottom + 50, height = top + panel_height + 60;
  const Axis x = exact_axis(0, static_cast<double>(epochs), epochs == 1 ? 5 : std::min<std::size_t>(epochs, 8));
  const Panel loss{margin, top, x, log_axis(least_loss, greatest_loss * 1.05, 9)};
  const Panel accuracy{margin + panel_width + gap, top, x, linear_axis(least_accuracy, greatest_accuracy, 7, 100)};

  std::string text = message("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width, "\" height=\"", height,
                             "\" viewBox=\"0 0 ", width, " ", height,
                             "\" role=\"img\" font-family=\"system-ui, 'DejaVu Sans', Arial, sans-serif\" "
                             "font-size=\"13\" fill=\"#222\">\n<title>Training loss and test accuracy</title>\n"
                             "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
  text += text_at(margin, 30, "Training loss and test accuracy", " font-size=\"18\" font-weight=\"600\"");
  text += text_at(margin, 50, caption, " fill=\"#555\"") + key.text;
  text += frame(loss, "Training loss (cross-entropy, nats)") + frame(accuracy, "Test accuracy (%)");
  for (std::size_t i = 0; i < runs.size(); ++i) text += polyline(loss, all[i].loss, stroke(i) + " opacity=\"0.25\"");
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string bold = stroke(i) + " stroke-width=\"2.2\" stroke-linejoin=\"round\"";
    text += polyline(loss, smooth(all[i].loss), bold) + polyline(accuracy, all[i].accuracy, bold);
    for (const Dot& dot : all[i].accuracy) {
      const Dot to = accuracy.place(dot);
      text += message("<circle cx=\"", at(to.x), "\" cy=\"", at(to.y), "\" r=\"3.2\" fill=\"",
                      palette[i % palette.size()], "\"/>\n");
    }
  }
  return text + "</svg>\n";
}

}  // namespace train
