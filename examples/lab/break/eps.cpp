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

std::function<Patient(std::uint64_t)> patient(std::string_view id, double eps) {
  return [id, eps](std::uint64_t seed) {
    nn::Sequential model = network(seed);
    auto optimizer = rule(id).make(model.parameters(), {.lr = usual_rate, .eps = eps});
    return Patient{std::move(model), std::move(optimizer)};
  };
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
                     .title = say::eps_first_title{},
                     .note = say::eps_first_note{},
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

// Whether the optimizer sets a v to 0 that float could hold as a subnormal number, one below its least normal one.
bool flushes_subnormals() {
  constexpr double gradient = 1e-20;
  const Variable x(zeros({1}), true);
  optim::Adam optimizer({{"x", x}}, {.lr = 1, .eps = 1e-30});
  sum(x * gradient).backward();
  optimizer.step();
  // (1 - β₂) g² = 1e-43
  return optimizer.state("x", "exp_avg_sq")(0) == 0;
}

// The weights of the first layer that are not finite after one step on these samples.
std::size_t lost_weights(Patient patient, const std::function<Variable(nn::Sequential&)>& loss) {
  patient.optimizer->zero_grad();
  loss(patient.model).backward();
  patient.optimizer->step();
  const Tensor& weights = patient.optimizer->parameters()[0].second.value();
  return static_cast<std::size_t>(
      std::count_if(weights.begin(), weights.end(), [](Scalar value) { return !std::isfinite(value); }));
}

}  // namespace

std::string check_finite_message(Patient patient, const std::function<Variable(nn::Sequential&)>& loss) {
  return refusal([&] {
    for (int step = 0; step < 3; ++step) {
      patient.optimizer->zero_grad();
      loss(patient.model).backward({.check_finite = true, .names = &patient.optimizer->parameters()});
      patient.optimizer->step();
    }
  });
}

Failure eps_too_small(const Context& context, const Runs& healthy) {
  const std::size_t steps = usual_steps(context);
  const std::vector<Runs> all = {healthy, examine(context, "Adam, ε = 0", "n3", patient("adam", 0), steps),
                                 examine(context, "Adamax, ε = 0", "adamax", patient("adamax", 0), steps)};

  // What the library says when it is asked to look.
  const Samples samples(context.data.train.slice(0, 64));
  const auto loss_of = [&samples](nn::Sequential& model) {
    return nn::cross_entropy(model(samples.images), samples.labels);
  };
  const std::uint64_t seed = seeds(context)[0];
  const std::string by_check = check_finite_message(patient("adam", 0)(seed), loss_of);
  Patient other = patient("adam", 0)(seed);
  const std::string by_minimize =
      refusal([&] { optim::minimize(*other.optimizer, [&] { return loss_of(other.model); }, {.max_steps = 3}); });
  const auto& [first_name, first_weights] = other.optimizer->parameters()[0];
  const bool named = by_check.find(first_name) != std::string::npos;

  std::vector<bool> inked(784, false);
  for (std::size_t i = 0; i < samples.images.size(); ++i)
    if (samples.images.value().data()[i] > 0) inked[i % 784] = true;
  const auto blank = static_cast<std::size_t>(std::count(inked.begin(), inked.end(), false));
  std::vector<double> lost, none, share;
  for (const std::uint64_t one : seeds(context)) {
    lost.push_back(static_cast<double>(lost_weights(patient("adam", 0)(one), loss_of)));
    none.push_back(static_cast<double>(lost_weights(patient("adam", 1e-8)(one), loss_of)));
    share.push_back(100 * lost.back() / static_cast<double>(first_weights.size()));
  }

  const LineChart chart = first_steps();
  Table extremes = {.name = "eps-longest",
                    .caption = say::eps_longest{},
                    .columns = {"optimizer", "step / α", "at the gradient"},
                    .rows = {}};
  for (const Line& line : chart.lines) {
    const auto [length, at] = longest(line);
    extremes.rows.push_back({line.label, Cell(length), Cell(at, 1)});
  }
  using Limits = std::numeric_limits<Scalar>;
  const auto smallest = static_cast<double>(flushes_subnormals() ? Limits::min() : Limits::denorm_min());
  const std::string limit = number_text(smallest, 2), least = number_text(double{Limits::denorm_min()}, 2);
  const std::string gradient = number_text(std::sqrt(smallest / 1e-3), 1);
  return {
      .blocks = {Heading{say::eps_heading{}},
                 Text{say::eps_words{
                     .blank = blank,
                     .lost = median(lost),
                     .share = median(share),
                     .step = median(all[1].all([](const Signs& s) { return static_cast<double>(s.losses.size()); }))}},
                 Text{named ? std::string(say::eps_named{.name = first_name}) : say::eps_not_named{}},
                 Table{"eps-messages",
                       say::eps_messages{},
                       {"asked by", "message"},
                       {{"backward({.check_finite = true, .names = …})", by_check}, {"minimize()", by_minimize}}},
                 loss_chart("eps-loss", say::eps_chart{}, say::eps_chart_note{}, all), signs_table("eps", all),
                 Table{"eps-weights",
                       say::eps_weights{},
                       {"of", "number"},
                       {{"pixels without ink in the first 64 digits", Cell::integer(static_cast<double>(blank))},
                        {"weights of the first layer that are NaN", Cell::spread(lost)},
                        {"of its weights, %", Cell::spread(share)}}},
                 Text{flushes_subnormals()
                          ? std::string(say::eps_flushed{.gradient = gradient, .least = least, .limit = limit})
                          : say::eps_not_flushed{.gradient = gradient, .limit = limit}},
                 Text{say::eps_large{}}, chart, extremes},
      .name = "ε = 0",
      .healthy = healthy.all(last_loss),
      .broken = all[1].all(last_loss),
      .cured = healthy.all(last_loss),
      .cure = "ε = 1e-8",
      .diagnosis = "weights of the first layer that are NaN after step 1",
      .shown = Cell::spread(lost),
      .shown_healthy = Cell::spread(none)};
}

}  // namespace lab
