// Where to cut through a loss: directions to look along, and planes.
#pragma once

#include <xgrad/core/random.h>

#include "vectors.h"

namespace lab {

/// A direction for each parameter: normal numbers.
Vector random_direction(const xgrad::NamedVariables& parameters, xgrad::Generator& random);
/// Filter-wise scaling (Li et al. 2018, section 4): each row of a direction gets the length of that row of the weights,
/// a row being all that feeds one output. Vectors, such as biases, get 0.
Vector filter_normalized(const xgrad::NamedVariables& parameters, Vector direction);

/// A plane in the space of all parameters: origin + x first + y second, the axes orthonormal.
struct Plane {
  Vector origin, first, second;
  std::vector<double> shares;  ///< of the variance, by each principal component, descending

  struct Point {
    double x, y;
    double off;  ///< how far the point is from the plane
  };
  Point project(const Vector& point) const;
  Vector at(double x, double y) const;
};
/// Through the mean of the points, along the two directions in which they vary most: principal components, from the
/// matrix of their inner products. ValueError for fewer than three points.
Plane principal_plane(const std::vector<Vector>& points);

/// By how much the largest of the losses along a line is above the straight line between the losses at positions 0 and
/// 1 (Frankle et al. 2020): positions ascend, and both 0 and 1 are among them. At least 0; NaN where a loss is.
double barrier(const std::vector<double>& positions, const std::vector<double>& losses);

}  // namespace lab
