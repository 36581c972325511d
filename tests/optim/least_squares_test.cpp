#include <doctest/doctest.h>
#include <error.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/optim/least_squares.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;
using doctest::Approx;

namespace {

constexpr bool precise = std::is_same_v<Scalar, double>;

Variable parameter(const Tensor& start) { return Variable(start, true); }
Variable element(const Variable& x, std::size_t i) { return slice(x, 0, i, i + 1); }

Variable rosenbrock_residuals(const Variable& p) {
  return concatenate({1 - element(p, 0), 10 * (element(p, 1) - square(element(p, 0)))});
}

Tensor tensor_of(const std::vector<double>& values) {
  Tensor result = zeros({values.size()});
  for (std::size_t i = 0; i < values.size(); ++i) result(i) = Scalar(values[i]);
  return result;
}

// Pressure and volume of NIST's Misra1a and Misra1b, and the model of the first, whose second parameter is in units.
const std::vector<double> pressure = {77.6,  114.9, 141.1, 190.8, 239.9, 289.0, 332.8,
                                      378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0};
const std::vector<double> volume = {10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02,
                                    44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78};
Variable misra1a(const Variable& x, const Variable& b) { return element(b, 0) * (1 - exp(-element(b, 1) * x)); }

// The inverse of a small matrix by Gauss-Jordan elimination with pivots, in double.
std::vector<std::vector<double>> gauss_jordan(std::vector<std::vector<double>> a) {
  const std::size_t n = a.size();
  for (std::size_t i = 0; i < n; ++i) a[i].resize(2 * n), a[i][n + i] = 1;
  for (std::size_t c = 0; c < n; ++c) {
    for (std::size_t i = c + 1; i < n; ++i)
      if (std::abs(a[i][c]) > std::abs(a[c][c])) std::swap(a[i], a[c]);
    for (std::size_t i = 0; i < n; ++i) {
      const double factor = i == c ? 1 - 1 / a[c][c] : a[i][c] / a[c][c];
      const std::vector<double> pivot = a[c];
      for (std::size_t j = 0; j < 2 * n; ++j) a[i][j] -= factor * pivot[j];
    }
  }
  for (auto& row : a) row.erase(row.begin(), row.begin() + std::ptrdiff_t(n));
  return a;
}

}  // namespace

TEST_CASE("least squares reach the certified values of NIST, with their standard deviations") {
  const struct {
    std::string name;
    Variable (*model)(const Variable& x, const Variable& b);
    std::vector<double> x, y, start, certified, deviations;
    double squares;
    int most;  // evaluations
    bool in_float;
  } problems[] = {
      {"Misra1a",
       misra1a,
       pressure,
       volume,
       {500, 1e-4},
       {2.3894212918e+02, 5.5015643181e-04},
       {2.7070075241e+00, 7.2668688436e-06},
       1.2455138894e-01,
       25,
       true},
      {"Misra1b",
       [](const Variable& x, const Variable& b) { return element(b, 0) * (1 - pow(1 + element(b, 1) * x / 2, -2)); },
       pressure,
       volume,
       {500, 1e-4},
       {3.3799746163e+02, 3.9039091287e-04},
       {3.1643950207e+00, 4.2547321834e-06},
       7.5464681533e-02,
       25,
       true},
      {"DanWood",
       [](const Variable& x, const Variable& b) { return element(b, 0) * pow(x, element(b, 1)); },
       {1.309, 1.471, 1.490, 1.565, 1.611, 1.680},
       {2.138, 3.421, 3.597, 4.340, 4.882, 5.660},
       {1, 5},
       {7.6886226176e-01, 3.8604055871e+00},
       {1.8281973860e-02, 5.1726610913e-02},
       4.3173084083e-03,
       12,
       true},
      {"MGH09",
       [](const Variable& x, const Variable& b) {
         return element(b, 0) * (square(x) + x * element(b, 1)) / (square(x) + x * element(b, 2) + element(b, 3));
       },
       {4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625},
       {0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246},
       {25, 39, 41.5, 39},
       {1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01},
       {1.1435312227e-02, 1.9633220911e-01, 8.0842031232e-02, 9.0025542308e-02},
       3.0750560385e-04,
       120,
       false},
  };
  for (const auto& problem : problems) {
    if (!precise && !problem.in_float) continue;  // its loss is flat to more digits than float has
    CAPTURE(problem.name);
    const Variable b = parameter(tensor_of(problem.start)), x(tensor_of(problem.x)), y(tensor_of(problem.y));
    const LeastSquares got = least_squares({{"b", b}}, [&] { return problem.model(x, b) - y; },
                                           {.tolerance_grad = 1e-12, .tolerance_step = 1e-12, .tolerance_loss = 1e-15});
    CHECK(got.ended_by != EndedBy::budget);
    CHECK(got.evaluations <= problem.most + (precise ? 0 : 10));
    CHECK(2 * got.loss == Approx(problem.squares).epsilon(precise ? 1e-9 : 1e-3));
    REQUIRE(got.covariance.has_value());
    for (std::size_t i = 0; i < b.size(); ++i) {
      CHECK(double(b.value()(i)) == Approx(problem.certified[i]).epsilon(precise ? 1e-8 : 1e-3));
      CHECK(std::sqrt(double((*got.covariance)(i, i))) == Approx(problem.deviations[i]).epsilon(precise ? 1e-7 : 1e-3));
    }
  }
}

