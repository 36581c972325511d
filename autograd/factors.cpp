#include <xgrad/autograd/factors.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

// Not xtensor-blas/xlinalg.hpp: its functions throw without what LAPACK said, and so does no layer below them.
#include <xtensor-blas/xblas.hpp>
#include <xtensor-blas/xlapack.hpp>

// Of OpenBLAS, where that is the BLAS. No other has it, and then this is null.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace xgrad::factors {
namespace {

using ByColumns = xt::xtensor<Scalar, 2, xt::layout_type::column_major>;
using Column = xt::xtensor<Scalar, 1, xt::layout_type::column_major>;

// The number of threads is one setting for the whole process, and is set once. Around each call, one thread of ours
// would set it back in the midst of another's work, and change the bits of that.
void hold_threads() {
  static std::once_flag held;
  std::call_once(held, [] {
    if (openblas_set_num_threads) openblas_set_num_threads(1);
  });
}

// The matrices of a tensor that LAPACK is to factor.
struct Matrices {
  Matrices(std::string_view caller, const Tensor& a)
      : operation(caller), shape(a.shape()), rows(shape[shape.size() - 2]), columns(shape.back()) {
    hold_threads();
    if (std::max(rows, columns) > std::size_t(std::numeric_limits<int>::max()))
      throw ShapeError(message("[", operation, "] expected sizes that LAPACK can count, got ", shape));
    count = rows * columns == 0 ? 0 : a.size() / (rows * columns);  // of those that have elements
    require_finite(operation, a);
  }
  Tensor result(std::size_t result_rows, std::size_t result_columns) const {
    Shape of_result = shape;
    of_result[shape.size() - 2] = result_rows, of_result.back() = result_columns;
    return zeros(of_result, operation);
  }
  void check(std::size_t matrix, int info, std::string_view words) const {
    if (info != 0)
      throw ValueError(message("[", operation, "] ", matrix_name(shape, matrix), " ", words, " returned ", info));
  }

  std::string_view operation;
  Shape shape;
  std::size_t rows, columns, count = 0;
};

ByColumns by_columns(const Scalar* from, std::size_t rows, std::size_t columns) {
  ByColumns to = ByColumns::from_shape({rows, columns});
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) to.data()[c * rows + r] = *from++;
  return to;
}

// Columns of LAPACK's (rows, columns) as rows of ours, each times its sign.
void write(const Scalar* from, const std::vector<Scalar>& signs, std::size_t rows, Scalar* to) {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < signs.size(); ++c) *to++ = signs[c] * from[c * rows + r];
}

// The signs that make positive, in each column, the first element that reaches nine tenths of the largest. Not the
// largest itself: of (1, -1) / sqrt(2) rounding would choose it.
std::vector<Scalar> signs_of(const Scalar* column, std::size_t rows, std::size_t columns) {
  std::vector<Scalar> signs;
  for (std::size_t c = 0; c < columns; ++c, column += rows) {
    Scalar largest = 0;
    for (std::size_t r = 0; r < rows; ++r) largest = std::max(largest, std::abs(column[r]));
    const Scalar* first =
        std::find_if(column, column + rows, [=](Scalar v) { return std::abs(v) >= Scalar(0.9) * largest; });
    signs.push_back(*first < 0 ? Scalar(-1) : Scalar(1));
  }
  return signs;
}

}  // namespace

std::string matrix_name(const Shape& shape, std::size_t matrix) {
  Shape batch(shape.begin(), shape.end() - 2), index = batch;
  if (batch.empty()) return "the matrix";
  for (std::size_t d = batch.size(); d-- > 0; matrix /= batch[d]) index[d] = matrix % batch[d];
  return message("matrix ", index, " of the batch ", batch);
}

void require_finite(std::string_view operation, const Tensor& a) {
  const Scalar *end = a.data() + a.size(), *bad = std::find_if_not(a.data(), end, [](Scalar v) { return v - v == 0; });
  if (bad == end) return;
  const std::size_t size = a.shape()[a.shape().size() - 2] * a.shape().back();
  throw ValueError(message("[", operation, "] expected finite elements, got ", double(*bad), " in ",
                           matrix_name(a.shape(), std::size_t(bad - a.data()) / size)));
}

SharedLu lu(std::string_view operation, const Tensor& a) {
  const Matrices all(operation, a);
  const int n = int(all.rows);
  Lu result{a, std::vector<int>(all.count * all.rows), std::vector<int>(all.count)};
  for (std::size_t i = 0; i < all.count; ++i)
    result.info[i] = cxxlapack::getrf<int>(n, n, result.factors.data() + i * all.rows * all.rows, n,
                                           result.pivots.data() + i * all.rows);
  return std::make_shared<Lu>(std::move(result));
}

SharedLu lu_of_triangular(const Tensor& lower) {
  const std::size_t n = lower.shape().back(), count = n == 0 ? 0 : lower.size() / (n * n);
  Lu result{lower, std::vector<int>(count * n), {}};
  for (std::size_t i = 0; i < count * n; ++i) result.pivots[i] = int(i % n) + 1;
  return std::make_shared<Lu>(std::move(result));
}

void require_regular(std::string_view operation, const Lu& lu) {
  for (std::size_t i = 0; i < lu.info.size(); ++i)
    if (lu.info[i] != 0)
      throw ValueError(message("[", operation, "] ", matrix_name(lu.factors.shape(), i),
                               " is singular: LAPACK's getrf returned ", lu.info[i], ", the number of a pivot of 0"));
}

