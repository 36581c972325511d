// What the tables of operations share.
#pragma once

#include <doctest/doctest.h>
#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/random.h>

#include <cmath>
#include <functional>
#include <initializer_list>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace xgrad {

using Inputs = std::vector<Variable>;

constexpr bool scalar_is_double = sizeof(Scalar) == 8;
// Differences of a function with kinks, or of a second gradient, are less exact in float.
constexpr CheckOptions difference_options{.tolerance = scalar_is_double ? 2e-7 : 5e-2};

// Values in [low, high], at least `margin` from every kink.
inline Tensor draw(Generator& generator, const Shape& shape, double low, double high,
                   std::initializer_list<double> kinks) {
  Tensor x = Tensor::from_shape(shape);
  for (Scalar& element : x.storage()) {
    bool near = true;
    while (near) {
      element = static_cast<Scalar>(generator.uniform(low, high));
      near = false;
      for (double kink : kinks) near = near || std::abs(static_cast<double>(element) - kink) < 0.05;
    }
  }
  return x;
}

// Values at which masks and conditions switch, with many that are equal.
inline Tensor draw_switches(Generator& generator, const Shape& shape, double low, double high) {
  std::vector<double> values;
  for (const double value : {-1.0, -0.5, 0.0, 0.5, 1.0, 2.0})
    if (low <= value && value <= high) values.push_back(value);
  Tensor x = Tensor::from_shape(shape);
  for (Scalar& element : x.storage()) element = static_cast<Scalar>(values[generator.below(values.size())]);
  return x;
}

// u' H v = v' H u for random u and v, H being the second derivatives in all inputs: they do not depend on the order.
inline void check_symmetric(const Function& function, const Inputs& inputs) {
  Generator generator(4);
  const auto along = [&](const std::vector<Variable>& gradients, const std::vector<Tensor>& direction) {
    Variable total(zeros({}));
    for (std::size_t i = 0; i < gradients.size(); ++i) total = total + sum(gradients[i] * direction[i]);
    return total;
  };
  std::vector<Tensor> u, v;
  for (const Variable& input : inputs) {
    u.push_back(generator.uniform(input.shape(), 0.5, 1.5));
    v.push_back(generator.uniform(input.shape(), 0.5, 1.5));
  }
  const Variable y = function(inputs);
  const std::vector<Variable> gradients =
      grad(sum(y * generator.uniform(y.shape(), 0.5, 1.5)), inputs, {.create_graph = true, .allow_unused = true});
  const auto product = [&](const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    return double(along(grad(along(gradients, a), inputs, {.retain_graph = true, .allow_unused = true}), b).item());
  };
  const double uv = product(u, v), vu = product(v, u);
  CHECK(std::isfinite(uv));
  CHECK(std::abs(uv - vu) <= (scalar_is_double ? 1e-10 : 2e-3) * (1 + std::abs(uv)));
}

inline void check_same(const Tensor& got, const Tensor& expected) {
  REQUIRE(got.shape() == expected.shape());
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(static_cast<double>(got.data()[i]) ==
          doctest::Approx(static_cast<double>(expected.data()[i])).epsilon(scalar_is_double ? 1e-12 : 1e-5));
}

// An operation, whose value is checked against what simpler ones give.
struct Structural {
  const char* name;
  std::vector<Shape> shapes;
  std::function<Variable(const Inputs&)> operation;
  std::function<Variable(const Inputs&)> expected = {};
};

inline void check_operation(const Structural& c) {
  CAPTURE(c.name);
  CAPTURE(to_string(c.shapes[0]));
  Generator generator(3);
  Inputs inputs, switching;
  for (const Shape& shape : c.shapes) inputs.emplace_back(draw(generator, shape, -2, 2, {}), true);
  if (c.expected) check_same(c.operation(inputs).value(), c.expected(inputs).value());
  CHECK_NOTHROW(check_gradients(c.operation, inputs, difference_options));
  CHECK_NOTHROW(check_second_gradients(c.operation, inputs, difference_options));
  for (const Shape& shape : c.shapes) switching.emplace_back(draw_switches(generator, shape, -2, 2), true);
  for (const Inputs& at : {inputs, switching}) check_symmetric(c.operation, at);
}

/// The operations that have a row in some table.
inline std::set<std::string>& rows() {
  static std::set<std::string> names;
  return names;
}

/// Lets a table count.
template <class Table>
bool add_rows(const Table& table) {
  for (const auto& row : table) rows().insert(row.name);
  return true;
}

}  // namespace xgrad
