#include "eigen.h"

#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lab {
namespace {

// Turns rows and columns p and q so that a[p][q] becomes 0.
void rotate(std::vector<Vector>& a, std::vector<Vector>& vectors, std::size_t p, std::size_t q) {
  if (a[p][q] == 0) return;
  const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const double t = std::copysign(1 / (std::abs(theta) + std::hypot(theta, 1.0)), theta);
  const double c = 1 / std::hypot(t, 1.0), s = t * c;
  const auto turn = [c, s](double& x, double& y) {
    const double old = x;
    x = c * old - s * y;
    y = s * old + c * y;
  };
  for (Vector& row : a) turn(row[p], row[q]);
  for (std::size_t i = 0; i < a.size(); ++i) {
    turn(a[p][i], a[q][i]);
    turn(vectors[p][i], vectors[q][i]);
  }
}

double off_diagonal(const std::vector<Vector>& a) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) sum += a[i][j] * a[i][j];
  return sum;
}

Vector random_unit(std::size_t size, std::uint64_t seed) {
  xgrad::Generator random(seed);
  Vector v(size);
  for (double& one : v) one = random.normal();
  const double length = norm(v);
  for (double& one : v) one /= length;
  return v;
}

}  // namespace

Eigen eigen(std::vector<Vector> a) {
  const std::size_t n = a.size();
  std::vector<Vector> vectors(n, Vector(n, 0));
  for (std::size_t i = 0; i < n; ++i) vectors[i][i] = 1;
  double all = 0;
  for (const Vector& row : a) all += dot(row, row);
  if (!std::isfinite(all)) throw xgrad::ValueError("[eigen] expected finite numbers");
  for (int sweep = 0; sweep < 50 && off_diagonal(a) > 1e-28 * all; ++sweep)
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) rotate(a, vectors, p, q);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&a](std::size_t i, std::size_t j) { return a[i][i] > a[j][j]; });
  Eigen result;
  for (const std::size_t i : order) {
    result.values.push_back(a[i][i]);
    result.vectors.push_back(vectors[i]);
  }
  return result;
}

Ritz lanczos(const std::function<Vector(const Vector&)>& a, std::size_t size, LanczosOptions options) {
  constexpr std::size_t look_every = 4;
  const std::size_t most = std::min(options.most_products, size);
  if (most == 0) throw xgrad::ValueError("[lanczos] expected at least one product and one dimension");
  std::vector<Vector> basis = {random_unit(size, options.seed)};
  Vector diagonal, below;
  for (;;) {
    Vector next = a(basis.back());
    diagonal.push_back(dot(next, basis.back()));
    for (int again = 0; again < 2; ++again)  // once leaves what rounding left
      for (const Vector& one : basis) {
        const double share = dot(next, one);
        next = along(std::move(next), -share, one);
      }
    const double length = norm(next);
    const std::size_t k = basis.size();
    const bool closed = length <= 1e-12 * std::abs(diagonal.front()), ends = k == most || closed;
    if (ends || k % look_every == 0) {
      std::vector<Vector> t(k, Vector(k, 0));
      for (std::size_t i = 0; i < k; ++i) t[i][i] = diagonal[i];
      for (std::size_t i = 0; i + 1 < k; ++i) t[i][i + 1] = t[i + 1][i] = below[i];
      const Eigen small = eigen(std::move(t));
      const double residual = length * std::abs(small.vectors[0].back());
      if (ends || residual <= options.tolerance * std::abs(small.values[0])) {
        Ritz result = {small.values[0], residual, Vector(size, 0), k};
        for (std::size_t i = 0; i < k; ++i)
          result.vector = along(std::move(result.vector), small.vectors[0][i], basis[i]);
        return result;
      }
    }
    below.push_back(length);
    for (double& one : next) one /= length;
    basis.push_back(std::move(next));
  }
}

}  // namespace lab
