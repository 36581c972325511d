#include <doctest/doctest.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/sequential.h>

#include <algorithm>
#include <cmath>

#include "curvature/eigen.h"
#include "curvature/hessian.h"
#include "curvature/matching.h"
#include "curvature/plane.h"
#include "curvature/preconditioner.h"
#include "curvature/verdicts.h"
#include "rules.h"

using namespace lab;
using namespace xgrad;

namespace {

// Orthonormal rows, from a few reflections.
std::vector<Vector> orthonormal(std::size_t n, std::uint64_t seed) {
  Generator random(seed);
  std::vector<Vector> rows(n, Vector(n, 0));
  for (std::size_t i = 0; i < n; ++i) rows[i][i] = 1;
  for (int reflection = 0; reflection < 3; ++reflection) {
    Vector v(n);
    for (double& one : v) one = random.normal();
    const double square = dot(v, v);
    for (Vector& row : rows) row = along(row, -2 * dot(row, v) / square, v);
  }
  return rows;
}

std::vector<Vector> with_eigenvalues(const Vector& values, const std::vector<Vector>& vectors) {
  std::vector<Vector> matrix(values.size(), Vector(values.size(), 0));
  for (std::size_t k = 0; k < values.size(); ++k)
    for (std::size_t i = 0; i < values.size(); ++i) matrix[i] = along(matrix[i], values[k] * vectors[k][i], vectors[k]);
  return matrix;
}

Vector times(const std::vector<Vector>& matrix, const Vector& v) {
  Vector product;
  for (const Vector& row : matrix) product.push_back(dot(row, v));
  return product;
}

}  // namespace

TEST_CASE("Eigenvalues of matrices that were made from them") {
  struct Case {
    Vector values;  // descending
  };
  for (const Case& c : {Case{{3}}, {{2, -1}}, {{5, 1, 1, -7}}, {{0, 0, 0}}, {{1e3, 10, 1, 0.1, 0.01, 0, -2, -2.5}}}) {
    const std::size_t n = c.values.size();
    const std::vector<Vector> matrix = with_eigenvalues(c.values, orthonormal(n, 3));
    const Eigen all = eigen(matrix);
    for (std::size_t k = 0; k < n; ++k) {
      CHECK(std::abs(all.values[k] - c.values[k]) < 1e-10);
      CHECK(norm(all.vectors[k]) == doctest::Approx(1));
      CHECK(norm(along(times(matrix, all.vectors[k]), -all.values[k], all.vectors[k])) < 1e-9);
    }
    const Ritz top = lanczos([&](const Vector& v) { return times(matrix, v); }, n, {.tolerance = 1e-8});
    CHECK(std::abs(top.value - c.values[0]) < 1e-7);
    CHECK(top.products <= n);
  }
  CHECK_THROWS_AS(eigen({{NAN}}), ValueError);
  CHECK_THROWS_AS(lanczos([](const Vector& v) { return v; }, 0), ValueError);
}

TEST_CASE("Lanczos needs few products, and knows how far off it is") {
  Vector values(200);
  for (std::size_t i = 0; i < 200; ++i) values[i] = i == 0 ? 10 : 5.0 - 0.05 * static_cast<double>(i);
  values.back() = -40;  // the largest by size, not by value
  const auto product = [&](Vector v) {
    for (std::size_t i = 0; i < v.size(); ++i) v[i] *= values[i];
    return v;
  };
  const Ritz top = lanczos(product, 200, {.tolerance = 1e-4});
  CHECK(std::abs(top.value - 10) <= top.residual + 1e-12);
  CHECK(top.residual <= 1e-3);
  CHECK(norm(along(product(top.vector), -top.value, top.vector)) == doctest::Approx(top.residual).epsilon(1e-6));
  CHECK(std::abs(top.vector[0]) > 0.999);
  CHECK(top.products < 40);
  CHECK(lanczos(product, 200, {.most_products = 6, .tolerance = 0}).products == 6);
}

