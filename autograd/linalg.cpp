#include <xgrad/autograd/factors.h>
#include <xgrad/autograd/linalg.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace xgrad {
namespace {

using SharedLu = std::shared_ptr<const factors::Lu>;

struct Size {
  std::size_t rows, columns;
};

Size matrix_size(std::string_view operation, const Shape& shape) {
  if (shape.size() < 2)
    throw ShapeError(message("[", operation, "] expected matrices (…, rows, columns), got ", shape));
  return {shape[shape.size() - 2], shape.back()};
}

std::size_t square_size(std::string_view operation, const Shape& shape) {
  const auto [rows, columns] = matrix_size(operation, shape);
  if (rows != columns) throw ShapeError(message("[", operation, "] expected square matrices (…, n, n), got ", shape));
  return rows;
}

// (n, n), the element at row i and column j being f(i, j).
template <class F>
Variable square_matrix(std::size_t n, F f) {
  Tensor x = Tensor::from_shape({n, n});
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) x.data()[i * n + j] = Scalar(f(i, j));
  return Variable(std::move(x));
}

Variable identity(std::size_t n) {
  return square_matrix(n, [](auto i, auto j) { return i == j ? 1 : 0; });
}

Variable matrix_transpose(const Variable& x) {
  std::vector<std::ptrdiff_t> axes(x.shape().size());
  std::iota(axes.begin(), axes.end(), 0);
  std::swap(axes[axes.size() - 2], axes.back());
  return transpose(x, axes);
}

// What is seen of a matrix that is to be symmetric. Its gradient makes those of the factors below symmetric.
Variable symmetric_part(const Variable& a) { return 0.5 * a + 0.5 * matrix_transpose(a); }

Variable without_axis(const Variable& x, std::ptrdiff_t axis) {
  Shape shape = x.shape();
  shape.erase(shape.end() + axis);
  return reshape(x, shape);
}

// A^-1 B or A^-T B. Of X = A^-1 B: dB = A^-T dX, dA = -dB X^T, and the transpose of that where A is.
Variable solve_with(const Variable& a, const SharedLu& lu, const Variable& b, bool transposed) {
  return record("solve", factors::solve(*lu, b.value(), transposed), {a, b},
                [lu, transposed](const Variable& x, const Variable& g) {
                  const Variable right = solve_with(x.input(0), lu, g, !transposed);
                  std::vector<Variable> gradients{{}, x.input(1).requires_grad() ? right : Variable()};
                  if (x.input(0).requires_grad())
                    gradients[0] = -matmul(transposed ? x : right, transposed ? right : x, {.transpose_b = true});
                  return gradients;
                });
}

Variable solve_lower(const Variable& lower, const Variable& b, bool transposed) {
  return solve_with(lower, std::make_shared<factors::Lu>(factors::lu_of_triangular(lower.value())), b, transposed);
}

SharedLu regular_lu(std::string_view operation, const Tensor& a) {
  auto lu = std::make_shared<factors::Lu>(factors::lu(operation, a));
  factors::require_regular(operation, *lu);
  return lu;
}

// Calls f with b (…, rows, k), or with a vector as such a matrix, of whose result the column comes back.
template <class F>
Variable with_right_side(std::string_view operation, const Variable& a, const Variable& b, F f) {
  const std::size_t rows = matrix_size(operation, a.shape()).rows;
  const bool vector = b.shape().size() == 1;
  if (b.shape().empty() || (vector ? b.size() : matrix_size(operation, b.shape()).rows) != rows)
    throw ShapeError(message("[", operation, "] right side ", b.shape(), " does not match matrices ", a.shape(),
                             ": expected ", rows, " rows"));
  if (vector) return without_axis(with_right_side(operation, a, reshape(b, {rows, 1}), f), -1);
  const auto batch = [](const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); };
  broadcast_shapes(operation, batch(a.shape()), batch(b.shape()));
  factors::require_finite(operation, b.value());
  return f(b);
}

