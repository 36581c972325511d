#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/init.h>
#include <xgrad/nn/linear.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "error.h"

using namespace xgrad;
namespace init = xgrad::nn::init;

namespace {

struct Spread {
  double mean = 0, deviation = 0, largest = 0;  // the largest magnitude
};

Spread spread_of(const Tensor& x) {
  Spread m;
  const auto count = static_cast<double>(x.size());
  for (const Scalar value : x) {
    const auto v = static_cast<double>(value);
    m.mean += v / count, m.deviation += v * v / count, m.largest = std::max(m.largest, std::abs(v));
  }
  m.deviation = std::sqrt(m.deviation - m.mean * m.mean);
  return m;
}

}  // namespace

TEST_CASE("initializers have the deviation of their papers") {
  const Shape matrix = {300, 200}, kernels = {40, 20, 5, 5};  // fans 200, 300 and 500, 1000
  struct Case {
    std::string name;
    Shape shape;
    void (*fill)(Variable&);
    double deviation;
    bool uniform;
  };
  const Case cases[] = {
      {"xavier_uniform", matrix, [](Variable& w) { init::xavier_uniform(w); }, std::sqrt(2 / 500.), true},
      {"xavier_uniform", kernels, [](Variable& w) { init::xavier_uniform(w, 3); }, 3 * std::sqrt(2 / 1500.), true},
      {"xavier_normal", matrix, [](Variable& w) { init::xavier_normal(w); }, std::sqrt(2 / 500.), false},
      {"xavier_normal", kernels, [](Variable& w) { init::xavier_normal(w, 3); }, 3 * std::sqrt(2 / 1500.), false},
      {"kaiming_uniform", matrix, [](Variable& w) { init::kaiming_uniform(w); }, std::sqrt(2 / 200.), true},
      {"kaiming_uniform", kernels, [](Variable& w) { init::kaiming_uniform(w, {.fan = init::Fan::out, .gain = 1}); },
       std::sqrt(1 / 1000.), true},
      {"kaiming_normal", matrix, [](Variable& w) { init::kaiming_normal(w, {.fan = init::Fan::out}); },
       std::sqrt(2 / 300.), false},
      {"kaiming_normal", kernels, [](Variable& w) { init::kaiming_normal(w); }, std::sqrt(2 / 500.), false},
      {"Linear's weight", matrix, [](Variable& w) { w = nn::Linear(200, 300).weight; }, std::sqrt(1 / 600.), true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CAPTURE(to_string(c.shape));
    seed(11);
    Variable weight(zeros(c.shape), true);
    c.fill(weight);
    CHECK(weight.shape() == c.shape);
    const Spread m = spread_of(weight.value());
    CHECK(std::abs(m.mean) < 0.02 * c.deviation);
    CHECK(m.deviation == doctest::Approx(c.deviation).epsilon(0.01));
    const double bound = std::sqrt(3.) * c.deviation;
    if (c.uniform) {
      CHECK(m.largest <= bound * (1 + 1e-6));
      CHECK(m.largest > 0.99 * bound);
    } else {
      CHECK(m.largest > 3 * c.deviation);
    }
  }
}

TEST_CASE("orthogonal weights have orthonormal rows, or columns where they are fewer") {
  const double tolerance = std::is_same_v<Scalar, double> ? 1e-12 : 1e-6;
  for (const Shape& shape :
       {Shape{30, 30}, Shape{10, 50}, Shape{50, 10}, Shape{6, 3, 2, 2}, Shape{1, 4}, Shape{4, 1}}) {
    CAPTURE(to_string(shape));
    seed(5);
    Variable weight(zeros(shape), true);
    init::orthogonal(weight, 2);
    const std::size_t rows = shape[0], columns = weight.size() / rows, count = std::min(rows, columns);
    const auto at = [&](std::size_t vector, std::size_t i) {
      return static_cast<double>(weight.value().data()[rows <= columns ? vector * columns + i : i * columns + vector]);
    };
    double worst = 0;
    for (std::size_t a = 0; a < count; ++a)
      for (std::size_t b = 0; b < count; ++b) {
        double product = 0;
        for (std::size_t i = 0; i < std::max(rows, columns); ++i) product += at(a, i) * at(b, i) / 4;
        worst = std::max(worst, std::abs(product - (a == b)));
      }
    CHECK(worst < tolerance);
  }
}

TEST_CASE("gains are PyTorch's") {
  using enum init::Nonlinearity;
  CHECK(init::calculate_gain(linear) == 1);
  CHECK(init::calculate_gain(sigmoid) == 1);
  CHECK(init::calculate_gain(init::Nonlinearity::tanh) == doctest::Approx(5.0 / 3));
  CHECK(init::calculate_gain(relu) == doctest::Approx(1.4142135623730951));
  CHECK(init::calculate_gain(leaky_relu) == doctest::Approx(1.4141428569978354));
  CHECK(init::calculate_gain(leaky_relu, std::sqrt(5.0)) == doctest::Approx(0.5773502691896257));
  CHECK(init::calculate_gain(selu) == 0.75);
}

TEST_CASE("initializers refuse what has no fans, and bad gains") {
  struct Case {
    std::string name;
    void (*fill)(Variable&, double);
  };
  const Case cases[] = {
      {"xavier_uniform", init::xavier_uniform},
      {"xavier_normal", init::xavier_normal},
      {"kaiming_uniform", [](Variable& w, double gain) { init::kaiming_uniform(w, {.gain = gain}); }},
      {"kaiming_normal", [](Variable& w, double gain) { init::kaiming_normal(w, {.gain = gain}); }},
      {"orthogonal", init::orthogonal},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    seed(1);
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{0, 3}}) {
      Variable weight(zeros(shape));
      check_error<ShapeError>([&] { c.fill(weight, 1); }, {c.name, to_string(shape)});
    }
    Variable weight(ones({2, 2}));
    check_error<ValueError>([&] { c.fill(weight, std::numeric_limits<double>::quiet_NaN()); }, {c.name, "nan"});
    CHECK(weight.value() == ones({2, 2}));
    CHECK(default_generator().bits() == Generator(1).bits());  // nothing was drawn
  }
}

