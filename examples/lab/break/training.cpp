// Failures of the rate, of the start and of the units.
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/init.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/lr_range.h>

#include <algorithm>
#include <cmath>

#include "../rules.h"
#include "failures.h"

namespace lab {
namespace {

using namespace xgrad;

Patient patient(const Context& context, std::string label, std::string color,
                const Settings& settings = {.lr = usual_rate}, std::string_view id = "adam") {
  nn::Sequential model = network(context);
  auto optimizer = rule(id).make(model.parameters(), settings);
  return {std::move(label), std::move(color), std::move(model), std::move(optimizer)};
}

// Biases, or all parameters of the hidden layers and the output layer.
void fill(nn::Sequential& model, Scalar value, bool weights, bool output) {
  const NamedVariables parameters = model.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Variable& one = parameters[i].second;
    if ((weights || one.shape().size() == 1) && (output || i + 2 < parameters.size())) one.mutable_value().fill(value);
  }
}

// The rate that the library's range test suggests, on the batches that training would see.
double suggested_rate(const Context& context) {
  nn::Sequential model = network(context);
  const auto optimizer = rule("adam").make(model.parameters(), {.lr = usual_rate});
  datasets::DataLoader loader(context.data.train, {.batch_size = 64, .shuffle = true, .seed = context.seed});
  auto batch = loader.begin();
  const auto next = [&] {
    if (batch == loader.end()) batch = loader.begin();
    const datasets::Batch now = *batch;
    ++batch;
    return nn::cross_entropy(model(now.images), now.labels);
  };
  return optim::lr_range_test(*optimizer, next, {.from = 1e-5, .to = 1, .steps = 80}).suggested.value_or(usual_rate);
}

}  // namespace

nn::Sequential network(const Context& context) { return mlp({32, 32}, context.seed * 1000 + 61); }
std::size_t usual_steps(const Context& context) { return context.pick<std::size_t>(250, 2000); }
Signs healthy(const Context& context) {
  return examine(context, patient(context, "healthy", "n2"), usual_steps(context));
}

Failure rate_too_high(const Context& context, const Signs& healthy) {
  const double suggested = suggested_rate(context);
  const std::size_t steps = usual_steps(context);
  const std::vector<Signs> all = {
      healthy, examine(context, patient(context, "rate × 100", "n1", {.lr = 100 * usual_rate}), steps),
      examine(context, patient(context, "rate of the range test", "n0", {.lr = suggested}), steps)};
  return {
      {Heading{"1. A rate that is 100 times too high"},
       Text{message(
           "Adam with α = ", number_text(100 * usual_rate, 1), " in place of ", number_text(usual_rate, 1),
           ". In the first step each weight goes by α, whatever its gradient is: weights of some hundredths are "
           "lost in that. The loss is ",
           number_text(all[1].losses.front(), 3), " at the start and at most ",
           number_text(*std::max_element(all[1].losses.begin(), all[1].losses.end()), 3),
           " on the way. The sign that comes first is the ratio of update to weight, which explain() gives "
           "before the step is "
           "made: ",
           number_text(all[1].ratio), " in place of ", number_text(healthy.ratio),
           ". Cure: a rate from lr_range_test(), which here suggests ", number_text(suggested), ".")},
       loss_chart("rate-loss", "Rate × 100", "", all), signs_table("rate", all)},
      {"rate × 100", Cell(last_loss(all[1])), Cell(last_loss(healthy)), "update / weight, step 1", Cell(all[1].ratio),
       Cell(healthy.ratio), message("rate of the range test: ", number_text(suggested)), Cell(last_loss(all[2]))}};
}

Failure zero_weights(const Context& context, const Signs& healthy) {
  const std::size_t steps = usual_steps(context);
  Patient broken = patient(context, "all weights 0", "n1"), cured = patient(context, "Kaiming's weights", "n0");
  fill(broken.model, 0, true, true);
  fill(cured.model, 0, true, true);
  seed(context.seed * 1000 + 62);
  for (auto& [name, one] : cured.model.parameters())
    if (one.shape().size() > 1) nn::init::kaiming_uniform(one);
  const std::vector<Signs> all = {healthy, examine(context, std::move(broken), steps),
                                  examine(context, std::move(cured), steps)};
  return {{Heading{"2. All weights zero"},
           Text{message("Every hidden unit is 0, and so are the gradients of all weights: those of the first layers "
                        "pass through weights of "
                        "0, those of the last are multiplied by units of 0. Only the biases of the output can learn, "
                        "which is how often each digit "
                        "comes. The loss at the start, ",
                        number_text(all[1].losses.front(), 4),
                        ", is that of guessing, ln 10: it does not tell, as a healthy start (",
                        number_text(healthy.losses.front(), 4), ") is close to it. The gradient norms tell: ",
                        number_text(all[1].gradient), " in the first layer, where ", number_text(healthy.gradient),
                        " is healthy. Equal weights other than 0 are no better: units that begin equal stay equal. "
                        "Cure: random weights, "
                        "such as nn::init::kaiming_uniform (He et al. 2015).")},
           loss_chart("zero-loss", "All weights zero", "", all), signs_table("zero", all)},
          {"zero weights", Cell(last_loss(all[1])), Cell(last_loss(healthy)), "‖g‖ of the first layer, step 1",
           Cell(all[1].gradient), Cell(healthy.gradient), "kaiming_uniform", Cell(last_loss(all[2]))}};
}

