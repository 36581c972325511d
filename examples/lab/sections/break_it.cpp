#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/nn/losses.h>
#include <xgrad/optim/explain.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "../experiment.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t width = 32;

/// What the library says of a training.
struct Diagnosis {
  std::vector<double> losses;
  double first_loss = nothing, last_loss = nothing, accuracy = nothing;
  double dead = nothing;                                   // the share of hidden units that are 0 for every test image
  double gradient_norm = nothing, update_ratio = nothing;  // of the first layer, in step 5 or the last before it
  std::string error = "none";                              // of backward() with check_finite, afterwards
};

struct Trial {
  nn::Sequential model;
  datasets::Dataset data;
  std::string_view rule = "adam";
  Settings settings = {.lr = 1e-3};
};

double dead_share(nn::Sequential& model, const datasets::Dataset& data) {
  const NoGrad no_grad;
  datasets::DataLoader loader(data, {.batch_size = 1000});
  Variable hidden = (*loader.begin()).images;
  for (std::size_t i = 0; i < 3; ++i) hidden = (*model.children()[i].second)(hidden);  // Flatten, Linear, ReLU
  std::size_t dead = 0;
  for (std::size_t unit = 0; unit < width; ++unit) {
    bool alive = false;
    for (std::size_t i = unit; i < hidden.size(); i += width) alive |= hidden.value().data()[i] > 0;
    dead += !alive;
  }
  return static_cast<double>(dead) / width;
}

std::string complaint(nn::Sequential& model, const datasets::Dataset& data) {
  datasets::DataLoader loader(data, {.batch_size = 64});
  const datasets::Batch batch = *loader.begin();
  try {
    nn::cross_entropy(model(batch.images), batch.labels).backward({.check_finite = true});
  } catch (const ValueError& error) {
    return error.what();
  }
  return "none";
}

Diagnosis diagnose(const Context& context, Trial trial, std::size_t steps) {
  const auto optimizer = rule(trial.rule).make(trial.model.parameters(), trial.settings);
  Diagnosis result;
  const auto look = [&](std::size_t step) {
    if (step > 5) return;
    const std::vector<optim::Explanation> all = optim::explain(*optimizer);
    result.gradient_norm = all.front().gradient_norm;
    result.update_ratio = all.front().update_ratio;
  };
  const Trained trained =
      train(trial.model, *optimizer, trial.data, {.steps = steps, .seed = context.seed, .before_step = look});
  result.losses = trained.losses;
  result.first_loss = trained.losses.front();
  result.last_loss = final_loss(trained);
  result.dead = dead_share(trial.model, context.data.test);
  if (!trained.diverged) result.accuracy = evaluate(trial.model, context.data.test).accuracy;
  result.error = complaint(trial.model, trial.data);
  return result;
}

struct Failure {
  std::string name, title, why, tells, cure;
  Trial broken, cured;
  double Diagnosis::*telling;  // the number that gives it away
};

Cell shown(double number) {
  Cell cell(number);
  if (std::isnan(number)) cell.text = "NaN";
  return cell;
}

std::vector<Block> show(const Context& context, Failure failure, std::size_t steps, Table& overview) {
  const Diagnosis broken = diagnose(context, std::move(failure.broken), steps),
                  cured = diagnose(context, std::move(failure.cured), steps);
  const auto row = [&](const char* what, double Diagnosis::*number) {
    return std::vector<Cell>{what, shown(broken.*number), shown(cured.*number)};
  };
  const Table table = {failure.name + "-diagnosis",
                       failure.title + ": what the library says",
                       {"", "broken", "cured"},
                       {row("loss at the start (a guess: ln 10 = 2.303)", &Diagnosis::first_loss),
                        row("loss at the end", &Diagnosis::last_loss),
                        row("test accuracy (a guess: 0.1)", &Diagnosis::accuracy),
                        row("dead hidden units, share", &Diagnosis::dead),
                        row("gradient norm of the first layer, step 5", &Diagnosis::gradient_norm),
                        row("update / weight of the first layer, step 5", &Diagnosis::update_ratio),
                        {"backward() with check_finite", broken.error, cured.error}}};
  overview.rows.push_back({failure.title, failure.tells, shown(broken.*failure.telling), shown(cured.*failure.telling),
                           shown(broken.last_loss), shown(cured.last_loss), failure.cure});
  return {Heading{failure.title}, Text{failure.why},
          LineChart{.name = failure.name + "-loss",
                    .title = failure.title + ": training loss",
                    .note = "Mean of five steps. A line that ends has become NaN. Cure: " + failure.cure + ".",
                    .x = {.label = "step"},
                    .y = {.label = "cross entropy", .logarithmic = true, .low = 0.05, .high = 30},
                    .lines = {thinned({.label = "broken",
                                       .color = "n1",
                                       .x = counted(broken.losses.size()),
                                       .y = smoothed(broken.losses, 5)}),
                              thinned({.label = "cured",
                                       .color = "n0",
                                       .x = counted(cured.losses.size()),
                                       .y = smoothed(cured.losses, 5)})},
                    .marks = {{"ln 10", std::numbers::ln10, true}}},
          table};
}

