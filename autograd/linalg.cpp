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

std::pair<std::size_t, std::size_t> rows_and_columns(std::string_view operation, const Shape& shape) {
  if (shape.size() < 2)
    throw ShapeError(message("[", operation, "] expected matrices (…, rows, columns), got ", shape));
  return {shape[shape.size() - 2], shape.back()};
}

std::size_t square_size(std::string_view operation, const Shape& shape) {
  const auto [rows, columns] = rows_and_columns(operation, shape);
  if (rows != columns) throw ShapeError(message("[", operation, "] expected square matrices (…, n, n), got ", shape));
  return rows;
}

// (n, n): one number below the diagonal, another on it, and 0 above.
Variable triangle(std::size_t n, double below, double diagonal) {
  Tensor x = zeros({n, n});
  for (std::size_t i = 0; i < n * n; ++i)
    if (i / n >= i % n) x.data()[i] = Scalar(i / n > i % n ? below : diagonal);
  return Variable(std::move(x));
}
Variable identity(std::size_t n) { return triangle(n, 0, 1); }

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
Variable solve_with(const Variable& a, const factors::SharedLu& lu, const Variable& b, bool transposed) {
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
  return solve_with(lower, factors::lu_of_triangular(lower.value()), b, transposed);
}

Variable solve_regular(std::string_view operation, const Variable& a, const Variable& b) {
  const auto lu = factors::lu(operation, a.value());
  factors::require_regular(operation, *lu);
  return solve_with(a, lu, b, false);
}

// Calls f with b (…, rows, k), or with a vector as such a matrix, of whose result the column comes back.
template <class F>
Variable with_right_side(std::string_view operation, const Variable& a, const Variable& b, F f) {
  const std::size_t rows = rows_and_columns(operation, a.shape()).first;
  const bool vector = b.shape().size() == 1;
  if (b.shape().empty() || (vector ? b.size() : rows_and_columns(operation, b.shape()).first) != rows)
    throw ShapeError(message("[", operation, "] right side ", b.shape(), " does not match matrices ", a.shape(),
                             ": expected ", rows, " rows"));
  if (vector) return without_axis(with_right_side(operation, a, reshape(b, {rows, 1}), f), -1);
  const auto batch = [](const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); };
  broadcast_shapes(operation, batch(a.shape()), batch(b.shape()));
  factors::require_finite(operation, b.value());
  return f(b);
}

// 1 where an element is at most size epsilon times the largest magnitude in the same matrix of `among`, and 0
// elsewhere.
Tensor marks_small(const Tensor& x, const Tensor& among, std::size_t size) {
  std::vector<bool> reduced(among.dimension());
  std::fill(reduced.end() - 2, reduced.end(), true);
  const Tensor largest = reduce_max(map_elements(among, [](Scalar v) { return std::abs(v); }), reduced);
  const Scalar share = Scalar(size) * std::numeric_limits<Scalar>::epsilon();
  return zip_elements("linalg", x, largest, [=](Scalar v, Scalar w) { return Scalar(std::abs(v) <= share * w); });
}

// ValueError, with the column, for the first element, if any, where a * b is not 0.
void refuse_product(std::string_view operation, std::string_view words, const Tensor& a, const Tensor& b) {
  const Tensor product = zip_elements("linalg", a, b, std::multiplies<>());
  const std::size_t columns = product.shape().back(), size = columns * product.shape()[product.dimension() - 2];
  for (std::size_t i = 0; i < product.size(); ++i)
    if (product.data()[i] != 0)
      throw ValueError(message("[", operation, "] ", words, " ", i % columns, " of ",
                               factors::matrix_name(product.shape(), i / size)));
}

// ValueError where `turns`, what V^T dV is, turns a vector towards another of an equal value.
void require_apart(std::string_view operation, const Tensor& equal, const Variable& turns) {
  const Tensor others = zip_elements("linalg", equal, identity(equal.shape().back()).value(), std::minus<>());
  refuse_product(operation, "there is no gradient of vectors that have equal values: vector", others, turns.value());
}

// x / y, and 0 where that is marked: y is replaced before it is divided by.
Variable divide_unless(const Tensor& marked, const Variable& x, const Variable& y) {
  const Variable mark(marked);
  return where(mark, Variable(zeros({})), x / where(mark, Variable(ones({})), y));
}

// ValueError where R (…, n, n) shows that columns, of `length`, depend on each other.
void require_full_rank(std::string_view operation, const Tensor& r, std::size_t length) {
  const Tensor one = identity(r.shape().back()).value(), diagonal = zip_elements("linalg", r, one, std::multiplies<>());
  refuse_product(operation, "the rank is below the number of columns: those before it give column",
                 marks_small(r, diagonal, length), one);
}