TEST_CASE("Products with a network's Hessian are those of its full Hessian, and so is the largest eigenvalue") {
  seed(5);
  nn::Sequential model{nn::Linear(4, 5), nn::Tanh(), nn::Linear(5, 3)};
  const Variable x(Generator(1).normal({20, 4}));
  IndexTensor labels = IndexTensor::from_shape({20});
  for (std::size_t i = 0; i < 20; ++i) labels(i) = static_cast<std::int64_t>(i % 3);
  const NamedVariables parameters = model.parameters();
  const auto loss = [&] { return nn::cross_entropy(model(x), labels); };
  const Vector here = flatten(parameters);

  // Column by column from differences of gradients, which know nothing of second derivatives.
  const double h = sizeof(Scalar) == 4 ? 1e-2 : 1e-4;
  const auto gradient_at = [&](std::size_t i, double step) {
    Vector there = here;
    there[i] += step;
    assign(parameters, there);
    const Vector g = Hessian(parameters, loss()).gradient();
    assign(parameters, here);
    return g;
  };
  std::vector<Vector> full;
  for (std::size_t i = 0; i < here.size(); ++i) {
    Vector column = along(gradient_at(i, h), -1, gradient_at(i, -h));
    for (double& one : column) one /= 2 * h;
    full.push_back(column);
  }
  const Hessian hessian(parameters, loss());
  CHECK(hessian.size() == here.size());
  for (std::size_t i = 0; i < here.size(); i += 7) {
    Vector unit(here.size(), 0);
    unit[i] = 1;
    CHECK(norm(along(hessian(unit), -1, full[i])) < 2e-4);
  }
  const Ritz top = lanczos(hessian, hessian.size(), {.tolerance = 1e-5});
  CHECK(top.value == doctest::Approx(eigen(full).values[0]).epsilon(1e-3));
  CHECK(flatten(parameters) == here);
}

TEST_CASE("Parameters are moved, and moved back") {
  const NamedVariables parameters = {{"a", Variable(Tensor({1, 2}), true)}, {"b", Variable(Tensor({3}), true)}};
  const auto height = [&] {
    return static_cast<double>(sum(parameters[0].second).item() * parameters[1].second.item());
  };
  CHECK(value_at(parameters, {4, 5, 6}, height) == 54);
  CHECK(flatten(parameters) == Vector{1, 2, 3});
  CHECK_THROWS_AS(assign(parameters, {1, 2}), ShapeError);
}

TEST_CASE("The preconditioner is what a step divides the first moment by") {
  for (const char* id : {"adam", "adamax"})
    for (const bool corrected : {true, false}) {
      const double beta1 = 0.8, lr = 0.125;
      const NamedVariables parameters = {{"x", Variable(Tensor({1, -2, 3}), true)}, {"y", Variable(Tensor({5}), true)}};
      const auto optimizer = rule(id).make(parameters, {.lr = lr, .beta1 = beta1, .bias_correction = corrected});
      for (std::size_t t = 1; t <= 4; ++t) {
        optimizer->zero_grad();
        (sum(square(parameters[0].second)) + exp(sum(parameters[1].second) * 0.1)).backward();
        const Vector before = flatten(parameters);
        optimizer->step();
        const Vector step = along(before, -1, flatten(parameters));
        Vector m;
        for (const auto& [name, one] : parameters)
          for (const Scalar element : optimizer->state(name, "exp_avg")) m.push_back(element);
        const Vector p = preconditioner(*optimizer, t, beta1, corrected);
        for (std::size_t i = 0; i < p.size(); ++i) CHECK(step[i] == doctest::Approx(lr * m[i] / p[i]).epsilon(1e-5));
      }
    }
  const auto sgd = rule("sgd").make({{"x", Variable(Tensor({1}), true)}}, {.lr = 1});
  CHECK_THROWS_AS(preconditioner(*sgd, 1, 0.9, true), ValueError);
}