nn::Sequential changed(std::uint64_t seed, const std::function<void(const std::string&, Tensor&)>& change) {
  nn::Sequential model = mlp({width}, seed);
  for (const auto& [name, parameter] : model.parameters()) change(name, parameter.mutable_value());
  return model;
}

datasets::Dataset shuffled_labels(const datasets::Dataset& data, std::uint64_t seed) {
  Generator generator(seed);
  const IndexTensor order = generator.permutation(data.size());
  std::vector<std::uint8_t> labels;
  for (const auto index : order) labels.push_back(data.labels()[static_cast<std::size_t>(index)]);
  return {{data.images().begin(), data.images().end()}, data.image_shape(), labels};
}

std::vector<Failure> failures(const Context& context) {
  const datasets::Dataset data = context.data.train, few = data.slice(0, 500);
  const auto sound = [&] { return mlp({width}, context.seed); };
  std::vector<Failure> all;
  all.push_back(
      {"rate",
       "A rate a hundred times too large",
       "Adam's step is about the rate, whatever the gradient: at 0.1 the weights move by a good part of themselves "
       "in every step, and units are pushed to where they never fire again.",
       "update / weight",
       "rate 0.001; optim::lr_range_test() finds one",
       {sound(), data, "adam", {.lr = 0.1}},
       {sound(), data},
       &Diagnosis::update_ratio});
  all.push_back({"zero",
                 "Weights that are all zero at first",
                 "All hidden units are alike, and output weights of 0 send no gradient back: only the output bias can "
                 "learn. A loss of exactly ln 10 at the start is no sign of health here, but a gradient of exactly 0 "
                 "in the first layer gives it away.",
                 "gradient norm of the first layer",
                 "random weights (He et al. 2015), the layers' default",
                 {changed(context.seed, [](const std::string&, Tensor& value) { value.fill(0); }), data},
                 {sound(), data},
                 &Diagnosis::gradient_norm});
  all.push_back(
      {"labels",
       "Labels in the wrong order",
       "Loss at the start, gradients and updates are as they should be, and the training loss falls: the network "
       "learns 500 images by heart. Only data that it has not seen tells that there is nothing to learn.",
       "test accuracy",
       "the right labels; look at some images with theirs",
       {sound(), shuffled_labels(few, context.seed), "adam", {.lr = 3e-3}},
       {sound(), few, "adam", {.lr = 3e-3}},
       &Diagnosis::accuracy});
  all.push_back({"dead",
                 "Dead ReLUs",
                 "The hidden biases begin at -5, so that no unit fires for any image. A ReLU that does not fire has no "
                 "gradient, and never comes back.",
                 "dead hidden units",
                 "biases that begin at 0, or nn::LeakyReLU",
                 {changed(context.seed,
                          [](const std::string& name, Tensor& value) {
                            if (name == "1.bias") value.fill(-5);
                          }),
                  data},
                 {sound(), data},
                 &Diagnosis::dead});
  all.push_back({"eps",
                 "ε too small",
                 "Pixels at the border never have ink, so that their weights never have a gradient: m̂ / (√v̂ + ε) is 0 "
                 "/ 0 where ε is 0, and NaN spreads from there to everything.",
                 "update / weight",
                 "ε = 1e-8, or Adamax in the paper's dialect, which leaves such weights alone",
                 {sound(), data, "adam", {.lr = 1e-3, .eps = 0}},
                 {sound(), data},
                 &Diagnosis::update_ratio});
  all.push_back({"correction",
                 "No bias correction, with β₂ = 0.9999",
                 "√v starts too small by a factor of a hundred and m by ten, so that the first steps are ten times too "
                 "long. At a rate that is already large this throws the weights far away before v has a memory.",
                 "update / weight",
                 "bias correction",
                 {sound(), data, "adam", {.lr = 1e-2, .beta2 = 0.9999, .bias_correction = false}},
                 {sound(), data, "adam", {.lr = 1e-2, .beta2 = 0.9999}},
                 &Diagnosis::update_ratio});
  return all;
}

}  // namespace

Section break_it(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(200, 1000);
  Table overview = {"overview",
                    "Six failures, and the number that gives each away",
                    {"failure", "look at", "broken", "cured", "loss at the end, broken", "cured", "cure"},
                    {}};
  std::vector<Block> details;
  std::vector<Failure> all = failures(context);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<Block> blocks = show(context, std::move(all[i]), steps, overview);
    details.insert(details.end(), blocks.begin(), blocks.end());
    context.progress(static_cast<double>(i + 1) / static_cast<double>(all.size()));
  }
  Section section = {
      .id = "break",
      .title = "Break it",
      .blocks = {Text{message("A network 784-", width, "-10 is trained for ", steps,
                              " steps in six ways that fail, and again with the cure. What tells the failure is what "
                              "the library itself says: the loss at the start against ln 10, dead units, "
                              "and from optim::explain() gradient norms, and the length of updates against that of "
                              "weights.")},
                 overview}};
  section.blocks.insert(section.blocks.end(), details.begin(), details.end());
  return section;
}

}  // namespace lab
