#include "racers.h"

#include <xgrad/core/random.h>

#include <cmath>
#include <limits>

namespace lab::race_parts {

std::vector<Racer> racers() {
  std::vector<Racer> all;
  for (const Rule& rule : rules()) all.push_back({std::string(rule.id), std::string(rule.label)});
  all.push_back({"lbfgs", "L-BFGS"});
  return all;
}

std::vector<Trajectory> run_racer(const Function& function, std::size_t racer, double lr, std::size_t budget) {
  return racer < rules().size() ? run(function, rules()[racer], {.lr = lr}, budget) : run_lbfgs(function, lr, budget);
}

Function with_drawn_starts(Function function, std::uint64_t seed, std::size_t count) {
  xgrad::Generator generator(seed);
  function.starts.clear();
  for (std::size_t i = 0; i < count; ++i)
    function.starts.push_back(
        {generator.uniform(function.left, function.right), generator.uniform(function.bottom, function.top)});
  return function;
}

double cost(const Trajectory& run, std::size_t budget) {
  if (run.steps) return static_cast<double>(*run.steps);
  // Rounded, so that rates with which a rule ends in the same minimum cost the same.
  return rounded(static_cast<double>(budget) * (2 + std::log1p(run.gap / goal)));
}

std::vector<Tuned> tune(const Context& context, const Function& function, std::size_t starts, std::size_t budget) {
  const Function chosen_with = with_drawn_starts(function, tuning_seeds(context, 1)[0], starts),
                 judged_with = with_drawn_starts(function, seeds(context, 1)[0], starts);
  std::vector<Contestant> contestants;
  const std::vector<Racer> all = racers();
  for (std::size_t r = 0; r < all.size(); ++r) {
    const double usual =
        all[r].id == "adadelta" || all[r].id == "lbfgs" ? 1 : 0.1;  // those scale their steps themselves
    contestants.push_back({all[r].label, all[r].id, usual, [&chosen_with, r, budget](double lr) {
                             std::vector<double> costs;
                             for (const Trajectory& one : run_racer(chosen_with, r, lr, budget))
                               costs.push_back(cost(one, budget));
                             return costs;
                           }});
  }
  std::vector<Tuned> result;
  for (const Sweep& sweep : fair_sweeps(contestants, {.trials = 5, .halvings = context.pick<std::size_t>(1, 2)})) {
    const double rate = sweep.rates[sweep.best()];
    std::vector<double> steps;
    for (const Trajectory& one : run_racer(judged_with, result.size(), rate, budget))
      steps.push_back(one.steps ? static_cast<double>(*one.steps) : std::numeric_limits<double>::quiet_NaN());
    result.push_back({sweep, rate, steps});
  }
  return result;
}

}  // namespace lab::race_parts
