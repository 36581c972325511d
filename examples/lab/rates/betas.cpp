#include "betas.h"

#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../sweep.h"
#include "widths.h"
#include "words/rates.h"

namespace lab::rates {

namespace say = words::rates_section;
using xgrad::message;

namespace {

// Of one pair of betas.
struct Pair {
  double fixed, tuned, rate;
  bool at_end;  // the best of the rates that were tried is the lowest or the highest
};

Pair try_pair(const Context& context, const Rule& rule, const Settings& settings, const std::vector<std::uint64_t>& all,
              std::size_t steps) {
  Contestant one = on_digits(context, rule, steps, all, settings);
  one.usual = 5 * rule.lr;
  const Sweep sweep = fair_sweeps({one}, {.trials = 3, .halvings = 0}).front();
  const std::size_t best = sweep.best();
  const double loss = median(sweep.losses[best]);
  return {median(one.costs(rule.lr)), loss, std::isnan(loss) ? loss : sweep.rates[best],
          best == 0 || best + 1 == sweep.rates.size()};
}

// True where nothing bounds a step of this rule: m can outlive what it is divided by.
bool unbounded(std::string_view id, double beta1, double beta2) {
  return std::isinf(id == "adam" ? xgrad::optim::AdamRule({.beta1 = beta1, .beta2 = beta2}).bound()
                                 : xgrad::optim::AdamaxRule({.beta1 = beta1, .beta2 = beta2}).bound());
}

}  // namespace

std::vector<Block> beta_maps(const Context& context, const Rule& rule, std::size_t steps) {
  const std::vector<double> beta1 = context.quick ? std::vector<double>{0, 0.5, 0.9, 0.99}
                                                  : std::vector<double>{0, 0.5, 0.8, 0.9, 0.95, 0.99},
                            beta2 = context.quick ? std::vector<double>{0.5, 0.9, 0.99, 0.999}
                                                  : std::vector<double>{0.5, 0.9, 0.99, 0.999, 0.9999};
  const std::vector<std::uint64_t> all = seeds(context, context.pick<std::size_t>(1, 3));
  const std::string name = message("betas-", rule.id), label(rule.label);
  HeatMap fixed = {.name = name,
                   .title = say::betas_fixed{.rate = rule.lr, .rule = label},
                   .note = say::betas_fixed_note{.runs = context.quick ? std::string(say::one_seed{})
                                                                       : std::string(say::three_seeds{}),
                                                 .steps = steps},
                   .x_label = "β₁",
                   .y_label = "β₂",
                   .x = {},
                   .y = {},
                   .value_label = "final loss",
                   .values = {},
                   .logarithmic = true,
                   .high = std::numbers::ln10};
  for (const double b : beta1) fixed.x.push_back(message(b));
  for (const double b : beta2) fixed.y.push_back(message(b));
  HeatMap tuned = fixed, rate = fixed;
  std::vector<double> inside, beyond, best;
  std::size_t ends = 0;
  for (const double b2 : beta2) {
    for (HeatMap* map : {&fixed, &tuned, &rate}) map->values.emplace_back();
    for (const double b1 : beta1) {
      const Pair pair = try_pair(context, rule, {.beta1 = b1, .beta2 = b2}, all, steps);
      fixed.values.back().push_back(pair.fixed);
      tuned.values.back().push_back(pair.tuned);
      rate.values.back().push_back(pair.rate);
      (unbounded(rule.id, b1, b2) ? beyond : inside).push_back(pair.fixed);
      if (!std::isnan(pair.tuned)) best.push_back(pair.tuned);
      ends += pair.at_end;
    }
  }
  tuned.name += "-tuned";
  tuned.title = say::betas_tuned{.rule = label};
  tuned.note = say::betas_tuned_note{};
  rate.name += "-rate";
  rate.title = say::betas_rate{.rule = label};
  rate.note = say::betas_rate_note{.cells = beta1.size() * beta2.size(), .ends = ends};
  rate.value_label = "rate";
  rate.low_is_good = false;
  rate.high.reset();
  const auto [least, most] = std::minmax_element(best.begin(), best.end());
  if (!best.empty()) fixed.low = tuned.low = *least;  // so that one colour is one loss on both maps
  std::vector<Block> blocks = {Text{say::unbounded{.beyond = beyond.size(),
                                                   .beyond_losses = span(beyond),
                                                   .condition = rule.id == "adam" ? "β₁² ≥ β₂" : "β₁ ≥ β₂",
                                                   .inside = inside.size(),
                                                   .inside_losses = span(inside),
                                                   .rate = rule.lr,
                                                   .rule = label}},
                               fixed, tuned, rate};
  if (!best.empty()) blocks.emplace_back(Text{say::best_pair{.least = *least, .most = *most}});
  return blocks;
}

}  // namespace lab::rates
