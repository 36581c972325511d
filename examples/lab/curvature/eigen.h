// Eigenvalues of symmetric matrices: of small ones all, of large ones the largest.
#pragma once

#include <cstdint>
#include <functional>

#include "vectors.h"

namespace lab {

struct Eigen {
  std::vector<double> values;   ///< descending
  std::vector<Vector> vectors;  ///< of length 1, one for each value
};
/// Of a symmetric matrix given by rows: Jacobi's rotations. ValueError where it is not finite.
Eigen eigen(std::vector<Vector> matrix);

struct Ritz {
  double value;          ///< an eigenvalue, to within `residual`
  double residual;       ///< ‖A x - value x‖
  Vector vector;         ///< x, of length 1
  std::size_t products;  ///< how often A was multiplied by a vector
};

struct LanczosOptions {
  std::size_t most_products = 60;
  double tolerance = 1e-2;  ///< it ends where the residual is at most this share of abs(value)
  std::uint64_t seed = 1;   ///< of the vector it starts from
};
/// The largest eigenvalue (by value, not by size) of a symmetric A of that size, which is seen through products alone:
/// Lanczos 1950, with each new vector made orthogonal to all before. ValueError where a product is not finite, and for
/// a size or a number of products of 0.
Ritz lanczos(const std::function<Vector(const Vector&)>& a, std::size_t size, LanczosOptions options = {});

}  // namespace lab