TEST_CASE("a linear problem has the minimum and the covariance of the normal equations") {
  // y = a + b x + c x^2, residuals of shape (2, 3), and the parameters in two Variables.
  const std::vector<double> x = {-2, -1, 0, 1, 2, 3}, y = {3, 1.5, 1, 0.5, 3, 4};
  std::vector<std::vector<double>> normal(3, std::vector<double>(3));
  std::vector<double> right(3), expected(3);
  for (std::size_t k = 0; k < 6; ++k)
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) normal[i][j] += std::pow(x[k], i + j);
      right[i] += std::pow(x[k], i) * y[k];
    }
  const auto inverted = gauss_jordan(normal);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) expected[i] += inverted[i][j] * right[j];
  double squares = 0;
  for (std::size_t k = 0; k < 6; ++k)
    squares += std::pow(expected[0] + expected[1] * x[k] + expected[2] * x[k] * x[k] - y[k], 2);

  for (const double damping : {0.0, 1e-3, 1e3}) {
    CAPTURE(damping);
    const Variable a = parameter({7}), bc = parameter({Scalar(-3), 2});
    const Variable at = reshape(tensor_of(x), {2, 3}), of = reshape(tensor_of(y), {2, 3});
    const LeastSquares got = least_squares(
        {{"a", a}, {"bc", bc}}, [&] { return a + element(bc, 0) * at + element(bc, 1) * square(at) - of; },
        {.damping = damping, .tolerance_grad = precise ? 1e-11 : 1e-6, .tolerance_step = 0, .tolerance_loss = 0});
    if (damping == 0) {
      // The model is the problem itself. In float the last bit decides, which LAPACK's kernels for processors do not
      // share, whether another step gains something, and another one is tried.
      CHECK(got.steps <= (precise ? 1 : 2));
      CHECK(got.evaluations <= (precise ? 2 : 4));
      CHECK(got.damping == 0);
    } else if (precise &&
               got.evaluations == got.steps + 1) {  // at the minimum a step may gain less than rounding takes
      CHECK(got.damping == Approx(damping / std::pow(3, got.steps)).epsilon(1e-3));  // each gain ratio is 1
    }
    const double found[] = {double(a.item()), double(bc.value()(0)), double(bc.value()(1))};
    CHECK(2 * got.loss == Approx(squares).epsilon(precise ? 1e-12 : 1e-5));
    REQUIRE(got.covariance.has_value());
    CHECK(got.covariance->shape() == Shape{3, 3});
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(found[i] == Approx(expected[i]).epsilon(precise ? 1e-10 : 1e-4));
      for (std::size_t j = 0; j < 3; ++j)
        CHECK(double((*got.covariance)(i, j)) == Approx(inverted[i][j] * squares / 3).epsilon(precise ? 1e-10 : 1e-4));
    }
    CHECK(!a.has_grad());
  }
}

