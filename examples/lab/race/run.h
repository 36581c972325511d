// Optimizers let loose on a function.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "../rules.h"
#include "functions.h"

namespace lab {

/// The steps of which the position is kept: all at first, and fewer later.
std::vector<std::size_t> frames(std::size_t budget);

struct Trajectory {
  std::vector<Position> positions;   ///< at each frame, until one is not finite
  std::optional<std::size_t> steps;  ///< until it is within `goal` of the least value to stay there
  double gap;                        ///< value - least value at the end; NaN if it is not finite
  double distance;                   ///< to the nearest minimum, likewise
};
constexpr double goal = 1e-3;

/// How an optimizer gets the starts.
enum class Starts {
  elements,   ///< side by side, the x and the y of all as two parameters: for rules that see each element alone
  positions,  ///< side by side, each as a parameter (x, y) of shape (1, 2) in a group of its own: for rules with sums
              ///< over a parameter or a group, and for those of matrices
  alone       ///< one after the other, each with an optimizer of its own: for methods that look at the loss
};
/// An optimizer of these groups of parameters; of one group but for Starts::positions.
using MakeOptimizer =
    std::function<std::unique_ptr<xgrad::optim::Optimizer>(const std::vector<xgrad::optim::ParameterList>& groups)>;

/// From each of the function's starts, `budget` steps. With Starts::alone they are made by step(closure), and every
/// evaluation of the loss counts as a step. Positions are those to evaluate with, which are not those that are trained
/// where the optimizer averages.
std::vector<Trajectory> run(const Function& function, Starts starts, const MakeOptimizer& make, std::size_t budget);
std::vector<Trajectory> run(const Function& function, const Rule& rule, const Settings& settings, std::size_t budget);

/// Reddi, Kale & Kumar 2018, section 3, and Theorem 2 with a larger C: the gradient is C in one step, then -1 in C - 1,
/// and x is held in [-1, 1]. The mean slope is 1 / C, so -1 is best. The rate is lr / sqrt(t), and beta1 is 0.
/// Positions are (x, step).
Trajectory run_reddi(const Rule& rule, double lr, double beta2, std::size_t budget, std::size_t frame_every,
                     std::size_t c = 3);

/// Where that x is on the mean, over the last whole period: above 0, the rule was driven the wrong way.
double mean_of_last_period(const Rule& rule, double lr, double beta2, std::size_t budget, std::size_t c);

/// Of RAdam: 2 / (1 - beta2) - 1. Up to 5 it never divides by the size of gradients, and is descent along m̂.
double longest_memory(double beta2);

}  // namespace lab
