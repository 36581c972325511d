// Matrices in double, with plain loops, and what every rule that sees a parameter as a matrix is tested for.
#pragma once

#include <doctest/doctest.h>
#include <optim/helpers.h>
#include <xgrad/core/parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace xgrad {

struct Matrix {
  Matrix() = default;
  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), x(r * c) {}
  /// The first axis is the rows, and a vector one column.
  explicit Matrix(const Tensor& t) : Matrix(t.shape()[0], t.size() / t.shape()[0]) {
    std::copy(t.begin(), t.end(), x.begin());
  }
  double& operator()(std::size_t i, std::size_t j) { return x[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return x[i * columns + j]; }
  std::size_t rows = 0, columns = 0;
  std::vector<double> x;
};

inline Matrix operator*(const Matrix& a, const Matrix& b) {
  REQUIRE(a.columns == b.rows);
  Matrix c(a.rows, b.columns);
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < b.columns; ++j)
      for (std::size_t k = 0; k < a.columns; ++k) c(i, j) += a(i, k) * b(k, j);
  return c;
}
inline Matrix operator*(double a, Matrix b) {
  for (double& value : b.x) value *= a;
  return b;
}
inline Matrix operator+(Matrix a, const Matrix& b) {
  REQUIRE(a.x.size() == b.x.size());
  for (std::size_t i = 0; i < a.x.size(); ++i) a.x[i] += b.x[i];
  return a;
}
inline Matrix transposed(const Matrix& a) {
  Matrix b(a.columns, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.columns; ++j) b(j, i) = a(i, j);
  return b;
}
inline Matrix identity(std::size_t n) {
  Matrix a(n, n);
  for (std::size_t i = 0; i < n; ++i) a(i, i) = 1;
  return a;
}
inline double root_of_squares(const Matrix& a) {
  double sum = 0;
  for (const double value : a.x) sum += value * value;
  return std::sqrt(sum);
}

/// Eigenvalues, on the diagonal, and eigenvectors, in columns, of a symmetric matrix, by Jacobi's rotations.
inline std::pair<Matrix, Matrix> eigen(Matrix a) {
  Matrix v = identity(a.rows);
  for (int sweep = 0; sweep < 60; ++sweep)
    for (std::size_t p = 0; p < a.rows; ++p)
      for (std::size_t q = p + 1; q < a.rows; ++q) {
        if (a(p, q) == 0) continue;
        const double angle = 0.5 * std::atan2(2 * a(p, q), a(q, q) - a(p, p));
        Matrix turn = identity(a.rows);
        turn(p, p) = turn(q, q) = std::cos(angle), turn(p, q) = std::sin(angle), turn(q, p) = -std::sin(angle);
        a = transposed(turn) * a * turn, v = v * turn;
        a(p, q) = a(q, p) = 0;
      }
  return {a, v};
}

/// Runs ten steps of a rule beside `reference`, whose step(theta, g, t) gets what a rule is promised: the gradient
/// after maximize and coupled weight decay, theta after the decoupled one. `look` sees the optimizer after each step.
template <class Optimizer, class Reference, class Look>
void compare(const Shape& shape, typename Optimizer::Options options, double decoupled, double tolerance, Look look) {
  CAPTURE(shape.size());
  Generator generator(11);
  const Variable x = leaf(generator.normal(shape));
  Matrix theta(x.value());
  Reference reference(theta, options);
  Optimizer optimizer({{"x", x}}, options, {.decoupled_weight_decay = decoupled});
  const bool decouples = optimizer.rule_of(0).decouples();
  for (int t = 1; t <= 10; ++t) {
    const Tensor gradient = generator.normal(shape);
    set_gradient(x, gradient);
    optimizer.step();
    Matrix g = (options.maximize ? -1.0 : 1.0) * Matrix(gradient);
    theta = (1 - options.lr * (decoupled + (decouples ? options.weight_decay : 0))) * theta;
    if (!decouples) g = g + options.weight_decay * theta;
    reference.step(theta, g, t);
    look(reference, optimizer, t);
    for (std::size_t i = 0; i < theta.x.size(); ++i)
      REQUIRE(double(x.value().data()[i]) == doctest::Approx(theta.x[i]).epsilon(tolerance).scale(1));
  }
}

template <class Optimizer, class Reference>
void compare(const Shape& shape, typename Optimizer::Options options, double decoupled = 0) {
  compare<Optimizer, Reference>(shape, options, decoupled, in_double ? 1e-10 : 2e-3, [](auto&&...) {});
}

/// theta after `steps` steps with random gradients.
template <class Optimizer>
Tensor after_steps(const Variable& x, Optimizer& optimizer, int steps, Generator& generator) {
  for (int t = 0; t < steps; ++t) {
    set_gradient(x, generator.normal(x.shape()));
    optimizer.step();
  }
  return x.value();
}

template <class Optimizer>
void check_threads(typename Optimizer::Options options) {
  const int before = num_threads();
  Tensor first;
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    Generator generator(5);
    const Variable x = leaf(generator.normal({170, 11, 23}));
    Optimizer optimizer({{"x", x}}, options);
    const Tensor now = after_steps(x, optimizer, 4, generator);
    if (threads == 1) first = now;
    CHECK(all_finite(now));
    CHECK(now == first);
  }
  set_num_threads(before);
}

template <class Optimizer>
void check_resumes(typename Optimizer::Options options) {
  Generator generator(6);
  const Variable x = leaf(generator.normal({6, 9}));
  Optimizer optimizer({{"x", x}}, options);
  const Variable y = leaf(after_steps(x, optimizer, 5, generator));
  Optimizer resumed({{"x", y}}, options);
  resumed.load_state_dict(optimizer.state_dict());
  Generator again = generator;
  CHECK(after_steps(x, optimizer, 6, generator) == after_steps(y, resumed, 6, again));
}

/// A NaN comes through, in whichever step it comes and whatever is done in that; zeros change nothing.
template <class Optimizer>
void check_extremes(typename Optimizer::Options options) {
  options.weight_decay = 0;
  for (int bad = 0; bad < 4; ++bad) {
    Generator generator(7);
    const Variable x = leaf(generator.normal({4, 3}));
    Optimizer optimizer({{"x", x}}, options);
    CHECK(all_finite(after_steps(x, optimizer, bad, generator)));
    Tensor gradient = generator.normal({4, 3});
    gradient.data()[5] = std::numeric_limits<Scalar>::quiet_NaN();
    set_gradient(x, gradient);
    optimizer.step();
    CHECK(std::isnan(x.value().data()[5]));
    after_steps(x, optimizer, 4, generator);
    CHECK(std::isnan(x.value().data()[5]));
  }
  const Tensor start = Generator(8).normal({4, 3});
  const Variable x = leaf(start), empty = leaf(zeros({0, 3})), one = leaf(ones({1, 1}));
  Optimizer optimizer({{"x", x}, {"empty", empty}, {"one", one}}, options);
  for (int t = 0; t < 4; ++t) {
    for (const Variable& each : {x, empty, one}) set_gradient(each, zeros(each.shape()));
    optimizer.step();
  }
  CHECK(x.value() == start);
  CHECK(one.value() == ones({1, 1}));
}

}  // namespace xgrad