Tensor solve(const Lu& lu, const Tensor& b, bool transposed) {
  const Shape &a_shape = lu.factors.shape(), &b_shape = b.shape();
  const std::size_t n = a_shape.back(), k = b_shape.back();
  const Shape a_batch(a_shape.begin(), a_shape.end() - 2), b_batch(b_shape.begin(), b_shape.end() - 2);
  const Shape batch = broadcast_shapes("solve", a_batch, b_batch);
  const std::vector<std::size_t> a_matrix = strided_offsets(batch, broadcast_strides(a_batch, batch)),
                                 b_matrix = strided_offsets(batch, broadcast_strides(b_batch, batch));
  Shape shape = batch;
  shape.push_back(n), shape.push_back(k);
  Tensor result = uninitialized(shape, "solve");
  if (result.size() == 0) return result;
  for (std::size_t i = 0; i < a_matrix.size(); ++i) {
    ByColumns x = by_columns(b.data() + b_matrix[i] * n * k, n, k);
    cxxlapack::getrs<int>(transposed ? 'N' : 'T', int(n), int(k), lu.factors.data() + a_matrix[i] * n * n, int(n),
                          lu.pivots.data() + a_matrix[i] * n, x.data(), int(n));
    write(x.data(), std::vector<Scalar>(k, 1), n, result.data() + i * n * k);
  }
  return result;
}

Tensor cholesky(std::string_view operation, const Tensor& a) {
  const Matrices all(operation, a);
  const std::size_t n = all.rows;
  Tensor result = a;
  for (std::size_t i = 0; i < all.count; ++i) {
    Scalar* l = result.data() + i * n * n;
    const int info = cxxlapack::potrf<int>('U', int(n), l, int(n));  // transposed: the lower triangle is the upper
    all.check(i, info, "is not positive definite: LAPACK's potrf");
    for (std::size_t r = 0; r < n; ++r) std::fill(l + r * n + r + 1, l + (r + 1) * n, Scalar(0));
  }
  return result;
}

Tensor qr(std::string_view operation, const Tensor& a) {
  const Matrices all(operation, a);
  const std::size_t m = all.rows, n = all.columns;
  Tensor result = all.result(m + n, n);
  for (std::size_t i = 0; i < all.count; ++i) {
    Scalar *q = result.data() + i * (m + n) * n, *r = q + m * n;
    ByColumns work = by_columns(a.data() + i * m * n, m, n);
    Column tau = Column::from_shape({n});
    all.check(i, xt::lapack::geqrf(work, tau), "was not factored: LAPACK's geqrf");
    std::vector<Scalar> signs(n, 1);
    for (std::size_t d = 0; d < n; ++d) {
      if (work.data()[d * m + d] < 0) signs[d] = -1;
      for (std::size_t c = d; c < n; ++c) r[d * n + c] = signs[d] * work.data()[c * m + d];
    }
    all.check(i, xt::lapack::orgqr(work, tau), "was not factored: LAPACK's orgqr");
    write(work.data(), signs, m, q);
  }
  return result;
}

Tensor eigh(std::string_view operation, const Tensor& a) {
  const Matrices all(operation, a);
  const std::size_t n = all.rows;
  Tensor result = all.result(n + 1, n);
  // LAPACK's own bounds of the room that it needs. When asked it answers with a Scalar, and a float that is rounded
  // down from n = 2,896 on would be too small a room for LAPACK itself.
  std::vector<Scalar> room(all.count == 0 ? 0 : 1 + 6 * n + 2 * n * n);
  std::vector<int> integers(all.count == 0 ? 0 : 3 + 5 * n);
  if (room.size() > std::size_t(std::numeric_limits<int>::max()))
    throw ShapeError(message("[", operation, "] expected sizes that LAPACK can count, got ", all.shape));
  for (std::size_t i = 0; i < all.count; ++i) {
    Scalar* values = result.data() + i * (n + 1) * n;
    ByColumns work = by_columns(a.data() + i * n * n, n, n);
    const int info = cxxlapack::syevd<int>('V', 'L', int(n), work.data(), int(n), values, room.data(), int(room.size()),
                                           integers.data(), int(integers.size()));
    all.check(i, info, "has eigenvalues that were not found: LAPACK's syevd");
    write(work.data(), signs_of(work.data(), n, n), n, values + n);
  }
  return result;
}

Tensor svd(std::string_view operation, const Tensor& a) {
  const Matrices all(operation, a);
  const std::size_t m = all.rows, n = all.columns, k = std::min(m, n);
  Tensor result = all.result(m + 1 + n, k);
  for (std::size_t i = 0; i < all.count; ++i) {
    Scalar* to = result.data() + i * (m + 1 + n) * k;
    ByColumns work = by_columns(a.data() + i * m * n, m, n);
    const auto [info, u, s, vt] = xt::lapack::gesdd(work, 'S');
    all.check(i, info, "has singular values that were not found: LAPACK's gesdd");
    const std::vector<Scalar> signs = signs_of(u.data(), m, k);
    write(u.data(), signs, m, to);
    std::copy_n(s.data(), k, to + m * k);
    for (std::size_t r = 0; r < n; ++r)  // V from V^T (k, n) by columns
      for (std::size_t c = 0; c < k; ++c) to[(m + 1 + r) * k + c] = signs[c] * vt.data()[r * k + c];
  }
  return result;
}

}  // namespace xgrad::factors