TEST_CASE("A filter-normalized direction has the lengths of the weights, row by row") {
  Generator random(4);
  const NamedVariables parameters = {{"weight", Variable(random.normal({3, 5}), true)},
                                     {"bias", Variable(random.normal({3}), true)},
                                     {"kernel", Variable(random.normal({2, 2, 3, 3}), true)}};
  for (Scalar& one : parameters[0].second.mutable_value()) one *= 100;
  for (std::size_t i = 0; i < 5; ++i) parameters[0].second.mutable_value()(1, i) = 0;
  const Vector raw = random_direction(parameters, random), weights = flatten(parameters);
  const Vector scaled = filter_normalized(parameters, raw);
  const auto part = [](const Vector& v, std::size_t from, std::size_t count) {
    const auto begin = v.begin() + static_cast<std::ptrdiff_t>(from);
    return Vector(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  struct Row {
    std::size_t from, count;
  };
  for (const Row& row : {Row{0, 5}, {5, 5}, {10, 5}, {18, 18}, {36, 18}}) {
    const Vector direction = part(scaled, row.from, row.count), drawn = part(raw, row.from, row.count);
    CHECK(norm(direction) == doctest::Approx(norm(part(weights, row.from, row.count))));
    CHECK(dot(direction, drawn) == doctest::Approx(norm(direction) * norm(drawn)));  // only the length changed
  }
  CHECK(part(scaled, 15, 3) == Vector{0, 0, 0});
}

TEST_CASE("The principal plane of points near a known plane") {
  const std::vector<Vector> axes = orthonormal(6, 9);
  const Vector middle = {1, -2, 3, 0, 5, 1};
  std::vector<Vector> points;
  double first = 0, second = 0, rest = 0;
  for (int i = -4; i <= 4; ++i)
    for (const int sign : {-1, 1}) {
      const double a = 3.0 * i, b = 2.0 * sign * (i % 2 == 0 ? 1 : -1), c = 0.1 * sign;
      first += a * a, second += b * b, rest += c * c;
      points.push_back(along(along(along(middle, a, axes[0]), b, axes[1]), c * (i > 0 ? 1 : -1), axes[2]));
    }
  const Plane plane = principal_plane(points);
  CHECK(norm(along(plane.origin, -1, middle)) < 0.1);
  CHECK(std::abs(dot(plane.first, axes[0])) > 0.999);
  CHECK(std::abs(dot(plane.second, axes[1])) > 0.999);
  CHECK(std::abs(dot(plane.first, plane.second)) < 1e-9);
  CHECK(norm(plane.first) == doctest::Approx(1));
  CHECK(plane.shares[0] == doctest::Approx(first / (first + second + rest)).epsilon(1e-3));
  CHECK(plane.shares[1] == doctest::Approx(second / (first + second + rest)).epsilon(1e-2));
  const Plane::Point at = plane.project(along(plane.at(1.5, -2.5), 0.75, axes[5]));
  CHECK(at.x == doctest::Approx(1.5));
  CHECK(at.y == doctest::Approx(-2.5));
  CHECK(at.off == doctest::Approx(0.75));
  CHECK_THROWS_AS(principal_plane({{1, 2}, {3, 4}}), ValueError);
}

TEST_CASE("The best assignment is the best of all permutations") {
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{7}}) {
    Generator random(n);
    std::vector<Vector> gain(n, Vector(n));
    for (Vector& row : gain)
      for (double& one : row) one = random.uniform(-1, 1);
    const auto sum = [&](const std::vector<std::size_t>& columns) {
      double total = 0;
      for (std::size_t i = 0; i < n; ++i) total += gain[i][columns[i]];
      return total;
    };
    std::vector<std::size_t> columns(n);
    for (std::size_t i = 0; i < n; ++i) columns[i] = i;
    double best = -1e9;
    do {
      best = std::max(best, sum(columns));
    } while (std::next_permutation(columns.begin(), columns.end()));
    const std::vector<std::size_t> found = assignment(gain);
    CHECK(std::is_permutation(found.begin(), found.end(), columns.begin()));
    CHECK(sum(found) == doctest::Approx(best));
  }
}

