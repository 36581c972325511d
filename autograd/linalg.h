// Linear algebra, by LAPACK, of matrices (…, rows, columns): leading (batch) dimensions are as many matrices. Where
// xtensor-blas and LAPACK were not found, or XGRAD_USE_BLAS is OFF, the library is without it.
//
// Everything here has gradients of every order. ShapeError for fewer than two dimensions, and where a square matrix is
// expected; ValueError for elements that are not finite, and where LAPACK fails: which matrix of the batch, and what
// LAPACK returned. What a factor leaves open is fixed, so that the same matrix has the same factors; signs do not
// change under a small change of the matrix, so that gradients are those of the factor as it is returned.
//
// BLAS works on one thread, so that bits do not depend on their number: where it is OpenBLAS its number of threads, one
// setting for the whole process, is set to one at the first call.
#pragma once

#include <xgrad/autograd/variable.h>

namespace xgrad {

/// X of A X = B for A (…, n, n), B (…, n, k), whose batches broadcast, or one vector b (n,), which gives (…, n). By LU
/// with pivots; the gradients take the same LU (Giles 2008, 2.3.1). ValueError for a singular matrix: one with a pivot
/// of exactly 0. One that is singular but for rounding gives large numbers.
Variable solve(const Variable& a, const Variable& b);
/// A^-1. solve(A, B) is faster, and more exact, than inverse(A) times B. Errors are solve()'s.
Variable inverse(const Variable& a);

struct SignedLogDet {
  Variable sign, logabs;
};
/// The determinants (…) as sign, 1, -1 or 0, and log(abs(det)), which do not overflow. The gradient of the logarithm is
/// A^-T (Giles 2008, 2.2.4); the sign has none. A singular matrix has 0 and -infinity, and its gradient is a
/// ValueError.
SignedLogDet slogdet(const Variable& a);

/// L, lower triangular with a positive diagonal, of S = L L^T, where S = (A + A^T) / 2 is what is seen of A (…, n, n),
/// so that the gradient is symmetric: Murray 2016, equation 10. ValueError where S is not positive definite.
Variable cholesky(const Variable& a);

struct Qr {
  Variable q, r;
};
/// Q (…, m, k) with orthonormal columns and R (…, k, n), upper triangular with a diagonal >= 0, of A = Q R (…, m, n),
/// k = min(m, n). Gradients as in Walter & Lehmann 2010; there are none, but a ValueError, where the first k columns
/// are dependent: where R has a diagonal element of at most max(m, n) epsilon times its largest. Where m < n, Q is that
/// of the first m columns.
Qr qr(const Variable& a);

/// X with the least ||A X - B||, each column for itself, for A (…, m, n), B (…, m, k), whose batches broadcast, or one
/// vector b (m,), which gives (…, n). By QR: ShapeError for m < n, ValueError where A's rank is below n, to within
/// qr()'s bound.
Variable lstsq(const Variable& a, const Variable& b);

struct Eigh {
  Variable values, vectors;
};
/// Eigenvalues (…, n), ascending, and eigenvectors (…, n, n), the columns of V, of S = V diag(values) V^T, where
/// S = (A + A^T) / 2 is what is seen of A (…, n, n). In each vector the first element that reaches nine tenths of the
/// largest magnitude is positive. Gradients as in Giles 2008, 3.1.
///
/// Eigenvectors of equal eigenvalues are any basis of their space, and have no derivative: 1 / (value - value) is in
/// it. Where two eigenvalues differ by no more than n epsilon times the largest magnitude of all,
///   - a gradient that arrives at those two vectors is a ValueError, unless it does not turn one towards the other;
///   - so is a second gradient of the values, whose first gradient is made of the vectors;
///   - the first gradient of the values is v v^T for the v that were found. It is that of every function that is the
///     same for any order of the equal ones, such as their sum.
Eigh eigh(const Variable& a);

struct Svd {
  Variable u, s, vt;
};
/// U (…, m, k) with orthonormal columns, singular values s (…, k) >= 0, descending, and V^T (…, k, n) with orthonormal
/// rows, of A = U diag(s) V^T (…, m, n), k = min(m, n). The signs are such that U's columns have those of eigh()'s
/// vectors. Gradients as in Townsend 2016, "Differentiating the singular value decomposition".
///
/// With m and n's larger in place of n, equal singular values are what equal eigenvalues are to eigh(). So are those
/// that are 0, to within that bound, each by itself: of them u and v do not depend on each other.
Svd svd(const Variable& a);

enum class MatrixNorm {
  frobenius,  ///< the root of the sum of squares: norm(x, {-2, -1})
  nuclear,    ///< the sum of the singular values
  spectral,   ///< the largest singular value
  one,        ///< the largest sum of magnitudes of a column
  infinity    ///< the largest sum of magnitudes of a row
};
/// The norms (…) of matrices (…, m, n). ValueError for the largest of nothing. Gradients of nuclear and spectral norms
/// are svd()'s, with its trap.
Variable matrix_norm(const Variable& x, MatrixNorm kind = MatrixNorm::frobenius);

}  // namespace xgrad
