#include "plane.h"

#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>

#include "eigen.h"

namespace lab {

using namespace xgrad;

Vector random_direction(const NamedVariables& parameters, Generator& random) {
  Vector direction = flatten(parameters);
  for (double& one : direction) one = random.normal();
  return direction;
}

Vector filter_normalized(const NamedVariables& parameters, Vector direction) {
  auto next = direction.begin();
  for (const auto& [name, weights] : parameters) {
    const bool filters = weights.shape().size() > 1;
    const std::size_t rows = filters ? weights.shape()[0] : 1, columns = weights.size() / rows;
    for (std::size_t row = 0; row < rows; ++row, next += static_cast<std::ptrdiff_t>(columns)) {
      const Scalar* from = weights.value().data() + row * columns;
      const double length = norm(Vector(from, from + columns));
      const double own = norm(Vector(next, next + static_cast<std::ptrdiff_t>(columns)));
      const double scale = filters && own > 0 ? length / own : 0;
      for (std::size_t i = 0; i < columns; ++i) next[static_cast<std::ptrdiff_t>(i)] *= scale;
    }
  }
  return direction;
}

Plane::Point Plane::project(const Vector& point) const {
  const Vector from_origin = along(point, -1, origin);
  const double x = dot(from_origin, first), y = dot(from_origin, second);
  return {x, y, norm(along(along(from_origin, -x, first), -y, second))};
}

Vector Plane::at(double x, double y) const { return along(along(origin, x, first), y, second); }

Plane principal_plane(const std::vector<Vector>& points) {
  if (points.size() < 3) throw ValueError(message("[principal_plane] expected 3 points or more, got ", points.size()));
  Plane plane;
  plane.origin = Vector(points.front().size(), 0);
  for (const Vector& point : points)
    plane.origin = along(std::move(plane.origin), 1 / static_cast<double>(points.size()), point);
  std::vector<Vector> centred;
  for (const Vector& point : points) centred.push_back(along(point, -1, plane.origin));
  std::vector<Vector> gram(points.size(), Vector(points.size()));
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) gram[i][j] = gram[j][i] = dot(centred[i], centred[j]);
  const Eigen all = eigen(std::move(gram));
  double sum = 0;
  for (const double value : all.values) sum += std::max(value, 0.0);
  for (const double value : all.values) plane.shares.push_back(std::max(value, 0.0) / sum);
  const auto axis = [&](std::size_t which) {
    Vector direction(plane.origin.size(), 0);
    for (std::size_t i = 0; i < centred.size(); ++i)
      direction = along(std::move(direction), all.vectors[which][i], centred[i]);
    const double length = norm(direction);
    for (double& one : direction) one /= length;
    return direction;
  };
  plane.first = axis(0);
  plane.second = axis(1);
  return plane;
}

double barrier(const std::vector<double>& positions, const std::vector<double>& losses) {
  const auto index = [&](double at) {
    return static_cast<std::size_t>(std::find(positions.begin(), positions.end(), at) - positions.begin());
  };
  const std::size_t zero = index(0), one = index(1);
  if (one >= positions.size() || zero > one) throw ValueError("[barrier] expected the positions 0 and 1 among them");
  double highest = 0;
  for (std::size_t i = zero; i <= one; ++i) {
    const double above = losses[i] - (1 - positions[i]) * losses[zero] - positions[i] * losses[one];
    if (std::isnan(above)) return above;
    highest = std::max(highest, above);
  }
  return highest;
}

}  // namespace lab
