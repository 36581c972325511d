#include "signs.h"

#include <xgrad/core/errors.h>
#include <xgrad/nn/activations.h>
#include <xgrad/optim/explain.h>

#include <algorithm>
#include <cmath>

#include "../compare.h"
#include "../experiment.h"
#include "words/break.h"

namespace lab {

using namespace xgrad;
namespace say = words::break_section;

namespace {

datasets::Dataset some(const datasets::Dataset& data, std::size_t count) {
  return data.slice(0, std::min(count, data.size()));
}

}  // namespace

double dead_units(nn::Sequential& model, const datasets::Dataset& samples) {
  const NoGrad no_grad;
  Tensor images = Tensor::from_shape({samples.size(), 1, 28, 28});
  datasets::to_unit(samples.images().data(), images.size(), images.data());
  Variable x(std::move(images));
  double units = 0, dead = 0;
  for (std::size_t layer = 0; layer < model.size(); ++layer) {
    x = model[layer](x);
    if (!dynamic_cast<nn::ReLU*>(&model[layer]) && !dynamic_cast<nn::LeakyReLU*>(&model[layer])) continue;
    const std::size_t width = x.shape()[1];
    if (!all_finite(x.value())) return NAN;
    for (std::size_t unit = 0; unit < width; ++unit) {
      bool alive = false;
      for (std::size_t i = unit; i < x.size(); i += width) alive = alive || x.value().data()[i] > 0;
      ++units, dead += !alive;
    }
  }
  return units > 0 ? dead / units : 0;
}

std::vector<double> Runs::all(double (*number)(const Signs&)) const {
  std::vector<double> values;
  for (const Signs& one : signs) values.push_back(number(one));
  return values;
}

std::vector<double> Runs::all(double Signs::*number) const {
  std::vector<double> values;
  for (const Signs& one : signs) values.push_back(one.*number);
  return values;
}

Signs examine_once(const Context& context, Patient patient, std::uint64_t seed, std::size_t steps) {
  const datasets::Dataset samples = some(context.data.train, 200);
  Signs signs;
  signs.dead_at_start = dead_units(patient.model, samples);
  const auto look = [&](std::size_t step) {
    if (step != 1 && step != 10) return;
    const std::vector<optim::Explanation> all = optim::explain(*patient.optimizer);
    const auto last = all.end() - 2;  // weights of the output layer, then its biases
    if (step == 1) signs.gradient = all[0].gradient_norm, signs.last_gradient = last->gradient_norm;
    (step == 1 ? signs.ratio : signs.ratio_later) = all[0].update_ratio;
  };
  const Trained trained = train(patient.model, *patient.optimizer, context.data.train,
                                {.steps = steps, .seed = seed, .schedule = patient.schedule, .before_step = look});
  signs.losses = trained.losses;
  signs.dead_at_end = dead_units(patient.model, samples);
  // A network of NaNs gives no answer, so that none of its answers is right or wrong.
  if (trained.diverged) return signs;
  signs.train = evaluate(patient.model, some(context.data.train, 1000));
  signs.test = evaluate(patient.model, some(context.data.test, 1000));
  return signs;
}

Runs examine(const Context& context, std::string label, std::string color,
             const std::function<Patient(std::uint64_t seed)>& patient, std::size_t steps) {
  Runs runs = {std::move(label), std::move(color)};
  for (const std::uint64_t seed : seeds(context))
    runs.signs.push_back(examine_once(context, patient(seed), seed, steps));
  return runs;
}

double last_loss(const Signs& signs) { return final_loss({signs.losses, !std::isfinite(signs.losses.back())}); }
double largest_loss(const Signs& signs) { return *std::max_element(signs.losses.begin(), signs.losses.end()); }

namespace {

bool none(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
}

}  // namespace

Cell spread(const std::vector<double>& values, int digits) {
  return none(values) ? Cell(NAN) : Cell::spread(values, digits);
}

std::string standing(const std::vector<double>& first, const std::vector<double>& second) {
  if (none(first)) return "not a number";
  const Order order = compare(first, second);
  return order == Order::lower ? "lower" : order == Order::higher ? "higher" : "undecided";
}

LineChart loss_chart(std::string name, std::string title, std::string note, const std::vector<Runs>& all) {
  LineChart chart = {.name = std::move(name),
                     .title = std::move(title),
                     .note = std::move(note),
                     .x = {.label = "step"},
                     .y = {.label = "cross entropy, mean over 10 steps", .logarithmic = true},
                     .lines = {},
                     .marks = {{"ln 10", std::log(10.0), true}}};
  for (const Runs& one : all) {
    std::vector<std::vector<double>> curves;
    std::size_t longest = 0;
    for (const Signs& signs : one.signs) {
      curves.push_back(smoothed(signs.losses, 10));
      longest = std::max(longest, curves.back().size());
    }
    chart.lines.push_back(thinned(summary(one.label, one.color, counted(longest), curves)));
  }
  return chart;
}

Table signs_table(std::string name, const std::vector<Runs>& all) {
  Table table = {.name = std::move(name),
                 .caption = say::signs_caption{.guess = number_text(std::log(10.0), 4)},
                 .columns = {"number"},
                 .rows = {}};
  for (const Runs& one : all) table.columns.push_back(one.label);
  const auto row = [&](const char* label, double (*number)(const Signs&), int digits = 3) {
    std::vector<Cell> cells = {label};
    for (const Runs& one : all) cells.push_back(spread(one.all(number), digits));
    table.rows.push_back(std::move(cells));
  };
  row(
      "loss at the start", [](const Signs& s) { return s.losses.front(); }, 4);
  row("largest loss", largest_loss);
  row("loss at the end", last_loss);
  row("‖g‖ of the first layer, step 1", [](const Signs& s) { return s.gradient; });
  row("‖g‖ of the output layer, step 1", [](const Signs& s) { return s.last_gradient; });
  row("update / weight of the first layer, step 1", [](const Signs& s) { return s.ratio; });
  row("the same, step 10", [](const Signs& s) { return s.ratio_later; });
  row("dead units at the start, %", [](const Signs& s) { return 100 * s.dead_at_start; });
  row("dead units at the end, %", [](const Signs& s) { return 100 * s.dead_at_end; });
  row("training accuracy, %", [](const Signs& s) { return 100 * s.train.accuracy; });
  row("test accuracy, %", [](const Signs& s) { return 100 * s.test.accuracy; });
  return table;
}

}  // namespace lab
