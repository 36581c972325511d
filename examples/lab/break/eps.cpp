// An eps that is too small, and one that is too large.
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/nn/losses.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>
#include <xgrad/optim/minimize.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../experiment.h"
#include "failures.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

Patient patient(const Context& context, std::string label, std::string color, std::string_view id, double eps) {
  nn::Sequential model = network(context);
  auto optimizer = rule(id).make(model.parameters(), {.lr = usual_rate, .eps = eps});
  return {std::move(label), std::move(color), std::move(model), std::move(optimizer)};
}

struct Samples {
  Variable images;
  IndexTensor labels;
  explicit Samples(const datasets::Dataset& data) : labels(IndexTensor::from_shape({data.size()})) {
    Tensor pixels = Tensor::from_shape({data.size(), 1, 28, 28});
    datasets::to_unit(data.images().data(), pixels.size(), pixels.data());
    images = Variable(std::move(pixels));
    for (std::size_t i = 0; i < data.size(); ++i) labels(i) = data.labels()[i];
  }
};

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const ValueError& error) {
    return error.what();
  }
  return "-";
}

// How far a parameter goes in its first step, in units of the rate, where its gradient is `gradient`.
template <class Optimizer, class Options>
double first_step(double gradient, Options options) {
  const Variable x(zeros({1}), true);
  options.lr = 1;
  Optimizer optimizer({{"x", x}}, options);
  sum(x * gradient).backward();
  optimizer.step();
  return std::abs(static_cast<double>(x.value()(0)));
}

// From 1e-40 to 1.
LineChart first_steps() {
  LineChart chart = {.name = "eps-first-step",
                     .title = "The first step, by the size of the gradient",
                     .note = "In units of α. Without eps it would be 1 for every gradient.",
                     .x = {.label = "gradient", .logarithmic = true},
                     .y = {.label = "step / α", .logarithmic = true, .low = 1e-6, .high = 1e13},
                     .lines = {}};
  const auto line = [&](const char* label, const char* color, bool dashed, const auto& step) {
    Line one = {.label = label, .color = color, .x = {}, .y = {}, .dashed = dashed};
    for (int decade = -40; decade <= 0; ++decade)
      for (const double mantissa : {1.0, 3.0}) {
        if (decade == 0 && mantissa > 1) break;
        const double gradient = mantissa * std::pow(10.0, decade), length = step(gradient);
        one.x.push_back(gradient);
        one.y.push_back(length > 0 ? length : nothing);
      }
    chart.lines.push_back(std::move(one));
  };
  using optim::Adam, optim::Adamax, optim::AdamOptions, optim::AdamaxOptions;
  line("Adam, ε 1e-8", "adam", false, [](double g) { return first_step<Adam>(g, AdamOptions{}); });
  line("Adam, ε 1e-16", "n2", false, [](double g) { return first_step<Adam>(g, AdamOptions{.eps = 1e-16}); });
  line("Adam, ε 1e-30", "adam", true, [](double g) { return first_step<Adam>(g, AdamOptions{.eps = 1e-30}); });
  line("Adamax, ε 1e-8", "adamax", false, [](double g) { return first_step<Adamax>(g, AdamaxOptions{}); });
  line("Adamax, ε 1e-30", "adamax", true, [](double g) { return first_step<Adamax>(g, AdamaxOptions{.eps = 1e-30}); });
  return chart;
}

// The largest value, and where it is.
std::pair<double, double> longest(const Line& line) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < line.y.size(); ++i)
    if (line.y[i] > line.y[best] || std::isnan(line.y[best])) best = i;
  return {line.y[best], line.x[best]};
}

}  // namespace