// Marks, with 1, the pairs (…, k, k) of values (…, 1, k) that differ by no more than size epsilon times the largest
// magnitude, and so each value with itself; the values that are 0 to within that are marked in `zero` (…, 1, k).
struct Marks {
  Marks(const Tensor& values, std::size_t size) : equal(values), zero(values) {
    const std::size_t k = values.shape().back();
    Shape shape = values.shape();
    shape[shape.size() - 2] = k;
    equal = zeros(shape);
    for (std::size_t row = 0; row < values.size(); row += k) {
      const Scalar* of = values.data() + row;
      Scalar bound = 0;
      for (std::size_t i = 0; i < k; ++i) bound = std::max(bound, std::abs(of[i]));
      bound *= Scalar(size) * std::numeric_limits<Scalar>::epsilon();
      for (std::size_t i = 0; i < k; ++i) {
        zero.data()[row + i] = Scalar(std::abs(of[i]) <= bound);
        for (std::size_t j = 0; j < k; ++j) equal.data()[(row + i) * k + j] = Scalar(std::abs(of[i] - of[j]) <= bound);
      }
    }
  }
  // ValueError where `turns`, what V^T dV is, has anything but 0 for two vectors of equal values.
  void require_apart(std::string_view operation, const Tensor& turns, const char* values) const {
    const std::size_t k = equal.shape().back();
    for (std::size_t at = 0; at < equal.size(); ++at)
      if (equal.data()[at] != 0 && turns.data()[at] != 0 && at / k % k != at % k)
        throw ValueError(message("[", operation, "] the gradient of the vectors does not exist: ", values, " ",
                                 at / k % k, " and ", at % k, " of ", factors::matrix_name(equal.shape(), at / (k * k)),
                                 " are equal"));
  }
  // ValueError where a gradient (…, rows, k) of vectors has anything but 0 for one whose value is 0.
  void require_nonzero(std::string_view operation, const Tensor& grad) const {
    const std::size_t k = zero.shape().back(), rows = grad.shape()[grad.shape().size() - 2];
    for (std::size_t at = 0; at < grad.size(); ++at)
      if (const std::size_t matrix = at / k / rows; zero.data()[matrix * k + at % k] != 0 && grad.data()[at] != 0)
        throw ValueError(message("[", operation, "] the gradient of the vectors does not exist: singular value ",
                                 at % k, " of ", factors::matrix_name(grad.shape(), matrix), " is 0"));
  }

  Tensor equal, zero;
};

// x / y, and 0 where that is marked: y is replaced before it is divided by.
Variable divide_unless(const Tensor& marked, const Variable& x, const Variable& y) {
  const Variable mark(marked);
  return where(mark, Variable(zeros({})), x / where(mark, Variable(ones({})), y));
}

// Of the packed Q and R: with M = R dR^T - dQ^T Q, dA = (dQ + Q (tril(M) + strictly_tril(M)^T)) R^-T.
std::vector<Variable> qr_gradient(const Variable& packed, const Variable& grad) {
  const Shape& shape = packed.shape();
  const std::size_t n = shape.back(), end = shape[shape.size() - 2], m = end - n;
  const Variable q = slice(packed, -2, 0, m), r = slice(packed, -2, m, end), dq = slice(grad, -2, 0, m);
  const Variable mixed =
      matmul(r, slice(grad, -2, m, end), {.transpose_b = true}) - matmul(dq, q, {.transpose_a = true});
  const Variable lower = mixed * square_matrix(n, [](auto i, auto j) { return i >= j ? 1 : 0; });
  const Variable below = mixed * square_matrix(n, [](auto i, auto j) { return i > j ? 1 : 0; });
  const Variable right = dq + matmul(q, lower + matrix_transpose(below));
  return {matrix_transpose(solve_lower(matrix_transpose(r), matrix_transpose(right), true))};
}

// ValueError where R (…, n, n) shows that the columns, of `length`, depend on each other.
void require_full_rank(std::string_view operation, const Tensor& r, std::size_t length) {
  const std::size_t n = r.shape().back();
  for (std::size_t i = 0; n > 0 && i < r.size() / (n * n); ++i) {
    const Scalar* of = r.data() + i * n * n;
    Scalar largest = 0;
    for (std::size_t d = 0; d < n; ++d) largest = std::max(largest, of[d * (n + 1)]);
    for (std::size_t d = 0; d < n; ++d)
      if (of[d * (n + 1)] <= Scalar(length) * std::numeric_limits<Scalar>::epsilon() * largest)
        throw ValueError(message("[", operation, "] the rank of ", factors::matrix_name(r.shape(), i), " is below ", n,
                                 ": column ", d, " depends on those before it, with ", double(of[d * (n + 1)]),
                                 " on R's diagonal"));
  }
}

