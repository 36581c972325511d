#include <doctest/doctest.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/datasets/digits.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>

#include <cmath>

#include "curvature/eigen.h"
#include "curvature/weights.h"
#include "training.h"

using namespace lab;

TEST_CASE("Eigenvalues and vectors of a small matrix") {
  const Matrix a = {{4, 1, -2}, {1, 2, 0}, {-2, 0, 3}};
  const Eigen found = eigen(a);
  double trace = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    trace += found.values[i];
    CHECK(dot(found.vectors[i], found.vectors[i]) == doctest::Approx(1));
    for (std::size_t row = 0; row < 3; ++row)
      CHECK(dot(a[row], found.vectors[i]) == doctest::Approx(found.values[i] * found.vectors[i][row]));
  }
  CHECK(trace == doctest::Approx(9));
  CHECK(found.values[0] >= found.values[1]);
  CHECK(found.values[1] >= found.values[2]);
  CHECK(eigen({{-3}}).values[0] == -3);
}

TEST_CASE("Lanczos finds the largest eigenvalue of a diagonal, also among negative ones") {
  for (const double top : {7.0, 0.5}) {
    const auto product = [top](const Vector& v) {
      Vector result = v;
      for (std::size_t i = 0; i < v.size(); ++i) result[i] *= i == 17 ? top : -1.0 + 0.01 * static_cast<double>(i);
      return result;
    };
    xgrad::Generator generator(3);
    CHECK(largest_eigenvalue(product, 100, 30, generator) == doctest::Approx(top).epsilon(1e-6));
  }
  xgrad::Generator generator(3);
  const auto once = [](const Vector& v) { return Vector{2 * v[0], 5 * v[1]}; };
  CHECK(largest_eigenvalue(once, 2, 30, generator) == doctest::Approx(5));  // as many products as there are dimensions
}

TEST_CASE("The principal plane of points in a plane") {
  // 3 and 1 along two directions at right angles, away from the origin.
  const Vector a = {0.6, 0.8, 0, 0}, b = {0, 0, 1, 0}, origin = {1, 2, 3, 4};
  Matrix points;
  for (const double s : {-1.0, 1.0})
    for (const double t : {-1.0, 1.0}) {
      Vector point = origin;
      for (std::size_t i = 0; i < 4; ++i) point[i] += 3 * s * a[i] + t * b[i];
      points.push_back(point);
    }
  const Plane plane = principal_plane(points);
  CHECK(plane.first_share == doctest::Approx(0.9));
  CHECK(plane.second_share == doctest::Approx(0.1));
  CHECK(std::abs(dot(plane.first, a)) == doctest::Approx(1));
  CHECK(std::abs(dot(plane.second, b)) == doctest::Approx(1));
  CHECK(plane.centre[3] == doctest::Approx(4));
}

namespace {
struct Small {
  xgrad::nn::Sequential model = mlp({4}, 1);
  Samples samples{xgrad::datasets::digits(50, 1)};
};
}  // namespace

TEST_CASE("A product with the Hessian is the difference of gradients") {
  Small small;
  const xgrad::NamedVariables parameters = small.model.parameters();
  const Vector start = weights(parameters);
  Vector v(start.size());
  xgrad::Generator generator(2);
  for (double& element : v) element = generator.normal() / std::sqrt(static_cast<double>(v.size()));
  const Vector exact = Hessian(loss(small.model, small.samples), parameters)(v);
  const auto gradient = [&](double t) {
    Vector moved = start;
    for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += t * v[i];
    set_weights(parameters, moved);
    std::vector<xgrad::Variable> list;
    for (const auto& [name, parameter] : parameters) list.push_back(parameter);
    Vector result;
    for (const xgrad::Variable& piece : grad(loss(small.model, small.samples), list))
      result.insert(result.end(), piece.value().begin(), piece.value().end());
    return result;
  };
  const double h = 3e-3;
  const Vector plus = gradient(h), minus = gradient(-h);
  Vector error = exact;
  for (std::size_t i = 0; i < error.size(); ++i) error[i] -= (plus[i] - minus[i]) / (2 * h);
  CHECK(std::sqrt(dot(error, error) / dot(exact, exact)) < 0.02);  // in float
  CHECK(dot(exact, exact) > 0);
}

TEST_CASE("Rows of a filter-wise direction are as long as the weights'") {
  Small small;
  xgrad::Generator generator(5);
  const Vector direction = filter_wise_direction(small.model.parameters(), generator),
               here = weights(small.model.parameters());
  REQUIRE(direction.size() == here.size());
  for (std::size_t row = 0; row < 4; ++row) {
    const auto length = [row](const Vector& v) {
      const auto from = v.begin() + static_cast<std::ptrdiff_t>(row * 784);
      const Vector part(from, from + 784);
      return std::sqrt(dot(part, part));
    };
    CHECK(length(direction) == doctest::Approx(length(here)));
  }
  CHECK(direction[4 * 784] == 0);  // the first bias
}

TEST_CASE("The preconditioner is what the optimizer divides by") {
  const xgrad::Variable x(xgrad::Tensor({1, -2, 4}), true), weight(xgrad::Tensor({1, 2, 3}));
  for (const bool adam : {true, false}) {
    std::unique_ptr<xgrad::optim::Optimizer> optimizer;
    if (adam)
      optimizer = std::make_unique<xgrad::optim::Adam>(xgrad::NamedVariables{{"x", x}});
    else
      optimizer = std::make_unique<xgrad::optim::Adamax>(xgrad::NamedVariables{{"x", x}});
    optimizer->zero_grad();
    sum(x * weight).backward();  // gradients 1, 2, 3
    optimizer->step();
    const Vector found = preconditioner(*optimizer, 0.999, 1e-8);
    for (std::size_t i = 0; i < 3; ++i) CHECK(found[i] == doctest::Approx(static_cast<double>(i + 1)).epsilon(1e-4));
  }
}
