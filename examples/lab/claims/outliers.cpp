// Claims 7 and 21: which of Adam and AdaMax suffers more from outlying gradients.
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>

#include "../experiment.h"
#include "claims.h"
#include "verdicts.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr double spike = 100;

// The updates of a parameter, in units of the rate, whose gradient is about 1 but for one spike. A column for each
// seed.
std::vector<std::vector<double>> updates(const Context& context, const Rule& rule, std::size_t before,
                                         std::size_t after) {
  constexpr double lr = 1e-3;
  const std::vector<std::uint64_t> all = seeds(context);
  std::vector<Generator> generators(all.begin(), all.end());
  const Variable x(zeros({all.size()}), true);
  const auto optimizer = rule.make({{"x", x}}, {.lr = lr});
  std::vector<std::vector<double>> result(all.size());
  Tensor slope = zeros({all.size()});
  for (std::size_t t = 0; t < before + after; ++t) {
    for (std::size_t i = 0; i < all.size(); ++i)
      slope.data()[i] = static_cast<Scalar>((t == before ? spike : 1) * (1 + 0.05 * generators[i].normal()));
    // Back to 0 each time, so that small updates are not lost in rounding.
    x.mutable_value() = zeros({all.size()});
    optimizer->zero_grad();
    sum(x * Variable(slope)).backward();
    optimizer->step();
    for (std::size_t i = 0; i < all.size(); ++i) result[i].push_back(-double{x.value().data()[i]} / lr);
  }
  return result;
}

// Steps after the spike until updates are 0.9 of the rate again, on the mean of fifty.
double recovery(const std::vector<double>& updates, std::size_t before) {
  const std::vector<double> mean = smoothed(updates, 50);
  for (std::size_t t = before + 100; t < mean.size(); ++t)
    if (mean[t] >= 0.9) return static_cast<double>(t - before);
  return static_cast<double>(mean.size() - before);
}

// The final loss where each gradient is a hundred times as large with a probability of one in a hundred.
double spiked_loss(const Context& context, const Rule& rule, std::uint64_t seed, std::size_t steps, bool with_spikes) {
  nn::Sequential model = mlp({32}, seed);
  const auto optimizer = rule.make(model.parameters(), {.lr = rule.lr});
  Generator generator(seed);
  return final_loss(
      train(model, *optimizer, context.data.train, {.steps = steps, .seed = seed, .before_step = [&](std::size_t) {
                                                      if (generator.uniform() >= 0.01 || !with_spikes) return;
                                                      for (const auto& [name, parameter] : optimizer->parameters())
                                                        parameter.mutable_grad() *= Scalar(spike);
                                                    }}));
}

}  // namespace

Blocks outliers(const Context& context) {
  const std::size_t before = 5000, after = 6000, steps = context.pick<std::size_t>(300, 2000);
  std::vector<Line> lines;
  DotPlot losses = {.name = "7-losses",
                    .title = say::outliers_losses_title{},
                    .note = say::outliers_losses_note{},
                    .x = {.label = "loss with spikes / loss without"},
                    .groups = {},
                    .marks = {{"no harm", 1}}};
  Table table = {
      "7-numbers",
      say::five_seeds{},
      {"optimizer", "longest update at the spike / α", "steps until 0.9 α again", "loss without spikes", "loss with"},
      {}};
  // Adam's and AdaMax's jump, recovery, and loss with spikes over loss without.
  std::vector<std::array<std::vector<double>, 3>> measured;
  std::vector<double> x;
  for (std::size_t t = 1; t < after; t += t < 60 ? 1 : 20) x.push_back(static_cast<double>(t));
  for (const char* id : {"adam", "adamax", "sgd"}) {
    const bool adaptive = id != std::string_view("sgd");
    std::vector<double> jump, back, with, without, ratio;
    std::vector<std::vector<double>> seen;
    for (const std::vector<double>& run : updates(context, rule(id), before, after)) {
      jump.push_back(*std::max_element(run.begin() + static_cast<std::ptrdiff_t>(before),
                                       run.begin() + static_cast<std::ptrdiff_t>(before) + 50));
      back.push_back(recovery(run, before));
      seen.emplace_back();
      for (const double t : x) seen.back().push_back(run[before - 1 + static_cast<std::size_t>(t)]);
    }
    for (const std::uint64_t seed : seeds(context)) {
      without.push_back(spiked_loss(context, rule(id), seed, steps, false));
      with.push_back(spiked_loss(context, rule(id), seed, steps, true));
      ratio.push_back(with.back() / without.back());
    }
    lines.push_back(summary(std::string(rule(id).label), id, x, seen));
    losses.groups.push_back({std::string(rule(id).label), id, ratio});
    table.rows.push_back({std::string(rule(id).label), Cell::spread(jump),
                          adaptive ? Cell::spread(back, 4) : Cell("at once"), Cell::spread(without),
                          Cell::spread(with)});
    measured.push_back({jump, back, ratio});
  }
  const auto &adam = measured[0], &adamax = measured[1];
  const auto parts = judge::outliers(adamax, adam);
  const Verdict better = lower(adamax[2], adam[2]);
  const auto shown = [](const std::vector<double>& values) { return number_text(median(values)); };
  return {Claim{7, say::outliers_claim{}, parts.all(),
                std::string(say::outliers_jump{.adam = shown(adam[0]), .adamax = shown(adamax[0])}) + " " +
                    std::string(say::outliers_wait{.adam = Cell::integer(median(adam[1])).text,
                                                   .adamax = Cell::integer(median(adamax[1])).text}) +
                    " " +
                    either(parts.part[2], say::outliers_loses{}, say::outliers_gains{},
                           say::outliers_undecided{.adam = shown(adam[2]), .adamax = shown(adamax[2])})},
          Text{say::outliers_rule{.before = before}},
          LineChart{.name = "7-spike",
                    .title = say::outliers_spike_title{},
                    .note = say::outliers_spike_note{},
                    .x = {.label = "steps after the spike", .logarithmic = true},
                    .y = {.label = "update / α", .logarithmic = true, .low = 0.008, .high = 120},
                    .lines = lines,
                    .marks = {{"0.9 α", 0.9, true}}},
          losses,
          table,
          Claim{21, say::better_outliers_claim{}, better,
                either(better, say::better_outliers_yes{.adam = shown(adam[2]), .adamax = shown(adamax[2])},
                       say::better_outliers_no{.adam = shown(adam[2]), .adamax = shown(adamax[2])},
                       say::better_outliers_undecided{.adam = shown(adam[2]), .adamax = shown(adamax[2])})},
          Text{say::better_outliers_rule{}}};
}

}  // namespace lab