TEST_CASE("least squares find Rosenbrock's minimum, with damping and with halved steps") {
  for (const double damping : {1e-3, 0.0}) {
    const Variable p = parameter({Scalar(-1.2), 1});
    const LeastSquares got = least_squares({{"p", p}}, [&] { return rosenbrock_residuals(p); }, {.damping = damping});
    CHECK(got.ended_by != EndedBy::budget);
    CHECK(got.evaluations < 40);
    CHECK(got.loss < (precise ? 1e-18 : 1e-9));
    for (std::size_t i = 0; i < 2; ++i) CHECK(double(p.value()(i)) == Approx(1).epsilon(precise ? 1e-8 : 1e-4));
    CHECK(!got.covariance);  // two residuals, two parameters: nothing says how large errors are
  }
}

TEST_CASE("whenever least squares end, the parameters are at the least loss so far") {
  for (const double damping : {1e-3, 0.0}) {
    double last = std::numeric_limits<double>::infinity();
    std::int64_t rejected = 0;
    for (std::int64_t most = 1; most < 20; ++most) {
      const Variable p = parameter({Scalar(-1.2), 1});
      double least = std::numeric_limits<double>::infinity();
      const LeastSquares got = least_squares({{"p", p}},
                                             [&] {
                                               const Variable r = rosenbrock_residuals(p);
                                               least = std::min(least, double(sum(square(r)).item()) / 2);
                                               return r;
                                             },
                                             {.damping = damping, .max_evaluations = most});
      CHECK(got.loss == Approx(least));
      CHECK(double(sum(square(rosenbrock_residuals(p))).item()) / 2 == Approx(got.loss));
      CHECK(got.loss <= last);
      last = got.loss, rejected = got.evaluations - 1 - got.steps;
      if (most == 1) {
        CHECK(got.ended_by == EndedBy::budget);
        CHECK(got.steps == 0);
        CHECK(got.gradient_norm == Approx(std::hypot(-107.8, -44)).epsilon(1e-5));  // at (-1.2, 1): half of 24.2's
      }
    }
    CHECK(rejected > 0);
  }
}

TEST_CASE("steps turn back from where residuals, or only their derivatives, are not finite") {
  for (const double damping : {1e-6, 0.0}) {
    const Variable x = parameter({Scalar(20)});  // log(x) = log(2): the first step leads to x < 0
    const LeastSquares got = least_squares({{"x", x}}, [&] { return log(x) - std::log(2.0); }, {.damping = damping});
    CHECK(got.evaluations > got.steps + 1);
    CHECK(double(x.item()) == Approx(2).epsilon(1e-5));
    const Variable y = parameter({1});  // sqrt(y) is lower at 0, where the step leads, but has no derivative there
    const LeastSquares at = least_squares({{"y", y}},
                                          [&] {
                                            return concatenate({sqrt(y - 0), Variable(ones({1}))});
                                          },
                                          {.damping = damping, .max_evaluations = 20});
    CHECK(y.item() > 0);
    CHECK(std::isfinite(at.loss));
  }
}