Failure eps_too_small(const Context& context, const Signs& healthy) {
  const std::size_t steps = usual_steps(context);
  const std::vector<Signs> all = {healthy, examine(context, patient(context, "ε = 0", "n3", "adam", 0), steps),
                                  examine(context, patient(context, "Adamax, ε = 0", "adamax", "adamax", 0), steps)};

  // What the library says when it is asked to look.
  const Samples samples(context.data.train.slice(0, 64));
  const auto loss_of = [&samples](nn::Sequential& model) {
    return nn::cross_entropy(model(samples.images), samples.labels);
  };
  Patient broken = patient(context, "", "", "adam", 0), other = patient(context, "", "", "adam", 0);
  std::size_t bad = 0, inputs = 0;
  const std::string by_check = refusal([&] {
    for (int step = 0; step < 3; ++step) {
      broken.optimizer->zero_grad();
      loss_of(broken.model).backward({.check_finite = true});
      broken.optimizer->step();
    }
  });
  const Tensor& weights = broken.optimizer->parameters()[0].second.value();
  for (std::size_t i = 0; i < weights.size(); ++i) bad += !std::isfinite(weights.data()[i]);
  std::vector<bool> seen(784, false);
  for (std::size_t i = 0; i < samples.images.size(); ++i)
    if (samples.images.value().data()[i] > 0) seen[i % 784] = true;
  inputs = static_cast<std::size_t>(std::count(seen.begin(), seen.end(), false));
  const std::string by_minimize =
      refusal([&] { optim::minimize(*other.optimizer, [&] { return loss_of(other.model); }, {.max_steps = 3}); });

  const LineChart chart = first_steps();
  Table extremes = {.name = "eps-longest",
                    .caption = "The longest first step",
                    .columns = {"optimizer", "step / α", "at the gradient"},
                    .rows = {}};
  for (const Line& line : chart.lines) {
    const auto [length, at] = longest(line);
    extremes.rows.push_back({line.label, Cell(length), Cell(at, 1)});
  }
  const double share = 100 * static_cast<double>(bad) / static_cast<double>(weights.size());
  return {{Heading{"5. An eps that is too small"},
           Text{message(
               "With ε = 0, an element that never had a gradient has m = 0 and v = 0, and its step is 0/0. Of the ",
               784, " pixels, ", inputs,
               " have no ink in the first 64 digits, and a unit that is 0 for all of them has no gradient either: "
               "after one step ",
               bad, " weights of the first layer (", number_text(share),
               " %) are NaN, and with them every unit and the loss. Training ends in step ", all[1].losses.size(),
               ". Backward with check_finite, and minimize(), name where it came up. Adamax with ε = 0 does not step "
               "where u is 0. "
               "Cure: ε = 1e-8.")},
           loss_chart("eps-loss", "ε = 0", "A single point: there was no second loss.", all),
           Table{"eps-messages",
                 "What the library says, word for word",
                 {"asked by", "message"},
                 {{"backward({.check_finite = true})", by_check}, {"minimize()", by_minimize}}},
           signs_table("eps", all),
           Table{"eps-weights",
                 "After one step with ε = 0",
                 {"of", "number"},
                 {{"pixels without ink in the first batch", Cell::integer(static_cast<double>(inputs))},
                  {"weights of the first layer that are NaN", Cell::integer(static_cast<double>(bad))},
                  {"of its weights, %", Cell(share)}}},
           Text{"An ε above 0 can be too small as well: for what is left of very small gradients. In float, (1 - β₂) "
                "g² is 0 "
                "below some 1e-38, which is g of some 1e-18, and then Adam divides m by ε alone: with an ε far below "
                "g, the step "
                "is g/ε times too long. With ε = 1e-8 such gradients make no step to speak of. Adamax keeps |g| rather "
                "than its square, and "
                "has twice as many decades before anything is lost. An ε that is too large has its price too: it makes "
                "Adam a "
                "gradient descent with rate α/ε wherever gradients are smaller than it."},
           chart, extremes},
          {"ε = 0", Cell(last_loss(all[1])), Cell(last_loss(healthy)),
           "weights of the first layer that are NaN after step 1", Cell::integer(static_cast<double>(bad)),
           Cell::integer(0), "ε = 1e-8", Cell(last_loss(healthy))}};
}

}  // namespace lab