Failure dead_relu(const Context& context, const Signs& healthy) {
  constexpr Scalar bias = -10;
  const std::size_t steps = usual_steps(context);
  Patient broken = patient(context, "biases -10", "n1"), reset = patient(context, "biases 0", "n0");
  fill(broken.model, bias, false, false);
  fill(reset.model, 0, false, false);
  // The same weights and biases behind units that let through a hundredth of what is negative.
  seed(context.seed * 1000 + 61);
  nn::Sequential model{nn::Flatten(),      nn::Linear(784, 32), nn::LeakyReLU(),
                       nn::Linear(32, 32), nn::LeakyReLU(),     nn::Linear(32, 10)};
  fill(model, bias, false, false);
  auto optimizer = rule("adam").make(model.parameters(), {.lr = usual_rate});
  Patient leaky = {"biases -10, LeakyReLU", "n6", std::move(model), std::move(optimizer)};
  const std::vector<Signs> all = {healthy, examine(context, std::move(broken), steps),
                                  examine(context, std::move(reset), steps), examine(context, std::move(leaky), steps)};
  return {{Heading{"4. Dead ReLU"},
           Text{message("With biases of -10 in the hidden layers no unit gets above 0 for any digit, and where ReLU is "
                        "0 so is its slope: ",
                        number_text(100 * all[1].dead_at_start), " % of the units are dead at the start, and ",
                        number_text(100 * all[1].dead_at_end), " % at the end (healthy: ",
                        number_text(100 * healthy.dead_at_start), " and ", number_text(100 * healthy.dead_at_end),
                        " %). No gradient ever reaches what could bring them back. In practice it is a step that was "
                        "too long that does it: see "
                        "the dead units of the rate × 100. Cures: start with biases of 0; or LeakyReLU, whose slope of "
                        "0.01 lets a little gradient through: ",
                        number_text(100 * all[3].dead_at_start), " % are below 0 for all samples at first, ",
                        number_text(100 * all[3].dead_at_end), " % at the end.")},
           loss_chart("dead-loss", "Dead ReLU", "", all), signs_table("dead", all)},
          {"dead ReLU", Cell(last_loss(all[1])), Cell(last_loss(healthy)), "dead units at the start, %",
           Cell(100 * all[1].dead_at_start), Cell(100 * healthy.dead_at_start), "biases 0", Cell(last_loss(all[2]))}};
}

Failure no_correction(const Context& context, const Signs& healthy) {
  const std::size_t steps = usual_steps(context), rising = context.pick<std::size_t>(100, 400);
  const Settings without = {.lr = usual_rate, .beta2 = 0.9999, .bias_correction = false};
  Patient warm = patient(context, message("no correction, rate rises for ", rising, " steps"), "n6", without);
  warm.schedule = [rising](double base, std::int64_t count) {
    return base * std::min(1.0, static_cast<double>(count + 1) / static_cast<double>(rising));
  };
  const std::vector<Signs> all = {
      healthy, examine(context, patient(context, "β₂ 0.9999, no correction", "n1", without), steps),
      examine(context, patient(context, "β₂ 0.9999, corrected", "n0", {.lr = usual_rate, .beta2 = 0.9999}), steps),
      examine(context, std::move(warm), steps)};
  // At a rate so small that both runs stay where they are, and get the same gradients.
  const auto at_rest = [&](bool corrected) {
    return examine(context, patient(context, "", "", {.lr = 1e-7, .beta2 = 0.9999, .bias_correction = corrected}), 10);
  };
  const Signs still = at_rest(false), still_corrected = at_rest(true);
  const auto factor = [](double t) {
    const optim::Corrections c = optim::Adam::corrections({.beta2 = 0.9999}, t);
    return c[0] / std::sqrt(c[1]);
  };
  return {{Heading{"6. β₂ = 0.9999 without bias correction"},
           Text{message(
               "v starts at 0 and takes in a ten-thousandth of g² a step: for thousands of steps its root is far too "
               "small, and "
               "each step too long. With steady gradients, step t is (1 - β₁ᵗ) / √(1 - β₂ᵗ) times the corrected one: ",
               number_text(factor(1)), " times at t = 1, and ", number_text(factor(10)),
               " times at t = 10. Before the first step explain() says that update / weight will be ",
               number_text(all[1].ratio), ", where it is ", number_text(all[2].ratio),
               " with the correction: ", number_text(all[1].ratio / all[2].ratio),
               " times as much. It is a rate that is too high, in disguise. Cures: the correction; or a rate that "
               "rises from 0.")},
           loss_chart("correction-loss", "No bias correction", "", all), signs_table("correction", all),
           Table{"correction-factor",
                 "Steps without correction, as a multiple of those with it, at α = 1e-7, where both runs get the same "
                 "gradients",
                 {"step", "update / weight, measured", "(1 - β₁ᵗ) / √(1 - β₂ᵗ)"},
                 {{"1", Cell(still.ratio / still_corrected.ratio), Cell(factor(1))},
                  {"10", Cell(still.ratio_later / still_corrected.ratio_later), Cell(factor(10))}}}},
          {"no correction, β₂ 0.9999", Cell(last_loss(all[1])), Cell(last_loss(healthy)), "update / weight, step 1",
           Cell(all[1].ratio), Cell(healthy.ratio), "bias correction", Cell(last_loss(all[2]))}};
}

}  // namespace lab
