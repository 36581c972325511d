// Who races, and the rate of each.
#pragma once

#include <functional>

#include "../sweep.h"
#include "run.h"

namespace lab::race_parts {

struct Racer {
  std::string id, label;
};
/// rules(), and L-BFGS as the last.
std::vector<Racer> racers();
/// From each of the function's starts.
std::vector<Trajectory> run_racer(const Function& function, std::size_t racer, double lr, std::size_t budget);

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
/// For each racer.
std::vector<Tuned> tune(const Context& context, const Function& function, std::size_t starts, std::size_t budget);

}  // namespace lab::race_parts
