// Eigenvalues: of small symmetric matrices, and of large ones that are known by what they do to a vector.
#pragma once

#include <xgrad/core/random.h>

#include <functional>
#include <vector>

namespace lab {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;  // rows

double dot(const Vector& a, const Vector& b);

/// The largest value first; vectors[i] has length 1 and belongs to values[i].
struct Eigen {
  Vector values;
  Matrix vectors;
};
/// Of a symmetric matrix, by Jacobi's rotations (Golub & Van Loan, section 8.5).
Eigen eigen(Matrix symmetric);

/// The largest eigenvalue of a symmetric operator on vectors of this size: Lanczos's method with full
/// reorthogonalization (Golub & Van Loan, section 10.1), from a random start, at most so many products.
double largest_eigenvalue(const std::function<Vector(const Vector&)>& product, std::size_t size, std::size_t products,
                          xgrad::Generator& generator);

/// The plane in which points lie, as far as they lie in one: their mean, the two principal components, and the shares
/// of the variance along them.
struct Plane {
  Vector centre, first, second;
  double first_share, second_share;
};
Plane principal_plane(const Matrix& points);

}  // namespace lab
