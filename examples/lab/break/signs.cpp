#include "signs.h"

#include <xgrad/core/errors.h>
#include <xgrad/nn/activations.h>
#include <xgrad/optim/explain.h>

#include <algorithm>
#include <cmath>

#include "../experiment.h"

namespace lab {

using namespace xgrad;

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

Signs examine(const Context& context, Patient patient, std::size_t steps) {
  const datasets::Dataset samples = some(context.data.train, 200);
  Signs signs = {.label = patient.label, .color = patient.color};
  signs.dead_at_start = dead_units(patient.model, samples);
  const auto look = [&](std::size_t step) {
    if (step != 1 && step != 10) return;
    const std::vector<optim::Explanation> all = optim::explain(*patient.optimizer);
    const auto last = all.end() - 2;  // weights of the output layer, then its biases
    if (step == 1)
      signs.gradient = all[0].gradient_norm, signs.last_gradient = last->gradient_norm,
      signs.at_bound = all[0].at_bound.value_or(NAN);
    (step == 1 ? signs.ratio : signs.ratio_later) = all[0].update_ratio;
  };
  signs.losses = train(patient.model, *patient.optimizer, context.data.train,
                       {.steps = steps, .seed = context.seed, .schedule = patient.schedule, .before_step = look})
                     .losses;
  signs.dead_at_end = dead_units(patient.model, samples);
  signs.train = evaluate(patient.model, some(context.data.train, 1000));
  signs.test = evaluate(patient.model, some(context.data.test, 1000));
  return signs;
}

double last_loss(const Signs& signs) { return final_loss({signs.losses, !std::isfinite(signs.losses.back())}); }

LineChart loss_chart(std::string name, std::string title, std::string note, const std::vector<Signs>& all) {
  LineChart chart = {.name = std::move(name),
                     .title = std::move(title),
                     .note = std::move(note),
                     .x = {.label = "step"},
                     .y = {.label = "cross entropy, mean over 10 steps", .logarithmic = true},
                     .lines = {},
                     .marks = {{"ln 10", std::log(10.0), true}}};
  for (const Signs& one : all) {
    const std::vector<double> means = smoothed(one.losses, 10);
    const std::size_t every = std::max<std::size_t>(1, means.size() / 300);
    Line line = {.label = one.label, .color = one.color, .x = {}, .y = {}};
    for (std::size_t i = 0; i < means.size() && std::isfinite(means[i]); i += every) {
      line.x.push_back(static_cast<double>(i + 1));
      line.y.push_back(means[i]);
    }
    chart.lines.push_back(std::move(line));
  }
  return chart;
}

Table signs_table(std::string name, const std::vector<Signs>& all) {
  Table table = {.name = std::move(name),
                 .caption = message("What the library says; ln 10 = ", number_text(std::log(10.0), 4)),
                 .columns = {"number"},
                 .rows = {}};
  for (const Signs& one : all) table.columns.push_back(one.label);
  const auto row = [&](const char* label, auto number) {
    std::vector<Cell> cells = {label};
    for (const Signs& one : all) cells.push_back(number(one));
    table.rows.push_back(std::move(cells));
  };
  row("loss at the start", [](const Signs& s) { return Cell(s.losses.front(), 4); });
  row("largest loss", [](const Signs& s) { return Cell(*std::max_element(s.losses.begin(), s.losses.end())); });
  row("loss at the end", [](const Signs& s) { return Cell(last_loss(s)); });
  row("‖g‖ of the first layer, step 1", [](const Signs& s) { return Cell(s.gradient); });
  row("‖g‖ of the output layer, step 1", [](const Signs& s) { return Cell(s.last_gradient); });
  row("update / weight of the first layer, step 1", [](const Signs& s) { return Cell(s.ratio); });
  row("the same, step 10", [](const Signs& s) { return Cell(s.ratio_later); });
  row("weights of it that go as far as the rule lets them, step 1, %",
      [](const Signs& s) { return Cell(100 * s.at_bound); });
  row("dead units at the start, %", [](const Signs& s) { return Cell(100 * s.dead_at_start); });
  row("dead units at the end, %", [](const Signs& s) { return Cell(100 * s.dead_at_end); });
  row("training accuracy, %", [](const Signs& s) { return Cell(100 * s.train.accuracy); });
  row("test accuracy, %", [](const Signs& s) { return Cell(100 * s.test.accuracy); });
  return table;
}

}  // namespace lab