Qr tall_qr(std::string_view operation, const Variable& a) {
  const auto [m, n] = matrix_size(operation, a.shape());
  const Variable packed =
      record("qr", factors::qr(operation, a.value()), {a}, [](const Variable& y, const Variable& g) {
        const std::size_t rows = y.input(0).shape()[y.input(0).shape().size() - 2], columns = y.shape().back();
        require_full_rank("qr", slice(y.detach(), -2, rows, rows + columns).value(), rows);
        return qr_gradient(y, g);
      });
  return {slice(packed, -2, 0, m), slice(packed, -2, m, m + n)};
}

}  // namespace

Variable solve(const Variable& a, const Variable& b) {
  square_size("solve", a.shape());
  return with_right_side("solve", a, b, [&](const Variable& right) {
    return solve_with(a, regular_lu("solve", a.value()), right, false);
  });
}

Variable inverse(const Variable& a) {
  const std::size_t n = square_size("inverse", a.shape());
  return solve_with(a, regular_lu("inverse", a.value()), identity(n), false);
}

SignedLogDet slogdet(const Variable& a) {
  const std::size_t n = square_size("slogdet", a.shape());
  const auto lu = std::make_shared<factors::Lu>(factors::lu("slogdet", a.value()));
  Tensor sign = ones(Shape(a.shape().begin(), a.shape().end() - 2)), logabs = zeros(sign.shape());
  for (std::size_t i = 0; i < lu->info.size(); ++i) {
    double total = 0, signs = 1;
    for (std::size_t d = 0; d < n; ++d) {
      const double pivot = lu->factors.data()[i * n * n + d * (n + 1)];
      total += std::log(std::abs(pivot));
      signs *= (pivot < 0) != (lu->pivots[i * n + d] != int(d) + 1) ? -1 : 1;
    }
    sign.data()[i] = Scalar(lu->info[i] != 0 ? 0 : signs), logabs.data()[i] = Scalar(total);
  }
  return {Variable(std::move(sign)),
          record("slogdet", std::move(logabs), {a}, [lu, n](const Variable& y, const Variable& g) {
            factors::require_regular("slogdet", *lu);
            Shape shape = y.shape();
            shape.push_back(1), shape.push_back(1);
            return std::vector{reshape(g, shape) * solve_with(y.input(0), lu, identity(n), true)};
          })};
}

Variable cholesky(const Variable& a) {
  square_size("cholesky", a.shape());
  const Variable s = symmetric_part(a);
  // dS = L^-T P L^-1, where P is the lower triangle of L^T dL with half of the diagonal.
  return record("cholesky", factors::cholesky("cholesky", s.value()), {s}, [](const Variable& l, const Variable& g) {
    const Variable half = square_matrix(l.shape().back(), [](auto i, auto j) {
      return i > j ? 1.0 : i == j ? 0.5 : 0.0;
    });
    const Variable left = solve_lower(l, matmul(l, g, {.transpose_a = true}) * half, true);
    return std::vector{matrix_transpose(solve_lower(l, matrix_transpose(left), true))};
  });
}

Qr qr(const Variable& a) {
  const auto [m, n] = matrix_size("qr", a.shape());
  if (m >= n) return tall_qr("qr", a);
  factors::require_finite("qr", a.value());
  const auto [q, r] = tall_qr("qr", slice(a, -1, 0, m));
  return {q, concatenate({r, matmul(q, slice(a, -1, m, n), {.transpose_a = true})}, -1)};
}

Variable lstsq(const Variable& a, const Variable& b) {
  const auto [m, n] = matrix_size("lstsq", a.shape());
  if (m < n) throw ShapeError(message("[lstsq] expected no fewer rows than columns, got ", a.shape()));
  return with_right_side("lstsq", a, b, [&, rows = m](const Variable& right) {
    const Qr factor = tall_qr("lstsq", a);
    require_full_rank("lstsq", factor.r.value(), rows);
    return solve_lower(matrix_transpose(factor.r), matmul(factor.q, right, {.transpose_a = true}), true);
  });
}

