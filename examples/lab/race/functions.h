// Functions of two numbers that optimizers are tried on.
#pragma once

#include <xgrad/autograd/variable.h>

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace lab {

using Position = std::array<double, 2>;

struct Function {
  std::string id, label, formula, why;
  /// Element by element: many points at once.
  std::function<xgrad::Variable(const xgrad::Variable& x, const xgrad::Variable& y)> value;
  double least;  ///< its value at each of the minima
  std::vector<Position> minima;
  double left, right, bottom, top;  ///< what is drawn of the plane
  std::vector<Position> starts;
};

/// Sphere, ravine, Rosenbrock, Beale, Himmelblau, Rastrigin, saddle.
const std::vector<Function>& functions();

/// The value on a grid over the drawn part, the bottom row first.
std::vector<double> sampled(const Function& function, std::size_t columns, std::size_t rows);

/// To the nearest of the minima.
double distance(const Function& function, Position at);

}  // namespace lab
