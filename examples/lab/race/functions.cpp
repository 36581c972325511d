#include "functions.h"

#include <xgrad/autograd/ops.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "words/race.h"

namespace lab {

using namespace xgrad;
namespace say = words::race_section;

namespace {

Variable rastrigin(const Variable& x, const Variable& y) {
  const double turn = 2 * std::numbers::pi;
  return 20 + square(x) + square(y) - 10 * (cos(turn * x) + cos(turn * y));
}

Variable beale(const Variable& x, const Variable& y) {
  const Variable y2 = square(y);
  return square(1.5 - x + x * y) + square(2.25 - x + x * y2) + square(2.625 - x + x * y2 * y);
}

}  // namespace

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {.id = "sphere",
       .label = "Sphere",
       .formula = "x² + y²",
       .why = say::sphere{},
       .value = [](const Variable& x, const Variable& y) { return square(x) + square(y); },
       .least = 0,
       .minima = {{0, 0}},
       .left = -2,
       .right = 2,
       .bottom = -2,
       .top = 2,
       .starts = {{-1.6, 1.2}, {1.7, 0.3}, {-0.4, -1.8}}},
      {.id = "ravine",
       .label = "Ravine",
       .formula = "(x² + 50 y²) / 2",
       .why = say::ravine{},
       .value = [](const Variable& x, const Variable& y) { return 0.5 * (square(x) + 50 * square(y)); },
       .least = 0,
       .minima = {{0, 0}},
       .left = -2,
       .right = 2,
       .bottom = -1,
       .top = 1,
       .starts = {{-1.8, 0.6}, {-1.8, 0.02}, {1.2, -0.8}}},
      {.id = "rosenbrock",
       .label = "Rosenbrock",
       .formula = "(1 - x)² + 100 (y - x²)²",
       .why = say::rosenbrock{},
       .value = [](const Variable& x, const Variable& y) { return square(1 - x) + 100 * square(y - square(x)); },
       .least = 0,
       .minima = {{1, 1}},
       .left = -2,
       .right = 2,
       .bottom = -1,
       .top = 3,
       .starts = {{-1.5, 2}, {0, 0}, {-0.5, -0.7}}},
      {.id = "beale",
       .label = "Beale",
       .formula = "(1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²",
       .why = say::beale{},
       .value = beale,
       .least = 0,
       .minima = {{3, 0.5}},
       .left = -4.5,
       .right = 4.5,
       .bottom = -4.5,
       .top = 4.5,
       .starts = {{1, 1.5}, {0.5, -1.5}, {-2, -1}}},
      {.id = "himmelblau",
       .label = "Himmelblau",
       .formula = "(x² + y - 11)² + (x + y² - 7)²",
       .why = say::himmelblau{},
       .value = [](const Variable& x,
                   const Variable& y) { return square(square(x) + y - 11) + square(x + square(y) - 7); },
       .least = 0,
       .minima = {{3, 2}, {-2.805118, 3.131313}, {-3.779310, -3.283186}, {3.584428, -1.848127}},
       .left = -5,
       .right = 5,
       .bottom = -5,
       .top = 5,
       .starts = {{-0.5, -1}, {0.2, 4}, {-4.5, 0.2}}},
      {.id = "rastrigin",
       .label = "Rastrigin",
       .formula = "20 + x² + y² - 10 (cos 2πx + cos 2πy)",
       .why = say::rastrigin{},
       .value = rastrigin,
       .least = 0,
       .minima = {{0, 0}},
       .left = -3.5,
       .right = 3.5,
       .bottom = -3.5,
       .top = 3.5,
       .starts = {{-2.6, 1.4}, {1.3, 2.7}, {0.35, -0.4}}},
      {.id = "saddle",
       .label = "Saddle",
       .formula = "x² - y² + y⁴ / 4 + 1",
       .why = say::saddle{},
       .value =
           [](const Variable& x, const Variable& y) {
             const Variable y2 = square(y);
             return square(x) - y2 + 0.25 * square(y2) + 1;
           },
       .least = 0,
       .minima = {{0, std::numbers::sqrt2}, {0, -std::numbers::sqrt2}},
       .left = -2,
       .right = 2,
       .bottom = -2,
       .top = 2,
       .starts = {{-1.6, 0.001}, {1.5, -0.05}, {0.001, 0.0001}}},
  };
  return all;
}

std::vector<double> sampled(const Function& function, std::size_t columns, std::size_t rows) {
  Tensor x = Tensor::from_shape({rows * columns}), y = x;
  const auto at = [](double low, double high, std::size_t i, std::size_t count) {
    return static_cast<Scalar>(low + (high - low) * static_cast<double>(i) / static_cast<double>(count - 1));
  };
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) {
      x.data()[r * columns + c] = at(function.left, function.right, c, columns);
      y.data()[r * columns + c] = at(function.bottom, function.top, r, rows);
    }
  const Variable value = function.value(Variable(std::move(x)), Variable(std::move(y)));
  return {value.value().begin(), value.value().end()};
}

double distance(const Function& function, Position at) {
  double least = std::numeric_limits<double>::infinity();
  for (const Position& minimum : function.minima)
    least = std::min(least, std::hypot(at[0] - minimum[0], at[1] - minimum[1]));
  return std::isfinite(at[0]) && std::isfinite(at[1]) ? least : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace lab
