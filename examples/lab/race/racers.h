// Who races, and the rate of each.
#pragma once

#include <functional>

#include "../sweep.h"
#include "run.h"

namespace lab::race_parts {

struct Racer {
  std::string id, label;
  std::string color;  ///< the id of the one of the page's colours that it shares with its older relative
  std::string
      pattern;   ///< of its line: "" for those that have a colour to themselves, "dashed", "dotted" or "dash-dot"
  double usual;  ///< the rate around which the first ones are tried
  Starts starts;
  std::function<std::unique_ptr<xgrad::optim::Optimizer>(const std::vector<xgrad::optim::ParameterList>&, double lr)>
      make;
};
/// rules(), L-BFGS, and then the newer ones.
const std::vector<Racer>& racers();
/// From each of the function's starts.
std::vector<Trajectory> run_racer(const Function& function, const Racer& racer, double lr, std::size_t budget);

/// The same with starts that are drawn evenly from its plane.
Function with_drawn_starts(Function function, std::uint64_t seed, std::size_t count);

/// Steps until it arrives. A run that does not costs more than the budget, and the more, the further above the least
/// value it ends; NaN if it diverged.
double cost(const Trajectory& run, std::size_t budget);

/// The rate of one racer on one function.
struct Tuned {
  Sweep sweep;
  double rate;                ///< that with the least median cost
  std::vector<double> steps;  ///< at that rate, from starts that it was not chosen with; NaN where it does not arrive
};
/// Of the newer ones, those whose starts are not elements are slow, and their rates are chosen with a share of the
/// starts: one in so many.
constexpr std::size_t few = 4;
/// For each racer.
std::vector<Tuned> tune(const Context& context, const Function& function, std::size_t starts, std::size_t budget);

}  // namespace lab::race_parts
