#include "eigen.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lab {

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

namespace {

void add_scaled(Vector& to, double factor, const Vector& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
}

// Turns rows and columns p and q so that their common element becomes 0.
void rotate(Matrix& a, Matrix& vectors, std::size_t p, std::size_t q) {
  if (a[p][q] == 0) return;
  const double ratio = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const double tangent = (ratio < 0 ? -1 : 1) / (std::abs(ratio) + std::sqrt(1 + ratio * ratio));
  const double cosine = 1 / std::sqrt(1 + tangent * tangent), sine = tangent * cosine;
  const auto turn = [=](double& x, double& y) {
    const double old = x;
    x = cosine * old - sine * y;
    y = sine * old + cosine * y;
  };
  for (std::size_t i = 0; i < a.size(); ++i) turn(a[i][p], a[i][q]);
  for (std::size_t i = 0; i < a.size(); ++i) turn(a[p][i], a[q][i]);
  for (std::size_t i = 0; i < a.size(); ++i) turn(vectors[p][i], vectors[q][i]);
}

}  // namespace

Eigen eigen(Matrix symmetric) {
  const std::size_t size = symmetric.size();
  Matrix vectors(size, Vector(size, 0));
  for (std::size_t i = 0; i < size; ++i) vectors[i][i] = 1;
  double whole = 0;
  for (const Vector& row : symmetric) whole += dot(row, row);
  for (int sweep = 0; sweep < 60; ++sweep) {
    double beside = 0;
    for (std::size_t p = 0; p < size; ++p)
      for (std::size_t q = p + 1; q < size; ++q) beside += symmetric[p][q] * symmetric[p][q];
    if (beside <= 1e-28 * whole) break;
    for (std::size_t p = 0; p < size; ++p)
      for (std::size_t q = p + 1; q < size; ++q) rotate(symmetric, vectors, p, q);
  }
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return symmetric[a][a] > symmetric[b][b]; });
  Eigen result;
  for (const std::size_t i : order) {
    result.values.push_back(symmetric[i][i]);
    result.vectors.push_back(vectors[i]);
  }
  return result;
}

double largest_eigenvalue(const std::function<Vector(const Vector&)>& product, std::size_t size, std::size_t products,
                          xgrad::Generator& generator) {
  Vector v(size);
  for (double& element : v) element = generator.normal();
  Matrix basis, tridiagonal;
  double length = std::sqrt(dot(v, v));
  for (std::size_t k = 0; k < std::min(products, size); ++k) {
    for (double& element : v) element /= length;
    basis.push_back(v);
    for (Vector& row : tridiagonal) row.push_back(0);
    tridiagonal.emplace_back(k + 1, 0.0);
    if (k > 0) tridiagonal[k][k - 1] = tridiagonal[k - 1][k] = length;
    v = product(basis.back());
    tridiagonal[k][k] = dot(v, basis.back());
    for (int twice = 0; twice < 2; ++twice)
      for (const Vector& one : basis) add_scaled(v, -dot(v, one), one);
    length = std::sqrt(dot(v, v));
    if (length <= 1e-7 * std::abs(tridiagonal[0][0])) break;  // the basis is complete
  }
  return eigen(tridiagonal).values.front();
}

Plane principal_plane(const Matrix& points) {
  const std::size_t count = points.size();
  Plane plane = {Vector(points.at(0).size(), 0), {}, {}, 0, 0};
  for (const Vector& point : points) add_scaled(plane.centre, 1 / static_cast<double>(count), point);
  Matrix centred = points;
  for (Vector& point : centred) add_scaled(point, -1, plane.centre);
  // The points are few and long: their inner products have the eigenvalues of their covariance.
  Matrix products(count, Vector(count));
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j <= i; ++j) products[i][j] = products[j][i] = dot(centred[i], centred[j]);
  const Eigen found = eigen(products);
  const double all = std::accumulate(found.values.begin(), found.values.end(), 0.0);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    Vector direction(plane.centre.size(), 0);
    for (std::size_t i = 0; i < count; ++i) add_scaled(direction, found.vectors[axis][i], centred[i]);
    const double length = std::sqrt(dot(direction, direction));
    for (double& element : direction) element /= length;
    (axis == 0 ? plane.first : plane.second) = std::move(direction);
    (axis == 0 ? plane.first_share : plane.second_share) = found.values[axis] / all;
  }
  return plane;
}

}  // namespace lab
