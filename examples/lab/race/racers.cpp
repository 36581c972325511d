#include "racers.h"

#include <xgrad/core/random.h>
#include <xgrad/optim/adafactor.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adan.h>
#include <xgrad/optim/ademamix.h>
#include <xgrad/optim/adopt.h>
#include <xgrad/optim/lamb.h>
#include <xgrad/optim/lbfgs.h>
#include <xgrad/optim/muon.h>
#include <xgrad/optim/newton_cg.h>
#include <xgrad/optim/prodigy.h>
#include <xgrad/optim/rprop.h>
#include <xgrad/optim/schedule_free.h>
#include <xgrad/optim/sgd.h>
#ifdef XGRAD_HAS_LINALG
#include <xgrad/optim/shampoo.h>
#include <xgrad/optim/soap.h>
#endif
#include <xgrad/optim/sophia.h>
#include <xgrad/optim/step_lengths.h>
#include <xgrad/optim/wrapper.h>

#include <cmath>
#include <limits>

namespace lab::race_parts {
namespace {

using namespace xgrad::optim;
using Groups = std::vector<ParameterList>;

// With its own defaults, but for what is given.
template <std::derived_from<RuleGroups> O>
auto with(typename O::Options options = {}, CommonOptions common = {}) {
  return [=](const Groups& groups, double lr) -> std::unique_ptr<Optimizer> {
    std::vector<Group<typename O::Options>> all;
    for (const ParameterList& group : groups) all.push_back({group, options, common}), all.back().options.lr = lr;
    return std::make_unique<O>(std::move(all));
  };
}

template <std::derived_from<FlatOptimizer> O, class Options>
auto method(Options options) {
  return [options](const Groups& groups, double lr) -> std::unique_ptr<Optimizer> {
    Options with_rate = options;
    with_rate.lr = lr;
    return std::make_unique<O>(groups[0], with_rate);
  };
}

template <class Wrapper, class Make, class... Options>
auto around(Make make, Options... options) {
  return [=](const Groups& groups, double lr) -> std::unique_ptr<Optimizer> {
    return std::make_unique<Wrapper>(make(groups, lr), options...);
  };
}

std::vector<Racer> all_racers() {
  std::vector<Racer> all;
  for (const Rule& rule : rules())
    all.push_back({std::string(rule.id), std::string(rule.label), std::string(rule.id), "",
                   rule.id == "adadelta" ? 1 : 0.1,  // it scales its steps itself
                   Starts::elements,
                   [&rule](const Groups& groups, double lr) { return rule.make(groups[0], {.lr = lr}); }});
  const auto add = [&](const char* id, const char* label, const char* relative, const char* pattern, double usual,
                       Starts starts, auto make) {
    all.push_back({id, label, relative, pattern, usual, starts, make});
  };
  using enum Starts;
  // Methods that search along a line, or in a region, make one search a step, so that no position is passed over.
  add("lbfgs", "L-BFGS", "lbfgs", "", 1, alone, method<LBFGS>(LBFGSOptions{.max_iterations = 1}));

  add("sf-sgd", "Schedule-Free SGD", "sgd", "dashed", 0.1, elements, with<ScheduleFreeSGD>());
  add("asgd", "ASGD", "sgd", "dotted", 0.03, elements, with<ASGD>());
  add("polyak", "Polyak", "sgd", "dash-dot", 1, alone, with<Polyak>());  // the least value of all functions is 0
  const auto momentum = with<SGD>({.momentum = 0.9});
  add("sam", "SAM", "momentum", "dashed", 0.003, alone, around<Sam>(momentum));
  add("asam", "ASAM", "momentum", "dotted", 0.001, alone,
      around<Sam>(momentum, SamOptions{.rho = 0.5, .adaptive = true}));
  add("lars", "LARS", "momentum", "dash-dot", 10, positions, with<Lars>());
  add("adan", "Adan", "nesterov", "dashed", 0.1, elements, with<Adan>());
  add("muon", "Muon", "nesterov", "dotted", 0.03, positions, with<Muon>());
#ifdef XGRAD_HAS_LINALG
  add("shampoo", "Shampoo", "adagrad", "dashed", 1, positions, with<Shampoo>());
  add("soap", "SOAP", "adagrad", "dotted", 0.1, positions, with<Soap>({.weight_decay = 0}));
#endif
  add("ftrl", "FTRL", "adagrad", "dash-dot", 1, elements, with<FTRL>());
  add("prodigy", "Prodigy", "adadelta", "dashed", 1, positions, with<Prodigy>());
  add("d-adapt-adam", "D-Adapt Adam", "adadelta", "dotted", 1, positions, with<DAdaptAdam>());
  add("adafactor", "Adafactor", "rmsprop", "dashed", 0.3, positions, with<Adafactor>());
  add("adahessian", "AdaHessian", "rmsprop", "dotted", 0.1, elements, with<AdaHessian>());
  add("ademamix", "AdEMAMix", "adam", "dashed", 0.3, elements, with<AdEMAMix>());
  add("lookahead", "Lookahead Adam", "adam", "dotted", 0.3, elements, around<Lookahead>(with<Adam>()));
  add("sf-adamw", "Schedule-Free Adam", "adam", "dash-dot", 0.1, elements, with<ScheduleFreeAdamW>());
  add("adopt", "ADOPT", "amsgrad", "dashed", 0.3, elements, with<Adopt>());
  add("cautious-adam", "Cautious Adam", "radam", "dashed", 1, positions, with<Adam>({}, {.cautious = true}));
  add("lamb", "LAMB", "radam", "dotted", 0.03, positions, with<Lamb>());
  add("rprop", "Rprop", "lion", "dashed", 0.1, elements, with<Rprop>());
  add("sophia", "Sophia", "lion", "dotted", 0.1, elements, with<Sophia>());
  add("newton-cg", "Newton-CG", "lbfgs", "dashed", 1, alone, method<NewtonCG>(NewtonCGOptions{.radius_max = 1e4}));
  add("conjugate-gradient", "Conjugate gradients", "lbfgs", "dotted", 1, alone,
      method<ConjugateGradient>(ConjugateGradientOptions{.max_iterations = 1}));
  add("barzilai-borwein", "Barzilai-Borwein", "lbfgs", "dash-dot", 0.1, positions, with<BarzilaiBorwein>());
  return all;
}

}  // namespace

const std::vector<Racer>& racers() {
  static const std::vector<Racer> all = all_racers();
  return all;
}

std::vector<Trajectory> run_racer(const Function& function, const Racer& racer, double lr, std::size_t budget) {
  return run(
      function, racer.starts, [&](const Groups& groups) { return racer.make(groups, lr); }, budget);
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
                 judged_with = with_drawn_starts(function, seeds(context, 1)[0], starts),
                 fewer = with_drawn_starts(function, tuning_seeds(context, 1)[0], starts / few);
  // Those with a colour of their own are compared with each other, and the newer ones with each other: in a comparison
  // all try as many rates as who needs most.
  std::vector<Contestant> older, newer;
  for (const Racer& racer : racers()) {
    const bool is_newer = !racer.pattern.empty();
    const Function& from = is_newer && racer.starts != Starts::elements ? fewer : chosen_with;
    const auto costs = [&, budget](double lr) {
      std::vector<double> result;
      for (const Trajectory& one : run_racer(from, racer, lr, budget)) result.push_back(cost(one, budget));
      return result;
    };
    (is_newer ? newer : older).push_back({racer.label, racer.color, racer.usual, costs});
  }
  std::vector<Tuned> result;
  for (const std::vector<Contestant>& contestants : {older, newer})
    for (const Sweep& sweep : fair_sweeps(contestants, {.trials = 5, .halvings = context.pick<std::size_t>(1, 2)})) {
      const double rate = sweep.rates[sweep.best()];
      std::vector<double> steps;
      for (const Trajectory& one : run_racer(judged_with, racers()[result.size()], rate, budget))
        steps.push_back(one.steps ? static_cast<double>(*one.steps) : std::numeric_limits<double>::quiet_NaN());
      result.push_back({sweep, rate, steps});
    }
  return result;
}

}  // namespace lab::race_parts
