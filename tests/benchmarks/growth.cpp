// How the time of a training step grows with batch, width, depth and channels: growth THREADS TABLE.csv PLOT.svg
#include <xgrad/xgrad.h>

#include <algorithm>
#include <cmath>

#include "axis.h"
#include "output_file.h"
#include "text.h"
#include "training.h"

using namespace xgrad;

namespace {

struct Point {
  double size, microseconds, multiply_adds;  // an image; the multiply-adds of its products and their gradients
};
struct Series {
  std::string name;
  std::vector<Point> points;
};

// One step on random images.
Point measure(std::size_t size, nn::Sequential model, std::size_t batch, std::size_t multiply_adds) {
  const Variable images(default_generator().uniform({batch, 1, 28, 28}, 0, 1));
  const IndexTensor labels(IndexTensor::shape_type{batch}, 1);
  optim::Adam optimizer(model.parameters(), {});
  const double seconds = median_seconds([&] {
    optimizer.zero_grad();
    nn::cross_entropy(model(images), labels).backward();
    optimizer.step();
  });
  return {static_cast<double>(size), 1e6 * seconds / static_cast<double>(batch), static_cast<double>(multiply_adds)};
}

// A layer has a product forward and one for each gradient; the first layer's input needs none.

Point mlp(std::size_t size, std::size_t batch, std::size_t width, std::size_t depth) {
  nn::Sequential model{nn::Flatten(), nn::Linear(784, width), nn::ReLU()};
  for (std::size_t layer = 1; layer < depth; ++layer) {
    model.push_back(nn::Linear(width, width));
    model.push_back(nn::ReLU());
  }
  model.push_back(nn::Linear(width, 10));
  return measure(size, std::move(model), batch, 2 * 784 * width + 3 * (depth - 1) * width * width + 3 * width * 10);
}

Point lenet(std::size_t batch) {
  const std::size_t first = 6 * 28 * 28 * 25, others = 16 * 10 * 10 * 6 * 25 + 400 * 120 + 120 * 84 + 84 * 10;
  return measure(batch, make_network("lenet"), batch, 2 * first + 3 * others);
}

Point channels(std::size_t c) {
  nn::Sequential model{nn::Conv2d(1, c, 3, {.padding = 1}), nn::ReLU(), nn::MaxPool2d(2),
                       nn::Conv2d(c, c, 3, {.padding = 1}), nn::ReLU(), nn::Flatten(),
                       nn::Linear(c * 14 * 14, 10)};
  return measure(c, std::move(model), 64, 2 * c * 28 * 28 * 9 + 3 * c * c * 14 * 14 * 9 + 3 * c * 14 * 14 * 10);
}

std::vector<Series> measure_all() {
  std::vector<Series> all = {{"batch of 784-128-10", {}},
                             {"width of 784-w-w-10", {}},
                             {"depth of 784-128-...-128-10", {}},
                             {"batch of LeNet", {}},
                             {"channels of two 3x3 convolutions", {}}};
  for (std::size_t batch = 1; batch <= 1024; batch *= 2) all[0].points.push_back(mlp(batch, batch, 128, 1));
  for (std::size_t width = 32; width <= 2048; width *= 2) all[1].points.push_back(mlp(width, 64, width, 2));
  for (std::size_t depth = 1; depth <= 64; depth *= 2) all[2].points.push_back(mlp(depth, 64, 128, depth));
  for (std::size_t batch = 1; batch <= 1024; batch *= 2) all[3].points.push_back(lenet(batch));
  for (std::size_t count = 4; count <= 64; count *= 2) all[4].points.push_back(channels(count));
  return all;
}

double billions_per_second(const Point& point) { return point.multiply_adds / point.microseconds / 1e3; }

std::string csv(const std::vector<Series>& all) {
  std::string text = "what,size,microseconds_per_image,billion_multiply_adds_per_second\n";
  for (const Series& series : all)
    for (const Point& point : series.points)
      text += message(series.name, ",", point.size, ",", cli::fixed(point.microseconds, 3), ",",
                      cli::fixed(billions_per_second(point), 3), "\n");
  return text;
}

// Okabe & Ito 2008, "Color Universal Design".
constexpr const char* colors[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"};

std::string text_at(double x, double y, const std::string& text, const std::string& attributes = "") {
  return message("<text x=\"", x, "\" y=\"", y, "\" ", attributes, ">", text, "</text>\n");
}
std::string path(const std::string& steps, const std::string& attributes) {
  return message("<path fill=\"none\" d=\"", steps, "\" ", attributes, "/>\n");
}
std::string stroke(std::size_t series) { return message("stroke-width=\"2.2\" stroke=\"", colors[series], "\""); }

// With logarithmic axes; `left` is where it begins in the picture.
std::string panel(double left, const std::string& title, const std::vector<Series>& all,
                  double (*value)(const Point&)) {
  constexpr double top = 140, width = 386, height = 290;
  double low = INFINITY, high = 0;
  for (const Series& series : all)
    for (const Point& point : series.points) low = std::min(low, value(point)), high = std::max(high, value(point));
  const train::Axis x = train::log_axis(1, 2048, 9), y = train::log_axis(low / 1.2, high * 1.2, 9);
  const auto at_x = [&](double size) { return left + width * x.position(size); };
  const auto at_y = [&](double v) { return top + height * (1 - y.position(v)); };

  std::string text = text_at(left, top - 12, title, "font-weight=\"600\"");
  for (std::size_t i = 0; i < x.ticks.size(); ++i) {
    text += path(message("M", at_x(x.ticks[i]), " ", top, "v", height), "stroke=\"#e3e3e3\"");
    text += text_at(at_x(x.ticks[i]), top + height + 18, tick_labels(x)[i], "text-anchor=\"middle\"");
  }
  for (std::size_t i = 0; i < y.ticks.size(); ++i) {
    text += path(message("M", left, " ", at_y(y.ticks[i]), "h", width), "stroke=\"#e3e3e3\"");
    text += text_at(left - 8, at_y(y.ticks[i]) + 4, tick_labels(y)[i], "text-anchor=\"end\"");
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string steps;
    for (const Point& point : all[i].points)
      steps += message(steps.empty() ? "M" : "L", at_x(point.size), " ", at_y(value(point)));
    text += path(steps, stroke(i) + " marker-mid=\"url(#dot)\" marker-start=\"url(#dot)\" marker-end=\"url(#dot)\"");
  }
  return text +
         text_at(left + width / 2, top + height + 40, "batch, width, depth or channels", "text-anchor=\"middle\"");
}

std::string svg(const std::vector<Series>& all, const std::string& title) {
  std::string legend;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double x = i < 3 ? 68 : 546, y = 58 + 20 * static_cast<double>(i % 3);
    legend += path(message("M", x, " ", y - 4, "h28"), stroke(i)) + text_at(x + 36, y, all[i].name);
  }
  return message(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\" height=\"490\" font-size=\"13\" ",
      "font-family=\"system-ui, 'DejaVu Sans', Arial, sans-serif\" fill=\"#222\">\n",
      "<marker id=\"dot\" viewBox=\"-2 -2 4 4\" markerWidth=\"2.6\"><circle r=\"1.6\" fill=\"#555\"/></marker>\n",
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      text_at(68, 30, title, "font-size=\"18\" font-weight=\"600\""), legend,
      panel(68, "Microseconds an image", all, [](const Point& point) { return point.microseconds; }),
      panel(546, "Billion multiply-adds a second (linear is level)", all, billions_per_second), "</svg>\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: growth THREADS TABLE.csv PLOT.svg\n"), 2;
  set_num_threads(std::stoi(argv[1]));
  const cli::OutputFile table("growth", argv[2]), plot("growth", argv[3]);
  const std::vector<Series> all = measure_all();
  table.write(csv(all));
  plot.write(
      svg(all, message("A training step as it grows (Adam, threads: ", argv[1], ", batch 64 where it does not grow)")));
  std::fputs(csv(all).c_str(), stdout);
}