TEST_CASE("constant fills, truncated_normal stays within its bounds and has their moments") {
  Variable w(zeros({200, 100}));
  nn::init::constant(w, 0.25);
  CHECK(w.value() == full({200, 100}, Scalar(0.25)));
  seed(5);
  struct Case {
    nn::init::TruncatedNormalOptions options;
    double mean, deviation;  // of the truncated distribution
  };
  // Of [-2, 2] deviations the variance is 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737; beyond 3 deviations the mean
  // is 3.2831.
  const Case cases[] = {{{}, 0, 0.87962},
                        {{.low = 3, .high = HUGE_VAL}, 3.2831, 0.26563},
                        {{.mean = 1, .deviation = 0.5, .low = -HUGE_VAL, .high = HUGE_VAL}, 1, 0.5}};
  for (const auto& [options, mean, deviation] : cases) {
    nn::init::truncated_normal(w, options);
    double total = 0, squares = 0;
    for (const Scalar v : w.value()) {
      REQUIRE((double(v) >= options.low && double(v) <= options.high));
      total += double(v), squares += double(v) * double(v);
    }
    const double n = 20000, m = total / n;
    CHECK(m == doctest::Approx(mean).epsilon(0.02).scale(1));
    CHECK(std::sqrt(squares / n - m * m) == doctest::Approx(deviation).epsilon(0.02));
  }
  check_error<ValueError>([&] { nn::init::truncated_normal(w, {.deviation = 0}); },
                          {"[truncated_normal]", "deviation 0"});
  check_error<ValueError>([&] { nn::init::truncated_normal(w, {.low = 9, .high = 10}); }, {"9 and 10"});
}
