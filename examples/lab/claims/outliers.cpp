// Claim 7: which of Adam and AdaMax is more sensitive to outlying gradients.
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>

#include "../experiment.h"
#include "claims.h"

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
  DotPlot losses = {
      .name = "7-losses",
      .title = "Final loss on digits with spikes, over that without",
      .note = "One step in a hundred has a gradient a hundred times as large. A dot for each of five seeds.",
      .x = {.label = "loss with spikes / loss without"},
      .groups = {},
      .marks = {{"no harm", 1}}};
  Table table = {
      "7-numbers",
      "Five seeds: median (least to largest)",
      {"optimizer", "longest update at the spike / α", "steps until 0.9 α again", "loss without spikes", "loss with"},
      {}};
  std::vector<std::vector<double>> jumps, recoveries, ratios;
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
    jumps.push_back(jump), recoveries.push_back(back), ratios.push_back(ratio);
  }
  const auto every = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), std::greater<>());
  };
  const bool jumps_more = every(jumps[1], jumps[0]), waits_longer = every(recoveries[1], recoveries[0]),
             loses_more = every(ratios[1], ratios[0]);
  const int signs = jumps_more + waits_longer + loses_more;
  return {Claim{7, "The infinity norm is more sensitive to outlying gradients",
                signs == 3  ? Verdict::holds
                : signs > 0 ? Verdict::holds_if
                            : Verdict::does_not_hold,
                message("At the spike itself AdaMax jumps ", jumps_more ? "further" : "no further",
                        " than Adam; afterwards its steps stay short for ", waits_longer ? "longer" : "no longer",
                        "; in training with spikes it loses ",
                        loses_more ? "more with every seed." : "no more, or not with every seed.",
                        signs > 0 && signs < 3 ? " It holds if one means what these say." : "")},
          Text{message("A parameter gets gradients of about 1, and after ", before,
                       " steps one of 100. Adam's m takes in a tenth of it and √v a thirtieth, so that the step grows "
                       "to 3.16 α; AdaMax's u takes in all of it, so that "
                       "the step shrinks to a tenth. Then u forgets by 0.999 a step, and √v by √0.999, but from less. "
                       "The claim holds where AdaMax jumps further, waits longer and loses more with every seed, and "
                       "in part where one of these is so.")},
          LineChart{.name = "7-spike",
                    .title = "The updates after one gradient of 100",
                    .note = "Median and range of five seeds. SGD makes one step of 100 α, and goes on.",
                    .x = {.label = "steps after the spike", .logarithmic = true},
                    .y = {.label = "update / α", .logarithmic = true, .low = 0.008, .high = 120},
                    .lines = lines,
                    .marks = {{"0.9 α", 0.9, true}}},
          losses, table};
}

}  // namespace lab