Eigh eigh(const Variable& a) {
  const std::size_t n = square_size("eigh", a.shape());
  const Variable s = symmetric_part(a);
  // dS = V (diag(dvalues) + (V^T dV)_ij / (value_j - value_i) where i != j) V^T.
  const Variable packed =
      record("eigh", factors::eigh("eigh", s.value()), {s}, [n](const Variable& y, const Variable& g) {
        const Variable values = slice(y, -2, 0, 1), v = slice(y, -2, 1, n + 1);
        const Variable turns = matmul(v, slice(g, -2, 1, n + 1), {.transpose_a = true});
        const Marks marks(values.value(), n);
        marks.require_apart("eigh", turns.value(), "eigenvalues");
        const Variable inner = divide_unless(marks.equal, turns, values - matrix_transpose(values));
        return std::vector{matmul(matmul(v, inner + identity(n) * slice(g, -2, 0, 1)), v, {.transpose_b = true})};
      });
  return {without_axis(slice(packed, -2, 0, 1), -2), slice(packed, -2, 1, n + 1)};
}

Svd svd(const Variable& a) {
  const auto [m, n] = matrix_size("svd", a.shape());
  // With T_U = U^T dU, T_V = V^T dV and F_ij = 1 / (s_j^2 - s_i^2) where i != j:
  //   dA = U (F * (T_U - T_U^T) S + S F * (T_V - T_V^T) + diag(ds)) V^T + (dU - U T_U) S^-1 V^T + U S^-1 (dV - V T_V)^T
  const auto gradient = [rows = m, columns = n](const Variable& y, const Variable& g) {
    const std::vector<std::size_t> parts{rows, 1, columns};
    const std::vector<Variable> factor = split(y, parts, -2), grads = split(g, parts, -2);
    const Variable &u = factor[0], &s = factor[1], &v = factor[2], &du = grads[0], &dv = grads[2];
    const Variable turns_u = matmul(u, du, {.transpose_a = true}), turns_v = matmul(v, dv, {.transpose_a = true});
    const Marks marks(s.value(), std::max(rows, columns));
    for (const Variable& turns : {turns_u, turns_v}) marks.require_apart("svd", turns.value(), "singular values");
    for (const Variable& of : {du, dv}) marks.require_nonzero("svd", of.value());
    const Variable column = matrix_transpose(s), gap = (s - column) * (s + column);
    const auto divided = [&](const Variable& turns) {
      return divide_unless(marks.equal, turns - matrix_transpose(turns), gap);
    };
    const Variable inner = divided(turns_u) * s + column * divided(turns_v) + identity(s.shape().back()) * grads[1];
    Variable left = matmul(u, inner);
    if (rows > columns) left = left + divide_unless(marks.zero, du - matmul(u, turns_u), s);
    Variable total = matmul(left, v, {.transpose_b = true});
    if (columns > rows)
      total = total + matmul(u, divide_unless(marks.zero, dv - matmul(v, turns_v), s), {.transpose_b = true});
    return std::vector{total};
  };
  const std::vector<Variable> factor =
      split(record("svd", factors::svd("svd", a.value()), {a}, gradient), {m, 1, n}, -2);
  return {factor[0], without_axis(factor[1], -2), matrix_transpose(factor[2])};
}

Variable matrix_norm(const Variable& x, MatrixNorm kind) {
  matrix_size("matrix_norm", x.shape());
  switch (kind) {
    case MatrixNorm::frobenius:
      return norm(x, {-2, -1});
    case MatrixNorm::nuclear:
      return sum(svd(x).s, -1);
    case MatrixNorm::spectral:
      return max(svd(x).s, -1);
    case MatrixNorm::one:
      return max(sum(abs(x), -2), -1);
    case MatrixNorm::infinity:
      return max(sum(abs(x), -1), -1);
  }
  throw ValueError("[matrix_norm] expected one of the norms listed in MatrixNorm");
}

}  // namespace xgrad
