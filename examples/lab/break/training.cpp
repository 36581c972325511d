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

#include "../compare.h"
#include "../rules.h"
#include "failures.h"

namespace lab {
namespace {

using namespace xgrad;

const std::vector<std::size_t> layers = {32, 32};  // the widths of the network

Patient patient(std::uint64_t seed, const Settings& settings = {.lr = usual_rate}) {
  nn::Sequential model = network(seed);
  auto optimizer = rule("adam").make(model.parameters(), settings);
  return {std::move(model), std::move(optimizer)};
}

Runs with(const Context& context, std::string label, std::string color, const Settings& settings,
          const optim::Curve& schedule = {}) {
  const auto make = [&](std::uint64_t seed) {
    Patient one = patient(seed, settings);
    one.schedule = schedule;
    return one;
  };
  return examine(context, std::move(label), std::move(color), make, usual_steps(context));
}

Contestant tuned(const Context& context, std::string label, const Settings& settings) {
  Contestant one = on_digits(context, rule("adam"), usual_steps(context), tuning_seeds(context), settings, layers);
  one.label = std::move(label);
  one.usual = usual_rate;
  return one;
}

double middle(const Runs& runs, double (*number)(const Signs&)) { return median(runs.all(number)); }
double middle(const Runs& runs, double Signs::*number) { return median(runs.all(number)); }
double first_loss(const Signs& signs) { return signs.losses.front(); }

std::string compared(const std::vector<double>& cured, const std::vector<double>& healthy) {
  const Verdict is_lower = lower(cured, healthy);
  return either(is_lower, say::cure_better{}, say::cure_worse{}, say::cure_alike{});
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
double suggested_rate(const Context& context, std::uint64_t seed) {
  nn::Sequential model = network(seed);
  const auto optimizer = rule("adam").make(model.parameters(), {.lr = usual_rate});
  datasets::DataLoader loader(context.data.train, {.batch_size = 64, .shuffle = true, .seed = seed});
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

nn::Sequential network(std::uint64_t seed) { return mlp(layers, seed); }
std::size_t usual_steps(const Context& context) { return context.pick<std::size_t>(250, 2000); }
Runs healthy(const Context& context) { return with(context, "healthy", "n2", {.lr = usual_rate}); }

Failure rate_too_high(const Context& context, const Runs& healthy) {
  std::vector<double> suggested;
  for (const std::uint64_t seed : seeds(context)) suggested.push_back(suggested_rate(context, seed));
  const double test = median(suggested);
  const std::vector<Sweep> sweeps = fair_sweeps({tuned(context, "Adam", {})});
  const double best = sweeps[0].rates[sweeps[0].best()];
  const std::vector<Runs> all = {healthy, with(context, "rate × 100", "n1", {.lr = 100 * usual_rate}),
                                 with(context, "rate of the range test", "n0", {.lr = test}),
                                 with(context, "rate of the sweep", "n6", {.lr = best})};
  const std::vector<double> well = healthy.all(last_loss);
  return {.blocks = {Heading{say::rate_heading{}},
                     Text{say::rate_words{.broken = middle(all[1], &Signs::ratio),
                                          .first = middle(all[1], first_loss),
                                          .healthy = middle(healthy, &Signs::ratio),
                                          .most = middle(all[1], largest_loss),
                                          .rate = number_text(100 * usual_rate, 1),
                                          .usual = usual_rate}},
                     Text{say::rate_cure{.best = number_text(best, 2),
                                         .best_is = compared(all[3].all(last_loss), well),
                                         .suggested = number_text(test, 2),
                                         .test_is = compared(all[2].all(last_loss), well)}},
                     loss_chart("rate-loss", say::rate_chart{}, say::loss_note{}, all), signs_table("rate", all),
                     where_best_lies("rate-sweep", say::sweep_caption{}, sweeps)},
          .name = "rate × 100",
          .healthy = well,
          .broken = all[1].all(last_loss),
          .cured = all[2].all(last_loss),
          .cure = say::cure_rate{.rate = number_text(test, 2)},
          .diagnosis = "update / weight, step 1",
          .shown = Cell::spread(all[1].all(&Signs::ratio)),
          .shown_healthy = Cell::spread(healthy.all(&Signs::ratio))};
}

Failure zero_weights(const Context& context, const Runs& healthy) {
  const std::size_t steps = usual_steps(context);
  const auto zero = [](std::uint64_t one_seed) {
    Patient one = patient(one_seed);
    fill(one.model, 0, true, true);
    return one;
  };
  const auto kaiming = [&](std::uint64_t one_seed) {
    Patient one = zero(one_seed);
    seed(one_seed + 1);
    for (auto& [name, parameter] : one.model.parameters())
      if (parameter.shape().size() > 1) nn::init::kaiming_uniform(parameter);
    return one;
  };
  const std::vector<Runs> all = {healthy, examine(context, "all weights 0", "n1", zero, steps),
                                 examine(context, "Kaiming's weights", "n0", kaiming, steps)};
  return {.blocks = {Heading{say::zero_heading{}},
                     Text{say::zero_words{.broken = middle(all[1], &Signs::gradient),
                                          .cure_is = compared(all[2].all(last_loss), healthy.all(last_loss)),
                                          .first = number_text(middle(all[1], first_loss), 4),
                                          .healthy = middle(healthy, &Signs::gradient),
                                          .healthy_first = number_text(middle(healthy, first_loss), 4)}},
                     loss_chart("zero-loss", say::zero_chart{}, say::loss_note{}, all), signs_table("zero", all)},
          .name = "zero weights",
          .healthy = healthy.all(last_loss),
          .broken = all[1].all(last_loss),
          .cured = all[2].all(last_loss),
          .cure = "kaiming_uniform",
          .diagnosis = "‖g‖ of the first layer, step 1",
          .shown = Cell::spread(all[1].all(&Signs::gradient)),
          .shown_healthy = Cell::spread(healthy.all(&Signs::gradient))};
}

Failure dead_relu(const Context& context, const Runs& healthy) {
  constexpr Scalar bias = -10;
  const std::size_t steps = usual_steps(context);
  const auto biased = [](Scalar value) {
    return [value](std::uint64_t one_seed) {
      Patient one = patient(one_seed);
      fill(one.model, value, false, false);
      return one;
    };
  };
  // The same weights and biases behind units that let through a hundredth of what is negative.
  const auto leaky = [](std::uint64_t one_seed) {
    seed(one_seed);
    nn::Sequential model{nn::Flatten(),      nn::Linear(784, 32), nn::LeakyReLU(),
                         nn::Linear(32, 32), nn::LeakyReLU(),     nn::Linear(32, 10)};
    fill(model, bias, false, false);
    auto optimizer = rule("adam").make(model.parameters(), {.lr = usual_rate});
    return Patient{std::move(model), std::move(optimizer)};
  };
  const std::vector<Runs> all = {healthy, examine(context, "biases -10", "n1", biased(bias), steps),
                                 examine(context, "biases 0", "n0", biased(0), steps),
                                 examine(context, "biases -10, LeakyReLU", "n6", leaky, steps)};
  const auto percent = [](const Runs& runs, double Signs::*dead) { return number_text(100 * middle(runs, dead)); };
  const auto dead_at_start = [](const Runs& runs) {
    return Cell::spread(runs.all([](const Signs& one) { return 100 * one.dead_at_start; }));
  };
  return {.blocks = {Heading{say::dead_heading{}},
                     Text{say::dead_words{.end = percent(all[1], &Signs::dead_at_end),
                                          .healthy_end = percent(healthy, &Signs::dead_at_end),
                                          .healthy_start = percent(healthy, &Signs::dead_at_start),
                                          .start = percent(all[1], &Signs::dead_at_start)}},
                     Text{say::dead_cure{.cure_is = compared(all[2].all(last_loss), healthy.all(last_loss)),
                                         .leaky_end = percent(all[3], &Signs::dead_at_end),
                                         .leaky_is = compared(all[3].all(last_loss), healthy.all(last_loss)),
                                         .leaky_start = percent(all[3], &Signs::dead_at_start)}},
                     loss_chart("dead-loss", say::dead_chart{}, say::loss_note{}, all), signs_table("dead", all)},
          .name = "dead ReLU",
          .healthy = healthy.all(last_loss),
          .broken = all[1].all(last_loss),
          .cured = all[2].all(last_loss),
          .cure = "biases 0",
          .diagnosis = "dead units at the start, %",
          .shown = dead_at_start(all[1]),
          .shown_healthy = dead_at_start(healthy)};
}

Failure no_correction(const Context& context, const Runs& healthy) {
  const std::size_t rising = context.pick<std::size_t>(100, 400);
  constexpr double beta2 = 0.9999;
  const std::vector<Sweep> sweeps =
      fair_sweeps({tuned(context, "β₂ 0.9999, corrected", {.beta2 = beta2}),
                   tuned(context, "β₂ 0.9999, no correction", {.beta2 = beta2, .bias_correction = false})});
  const double best = sweeps[0].rates[sweeps[0].best()], own = sweeps[1].rates[sweeps[1].best()];
  const optim::Curve rises = [rising](double base, std::int64_t count) {
    return base * std::min(1.0, static_cast<double>(count + 1) / static_cast<double>(rising));
  };
  const auto at = [&](std::string label, const char* color, double lr, bool corrected,
                      const optim::Curve& schedule = {}) {
    return with(context, std::move(label), color, {.lr = lr, .beta2 = beta2, .bias_correction = corrected}, schedule);
  };
  const std::string rate = number_text(best, 2), own_rate = number_text(own, 2);
  const std::vector<Runs> all = {
      at("corrected, α " + rate, "n2", best, true), at("no correction, α " + rate, "n1", best, false),
      at("no correction, α " + own_rate, "n0", own, false),
      at(message("no correction, α rises for ", rising, " steps"), "n6", best, false, rises), healthy};
  // At a rate so small that both runs stay where they are, and get the same gradients.
  const auto at_rest = [&](bool corrected) {
    return examine_once(context, patient(seeds(context)[0], {.lr = 1e-7, .beta2 = beta2, .bias_correction = corrected}),
                        seeds(context)[0], 10);
  };
  const Signs still = at_rest(false), still_corrected = at_rest(true);
  const auto factor = [](double t) {
    const optim::Corrections c = optim::AdamRule({.beta2 = beta2}).corrections(t);
    return c[0] / std::sqrt(c[1]);
  };
  const std::vector<double> corrected = all[0].all(last_loss), without = all[1].all(last_loss),
                            own_losses = all[2].all(last_loss), warm = all[3].all(last_loss);
  std::vector<Runs> shown = all;
  shown.back().label = "healthy: β₂ 0.999, α " + number_text(usual_rate, 1);
  return {
      .blocks = {Heading{say::correction_heading{}},
                 Text{say::correction_words{.factor1 = factor(1),
                                            .factor10 = factor(10),
                                            .ratio = middle(all[1], &Signs::ratio),
                                            .ratio_corrected = middle(all[0], &Signs::ratio)}},
                 Text{say::correction_result{.corrected = median(corrected),
                                             .is = either(lower(corrected, without), say::correction_harms{},
                                                          say::correction_helps{}, say::correction_open{}),
                                             .own = own_rate,
                                             .own_is = compared(own_losses, corrected),
                                             .own_loss = median(own_losses),
                                             .rate = rate,
                                             .rising = rising,
                                             .warm_is = compared(warm, corrected),
                                             .warm_loss = median(warm),
                                             .without = median(without)}},
                 Text{say::correction_claim{.steps = usual_steps(context)}},
                 loss_chart("correction-loss", say::correction_chart{}, say::loss_note{}, shown),
                 signs_table("correction", shown), where_best_lies("correction-sweep", say::sweep_caption{}, sweeps),
                 Table{"correction-factor",
                       say::correction_factor{},
                       {"step", "update / weight, measured", "(1 - β₁ᵗ) / √(1 - β₂ᵗ)"},
                       {{"1", Cell(still.ratio / still_corrected.ratio), Cell(factor(1))},
                        {"10", Cell(still.ratio_later / still_corrected.ratio_later), Cell(factor(10))}}}},
      .name = "no correction, β₂ 0.9999",
      .healthy = corrected,
      .broken = without,
      .cured = own_losses,
      .cure = say::cure_own_rate{.rate = own_rate},
      .diagnosis = "update / weight, step 1",
      .shown = Cell::spread(all[1].all(&Signs::ratio)),
      .shown_healthy = Cell::spread(all[0].all(&Signs::ratio))};
}

}  // namespace lab
