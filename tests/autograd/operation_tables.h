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
constexpr CheckOptions options{.tolerance = scalar_is_double ? 2e-7 : 5e-2};

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

inline void check_same(const Tensor& got, const Tensor& expected) {
  REQUIRE(got.shape() == expected.shape());
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(static_cast<double>(got.data()[i]) ==
          doctest::Approx(static_cast<double>(expected.data()[i])).epsilon(scalar_is_double ? 1e-12 : 1e-5));
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