Qr tall_qr(std::string_view operation, const Variable& a) {
  const auto [m, n] = rows_and_columns(operation, a.shape());
  const std::vector<std::size_t> parts{m, n};
  // With P the lower triangle, and half of the diagonal, of R dR^T - dQ^T Q: dA = (dQ + Q (P + P^T)) R^-T.
  const auto gradient = [parts](const Variable& y, const Variable& g) {
    const std::vector<Variable> factor = split(y, parts, -2), grads = split(g, parts, -2);
    const Variable &q = factor[0], &r = factor[1], &dq = grads[0];
    require_full_rank("qr", r.value(), parts[0]);
    const Variable mixed = matmul(r, grads[1], {.transpose_b = true}) - matmul(dq, q, {.transpose_a = true});
    const Variable half = mixed * triangle(parts[1], 1, 0.5), right = dq + matmul(q, half + matrix_transpose(half));
    return std::vector{matrix_transpose(solve_lower(matrix_transpose(r), matrix_transpose(right), true))};
  };
  const std::vector<Variable> factor = split(record("qr", factors::qr(operation, a.value()), {a}, gradient), parts, -2);
  return {factor[0], factor[1]};
}

}  // namespace

Variable solve(const Variable& a, const Variable& b) {
  square_size("solve", a.shape());
  return with_right_side("solve", a, b, [&](const Variable& right) { return solve_regular("solve", a, right); });
}

Variable inverse(const Variable& a) { return solve_regular("inverse", a, identity(square_size("inverse", a.shape()))); }

SignedLogDet slogdet(const Variable& a) {
  const std::size_t n = square_size("slogdet", a.shape());
  const auto lu = factors::lu("slogdet", a.value());
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
    const Variable half = triangle(l.shape().back(), 1, 0.5);
    const Variable left = solve_lower(l, matmul(l, g, {.transpose_a = true}) * half, true);
    return std::vector{matrix_transpose(solve_lower(l, matrix_transpose(left), true))};
  });
}

Qr qr(const Variable& a) {
  const auto [m, n] = rows_and_columns("qr", a.shape());
  if (m >= n) return tall_qr("qr", a);
  factors::require_finite("qr", a.value());
  const auto [q, r] = tall_qr("qr", slice(a, -1, 0, m));
  return {q, concatenate({r, matmul(q, slice(a, -1, m, n), {.transpose_a = true})}, -1)};
}

Variable lstsq(const Variable& a, const Variable& b) {
  const auto [m, n] = rows_and_columns("lstsq", a.shape());
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
        const Variable gap = values - matrix_transpose(values);
        const Tensor equal = marks_small(gap.value(), values.value(), n);
        require_apart("eigh", equal, turns);
        const Variable inner = divide_unless(equal, turns, gap);
        return std::vector{matmul(matmul(v, inner + identity(n) * slice(g, -2, 0, 1)), v, {.transpose_b = true})};
      });
  return {without_axis(slice(packed, -2, 0, 1), -2), slice(packed, -2, 1, n + 1)};
}

Svd svd(const Variable& a) {
  const auto [m, n] = rows_and_columns("svd", a.shape());
  // With T_U = U^T dU, T_V = V^T dV and F_ij = 1 / (s_j^2 - s_i^2) where i != j:
  //   dA = U (F * (T_U - T_U^T) S + S F * (T_V - T_V^T) + diag(ds)) V^T + (dU - U T_U) S^-1 V^T + U S^-1 (dV - V T_V)^T
  const auto gradient = [rows = m, columns = n](const Variable& y, const Variable& g) {
    const std::vector<std::size_t> parts{rows, 1, columns};
    const std::vector<Variable> factor = split(y, parts, -2), grads = split(g, parts, -2);
    const Variable &u = factor[0], &s = factor[1], &v = factor[2], &du = grads[0], &dv = grads[2];
    const Variable turns_u = matmul(u, du, {.transpose_a = true}), turns_v = matmul(v, dv, {.transpose_a = true});
    const Variable column = matrix_transpose(s), gap = s - column;
    const Tensor equal = marks_small(gap.value(), s.value(), std::max(rows, columns));
    const Tensor zero = marks_small(s.value(), s.value(), std::max(rows, columns));
    for (const Variable& turns : {turns_u, turns_v}) require_apart("svd", equal, turns);
    for (const Variable& of : {du, dv})
      refuse_product("svd", "there is no gradient of vectors whose value is 0: vector", zero, of.value());
    const auto divided = [&](const Variable& turns) {
      return divide_unless(equal, turns - matrix_transpose(turns), gap * (s + column));
    };
    const Variable inner = divided(turns_u) * s + column * divided(turns_v) + identity(s.shape().back()) * grads[1];
    Variable left = matmul(u, inner);
    if (rows > columns) left = left + divide_unless(zero, du - matmul(u, turns_u), s);
    Variable total = matmul(left, v, {.transpose_b = true});
    if (columns > rows)
      total = total + matmul(u, divide_unless(zero, dv - matmul(v, turns_v), s), {.transpose_b = true});
    return std::vector{total};
  };
  const std::vector<Variable> factor =
      split(record("svd", factors::svd("svd", a.value()), {a}, gradient), {m, 1, n}, -2);
  return {factor[0], without_axis(factor[1], -2), matrix_transpose(factor[2])};
}

Variable matrix_norm(const Variable& x, MatrixNorm kind) {
  rows_and_columns("matrix_norm", x.shape());
  if (kind == MatrixNorm::nuclear) return sum(svd(x).s, -1);
  if (kind == MatrixNorm::spectral) return max(svd(x).s, -1);
  if (kind == MatrixNorm::one) return max(sum(abs(x), -2), -1);
  if (kind == MatrixNorm::infinity) return max(sum(abs(x), -1), -1);
  return norm(x, {-2, -1});
}

}  // namespace xgrad