TEST_CASE("where residuals do not determine the parameters there is no covariance") {
  const Variable a = parameter({1}), b = parameter({2}), unused = parameter({5, 6});
  const Tensor x = {1, 2, 3, 4};
  const auto of_sum = [&] { return (a + b) * x - 1; };
  const LeastSquares got = least_squares({{"a", a}, {"b", b}}, of_sum);
  CHECK(double(a.item()) + double(b.item()) == Approx(1.0 / 3));  // sum(x) / sum(x^2)
  CHECK(!got.covariance);
  check_error<ValueError>(
      [&] {
        least_squares({{"a", a}, {"b", b}}, of_sum, {.damping = 0, .tolerance_grad = 0});
      },
      {"[least_squares] after 0 steps the Jacobian has not full rank"});
  const LeastSquares with_unused = least_squares({{"a", a}, {"unused", unused}}, [&] { return a * x - 1; });
  CHECK(!with_unused.covariance);
  CHECK(unused.value() == Tensor({5, 6}));
  CHECK(double(a.item()) == Approx(1.0 / 3));

  const Variable wide = parameter({1, 2, 3});  // fewer residuals than parameters: the rows of J come by plain passes
  const Variable matrix(Tensor({{1, 2, 3}, {0, Scalar(-1), 4}}));
  const LeastSquares under = least_squares({{"wide", wide}}, [&] { return sum(matrix * wide, 1) - Tensor({1, 2}); });
  CHECK(under.loss < (precise ? 1e-18 : 1e-10));
  CHECK(!under.covariance);
}

TEST_CASE("least squares say what ended them") {
  const Variable x(tensor_of(pressure)), y(tensor_of(volume));
  const auto fit = [&](LeastSquaresOptions settings) {
    const Variable b = parameter({250, Scalar(5e-4)});
    return least_squares(
        {{"b", b}}, [&] { return misra1a(x, b) - y; }, settings);
  };
  CHECK(fit({.tolerance_grad = 1e-2, .tolerance_step = 0, .tolerance_loss = 0}).ended_by == EndedBy::gradient_norm);
  CHECK(fit({.tolerance_grad = 0, .tolerance_step = 1e-2, .tolerance_loss = 0}).ended_by == EndedBy::step_size);
  CHECK(fit({.tolerance_grad = 0, .tolerance_step = 0, .tolerance_loss = 1e-2}).ended_by == EndedBy::plateau);
  CHECK(fit({.tolerance_grad = 0, .tolerance_step = 0, .tolerance_loss = 0}).ended_by != EndedBy::budget);
  CHECK(fit({.max_evaluations = 2}).ended_by == EndedBy::budget);
  CHECK(fit({.damping = precise ? 1e12 : 1e3}).loss ==
        Approx(fit({}).loss).epsilon(1e-4));  // whose first steps are all short
  const Variable zero = parameter({0});
  const LeastSquares there = least_squares({{"zero", zero}},
                                           [&] {
                                             return zero * Tensor({1, 2});
                                           },
                                           {.tolerance_grad = 0});
  CHECK(there.ended_by == EndedBy::gradient_norm);
  CHECK(there.steps == 0);
}

TEST_CASE("units of the parameters and of the residuals change nothing, to the bit") {
  const Variable x(tensor_of(pressure)), y(tensor_of(volume));
  const auto fit = [&](double unit, double unit_of_y, Variable& b) {
    b = parameter({500, Scalar(1e-4 / unit)});
    return least_squares({{"b", b}}, [&] { return (misra1a(x * unit, b) - y) * unit_of_y; });
  };
  Variable one, other;
  const LeastSquares plain = fit(1, 1, one), scaled = fit(0x1p-12, 0x1p5, other);
  CHECK(plain.evaluations == scaled.evaluations);
  CHECK(plain.damping == scaled.damping);
  CHECK(plain.loss == scaled.loss * 0x1p-10);
  CHECK(one.value()(0) == other.value()(0));
  CHECK(one.value()(1) == other.value()(1) * Scalar(0x1p-12));
  CHECK((*plain.covariance)(1, 1) == (*scaled.covariance)(1, 1) * Scalar(0x1p-24));
}
