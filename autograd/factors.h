// Factors of plain matrices (…, rows, columns), by LAPACK: what linear algebra is made of, without gradients. All
// refuse, in the name of `operation`, elements that are not finite and what LAPACK cannot factor: ValueError, with the
// matrix of the batch. LAPACK works by columns, so that it sees a matrix of ours transposed.
#pragma once

#include <xgrad/core/tensor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad::factors {

/// How the message of an error calls one of the matrices: "the matrix", or "matrix (1, 0) of the batch (2, 3)".
std::string matrix_name(const Shape& shape, std::size_t matrix);
void require_finite(std::string_view operation, const Tensor& a);

/// A^T = P L U for each matrix A of (…, n, n), as getrf leaves it.
struct Lu {
  Tensor factors;           // L below the diagonal, whose own is 1, and U, transposed as A is
  std::vector<int> pivots;  // n a matrix, from 1: row i was swapped with row pivots[i]
  std::vector<int> info;    // one a matrix: the first element of U's diagonal that is 0, from 1, or 0 for none
};
using SharedLu = std::shared_ptr<const Lu>;
SharedLu lu(std::string_view operation, const Tensor& a);
/// The same of lower triangular matrices, with zeros above the diagonal, which are their own U^T. There is no `info`.
SharedLu lu_of_triangular(const Tensor& lower);
/// ValueError where a matrix is singular.
void require_regular(std::string_view operation, const Lu& lu);
/// A^-1 b, or A^-T b, for b (…, n, k); batches broadcast. A must not be singular.
Tensor solve(const Lu& lu, const Tensor& b, bool transposed);

/// L of A = L L^T, (…, n, n), from the lower triangle of A.
Tensor cholesky(std::string_view operation, const Tensor& a);
/// Q (m, n) and below it R (n, n), for A (…, m, n) with m >= n. R's diagonal is not negative.
Tensor qr(std::string_view operation, const Tensor& a);
/// The eigenvalues (1, n), ascending, and below them the eigenvectors (n, n), in columns, of the symmetric matrix of
/// which A (…, n, n) holds the lower triangle.
Tensor eigh(std::string_view operation, const Tensor& a);
/// U (m, k), below it the singular values (1, k), descending, and below them V (n, k), for A (…, m, n), k = min(m, n).
Tensor svd(std::string_view operation, const Tensor& a);

}  // namespace xgrad::factors
