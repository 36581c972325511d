#include "plot.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <array>
#include <limits>

#include "axis.h"

namespace train {

using namespace cli;

namespace {

using xgrad::message;

// Okabe & Ito 2008, "Color Universal Design": told apart with every kind of colour vision. Yellow is too pale here.
constexpr std::array palette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"};
constexpr std::array dashes = {"none", "7 3", "2 3"};  // for a second and a third round through the palette

constexpr double figure_width = 960, panel_width = 386, panel_height = 290, margin = 68, gap = 92, legend_top = 74,
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

Curves curves_of(const Run& run, std::size_t steps_per_epoch) {
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
                                                  : run.test           ? "  " + percent(run.test->accuracy, 2)
                                                                       : "");
    const double needed = 36 + letter * static_cast<double>(label.size()) + 24;
    if (x > margin && x + needed > figure_width - 16) x = margin, result.bottom += legend_row;
    result.text += line({x, result.bottom - 4}, {x + 28, result.bottom - 4}, stroke(i) + " stroke-width=\"3\"");
    result.text += text_at(x + 36, result.bottom, label);
    x += needed;
  }
  return result;
}

// All that is drawn, apart from where.
class Plot {
 public:
  Plot(const std::vector<Run>& runs, std::size_t epochs, std::size_t steps_per_epoch)
      : x_(exact_axis(0, static_cast<double>(epochs), epochs == 1 ? 5 : std::min<std::size_t>(epochs, 8))),
        ends_(epochs == 1 ? x_ : exact_axis(1, static_cast<double>(epochs), std::min<std::size_t>(epochs - 1, 8))) {
    for (const Run& run : runs) curves_.push_back(curves_of(run, steps_per_epoch));
  }

  std::string loss(double left, double top) const {
    const auto [least, greatest] = range(curves_, &Curves::loss, {0.1, 1});
    const Panel panel{left, top, x_, log_axis(least, greatest * 1.05, 9)};
    std::string text = frame(panel, "Training loss: the mean of -ln p(label), in nats");
    if (curves_.size() == 1) text += polyline(panel, curves_[0].loss, stroke(0) + " opacity=\"0.25\"");
    for (std::size_t i = 0; i < curves_.size(); ++i) text += polyline(panel, smooth(curves_[i].loss), bold(i));
    return text;
  }

  std::string accuracy(double left, double top) const {
    const auto [least, greatest] = range(curves_, &Curves::accuracy, {0, 100});
    const Panel panel{left, top, ends_, linear_axis(least, greatest, 7, 100)};
    std::string text = frame(panel, "Test accuracy after each epoch (%)");
    for (std::size_t i = 0; i < curves_.size(); ++i) {
      text += polyline(panel, curves_[i].accuracy, bold(i));
      for (const Dot& dot : curves_[i].accuracy) {
        const Dot to = panel.place(dot);
        text += message("<circle cx=\"", at(to.x), "\" cy=\"", at(to.y), "\" r=\"3.2\" fill=\"",
                        palette[i % palette.size()], "\"/>\n");
      }
    }
    return text;
  }

 private:
  static std::string bold(std::size_t run) { return stroke(run) + " stroke-width=\"2.2\" stroke-linejoin=\"round\""; }

  Axis x_, ends_;  // over all epochs, and over their ends, where the test set is tried
  std::vector<Curves> curves_;
};

std::string picture(double wide, double high, const std::string& title, const std::string& content) {
  return message("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", wide, "\" height=\"", high, "\" viewBox=\"0 0 ",
                 wide, " ", high,
                 "\" role=\"img\" font-family=\"system-ui, 'DejaVu Sans', Arial, sans-serif\" font-size=\"13\" "
                 "fill=\"#222\">\n<title>",
                 title, "</title>\n", content, "</svg>\n");
}

}  // namespace

std::string svg(const std::vector<Run>& runs, const std::string& caption, std::size_t epochs,
                std::size_t steps_per_epoch) {
  const std::string title = "Training loss and test accuracy";
  const Legend key = legend(runs);
  const double top = key.bottom + 50;
  const Plot plot(runs, epochs, steps_per_epoch);
  return picture(figure_width, top + panel_height + 60, title,
                 "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" +
                     text_at(margin, 30, title, " font-size=\"18\" font-weight=\"600\"") +
                     text_at(margin, 50, caption, " fill=\"#555\"") + key.text + plot.loss(margin, top) +
                     plot.accuracy(margin + panel_width + gap, top));
}

Panels panels(const std::vector<Run>& runs, std::size_t epochs, std::size_t steps_per_epoch) {
  constexpr double left = 52, top = 30, wide = left + panel_width + 16, high = top + panel_height + 52;
  const Plot plot(runs, epochs, steps_per_epoch);
  return {picture(wide, high, "Training loss", plot.loss(left, top)),
          picture(wide, high, "Test accuracy", plot.accuracy(left, top))};
}

std::string swatch(std::size_t run) {
  return picture(30, 8, "its line", line({0, 4}, {30, 4}, stroke(run) + " stroke-width=\"3\""));
}

}  // namespace train