TEST_CASE("Hidden units find back to their places, and the function stays the same") {
  seed(2);
  nn::Sequential model{nn::Linear(4, 6), nn::ReLU(), nn::Linear(6, 3)};
  const NamedVariables parameters = model.parameters();
  const Vector original = flatten(parameters);
  const Variable x(Generator(1).normal({5, 4}));
  const Tensor y = model(x).value();
  const std::vector<std::size_t> order = {3, 5, 0, 1, 4, 2};
  Vector mixed = original;
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t k = 0; k < 4; ++k) mixed[i * 4 + k] = original[order[i] * 4 + k];
    mixed[24 + i] = original[24 + order[i]];
    for (std::size_t o = 0; o < 3; ++o) mixed[30 + o * 6 + i] = original[30 + o * 6 + order[i]];
  }
  CHECK(matched(mixed, original, 4, 6) == original);
  const Vector other = Vector(original.rbegin(), original.rend());  // any network
  assign(parameters, matched(original, other, 4, 6));
  CHECK(flatten(parameters) != original);
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(model(x).value().data()[i] == doctest::Approx(y.data()[i]));
}

TEST_CASE("A barrier is measured from the line between the ends") {
  struct Case {
    std::vector<double> losses;  // at -0.5, 0, 0.5, 1, 1.5
    double height;
  };
  for (const Case& c : {Case{{9, 1, 2, 1, 9}, 1}, {{9, 1, 2, 3, 9}, 0}, {{0, 1, 4, 3, 0}, 2}, {{9, 1, 0.5, 1, 9}, 0}})
    CHECK(barrier({-0.5, 0, 0.5, 1, 1.5}, c.losses) == c.height);
  CHECK(std::isnan(barrier({0, 0.5, 1}, {0, NAN, 0})));
  CHECK_THROWS_AS(barrier({0, 0.5}, {0, 0}), ValueError);
}

TEST_CASE("When it is decided in which valley training ends") {
  using judge::Decided;
  const std::vector<double> seeds = {1, 2, 1};
  struct Case {
    const char* what;
    std::vector<double> orders, common;
    Decided when;
  };
  for (const Case& c : {Case{"orders below a tenth", {0.09, 0.1, 0.05}, {0.09, 0.1, 0.05}, Decided::by_the_start},
                        {"on both sides of a tenth", {0.09, 0.3, 0.05}, {0.01, 0.01, 0.01}, Decided::undecided},
                        {"halved by the common steps", {0.5, 1, 0.3}, {0.2, 0.4, 0.1}, Decided::in_the_common_steps},
                        {"not halved", {0.5, 1, 0.3}, {0.3, 0.6, 0.3}, Decided::later},
                        {"on both sides of a half", {0.5, 1, 0.3}, {0.3, 0.4, 0.1}, Decided::undecided},
                        {"not a number", {0.5, NAN, 0.3}, {0.3, 0.4, 0.1}, Decided::undecided}}) {
    INFO(c.what);
    CHECK(judge::valley(seeds, c.orders, c.common) == c.when);
  }
}

TEST_CASE("Where an eigenvalue stands against its threshold") {
  using judge::Edge;
  CHECK(judge::edge(380, 380, 1) == Edge::at);
  CHECK(judge::edge(300, 380, 9) == Edge::at);
  CHECK(judge::edge(583, 380, 1) == Edge::above);
  CHECK(judge::edge(NAN, 380, 1) == Edge::above);
  CHECK(judge::edge(100, 380, 1.2) == Edge::below);
  CHECK(judge::edge(100, 380, 2) == Edge::below_after_growth);
}
